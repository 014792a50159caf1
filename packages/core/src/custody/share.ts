/** A share as it is written down, and the commitment by which everybody can tell that it is the one that was dealt (docs/format.md, "Custody"). */
import { concatBytes, equalBytes, fromBase64, fromHex, fromUtf8, sha256, toBase64, toHex, utf8 } from '../primitives/hash.js';
import { VaultError } from '../errors.js';

/** Which share of which version of which vault. */
export interface SharePlace {
  /** The vault's id, hex. */
  readonly vault: string;
  readonly name: string;
  readonly version: number;
  readonly path: string;
}

const TAG = 'oxp-vault/share/v1';
const WORD = 'oxp-share/v1';

/** Hex. */
export function shareCommitment({ vault, name, version, path }: SharePlace, share: Uint8Array): string {
  const parts = [utf8(vault), utf8(name), utf8(String(version)), utf8(path), share];
  return toHex(sha256(concatBytes(utf8(`${TAG}\0`), ...parts.flatMap((part) => [lengthOf(part), part]))));
}

export function matchesCommitment(place: SharePlace, share: Uint8Array, commitment: string): boolean {
  const wanted = fromHex(commitment);
  const found = fromHex(shareCommitment(place, share));
  return wanted !== undefined && found !== undefined && equalBytes(found, wanted);
}

/** The plaintext of a share file: one line. */
export function formatShareLine(place: SharePlace, share: Uint8Array): Uint8Array {
  return utf8(`${headOf(place)}${toBase64(share)}\n`);
}

/** The share in a share file. SHARE_MISMATCH for anything but the line of exactly this place. */
export function parseShareLine(place: SharePlace, bytes: Uint8Array): Uint8Array {
  const text = fromUtf8(bytes) ?? '';
  const head = headOf(place);
  const share = text.startsWith(head) && text.endsWith('\n') ? fromBase64(text.slice(head.length, -1)) : undefined;
  if (!share) throw new VaultError('SHARE_MISMATCH', `the share file holds no share ${place.path} of ${place.name} v${place.version} of this vault`);
  return Uint8Array.from(share);
}

function headOf({ vault, name, version, path }: SharePlace): string {
  return `${WORD} ${vault} ${name} ${version} ${path} `;
}

/** Four bytes, big-endian. */
function lengthOf(part: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, part.length);
  return bytes;
}
