/** The policies that `member add` and `member remove` propose. */
import type { ThresholdTree } from '../../../packages/core/src/primitives/threshold-tree.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { withMember, withoutMember } from '../../../packages/core/src/operations/people/members.js';
import type { Policy } from '../../../packages/core/src/policy/policy.js';
import { PersistentMap } from '../../../packages/core/src/primitives/persistent-map.js';
import type { PolicyState } from '../../../packages/core/src/policy/state.js';
import { baseOf, makeCast, policyOf, type Cast } from '../../support/policies.js';

const none = PersistentMap.from<string>([]);
let cast: Cast;
beforeAll(async () => {
  // Names that are also keys of a threshold.
  cast = await makeCast(['alice', 'bruno', 'carol', 'need', 'of'], []);
});

function stateOf(change: Partial<Policy>): PolicyState {
  const policy = policyOf(cast.humans.map((person) => cast.card(person)), change);
  return { ...baseOf(policy), vault: '00'.repeat(32), since: 0, keys: none, recipients: none, claimed: none, removed: new Set(), proposals: [], roles: new Map() };
}

describe('the policy without a person', () => {
  const custody = { root: { need: 1, of: ['bruno', { need: 1, of: ['carol'] }] } };

  it.each(['need', 'of'])('goes by who a custodian is, not by what the tree is written with: %s', (person) => {
    const state = stateOf({ custody, roles: { infra: { members: ['alice', person] } } });
    expect(withoutMember(state, person).roles['infra']?.members).toEqual(['alice']);
  });

  it.each([['bruno', { need: 1, of: [{ need: 1, of: ['carol'] }] }], ['carol', { need: 1, of: ['bruno'] }]])('takes a custodian out at any depth where enough are left: %s', (person, left) => {
    expect(withoutMember(stateOf({ custody }), person).custody).toEqual({ root: left });
  });

  it.each<[string, ThresholdTree, string]>([
    ['bruno', { need: 2, of: ['bruno', 'carol'] }, '{ need: 2, of: [bruno, carol] }'],
    ['carol', { need: 2, of: [{ need: 1, of: ['bruno'] }, { need: 1, of: ['carol'] }] }, '{ all: [ { need: 1, of: [bruno] }, { need: 1, of: [carol] } ] }'],
    ['carol', { need: 1, of: ['bruno', { need: 2, of: ['carol', 'alice'] }] }, '{ need: 1, of: [bruno, { need: 2, of: [carol, alice] }] }'],
  ])('is refused where too few would be left, with the very line of policy.yaml: %s of %j', (person, root, line) => {
    expect(() => withoutMember(stateOf({ custody: { root } }), person)).toThrow(expect.objectContaining({ code: 'WOULD_STRAND', details: [expect.stringContaining('policy.yaml'), `  root: ${line}`] }));
  });
});

describe('the policy with a person added', () => {
  it('is refused where it would say the same, an admin made admin included', () => {
    const state = stateOf({ roles: { infra: { members: ['alice'] } } });
    expect(() => withMember(state, cast.card('alice'), { roles: ['infra'], admin: true })).toThrow(expect.objectContaining({ code: 'ALREADY_DONE' }));
  });

  it('keeps the threshold above half of the admins', () => {
    expect(withMember(stateOf({}), cast.card('bruno'), { roles: [], admin: true }).admins).toEqual({ need: 2, of: ['alice', 'bruno'] });
  });
});
