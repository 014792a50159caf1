/** A person's own devices: added and removed by one of them, with the grants that follow. */
import { VaultError } from '../../errors.js';
import type { Card } from '../../policy/card.js';
import { holders, type Device } from '../../policy/state.js';
import type { Vault } from '../../vault.js';
import { isName } from '../../wire.js';
import { onlyOn, resealShares } from '../custody/custodian.js';
import { turnDueKeys } from './members.js';
import { grantRole, holdsKey, ungranted } from './role-turn.js';

export interface DeviceChange {
  /** Roles whose key the person's devices were granted, all of them, or whose key was turned. */
  readonly granted: readonly string[];
  readonly turned: readonly string[];
  /** Versions under custody whose share was sealed to the devices that the person has now. */
  readonly shares: readonly { readonly name: string; readonly version: number }[];
}

/** Enrols another device of the person who runs this, and seals to it the role keys and shares that this device can open. */
export async function addDevice(vault: Vault, card: Card): Promise<DeviceChange> {
  vault.requireEnrolled();
  await vault.append({ entries: [vault.sign('device.add', { card: card.line })], files: [] });
  return { granted: await grantOwn(vault), turned: [], shares: await shareOwn(vault) };
}

/** Seals to all devices of this person the keys of the roles that this device holds. Also after a device was added elsewhere. */
async function grantOwn(vault: Vault): Promise<string[]> {
  const me = vault.requireActor().person;
  const roles = Object.keys(vault.policy.policy.roles).filter((role) => ungranted(vault, role).includes(me) && holdsKey(vault, role) && !vault.policy.roles.get(role)?.stale);
  for (const role of roles) await vault.append(await grantRole(vault, role, [me]));
  return roles;
}

/** Seals the shares of this person to all its devices. One that does not open is told by the housekeeping of the next command. */
async function shareOwn(vault: Vault): Promise<DeviceChange['shares']> {
  return (await resealShares(vault)).flatMap(({ name, version, fault }) => (fault ? [] : [{ name, version }]));
}

/** Roles whose newest key nobody else can open, and this person on this device only: without it, what was sealed to them so far is lost. */
function rolesOnlyOn(vault: Vault, device: Device): string[] {
  const { person } = vault.requireActor();
  const own = vault.policy.people.get(person)!;
  const people = new Map(vault.policy.people).set(person, { ...own, devices: own.devices.filter((d) => d.id !== device.id) });
  return [...vault.policy.roles.keys()].filter((role) => holders(vault.policy, role).length > 0 && holders({ ...vault.policy, people }, role).length === 0);
}

/**
 * Throws WOULD_STRAND where the key of a role, or a share of this person's, would be lost with a device, unless the device itself is
 * `lost`. The log refuses no such removal: a device that is in wrong hands must be got rid of, whatever goes with it.
 */
export function checkRemoval(vault: Vault, device: Device, { lost = false }: { readonly lost?: boolean } = {}): void {
  const { person } = vault.requireActor();
  // The last device stays in any case: the log says so.
  if (lost || vault.policy.people.get(person)!.devices.length === 1) return;
  const shares = onlyOn(vault, person, device.id);
  if (shares.length > 0) {
    throw new VaultError('WOULD_STRAND', `only ${device.device} can open your share of ${shares.map(({ name, version }) => `${name} v${version}`).join(', ')}`, {
      hint: `Run any writing command on ${device.device} first: it seals your shares to your other devices. If it is lost or stolen, and your share with it: oxp-vault device remove ${device.device} --lost`,
    });
  }
  const roles = rolesOnlyOn(vault, device);
  if (roles.length > 0) {
    throw new VaultError('WOULD_STRAND', `${device.device} is the last device of anybody that can open the key of role ${roles.join(', ')}`, {
      hint: `Run any writing command on ${device.device} first: it grants the key to your other devices, and to the other members. If it is lost or stolen, and what was sealed to ${roles.join(', ')} with it: oxp-vault device remove ${device.device} --lost`,
    });
  }
}

/** Removes a device of this person for good, and turns the keys that it could open, as far as this person may. Throws WOULD_STRAND. */
export async function removeDevice(vault: Vault, device: Device, options: { readonly lost?: boolean } = {}): Promise<DeviceChange> {
  const self = vault.requireActor().id === device.id;
  checkRemoval(vault, device, options);
  await vault.append({ entries: [vault.sign('device.remove', { key: device.id })], files: [] });
  // A device that has removed itself can do no more; the person's others, or other members, turn the keys.
  return self ? { granted: [], turned: [], shares: [] } : { granted: [], turned: await turnDueKeys(vault), shares: await shareOwn(vault) };
}

/** The living device of this person that a name, or the beginning of a key id, means. Throws BAD_NAME, PERSON_NOT_FOUND, USAGE. */
export function ownDevice(vault: Vault, nameOrKey: string): Device {
  const { person } = vault.requireActor();
  // What is neither is not repeated: it may have got here by a slip of the clipboard.
  if (!isName(nameOrKey) && !/^[0-9a-f]{8,64}$/.test(nameOrKey)) {
    throw new VaultError('BAD_NAME', 'that is neither the name of a device nor the beginning of a key', {
      hint: `See them: oxp-vault device list ${person}`,
    });
  }
  const devices = vault.policy.people.get(person)?.devices ?? [];
  const found = devices.filter((d) => d.device === nameOrKey || (nameOrKey.length >= 8 && d.id.startsWith(nameOrKey)));
  const [device, another] = found;
  if (!device) {
    throw new VaultError('PERSON_NOT_FOUND', `${person} has no device ${nameOrKey}`, {
      hint: `Devices: ${devices.map((d) => d.device).join(', ')}`,
    });
  }
  if (another) {
    throw new VaultError('USAGE', `${nameOrKey} can mean ${found.length} devices`, {
      hint: `Name one by its key: ${found.map((d) => d.id.slice(0, 8)).join(', ')}`,
    });
  }
  return device;
}

/** The living devices that this one has added, directly or through others: whoever had it could have added them. */
export function addedThrough(vault: Vault, device: Device): Device[] {
  const { person } = vault.requireActor();
  const devices = vault.policy.people.get(person)?.devices ?? [];
  const direct = devices.filter((d) => d.addedBy === device.id);
  return direct.flatMap((d) => [d, ...addedThrough(vault, d)]);
}
