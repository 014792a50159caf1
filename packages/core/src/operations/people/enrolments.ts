/** Who was enrolled when, and with which devices: names come back, keys never do. Read from the policies that took effect and the log. */
import { PUT_BACK, VaultError } from '../../errors.js';
import { parseCard } from '../../policy/card.js';
import { checkPolicyFile, policyPath, type CheckedPolicy } from '../../policy/policy.js';
import type { Vault } from '../../vault.js';
import type { WalkedLeaf } from '../log/walk.js';

export interface EnrolledDevice {
  readonly device: string;
  /** Key id. */
  readonly key: string;
  readonly since: number;
  /** Leaf at which it was removed. */
  readonly until?: number;
}

/** One stay of a person under one name. Whoever comes back under it has other keys, and may be somebody else. */
export interface Enrolment {
  readonly person: string;
  readonly kind: 'human' | 'machine';
  /** Leaf from which it counts. */
  readonly since: number;
  /** Leaf at which the person left. */
  readonly until?: number;
  readonly devices: readonly EnrolledDevice[];
}

/** A policy with the leaf at which it took effect. */
export interface PolicyInEffect {
  readonly leaf: number;
  readonly checked: CheckedPolicy;
}

/** The policies that took effect, in order. Throws STORE_INCOMPLETE. */
export async function readPolicies(vault: Vault, policies = vault.log.policies): Promise<PolicyInEffect[]> {
  const read: PolicyInEffect[] = [];
  for (const [i, { digest, leaf }] of policies.entries()) {
    const path = policyPath(i + 1, digest);
    const bytes = await vault.store.get(path);
    const checked = bytes && checkPolicyFile(bytes);
    if (!checked || 'code' in checked || checked.digest !== digest) {
      throw new VaultError('STORE_INCOMPLETE', `the policy file ${path} is missing or not what was signed`, { hint: PUT_BACK });
    }
    read.push({ leaf, checked });
  }
  return read;
}

interface Stay {
  person: string;
  kind: Enrolment['kind'];
  since: number;
  until?: number;
  devices: { device: string; key: string; since: number; until?: number }[];
}

/** Every stay, in the order in which they began. `walked` are the leaves that count. */
export function enrolmentsOf(policies: readonly PolicyInEffect[], walked: readonly WalkedLeaf[]): Enrolment[] {
  const stays: Stay[] = [];
  const present = new Map<string, Stay>();
  const effects = new Map(policies.map((p) => [p.leaf, p.checked]));
  for (const { leaf, entry, parsed } of walked) {
    const stay = entry && present.get(entry.payload.actor.person);
    if (stay && parsed?.op === 'device.add') addDevice(stay, parsed.body.card, leaf);
    if (stay && parsed?.op === 'device.remove') removeDevices(stay, [parsed.body.key], leaf);
    const checked = effects.get(leaf);
    if (checked) takeEffect(checked, leaf, present, stays);
  }
  return stays;
}

function addDevice(stay: Stay, line: string, since: number): void {
  const { device, id } = parseCard(line);
  if (!stay.devices.some(({ key }) => key === id)) stay.devices.push({ device, key: id, since });
}

function removeDevices(stay: Stay, keys: readonly string[], until: number): void {
  for (const device of stay.devices) if (keys.includes(device.key)) device.until ??= until;
}

function takeEffect({ policy, cards }: CheckedPolicy, leaf: number, present: Map<string, Stay>, stays: Stay[]): void {
  for (const [person, stay] of present) {
    if (cards.has(person)) removeDevices(stay, policy.removedDevices, leaf);
    else {
      removeDevices(stay, stay.devices.map(({ key }) => key), leaf);
      stay.until = leaf;
      present.delete(person);
    }
  }
  for (const [person, own] of cards) {
    const stay = present.get(person) ?? { person, kind: own[0]!.kind, since: leaf, devices: [] };
    for (const card of own) if (!policy.removedDevices.includes(card.id)) addDevice(stay, card.line, leaf);
    if (!present.has(person)) stays.push(stay);
    present.set(person, stay);
  }
}

/** Key ids of the devices that this stay had at a leaf. */
export function keysAt({ devices }: Enrolment, leaf: number): string[] {
  return devices.filter(({ since, until }) => since <= leaf && (until === undefined || leaf < until)).map(({ key }) => key);
}
