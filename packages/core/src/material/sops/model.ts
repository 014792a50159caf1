/** A SOPS file as every format gives it: leaves in the order of the file, which is what its MAC is over. */
import { VaultError } from '../../errors.js';

export const SOPS_TYPES = ['yaml', 'json', 'dotenv', 'binary'] as const;
export type SopsType = (typeof SOPS_TYPES)[number];

/** A value as Go holds it, and with that what the MAC covers. */
export interface GoValue {
  readonly type: 'str' | 'int' | 'float' | 'bool' | 'time';
  /** As the value stands in a file in clear. */
  readonly text: string;
  /** What the MAC is computed over. For `str` also the value itself, which need not be UTF-8. */
  readonly bytes: Uint8Array;
}

/** A scalar that is not null. */
export interface SopsLeaf {
  /** Keys of maps from the top. Indices of lists are not among them: SOPS binds a value to its keys only. */
  readonly keys: readonly string[];
  /** As it stands: `ENC[…]`, or text. */
  readonly text: string;
  /** The value, where it is not encrypted. */
  clear(): GoValue;
  /** Puts the decrypted value in its place. */
  put(value: GoValue): void;
}

/** A comment that is encrypted. No MAC covers comments. */
export interface SopsComment {
  /** Where it may have been when it was encrypted, the most likely place first. */
  readonly places: readonly (readonly string[])[];
  readonly text: string;
  /** Undefined takes it out. */
  put(text: string | undefined): void;
}

/** One value of a decrypted file, for who wants to keep them apart. */
export interface SopsPiece {
  /** Keys and indices from the top. */
  readonly path: readonly (string | number)[];
  /** Undefined for null and for empty text: there is nothing to keep. */
  readonly bytes: Uint8Array | undefined;
  readonly scalar: boolean;
}

export type SopsDepth = 'top' | 'leaves';

export interface SopsDocument {
  /** The metadata as plain data, not checked yet; undefined where the file has none. */
  readonly metadata: unknown;
  readonly leaves: readonly SopsLeaf[];
  readonly comments: readonly SopsComment[];
  /** The file in clear, without the metadata. Only after every encrypted leaf was put. */
  emit(): Uint8Array;
  /** Its values one by one. Only after every encrypted leaf was put. */
  pieces(depth: SopsDepth): SopsPiece[];
}

/** BAD_MATERIAL about the file. `fault` never holds any part of a value. */
export function badSops(fault: string, hint?: string): VaultError {
  return new VaultError('BAD_MATERIAL', `the SOPS file ${fault}`, hint === undefined ? {} : { hint });
}

export function unsupportedSops(fault: string): VaultError {
  return new VaultError('UNSUPPORTED', `the SOPS file ${fault}`, {
    hint: 'What sops itself can open comes in through a pipe: sops decrypt FILE | oxp-vault seal NAME --from -',
  });
}

/** For people: `db.users[2].name`. Keys are no secrets, but they may hold anything. */
export function placeWords(path: readonly (string | number)[]): string {
  const words = path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${/^[\w-]+$/.test(part) ? part : JSON.stringify(part)}`)).join('');
  return words === '' ? 'its top' : words.slice(0, 200);
}
