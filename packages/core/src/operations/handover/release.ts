/** Releasing: what this person has consented to leaves for the receiver, now that enough consents are in the log. */
import { formatShareLine } from '../../custody/share.js';
import { custodyOf, leafOf } from '../../custody/state.js';
import type { NewFile } from '../../engine/append.js';
import { refusalToError, VaultError, isFileFault } from '../../errors.js';
import { actsFor, type HandoverAuthority } from '../../handover/authority.js';
import { formatFileKey } from '../../handover/file-key.js';
import { openFault } from '../../handover/liveness.js';
import type { HandoverRelease } from '../../handover/ops.js';
import { recipientDigest, releasePath } from '../../handover/release.js';
import { allConsented, isReleased, livingConsents, releasesBy } from '../../handover/satisfied.js';
import { stageOf, type Handover, type Target } from '../../handover/state.js';
import { ageEncrypt, fileKeyOf } from '../../primitives/age.js';
import { sha256Hex } from '../../primitives/hash.js';
import type { Vault } from '../../vault.js';
import type { BlobRef } from '../../wire.js';
import { authorityNow, contextNow, versionByDigest } from './find.js';
import { readingKey, signedCiphertext } from '../opening/open.js';
import { openShare } from '../custody/own-shares.js';

export interface Released {
  /** Of the handover. */
  readonly id: string;
  /** Who receives. */
  readonly to: string;
  /** Names of secrets of which this person's share has left. */
  readonly shares: readonly string[];
  /** Names of secrets of which the file key has left. */
  readonly keys: readonly string[];
}

/** `owed`: what this person has consented to, as far as it is still needed. `all`: whatever they can give, needed or not. */
type Due = 'owed' | 'all';

/** What a person would release now: shares they have consented to give, and file keys that they have as a reader. */
function dueIn(vault: Vault, person: string, handover: Handover, authority: HandoverAuthority, what: Due): { shares: Target[]; keys: Target[] } {
  const living = livingConsents(handover, authority);
  const mine = living.filter((consent) => consent.by.person === person);
  const nothing = { shares: [], keys: [] };
  if (stageOf(handover) !== 'open' || openFault(handover, contextNow(vault)) || !allConsented(handover, living, authority)) return nothing;
  if (mine.length === 0 && what === 'owed') return nothing;
  const released = releasesBy(handover.releases);
  const held = new Set(mine.flatMap((consent) => consent.leaves.map((leaf) => leaf.statement)));
  const due = handover.targets.filter((target) => !released.get(target.statement)?.includes(person) && (what === 'all' || !isReleased(target, released, authority)));
  return {
    shares: due.filter((target) => held.has(target.statement)),
    keys: due.filter((target) => {
      const version = authority.version(target.statement);
      return version !== undefined && !version.custody && actsFor(authority, person, version.readers) && !isReleased(target, released, authority);
    }),
  };
}

/** Handovers in which a person owes a release. */
export function releasesDue(vault: Vault, person: string): Handover[] {
  const authority = authorityNow(vault);
  return [...vault.state.handovers.handovers.values()].filter((handover) => {
    const { shares, keys } = dueIn(vault, person, handover, authority, 'owed');
    return shares.length + keys.length > 0;
  });
}

/** Releases all that this person owes, one entry a handover. What cannot be opened is told and keeps no other handover back. */
export async function releaseDue(vault: Vault): Promise<{ readonly released: readonly Released[]; readonly faults: readonly VaultError[] }> {
  const released: Released[] = [];
  const faults: VaultError[] = [];
  for (const { digest } of releasesDue(vault, vault.requireActor().person)) {
    try {
      const done = await release(vault, digest, 'owed');
      if (done) released.push(done);
    } catch (error) {
      if (!isFileFault(error) || error.code === 'EXPECT_NEEDED') throw error;
      faults.push(error);
    }
  }
  return { released, faults };
}

/**
 * Releases what this person can give in one handover, also where others have given enough: the way out when one of their shares is
 * spoilt. Throws NEEDS_CONSENT, ALREADY_DONE, EXPIRED, RACE_LOST, NOT_ALLOWED and what opening the own share throws.
 */
export async function releaseTo(vault: Vault, handover: Handover): Promise<Released> {
  const done = await release(vault, handover.digest, 'all');
  if (done) return done;
  const id = handover.digest.slice(0, 8);
  const authority = authorityNow(vault);
  const fault = openFault(handover, contextNow(vault));
  if (fault) throw refusalToError(fault);
  if (!allConsented(handover, livingConsents(handover, authority), authority)) {
    throw new VaultError('NEEDS_CONSENT', `the consents to handover ${id} are not enough yet: nothing leaves before they are`, {
      hint: `Who is still needed: oxp-vault handover show ${id}`,
    });
  }
  const { person } = vault.requireActor();
  if (handover.releases.some((each) => each.by.person === person)) throw new VaultError('ALREADY_DONE', `you have released what is yours for handover ${id} already`);
  throw new VaultError('NOT_ALLOWED', `you have nothing to release for handover ${id}: you have not consented to it, and read none of it that is still needed`);
}

/** Undefined where there is nothing to release. */
export async function release(vault: Vault, id: string, what: Due): Promise<Released | undefined> {
  const handover = vault.state.handovers.handovers.get(id);
  if (!handover) return undefined;
  const authority = authorityNow(vault);
  const { shares, keys } = dueIn(vault, vault.requireActor().person, handover, authority, what);
  if (shares.length + keys.length === 0) return undefined;
  const recipient = recipientDigest(handover.request.recipient);
  const files: NewFile[] = [];
  const blobOf = async (line: Uint8Array): Promise<BlobRef> => {
    const bytes = await ageEncrypt(line, [handover.request.recipient]);
    line.fill(0);
    const blob = { sha256: sha256Hex(bytes), size: bytes.length };
    files.push({ path: releasePath(id, vault.requireActor().person, blob.sha256), bytes });
    return blob;
  };
  const body: HandoverRelease = { request: id, consents: livingConsents(handover, authority).map((consent) => consent.digest).sort(), shares: [], keys: [] };
  for (const { statement } of shares) {
    const { path, commitment, line } = await ownShare(vault, statement);
    body.shares.push({ statement, path, commitment, recipient, blob: await blobOf(line) });
  }
  for (const { statement } of keys) body.keys.push({ statement, recipient, blob: await blobOf(await ownFileKey(vault, statement)) });
  await vault.append({ entries: [vault.sign('handover.release', body)], files });
  return { id, to: handover.by.person, shares: shares.map((target) => target.name), keys: keys.map((target) => target.name) };
}

async function ownShare(vault: Vault, statement: string): Promise<{ path: string; commitment: string; line: Uint8Array }> {
  const version = versionByDigest(vault, statement);
  const record = custodyOf(vault.state.custody, statement);
  const leaf = record && leafOf(record, vault.requireActor().person);
  if (!record || !leaf) throw new VaultError('NOT_A_READER', `you hold no share of ${version.statement.name} v${version.statement.version}`);
  const share = await openShare(vault, { version, record, leaf });
  const { name, version: number } = record;
  const line = share.use((raw) => formatShareLine({ vault: vault.id, name, version: number, path: leaf.path }, raw));
  share.wipe();
  return { path: leaf.path, commitment: leaf.commitment, line };
}

async function ownFileKey(vault: Vault, statement: string): Promise<Uint8Array> {
  const version = versionByDigest(vault, statement);
  const bytes = await signedCiphertext(vault, version);
  const key = await fileKeyOf(bytes, [await readingKey(vault, version)]);
  const line = formatFileKey({ vault: vault.id, name: version.statement.name, version: version.statement.version }, key);
  key.fill(0);
  return line;
}
