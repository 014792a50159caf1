/** Whose signatures under a proposal stand, whether they are enough, and who is still missing. */
import type { Policy, Threshold } from './policy.js';
import { livingDevice, type PolicyState, type Proposal } from './state.js';
import { changeOf, type Change } from './transition.js';

/** Persons of `threshold` whose signature stands: made by a living device, or, for a newcomer, by a card of the proposal. Each once. */
function standing(state: PolicyState, proposal: Proposal, threshold: Threshold): Set<string> {
  const stands = proposal.signers.filter((s) => !state.people.has(s.person) || livingDevice(state, s.person, s.key) !== undefined);
  return new Set(stands.map((s) => s.person).filter((person) => threshold.of.includes(person)));
}

export function agrees(state: PolicyState, proposal: Proposal, threshold: Threshold | undefined): boolean {
  return threshold !== undefined && standing(state, proposal, threshold).size >= threshold.need;
}

/** The admins of the policy in effect and those of the proposed one. */
export function adminsAgree(state: PolicyState, proposal: Proposal, next: Policy): boolean {
  return agrees(state, proposal, state.policy.admins) && agrees(state, proposal, next.admins);
}

export function managersAgree(state: PolicyState, proposal: Proposal, change: Change): boolean {
  return change.by === 'managers' && change.roles.every((role) => agrees(state, proposal, state.policy.roles[role]?.managed));
}

/** True when the managers of some role would be enough, should it be that role alone whose membership changes. */
export function someManagersAgree(state: PolicyState, proposal: Proposal): boolean {
  return Object.values(state.policy.roles).some(({ managed }) => agrees(state, proposal, managed));
}

/** True when another open proposal bears an admin's signature: it goes before managed ones. */
export function adminsComeFirst(state: PolicyState, proposal: Proposal): boolean {
  return state.proposals.some((p) => p !== proposal && p.signers.some((s) => state.policy.admins.of.includes(s.person) && livingDevice(state, s.person, s.key)));
}

export interface Missing {
  /** How many more are needed at least. */
  readonly need: number;
  /** Who could sign, in order. */
  readonly of: readonly string[];
}

/** What an open proposal waits for, by the way that needs the fewest: its role's managers where they may decide, else the admins. */
export function missingSignatures(state: PolicyState, proposal: Proposal): Missing {
  const { policy } = proposal;
  const admins = missingOf(state, proposal, [state.policy.admins, ...(policy ? [policy.admins] : [])]);
  const change = policy && !adminsComeFirst(state, proposal) ? changeOf(state, policy) : undefined;
  if (change?.by !== 'managers') return admins;
  const managers = missingOf(state, proposal, change.roles.map((role) => state.policy.roles[role]!.managed!));
  return managers.need <= admins.need ? managers : admins;
}

function missingOf(state: PolicyState, proposal: Proposal, thresholds: readonly Threshold[]): Missing {
  const short = thresholds.map((t) => {
    const signed = standing(state, proposal, t);
    return { need: t.need - signed.size, of: t.of.filter((person) => !signed.has(person)) };
  }).filter((m) => m.need > 0);
  return { need: Math.max(0, ...short.map((m) => m.need)), of: [...new Set(short.flatMap((m) => m.of))].sort() };
}
