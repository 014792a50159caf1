/** Abandoning a secret is one act of one policy: the ones after it need not say it again. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Refusal } from '../../../packages/core/src/errors.js';
import { checkPolicyFile, encodePolicy, type Policy } from '../../../packages/core/src/policy/policy.js';
import { peopleUnder } from '../../../packages/core/src/policy/people.js';
import { PersistentMap } from '../../../packages/core/src/primitives/persistent-map.js';
import type { PolicyState } from '../../../packages/core/src/policy/state.js';
import { judgeTransition, type Change } from '../../../packages/core/src/policy/transition.js';
import { baseOf, makeCast, policyOf, type Cast } from '../../support/policies.js';

const none = PersistentMap.from<string>([]);
let cast: Cast;
beforeAll(async () => {
  cast = await makeCast();
});

function judge(current: Policy, change: Partial<Policy>, custodians: readonly string[]): Change | Refusal {
  const { policy, digest, people } = baseOf(current);
  const state: PolicyState = { vault: digest, policy, digest, since: 0, people, keys: none, recipients: none, claimed: none, removed: new Set(), proposals: [], roles: new Map() };
  const next = checkPolicyFile(encodePolicy({ ...policy, number: policy.number + 1, previous: digest, abandon: { secrets: [], roles: [] }, ...change }));
  if ('code' in next) throw new Error(next.message);
  const after = peopleUnder(state, next, 1);
  if ('code' in after) throw new Error(after.message);
  return judgeTransition(state, next, [{ secret: 'pki/root', couldOpen: (present) => custodians.every((person) => present.has(person)) }], after.people, []);
}

describe('judgeTransition, custody', () => {
  const all = (): Policy => policyOf([cast.card('alice'), cast.card('bruno'), cast.card('carol'), cast.card('erin')]);
  const withoutErin = (): Policy => policyOf([cast.card('alice'), cast.card('bruno'), cast.card('carol')]);

  it('refuses to drop a custodian whom a current tree needs, unless the secret is abandoned', () => {
    const { persons } = withoutErin();
    expect(judge(all(), { persons }, ['alice', 'erin'])).toMatchObject({ code: 'WOULD_STRAND' });
    expect(judge(all(), { persons, abandon: { secrets: ['pki/root'], roles: [] } }, ['alice', 'erin'])).toEqual({ by: 'admins' });
    expect(judge(all(), { persons }, ['alice', 'bruno'])).toEqual({ by: 'admins' });
  });

  it('lets a team grow by itself after that', () => {
    const roles = { ...all().roles, platform: { members: ['carol'], managed: { need: 1, of: ['carol'] } } };
    const abandoned: Policy = { ...withoutErin(), number: 2, previous: 'b7'.repeat(32), roles, abandon: { secrets: ['pki/root'], roles: [] } };
    const grown = { ...roles, platform: { ...roles.platform, members: ['carol', 'dora'] } };
    const persons = { ...abandoned.persons, dora: { cards: [cast.card('dora').line] } };
    expect(judge(abandoned, { roles: grown, persons }, ['alice', 'erin'])).toEqual({ by: 'managers', roles: ['platform'] });
  });
});
