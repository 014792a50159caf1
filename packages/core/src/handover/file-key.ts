/** What a reader releases of a version that is not under custody: the age file key of exactly that file (docs/format.md, "Handover"). */
import { VaultError } from '../errors.js';
import { fromBase64, fromUtf8, toBase64, utf8 } from '../primitives/hash.js';

export interface FileKeyPlace {
  /** The vault's id, hex. */
  readonly vault: string;
  readonly name: string;
  readonly version: number;
}

const WORD = 'oxp-file-key/v1';

/** The plaintext of a released file key: one line. */
export function formatFileKey(place: FileKeyPlace, key: Uint8Array): Uint8Array {
  return utf8(`${headOf(place)}${toBase64(key)}\n`);
}

/** SHARE_MISMATCH for anything but the line of exactly this version. */
export function parseFileKey(place: FileKeyPlace, bytes: Uint8Array): Uint8Array {
  const text = fromUtf8(bytes) ?? '';
  const head = headOf(place);
  const key = text.startsWith(head) && text.endsWith('\n') ? fromBase64(text.slice(head.length, -1)) : undefined;
  if (!key) throw new VaultError('SHARE_MISMATCH', `what was released holds no file key of ${place.name} v${place.version} of this vault`);
  return Uint8Array.from(key);
}

function headOf({ vault, name, version }: FileKeyPlace): string {
  return `${WORD} ${vault} ${name} ${version} `;
}
