/** What a custodian does: says that its shares open, says so again from time to time, and seals them to its present devices. */
import type { SignedEntry } from '../../audit/entry.js';
import { formatShareLine } from '../../custody/share.js';
import type { NewFile } from '../../engine/append.js';
import { type VaultError, isFileFault } from '../../errors.js';
import { deviceKeys } from '../../policy/state.js';
import { versionOf } from '../../seal/state.js';
import type { Secret } from '../../secret.js';
import type { Vault } from '../../vault.js';
import { sealShare } from './seal.js';
import { openShare, sharesOf, type HeldShare } from './own-shares.js';

export interface ShareOutcome {
  readonly name: string;
  readonly version: number;
  /** Of the leaf in the tree. */
  readonly path: string;
  /** Why the share does not open or is not the one that was dealt. */
  readonly fault?: VaultError;
}

export interface Acknowledged extends ShareOutcome {
  /** True while more custodians have to acknowledge before the version counts. */
  readonly pending: boolean;
}

/** Opens every share of this person that is not acknowledged yet, and signs for those that match. What does not is given back with its fault. */
export async function acknowledgeShares(vault: Vault): Promise<Acknowledged[]> {
  const due = sharesOf(vault, vault.requireActor().person).filter(({ leaf }) => leaf.acknowledged === undefined);
  const tried = await tryShares(vault, due);
  const good = tried.filter(({ outcome }) => outcome.fault === undefined);
  const entries = good.map(({ held }) => vault.sign('custody.ack', { statement: held.version.digest, path: held.leaf.path }));
  if (entries.length > 0) await vault.append({ entries, files: [] });
  return tried.map(({ outcome }) => ({ ...outcome, pending: versionOf(vault.state.secrets, outcome.name, outcome.version)?.pending ?? true }));
}

/** Opens every share of this person and signs what came of it, good or bad. A device that a share is not sealed to can say nothing of it. */
export async function checkShares(vault: Vault): Promise<ShareOutcome[]> {
  const tried = await tryShares(vault, sharesOf(vault, vault.requireActor().person));
  const said = tried.filter(({ outcome }) => outcome.fault?.code !== 'NOT_A_READER');
  const entries = said.map(({ held, outcome }) => vault.sign('custody.check', { statement: held.version.digest, path: held.leaf.path, ok: outcome.fault === undefined }));
  if (entries.length > 0) await vault.append({ entries, files: [] });
  return tried.map(({ outcome }) => outcome);
}

/** One after the other: few, and each fault is told. Trouble with the store is nobody's share's fault, and stops it all. */
async function tryShares(vault: Vault, shares: readonly HeldShare[], use?: (held: HeldShare, share: Secret) => Promise<void>): Promise<{ held: HeldShare; outcome: ShareOutcome }[]> {
  const tried: { held: HeldShare; outcome: ShareOutcome }[] = [];
  for (const held of shares) {
    const { name, version } = held.record;
    const place = { name, version, path: held.leaf.path };
    try {
      const share = await openShare(vault, held);
      try {
        await use?.(held, share);
      } finally {
        share.wipe();
      }
      tried.push({ held, outcome: place });
    } catch (error) {
      if (!isFileFault(error)) throw error;
      tried.push({ held, outcome: { ...place, fault: error } });
    }
  }
  return tried;
}

/** Shares of this person that this device can open and that are not sealed to exactly the devices there are now. */
export function sharesToReseal(vault: Vault): HeldShare[] {
  const { person, id } = vault.requireActor();
  const living = deviceKeys(vault.policy.people, person);
  return sharesOf(vault, person).filter(({ leaf: { share } }) => share.devices.includes(id) && (share.devices.length !== living.length || living.some((key) => !share.devices.includes(key))));
}

/** Seals them to all living devices of this person. What cannot be opened is given back with its fault, and keeps no other back. */
export async function resealShares(vault: Vault): Promise<ShareOutcome[]> {
  const entries: SignedEntry[] = [];
  const files: NewFile[] = [];
  const tried = await tryShares(vault, sharesToReseal(vault), async ({ record: { name, version }, leaf: { path, person } }, share) => {
    const line = share.use((raw) => formatShareLine({ vault: vault.id, name, version, path }, raw));
    try {
      const { blob, file } = await sealShare(vault, { name, version, person }, line);
      entries.push(vault.sign('custody.share', { name, version, path, blob }));
      files.push(file);
    } finally {
      line.fill(0);
    }
  });
  if (entries.length > 0) await vault.append({ entries, files });
  return tried.map(({ outcome }) => outcome);
}

/** Versions of which this person's share would be lost with this device: no other living one can open it. */
export function onlyOn(vault: Vault, person: string, key: string): { name: string; version: number }[] {
  const others = deviceKeys(vault.policy.people, person).filter((other) => other !== key);
  return sharesOf(vault, person).filter(({ leaf: { share } }) => share.devices.includes(key) && !share.devices.some((device) => others.includes(device))).map(({ record: { name, version } }) => ({ name, version }));
}

