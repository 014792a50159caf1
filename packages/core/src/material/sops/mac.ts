/** The MAC of a SOPS file (sops.go, Decrypt): SHA-512 over every value in the order of the file, in capital hex, encrypted. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { VaultError } from '../../errors.js';
import { fromHex, utf8 } from '../../primitives/hash.js';
import type { SopsMetadata } from './metadata.js';
import { openValue, parseEncrypted } from './values.js';

/** Goes first where only encrypted values count, so that a file of one sort never passes as one of the other. */
const ONLY_ENCRYPTED = fromHex('8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69')!;

export interface MacInput {
  readonly bytes: Uint8Array;
  readonly encrypted: boolean;
}

/** Throws SOPS_MAC where there is no MAC, or it is not of exactly these values in this order. */
export function checkMac(values: readonly MacInput[], { mac, lastModified, macOnlyEncrypted }: SopsMetadata, dataKey: Uint8Array): void {
  if (mac === '') throw failed('has no MAC', 'Without it nobody can tell whether values were changed, moved or left out.');
  const encrypted = parseEncrypted(mac);
  const expected = encrypted && openValue(encrypted, dataKey, lastModified);
  if (!expected) throw failed('has a MAC that does not decrypt: it is of another file, or of another time than `lastmodified` says');
  const hash = createHash('sha512');
  if (macOnlyEncrypted) hash.update(ONLY_ENCRYPTED);
  for (const value of values) if (value.encrypted || !macOnlyEncrypted) hash.update(value.bytes);
  const computed = utf8(hash.digest('hex').toUpperCase());
  if (computed.length !== expected.length || !timingSafeEqual(computed, expected)) throw failed('does not match its MAC: values were changed, moved, added or left out');
}

function failed(fault: string, why = 'If somebody resolved a merge conflict in it by hand, this shows it.'): VaultError {
  return new VaultError('SOPS_MAC', `the SOPS file ${fault}`, { hint: `${why} Nothing of it was taken in. Get the file as \`sops\` wrote it.` });
}
