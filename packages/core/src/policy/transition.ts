/** From policy N to N+1: what kind of change it is, hence whose signatures it needs, and whether it may happen at all. */
import { refusal, type Refusal } from '../errors.js';
import { canonicalEqual } from '../primitives/canonical-json.js';
import type { CheckedPolicy, Policy, Rule } from './policy.js';
import { consentsFault, type ConsentRule } from './consents.js';
import { canOpen, holders, type PolicyState } from './state.js';

/** The custodians of the current version of a secret. */
export interface CurrentTree {
  readonly secret: string;
  /** True when those of them who are among these people, with devices that can open their shares, are enough. */
  readonly couldOpen: (people: PolicyState['people']) => boolean;
}

/** A rule that a completed handover has put in the place of the policy's for one secret. */
export interface StandInRule {
  readonly secret: string;
  readonly rule: Rule;
}

/** Whose agreement a successor needs: the admins of both, or the managers of each role whose membership it changes. */
export type Change = { readonly by: 'admins' } | { readonly by: 'managers'; readonly roles: readonly string[] };

/** `people` are those under the next policy. */
export function judgeTransition(state: PolicyState, next: CheckedPolicy, trees: Iterable<CurrentTree>, people: PolicyState['people'], standIns: Iterable<StandInRule>): Change | Refusal {
  const { policy } = next;
  const current = state.policy;
  if (policy.number !== current.number + 1 || policy.previous !== state.digest) {
    return refusal('STALE_DRAFT', `policy ${policy.number} does not follow policy ${current.number}, which is in effect`, 'Take the policy in effect as the base: oxp-vault policy show');
  }
  if (policy.nonce !== current.nonce || policy.suite !== current.suite || policy.name !== current.name) {
    return refusal('BAD_POLICY', 'name, nonce and suite of a vault never change');
  }
  if (policy.format < current.format) return refusal('BAD_POLICY', `policy format cannot go back from ${current.format} to ${policy.format}`);
  const handedOver = [...standIns];
  return strands(state, policy, people, trees) ?? takesBack(policy, handedOver) ?? asksTooMuch(current, policy, people, handedOver) ?? changeOf(state, policy);
}

/** Refuses a rule that is new here and that nobody could satisfy. What a handover has named already must be sayable, whoever has left since. */
function asksTooMuch(current: Policy, policy: Policy, people: PolicyState['people'], standIns: readonly StandInRule[]): Refusal | undefined {
  for (const rule of policy.rules) {
    const before = current.rules.find(({ path }) => path === rule.path);
    if ((before && sameConsent(before, rule)) || standIns.some((standIn) => sameConsent(standIn.rule, rule))) continue;
    const fault = consentsFault(policy, rule, (person) => people.get(person)?.kind === 'human');
    if (fault !== undefined) return refusal('BAD_POLICY', fault, 'Lower its consents, or add people to its owners in the same policy.');
  }
  return undefined;
}

function sameConsent(a: ConsentRule, b: ConsentRule): boolean {
  return a.consents === b.consents && canonicalEqual(a.owners, b.owners);
}

/** Refuses to lock a secret or a role's keys away for ever, unless the policy says that it means to. */
function strands(state: PolicyState, policy: Policy, people: PolicyState['people'], trees: Iterable<CurrentTree>): Refusal | undefined {
  for (const { secret, couldOpen } of trees) {
    // What an earlier version abandoned is not held against the later ones.
    if (!policy.abandon.secrets.includes(secret) && couldOpen(state.people) && !couldOpen(people)) {
      return refusal('WOULD_STRAND', `the custodians left by policy ${policy.number} could never open ${secret} again`,
        `Hand it over or seal it anew first, or name it under abandon: { secrets: [${secret}] }`);
    }
  }
  for (const role of state.roles.keys()) {
    const left = holders(state, role);
    const members = policy.roles[role]?.members ?? [];
    const stays = (person: string): boolean => members.includes(person) && canOpen({ roles: state.roles, people }, role, person);
    if (left.length > 0 && !left.some(stays) && !policy.abandon.roles.includes(role)) {
      return refusal('WOULD_STRAND', `policy ${policy.number} leaves role ${role} without anybody who holds its key`,
        `Add and grant another member first, or name the role under abandon: { roles: [${role}] }`);
    }
  }
  return undefined;
}

/** Refuses to remove a role or group that a completed handover named: its receivers would be locked out of what they have received. */
function takesBack(policy: Policy, standIns: Iterable<StandInRule>): Refusal | undefined {
  for (const { secret, rule } of standIns) {
    const role = [...rule.owners, ...rule.writers, ...('readers' in rule ? rule.readers : [])].find((name) => !Object.hasOwn(policy.roles, name));
    const gone = role ?? ('custody' in rule && !Object.hasOwn(policy.custody, rule.custody) ? rule.custody : undefined);
    if (gone !== undefined) {
      return refusal('WOULD_STRAND', `policy ${policy.number} removes ${gone}, which ${secret} was handed over to`, 'Finalize that handover first: oxp-vault handover list');
    }
  }
  return undefined;
}

/** A change of managed roles' membership only, with cards of plain new members, needs only their managers. */
export function changeOf(state: PolicyState, after: Policy): Change {
  const before = state.policy;
  const changed = Object.keys(after.roles).filter((role) => !canonicalEqual(after.roles[role]?.members, before.roles[role]?.members));
  const managed = changed.length > 0 && changed.every((role) => before.roles[role]?.managed !== undefined);
  if (!managed) return { by: 'admins' };

  const newcomers = Object.keys(after.persons).filter((p) => !state.people.has(p));
  const plain = newcomers.every((p) => changed.some((role) => after.roles[role]?.members.includes(p)));
  // Everything else must be untouched: put the old membership and persons back and compare the whole.
  const undone: Policy = {
    ...after,
    number: before.number,
    previous: before.previous,
    persons: Object.fromEntries(Object.entries(after.persons).filter(([p]) => !newcomers.includes(p))),
    removedDevices: before.removedDevices,
    roles: Object.fromEntries(Object.entries(after.roles).map(([role, def]) => [role, { ...def, members: before.roles[role]?.members ?? [] }])),
    abandon: before.abandon,
  };
  const untouched = canonicalEqual({ ...undone, persons: {} }, { ...before, persons: {} })
    && after.removedDevices.length === 0 && after.abandon.roles.length === 0 && after.abandon.secrets.length === 0
    && keepsPersons(state, undone);
  return plain && untouched ? { by: 'managers', roles: changed } : { by: 'admins' };
}

/** True when every enrolled person is still there and is given no card that is not a living device's already. */
function keepsPersons(state: PolicyState, undone: Policy): boolean {
  return [...state.people].every(([name, person]) => {
    const cards = undone.persons[name]?.cards;
    return cards !== undefined && cards.every((line) => person.devices.some((d) => d.card === line));
  });
}
