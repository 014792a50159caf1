/** The policy file: what is signed is what is meant. */
import { beforeAll, describe, expect, it } from 'vitest';
import { signCard } from '../../../packages/core/src/policy/card.js';
import { createIdentity } from '../../../packages/core/src/policy/identity.js';
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

  const rule = { path: '/', owners: ['infra'], writers: ['infra'], readers: ['infra'], consents: 1 };
  it.each<[string, (p: Policy) => Partial<Policy>, RegExp]>([
    ['a first policy that follows another', () => ({ previous: 'ab'.repeat(32) }), /only policy 1/],
    ['a later one that follows none', () => ({ number: 2 }), /only policy 1/],
    ['a format that is not known here', () => ({ format: 2 }), /format 2 is newer/],
    ['an admin without a card', () => ({ admins: { need: 1, of: ['zoe'] } }), /admin zoe has no card/],
    ['more admins needed than there are', () => ({ admins: { need: 2, of: ['alice'] } }), /2 of 1 admins can never agree/],
    ['a member without a card', (p) => ({ roles: { ...p.roles, zoo: { members: ['zoe'] } } }), /role zoo: zoe has no card/],
    ['more managers needed than there are', (p) => ({ roles: { ...p.roles, zoo: { members: [], managed: { need: 2, of: ['alice'] } } } }), /2 of 1 managers can never agree/],
    ['a steward without a card', (p) => ({ roles: { ...p.roles, zoo: { members: [], steward: 'zoe' } } }), /steward zoe has no card/],
    ['a custodian without a card', () => ({ custody: { root: { need: 1, of: ['alice', 'zoe'] } } }), /custodian zoe has no card/],
    ['a custodian with two shares', () => ({ custody: { root: { need: 2, of: ['alice', { need: 1, of: ['alice', 'bruno'] }] } } }), /custody group root /],
    ['rules out of order', () => ({ rules: [{ ...rule, path: 'dns/' }, rule] }), /not in order of their paths at \//],
    ['two rules of one path', () => ({ rules: [rule, rule] }), /not in order/],
    ['an owner that is no role', () => ({ rules: [{ ...rule, owners: ['zoo'] }] }), /names role zoo/],
    ['a writer that is no role', () => ({ rules: [{ ...rule, writers: ['zoo'] }] }), /names role zoo/],
    ['a reader that is no role', () => ({ rules: [{ ...rule, readers: ['zoo'] }] }), /names role zoo/],
    ['a custody group that is none', () => ({ rules: [{ path: '/', owners: ['infra'], writers: ['infra'], custody: 'zoo', consents: 1 }] }), /names custody group zoo/],
    ['more consents than the managers of an owner', (p) => ({ roles: { ...p.roles, infra: { ...p.roles['infra']!, managed: { need: 1, of: ['alice'] } } }, rules: [{ ...rule, consents: 2 }] }), /asks 2 consents of infra/],
    ['at the beginning, more consents than its owners could give', () => ({ rules: [{ ...rule, consents: 3 }] }), /3 consents/],
  ])('refuses %s', (_what, change, says) => {
    const found = checkPolicyFile(encodePolicy({ ...policy, ...change(policy) }));
    expect(found).toMatchObject({ code: 'BAD_POLICY' });
    expect((found as { message: string }).message).toMatch(says);
  });

  it('refuses cards that are not those of their person, or of two', async () => {
    const alice = cast.identities.get('alice')![0]!;
    const other = async (spec: Partial<Parameters<typeof createIdentity>[0]>): Promise<string> =>
      (await createIdentity({ person: 'alice', device: 'tablet', kind: 'human', suite: 'x25519', now: 1_800_000_000, ...spec })).card.line;
    const dora = { person: 'dora', device: 'laptop', kind: 'human', created: 1_800_000_000 } as const;
    const persons = (change: Record<string, string[]>): unknown =>
      checkPolicyFile(encodePolicy({ ...policy, persons: { ...policy.persons, ...Object.fromEntries(Object.entries(change).map(([name, cards]) => [name, { cards }])) } }));
    expect(persons({ alice: [alice.card.line, await other({})] })).toHaveProperty('policy');
    expect(persons({ dora: [cast.card('erin').line] })).toMatchObject({ code: 'BAD_CARD', message: expect.stringContaining('the card of erin') });
    expect(persons({ alice: [alice.card.line, await other({ device: 'laptop' })] })).toMatchObject({ code: 'BAD_CARD', message: expect.stringContaining('two devices called laptop') });
    expect(persons({ alice: [alice.card.line, await other({ kind: 'machine' })] })).toMatchObject({ code: 'BAD_CARD', message: expect.stringContaining('both human and machine') });
    expect(persons({ alice: [alice.card.line, await other({ suite: 'hybrid' })] })).toMatchObject({ code: 'MIXED_RECIPIENTS' });
    expect(persons({ dora: [signCard({ ...dora, recipient: cast.card('dora').recipient }, alice.signingKey).line] })).toMatchObject({ code: 'KEY_TAKEN', message: expect.stringContaining('signing key') });
    expect(persons({ dora: [signCard({ ...dora, recipient: alice.card.recipient }, cast.identities.get('dora')![0]!.signingKey).line] })).toMatchObject({ code: 'KEY_TAKEN', message: expect.stringContaining('recipient') });
  });
});
