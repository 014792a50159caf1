/** What a policy makes of the people before it, and what no successor may change. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Refusal } from '../../../packages/core/src/errors.js';
import { signCard } from '../../../packages/core/src/policy/card.js';
import { peopleUnder } from '../../../packages/core/src/policy/people.js';
import { checkPolicyFile, encodePolicy, type CheckedPolicy, type Policy } from '../../../packages/core/src/policy/policy.js';
import type { PolicyState } from '../../../packages/core/src/policy/state.js';
import { judgeTransition } from '../../../packages/core/src/policy/transition.js';
import { PersistentMap } from '../../../packages/core/src/primitives/persistent-map.js';
import { baseOf, makeCast, policyOf, type Cast } from '../../support/policies.js';

let cast: Cast;
let state: PolicyState;
beforeAll(async () => {
  cast = await makeCast();
  const { policy, digest, people } = baseOf(policyOf([cast.card('alice'), cast.card('bruno'), cast.card('carol')]));
  const devices = [...people].flatMap(([name, person]) => person.devices.map((device) => [name, device] as const));
  state = {
    vault: digest, policy, digest, since: 0, people, claimed: PersistentMap.from<string>([]), removed: new Set(), proposals: [], roles: new Map(),
    keys: PersistentMap.from(devices.map(([name, { id }]) => [id, name])), recipients: PersistentMap.from(devices.map(([name, { recipient }]) => [recipient, name])),
  };
});

function checked(change: Partial<Policy>): CheckedPolicy {
  const next = checkPolicyFile(encodePolicy({ ...state.policy, number: 2, previous: state.digest, ...change }));
  if ('code' in next) throw new Error(next.message);
  return next;
}

const codeOf = (result: object | Refusal): string | undefined => ('code' in result ? result.code : undefined);

describe('peopleUnder', () => {
  const under = (change: Partial<Policy>): string | undefined => codeOf(peopleUnder(state, checked(change), 1));
  const withCards = (person: string, cards: readonly string[]): Partial<Policy> => ({ persons: { ...state.policy.persons, [person]: { cards: [...cards] } } });

  it('removes no key that was never there, nor the last device of somebody who stays', () => {
    expect(under({ removedDevices: ['ab'.repeat(32)] })).toBe('BAD_POLICY');
    expect(under({ removedDevices: [cast.card('alice').id] })).toBe('WOULD_STRAND');
    expect(under({ removedDevices: [cast.card('alice').id], ...withCards('alice', [cast.card('alice').line, cast.card('alice', 1).line]) })).toBeUndefined();
    const { policy } = state;
    const first = checkPolicyFile(encodePolicy({ ...policy, removedDevices: ['ab'.repeat(32)] }));
    expect(codeOf(peopleUnder(undefined, first as CheckedPolicy, 0))).toBe('BAD_POLICY');
  });

  it('adds no device under a name that another of the same person has, nor with its recipient', () => {
    const { signingKey } = cast.identities.get('alice')![1]!;
    const like = (device: string, recipient: string): string => signCard({ person: 'alice', kind: 'human', created: 1_800_000_000, device, recipient }, signingKey).line;
    const { device, recipient } = cast.card('alice');
    expect(under(withCards('alice', [like(device, cast.card('alice', 1).recipient)]))).toBe('BAD_CARD');
    expect(under(withCards('alice', [like('phone', recipient)]))).toBe('BAD_CARD');
    expect(under(withCards('alice', [like('phone', cast.card('alice', 1).recipient)]))).toBeUndefined();
  });
});

describe('judgeTransition', () => {
  it('never goes back to a lower format', () => {
    const next = checked({});
    const judge = (from: PolicyState): string | undefined => codeOf(judgeTransition(from, next, [], state.people, []));
    expect(judge(state)).toBeUndefined();
    expect(judge({ ...state, policy: { ...state.policy, format: 2 } })).toBe('BAD_POLICY');
  });
});
