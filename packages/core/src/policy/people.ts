/** Devices come and go: by their owner's own living device, or by a policy. Staleness of roles follows. */
import { orRefusal, refusal, type Refusal } from '../errors.js';
import { suiteOf } from '../primitives/age-recipient.js';
import { parseCard, type Card } from './card.js';
import type { DeviceAdd, DeviceRemove } from './ops.js';
import type { CheckedPolicy } from './policy.js';
import { PersistentMap } from '../primitives/persistent-map.js';
import { livingDevice, type Device, type Person, type PolicyState, type RoleState } from './state.js';
import type { Signer } from '../wire.js';

type Registry = Pick<PolicyState, 'keys' | 'recipients' | 'removed'>;

/**
 * Why this card cannot be enrolled as a new device, or undefined. A key that any other person has or had, or that was removed, is refused.
 * What a role or a request has claimed is not asked: see PolicyState.
 */
export function enrolmentFault(registry: Registry, card: Card): Refusal | undefined {
  const who = `${card.person} (device ${card.device})`;
  if (registry.removed.has(card.id)) {
    return refusal('KEY_REMOVED', `the key of ${who} was removed from this vault and never returns`, 'It takes a new identity (oxp-vault identity create) and its card.');
  }
  for (const [what, holder] of [['signing key', registry.keys.get(card.id)], ['recipient', registry.recipients.get(card.recipient)]] as const) {
    if (holder !== undefined && holder !== card.person) {
      return refusal('KEY_TAKEN', `the ${what} of ${who} is or was that of ${holder}`, 'Every device needs its own identity.');
    }
  }
  // It is not a living device's (callers look at those first), so the device that had it is gone, and maybe in other hands.
  if (registry.recipients.has(card.recipient)) {
    return refusal('KEY_REMOVED', `the recipient of ${who} was removed from this vault and never returns`, 'It takes a new identity (oxp-vault identity create) and its card.');
  }
  return undefined;
}

export function deviceOf(card: Card, since: number, addedBy?: string): Device {
  const { device, id, key: publicKey, recipient, line } = card;
  const made = { device, id, publicKey, recipient, card: line, since };
  return addedBy === undefined ? made : { ...made, addedBy };
}

export function applyDeviceAdd(state: PolicyState, body: DeviceAdd, actor: Signer, leaf: number): PolicyState | Refusal {
  const person = state.people.get(actor.person);
  if (!person) return refusal('NOT_ENROLLED', `${actor.person} is not enrolled`);
  if (state.policy.devices === 'admins') return refusal('NOT_ALLOWED', 'in this vault only the admins add devices, through the policy');
  const card = orRefusal(() => parseCard(body.card));
  if ('code' in card) return card;
  if (card.person !== actor.person) return refusal('NOT_ALLOWED', `${actor.person} cannot add a device of ${card.person}`);
  if (card.kind !== person.kind) return refusal('BAD_CARD', `${card.person} cannot be both human and machine`);
  if (suiteOf(card.recipient) !== state.policy.suite) {
    return refusal('MIXED_RECIPIENTS', `the card of ${card.person} has a recipient of another kind than this vault (${state.policy.suite})`);
  }
  if (person.devices.some((d) => d.device === card.device || d.id === card.id || d.recipient === card.recipient)) {
    return refusal('ALREADY_DONE', `${card.person} has a device ${card.device}, or one with this key, already`);
  }
  const fault = enrolmentFault(state, card) ?? spokenFor(state, card);
  if (fault) return fault;
  const devices = [...person.devices, deviceOf(card, leaf, actor.key)];
  return {
    ...state,
    people: new Map(state.people).set(actor.person, { ...person, devices }),
    keys: state.keys.set(card.id, card.person),
    recipients: state.recipients.set(card.recipient, card.person),
  };
}

/**
 * A card proves its signing key and not its recipient, and the card of a newcomer lies open in a proposal until enough have signed: whoever
 * is enrolled could name that recipient as their own first, and the newcomer would be refused for it.
 */
function spokenFor({ proposals }: PolicyState, card: Card): Refusal | undefined {
  for (const { number, policy } of proposals) {
    for (const [person, { cards }] of Object.entries(policy?.persons ?? {})) {
      if (person === card.person || !cards.some((line) => parseCard(line).recipient === card.recipient)) continue;
      return refusal('KEY_TAKEN', `the recipient of ${card.person} (device ${card.device}) is that of ${person} in a proposal for policy ${number}`, 'Every device needs its own identity.');
    }
  }
  return undefined;
}

export function applyDeviceRemove(state: PolicyState, body: DeviceRemove, actor: Signer, leaf: number): PolicyState | Refusal {
  const person = state.people.get(actor.person);
  const device = livingDevice(state, actor.person, body.key);
  if (!person || !device) return refusal('PERSON_NOT_FOUND', `${actor.person} has no living device with key ${body.key.slice(0, 8)}`);
  if (state.policy.devices === 'admins') return refusal('NOT_ALLOWED', 'in this vault only the admins remove devices, through the policy');
  if (person.devices.length === 1) return refusal('WOULD_STRAND', `${device.device} is the last device of ${actor.person}`, 'Add the new device first.');
  const people = new Map(state.people).set(actor.person, { ...person, devices: person.devices.filter((d) => d.id !== body.key) });
  return markStale({ ...state, people, removed: new Set(state.removed).add(body.key) }, leaf);
}

/** The people once a policy takes effect, or why it cannot. The log, not the policy, decides the devices of the enrolled. */
export function peopleUnder(state: PolicyState | undefined, next: CheckedPolicy, leaf: number): Pick<PolicyState, 'people' | 'keys' | 'recipients' | 'removed'> | Refusal {
  let keys = state?.keys ?? PersistentMap.from<string>([]);
  let recipients = state?.recipients ?? PersistentMap.from<string>([]);
  const removed = new Set(state?.removed);
  for (const id of next.policy.removedDevices) {
    if (!keys.has(id)) return refusal('BAD_POLICY', `removedDevices names key ${id.slice(0, 8)}, which was never enrolled`);
    removed.add(id);
  }
  for (const [name, person] of state?.people ?? []) {
    if (!next.cards.has(name)) for (const device of person.devices) removed.add(device.id);
  }
  const people = new Map<string, Person>();
  for (const [name, cards] of next.cards) {
    const before = state?.people.get(name);
    const kind = cards[0]!.kind;
    if (before && before.kind !== kind) return refusal('BAD_CARD', `${name} cannot turn from ${before.kind} into ${kind}`);
    const devices = (before?.devices ?? []).filter((d) => !removed.has(d.id));
    for (const card of cards) {
      if (devices.some((d) => d.id === card.id) || next.policy.removedDevices.includes(card.id)) continue;
      if (devices.some((d) => d.device === card.device || d.recipient === card.recipient)) {
        return refusal('BAD_CARD', `${name} has another device called ${card.device}, or with the same recipient`);
      }
      const fault = enrolmentFault({ keys, recipients, removed }, card);
      if (fault) return fault;
      devices.push(deviceOf(card, leaf));
      keys = keys.set(card.id, name);
      recipients = recipients.set(card.recipient, name);
    }
    if (devices.length === 0) return refusal('WOULD_STRAND', `${name} would be left without a device`, 'Remove the person instead.');
    people.set(name, { kind, devices });
  }
  return { people, keys, recipients, removed };
}

/** Marks the roles whose newest key somebody could still hold who is no longer a member, or on a device that is gone. */
export function markStale(state: PolicyState, leaf: number): PolicyState {
  let roles: Map<string, RoleState> | undefined;
  for (const [name, role] of state.roles) {
    const epoch = role.epochs.at(-1);
    if (role.stale || !epoch) continue;
    const members = state.policy.roles[name]?.members ?? [];
    const { maker } = epoch;
    // A steward keeps a provisional key by design: that is what provisional says. It is stale only once the steward is gone.
    const belongs = (person: string): boolean => members.includes(person) || (epoch.provisional && person === maker.person);
    const who = [...epoch.grants].find(([person, grant]) => !belongs(person) || grant.devices.some((id) => !livingDevice(state, person, id)));
    const makerGone = !livingDevice(state, maker.person, maker.key) || !belongs(maker.person);
    if (who || makerGone) {
      roles ??= new Map(state.roles);
      roles.set(name, { ...role, stale: { leaf, who: who?.[0] ?? maker.person } });
    }
  }
  return roles ? { ...state, roles } : state;
}
