/** The policy file: what is signed is what is meant. */
import { beforeAll, describe, expect, it } from 'vitest';
import { checkPolicyFile, encodePolicy, type Policy } from '../../../packages/core/src/policy/policy.js';
import { canonicalJson } from '../../../packages/core/src/primitives/canonical-json.js';
import type { Json } from '../../../packages/core/src/wire.js';
import { makeCast, policyOf, type Cast } from '../../support/policies.js';

let cast: Cast;
let policy: Policy;
beforeAll(async () => {
  cast = await makeCast();
  policy = policyOf([cast.card('alice'), cast.card('bruno'), cast.card('carol')]);
});

describe('checkPolicyFile', () => {
  it('gives back a policy without a fault', () => {
    expect(checkPolicyFile(encodePolicy(policy))).toMatchObject({ policy });
  });

  it.each<[string, (p: Policy) => { readonly [key: string]: Json }]>([
    ['an empty list for a map', () => ({ custody: [] })],
    ['a role called constructor, whatever is in it', (p) => ({ roles: { ...p.roles, constructor: { members: ['nobody'], junk: 1 } } })],
    ['a person called constructor', (p) => ({ persons: { ...p.persons, constructor: { cards: ['no card'] } } })],
    ['a custody group called prototype', () => ({ custody: { prototype: 1 } })],
  ])('refuses %s', (_what, change) => {
    const bytes = canonicalJson({ ...policy, ...change(policy) });
    expect(checkPolicyFile(bytes)).toMatchObject({ code: 'BAD_POLICY' });
  });
});
