/** Role keys: one an epoch, made by a member (or, before any has joined, by the steward), granted person by person. */
import { refusal, type Refusal } from '../errors.js';
import { recipientFault, suiteOf } from '../primitives/age-recipient.js';
import type { RoleEpoch, RoleGrant } from './ops.js';
import { holders, newestEpoch, takenBy, type Epoch, type PolicyState } from './state.js';
import type { Signer } from '../wire.js';

export function applyEpoch(state: PolicyState, body: RoleEpoch, actor: Signer, leaf: number): PolicyState | Refusal {
  const def = Object.hasOwn(state.policy.roles, body.role) ? state.policy.roles[body.role] : undefined;
  if (!def) return refusal('ROLE_NOT_FOUND', `there is no role ${body.role}`);
  const epochs = state.roles.get(body.role)?.epochs ?? [];
  const last = epochs.at(-1);
  const due = (last?.epoch ?? 0) + 1;
  if (body.epoch !== due) return refusal('RACE_LOST', `the next epoch of ${body.role} is ${due}, not ${body.epoch}`, 'Try again: somebody else has turned it meanwhile.');
  const member = def.members.includes(actor.person);
  const provisional = !member;
  if (!member && def.steward !== actor.person) return refusal('NOT_ALLOWED', `${actor.person} is no member of ${body.role}, nor its steward`, `Its members: ${def.members.join(', ') || 'none yet'}`);
  if (!member && epochs.some((e) => !e.provisional)) return refusal('NOT_ALLOWED', `the members of ${body.role} have made its key themselves: the steward is no longer needed`);
  if (body.provisional !== provisional) {
    return refusal('NOT_ALLOWED', `this epoch of ${body.role} says that it is ${body.provisional ? '' : 'not '}provisional, and it is${provisional ? '' : ' not'}`);
  }
  // The new grants carry the earlier keys too, so that only somebody who has them may turn the epoch while such a person is left.
  const left = holders(state, body.role);
  if (member && last && left.length > 0 && !left.includes(actor.person)) {
    return refusal('NEEDS_GRANT', `${actor.person} has not been granted role ${body.role} yet`, `Ask ${left.join(' or ')}: oxp-vault role grant ${body.role}`);
  }
  const holder = takenBy(state, body.recipient);
  if (holder !== undefined) return refusal('KEY_TAKEN', `the new recipient of ${body.role} is or was that of ${holder}`);
  if (suiteOf(body.recipient) !== state.policy.suite) {
    return refusal('MIXED_RECIPIENTS', `the new recipient of ${body.role} is of another kind than this vault (${state.policy.suite})`);
  }
  const unusable = recipientFault(body.recipient);
  if (unusable !== undefined) return refusal('WEAK_KEY', `nothing can be sealed to the new recipient of ${body.role}: ${unusable}`);
  const epoch: Epoch = { epoch: body.epoch, recipient: body.recipient, maker: actor, provisional, leaf, grants: new Map() };
  return {
    ...state,
    claimed: state.claimed.set(body.recipient, `role ${body.role}`),
    roles: new Map(state.roles).set(body.role, { epochs: [...epochs, epoch] }),
  };
}

export function applyGrant(state: PolicyState, body: RoleGrant, actor: Signer, leaf: number): PolicyState | Refusal {
  const role = state.roles.get(body.role);
  const epoch = newestEpoch(state, body.role);
  if (!role || !epoch) return refusal('EPOCH_MISSING', `role ${body.role} has no key yet`);
  if (epoch.epoch !== body.epoch || epoch.recipient !== body.recipient) {
    return refusal('EPOCH_STALE', `epoch ${body.epoch} of ${body.role} is not its newest (${epoch.epoch})`, 'Try again.');
  }
  const made = epoch.maker.person === actor.person;
  if (!made && !holders(state, body.role).includes(actor.person)) {
    return refusal('NOT_ALLOWED', `${actor.person} does not hold the key of ${body.role}`);
  }
  const person = state.people.get(body.person);
  const steward = epoch.provisional && epoch.maker.person === body.person;
  if (!person || !(steward || state.policy.roles[body.role]?.members.includes(body.person))) {
    return refusal('NOT_ALLOWED', `${body.person} is no member of ${body.role}`, 'The policy comes first: oxp-vault member add');
  }
  const before = epoch.grants.get(body.person);
  const devices = [...new Set([...(before?.devices ?? []), ...person.devices.map((d) => d.id)])];
  const earlier = before ? [{ blob: before.blob, maker: before.maker }, ...before.earlier] : [];
  const grants = new Map(epoch.grants).set(body.person, { blob: body.blob, maker: actor.person, leaf, devices, earlier });
  return { ...state, roles: new Map(state.roles).set(body.role, { ...role, epochs: [...role.epochs.slice(0, -1), { ...epoch, grants }] }) };
}

/** `roles/platform/0001/carol-3f9a2c1b.age` */
export function grantPath(role: string, epoch: number, person: string, sha256: string): string {
  return `roles/${role}/${String(epoch).padStart(4, '0')}/${person}-${sha256.slice(0, 8)}.age`;
}
