/**
 * Signed notes (https://c2sp.org/signed-note): text, a blank line, one line for each signature. Only Ed25519 (type 0x01) is
 * verified; signatures of other types are carried along.
 */
import { VaultError } from '../errors.js';
import { concatBytes, equalBytes, fromBase64, fromHex, fromUtf8, sha256, toBase64, toHex, utf8 } from './hash.js';
import { verifier } from './ed25519.js';

/** Signature type of plain Ed25519 over the text. */
export const ED25519_TYPE = 1;

const MAX_SIZE = 1 << 20;
/** The specification asks for at least 16. */
const MAX_SIGNATURES = 100;
const SIGNATURE_START = '\u2014 ';
const CONTROL = /[\x00-\x09\x0b-\x1f]/;
/** A key name is not empty and holds no Unicode space, no plus sign and, as the whole note, no control character. */
const KEY_NAME = /^[^\s\p{White_Space}+\x00-\x1f]+$/u;

export interface NoteSignature {
  readonly name: string;
  /** Four bytes. Short on purpose: with the name it only says which key to try. */
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Note {
  /** With its final newline: these are the signed bytes, in UTF-8. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** What signs a note: an Ed25519 key (ed25519.ts SigningKey is one). */
export interface NoteSigner {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

export interface VerifierKey {
  readonly name: string;
  readonly type: number;
  readonly publicKey: Uint8Array;
}

/** The bytes of a note. BAD_CHECKPOINT when text or names cannot stand in one. */
export function formatNote(text: string, signatures: readonly NoteSignature[]): Uint8Array {
  if (!text.endsWith('\n') || CONTROL.test(text)) throw bad('its text does not end in a newline or holds control characters');
  if (signatures.length === 0) throw bad('it has no signature');
  const lines = signatures.map(({ name, keyId, signature }) => {
    if (!KEY_NAME.test(name)) throw bad('a key name is empty or holds a space or a plus sign');
    return `${SIGNATURE_START}${name} ${toBase64(concatBytes(keyId, signature))}\n`;
  });
  return utf8(`${text}\n${lines.join('')}`);
}

/** BAD_CHECKPOINT for anything that is no well-formed note of at most 1 MiB and 100 signatures. Verifies nothing. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > MAX_SIZE) throw bad('it is larger than 1 MiB');
  const note = fromUtf8(bytes);
  if (note === undefined) throw bad('it is not valid UTF-8');
  if (CONTROL.test(note)) throw bad('it holds control characters');
  const blank = note.lastIndexOf('\n\n');
  if (blank < 0 || !note.endsWith('\n')) throw bad('it has no signature lines after a blank line');
  const lines = note.slice(blank + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw bad(`it has more than ${MAX_SIGNATURES} signatures`);
  return { text: note.slice(0, blank + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [name, encoded, ...more] = line.startsWith(SIGNATURE_START) ? line.slice(SIGNATURE_START.length).split(' ') : [];
  const bytes = encoded === undefined ? undefined : fromBase64(encoded);
  if (name === undefined || !KEY_NAME.test(name) || bytes === undefined || bytes.length <= 4 || more.length > 0) {
    throw bad('a signature line is malformed');
  }
  return { name, keyId: bytes.slice(0, 4), signature: bytes.slice(4) };
}

/** The recommended key id: first four bytes of SHA-256 of name, newline, type, public key. */
export function noteKeyHash(name: string, type: number, publicKey: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8(`${name}\n`), Uint8Array.of(type), publicKey)).slice(0, 4);
}

/** The note with one Ed25519 signature by `signer` under `name`. */
export function signNote(text: string, name: string, signer: NoteSigner): Uint8Array {
  const keyId = noteKeyHash(name, ED25519_TYPE, signer.publicKey);
  return formatNote(text, [{ name, keyId, signature: signer.sign(utf8(text)) }]);
}

/**
 * True when the note has signatures of this Ed25519 key under this name, and all of them verify. Those of other keys are
 * ignored, as the specification demands.
 */
export function verifyNote(note: Note, name: string, publicKey: Uint8Array): boolean {
  const keyId = noteKeyHash(name, ED25519_TYPE, publicKey);
  const own = note.signatures.filter((s) => s.name === name && equalBytes(s.keyId, keyId));
  const text = utf8(note.text);
  const verify = verifier(publicKey);
  return own.length > 0 && own.every((s) => verify(text, s.signature));
}

/** `NAME+HEX8+BASE64`, the form in which a verifier key is handed to other tools. */
export function encodeVerifierKey({ name, type, publicKey }: VerifierKey): string {
  if (!KEY_NAME.test(name)) throw bad('a key name is empty or holds a space or a plus sign');
  return `${name}+${toHex(noteKeyHash(name, type, publicKey))}+${toBase64(concatBytes(Uint8Array.of(type), publicKey))}`;
}

/** BAD_CHECKPOINT for a malformed key, or one whose id is not that of its name and content. */
export function decodeVerifierKey(text: string): VerifierKey {
  // Base64 may itself hold plus signs: only the first two separate.
  const [, name = '', id = '', encoded = ''] = /^([^+]+)\+([^+]{8})\+(.+)$/su.exec(text) ?? [];
  const bytes = fromBase64(encoded);
  const type = bytes?.[0];
  const keyId = fromHex(id);
  if (!KEY_NAME.test(name) || bytes === undefined || type === undefined || keyId === undefined) throw bad('the verifier key is malformed');
  const publicKey = bytes.slice(1);
  if (!equalBytes(keyId, noteKeyHash(name, type, publicKey))) throw bad('the verifier key does not match its id');
  return { name, type, publicKey };
}

function bad(why: string): VaultError {
  return new VaultError('BAD_CHECKPOINT', `the signed note is not acceptable: ${why}`);
}
