/** The shares of the person who runs this: opened in memory, compared with what was signed, and lent for as long as they are used. */
import { checkShare } from '../../custody/combine.js';
import { parseShareLine } from '../../custody/share.js';
import { leafOf, type CustodyLeaf, type CustodyRecord } from '../../custody/state.js';
import { isVaultError, PUT_BACK, VaultError, isFileFault } from '../../errors.js';
import { ageDecrypt } from '../../primitives/age.js';
import { isContent } from '../../primitives/hash.js';
import { sharePath } from '../../seal/statement.js';
import { Secret } from '../../secret.js';
import type { Vault } from '../../vault.js';
import type { BlobRef } from '../../wire.js';
import { versionsUnderCustody, type HeldVersion } from './versions.js';

export interface HeldShare extends HeldVersion {
  readonly leaf: CustodyLeaf;
}

/** Those of which this person has a share. */
export function sharesOf(vault: Vault, person: string): HeldShare[] {
  return versionsUnderCustody(vault).flatMap((held) => {
    const leaf = leafOf(held.record, person);
    return leaf ? [{ ...held, leaf }] : [];
  });
}

/**
 * The raw share, which matches its signed commitment; the caller wipes it. Where the newest file is spoilt, that of the sealing is tried. Throws
 * NOT_A_READER on a device that it is not sealed to, BLOB_MISSING, HASH_MISMATCH, SEALER_FAULT, SHARE_MISMATCH, and what the store throws.
 */
export async function openShare(vault: Vault, { version, record, leaf }: HeldShare): Promise<Secret> {
  const identity = vault.requireEnrolled();
  const label = `${record.name} v${record.version}`;
  if (!leaf.share.devices.includes(identity.card.id)) {
    const able = (vault.policy.people.get(leaf.person)?.devices ?? []).filter((device) => leaf.share.devices.includes(device.id)).map((device) => device.device);
    throw new VaultError('NOT_A_READER', `your share of ${label} is not sealed to this device (${identity.card.device})`, {
      hint: able.length > 0 ? `Run any writing command on ${able.join(' or ')}: it seals the share to all your devices.` : 'No living device of yours can open it any more: the secret has to be sealed anew.',
    });
  }
  const maker = leaf.share.blob.sha256 === leaf.sealed.sha256 ? version.sealer.person : leaf.person;
  try {
    return await readShare(vault, record, leaf, leaf.share.blob, maker);
  } catch (error) {
    if (maker === version.sealer.person || !isFileFault(error)) throw error;
    try {
      return await readShare(vault, record, leaf, leaf.sealed, version.sealer.person);
    } catch (earlier) {
      // The newest file is the one that should open: its fault is the one to tell.
      if (isVaultError(earlier)) throw error;
      throw earlier;
    }
  }
}

async function readShare(vault: Vault, record: CustodyRecord, leaf: CustodyLeaf, blob: BlobRef, maker: string): Promise<Secret> {
  const label = `${record.name} v${record.version}`;
  const path = sharePath(record.name, record.version, leaf.person, blob.sha256);
  const bytes = await vault.store.get(path);
  if (!bytes) throw new VaultError('BLOB_MISSING', `the share ${path} is missing`, { hint: PUT_BACK });
  if (!isContent(bytes, blob)) throw new VaultError('HASH_MISMATCH', `the share ${path} is not what ${maker} signed`);
  let plain: Uint8Array;
  try {
    plain = await vault.requireEnrolled().age.useText((line) => ageDecrypt(bytes, [line]));
  } catch (cause) {
    throw new VaultError('SEALER_FAULT', `${maker} sealed your share of ${label}, and this device cannot open it`, { cause, hint: `Ask ${maker} to seal ${record.name} again.` });
  }
  try {
    const share = parseShareLine({ vault: vault.id, name: record.name, version: record.version, path: leaf.path }, plain);
    const opened = Secret.take(share);
    opened.use((raw) => checkShare(vault.id, record, { path: leaf.path, share: raw }));
    return opened;
  } finally {
    plain.fill(0);
  }
}
