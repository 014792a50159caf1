/** Sealing under custody: to a fresh identity that nobody keeps, whose shares go to the custodians' devices. Nothing of it touches a disk in plain. */
import { dealShares } from '../../custody/deal.js';
import type { NewFile } from '../../engine/append.js';
import { VaultError } from '../../errors.js';
import { ageEncrypt, generateAgeIdentity, identityToRecipient } from '../../primitives/age.js';
import { sha256Hex } from '../../primitives/hash.js';
import type { ThresholdTree } from '../../primitives/threshold-tree.js';
import { sharePath, type Custody } from '../../seal/statement.js';
import type { Secret } from '../../secret.js';
import type { Vault } from '../../vault.js';

export interface CustodySealed {
  /** The age file of the payload, for one recipient. */
  readonly bytes: Uint8Array;
  /** What the statement says of it. */
  readonly custody: Custody;
  /** The share files. */
  readonly files: readonly NewFile[];
}

/** The files and the custody part of a statement for this version of a secret. The file is lent, not taken. */
export async function sealUnderCustody(vault: Vault, secret: { readonly name: string; readonly version: number }, file: Secret, under: { readonly group: string; readonly tree: ThresholdTree }): Promise<CustodySealed> {
  const { name, version } = secret;
  const { group, tree } = under;
  const identity = await generateAgeIdentity({ pq: vault.policy.policy.suite === 'hybrid' });
  const recipient = await identityToRecipient(identity);
  const bytes = await file.use((plain) => ageEncrypt(plain, [recipient]));
  const dealt = await dealShares(vault.id, { name, version, tree }, identity);
  const files: NewFile[] = [];
  const leaves: Custody['leaves'] = [];
  try {
    for (const { path, person, commitment, line } of dealt) {
      const shareFile = await sealShare(vault, { name, version, person }, line);
      files.push(shareFile.file);
      leaves.push({ path, person, blob: shareFile.blob, commitment });
    }
  } finally {
    for (const { line } of dealt) line.fill(0);
  }
  return { bytes, files, custody: { group, scheme: 'split-v1', recipient, tree, leaves } };
}

/** A share line as a file for all living devices of its custodian. */
export async function sealShare(vault: Vault, share: { readonly name: string; readonly version: number; readonly person: string }, line: Uint8Array): Promise<{ blob: Custody['leaves'][number]['blob']; file: NewFile }> {
  const devices = vault.policy.people.get(share.person)?.devices ?? [];
  if (devices.length === 0) throw new VaultError('PERSON_NOT_FOUND', `${share.person} is a custodian of ${share.name}, and is not enrolled`);
  const bytes = await ageEncrypt(line, devices.map((device) => device.recipient));
  const blob = { sha256: sha256Hex(bytes), size: bytes.length };
  return { blob, file: { path: sharePath(share.name, share.version, share.person, blob.sha256), bytes } };
}
