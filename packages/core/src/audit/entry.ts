/** The entry: the one kind of signed thing. Frame, digest and signature; what an op means is judged in state.ts. */
import * as v from 'valibot';
import { VaultError } from '../errors.js';
import { canonicalJson, parseCanonical } from '../primitives/canonical-json.js';
import { decodeEnvelope, encodeEnvelope, preAuthEncoding } from '../primitives/dsse.js';
import { keyId, verifier, type SigningKey } from '../primitives/ed25519.js';
import { fromHex, sha256Hex, utf8 } from '../primitives/hash.js';
import { BlobRef, Count, Hex16, Hex32, Name, Positive, Time, type Json } from '../wire.js';

export const ENTRY_TYPE = 'application/vnd.oxp-vault.entry.v1+json';
/** Leaf data is bounded by the entry bundles of C2SP tlog-tiles. Larger bodies go into an object. */
export const MAX_LEAF = 65_535;
/** Bytes: the receipt of a thousand secrets of sixteen KiB each. Every leaf may name an object, and each is parsed anew. */
export const MAX_OBJECT = 16 * 1024 * 1024;

const frame = {
  vault: Hex32,
  actor: v.strictObject({ person: Name, device: Name }),
  op: v.pipe(v.string(), v.regex(/^[a-z]+\.[a-z]+$/)),
  nonce: Hex16,
  /** The checkpoint that the signer had seen; size 0 before the first. */
  seen: v.strictObject({ size: Count, root: Hex32 }),
  /** The policy that the signer had seen. */
  policy: v.strictObject({ number: Positive, digest: Hex32 }),
  /** Claimed, whole seconds. */
  time: Time,
};
const Body = v.custom<Json>((x) => x !== undefined);
const ObjectRef = v.strictObject({ ...BlobRef.entries, size: v.pipe(Count, v.maxValue(MAX_OBJECT)) });
const EntryFrame = v.union([v.strictObject({ ...frame, body: Body }), v.strictObject({ ...frame, object: ObjectRef })]);
type EntryFrame = v.InferOutput<typeof EntryFrame>;

/** A parsed entry whose signature is still to be verified against a key that the caller finds in the state. */
export interface Entry {
  /** SHA-256 of the PAE bytes, hex. */
  readonly digest: string;
  readonly payload: EntryFrame;
  /** Claimed key id: only a hint for finding the key. */
  readonly keyid: string;
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** Loading looks at the same line more than once: for the files it names, to judge it, to check what it has seen. */
const parsedLines = new WeakMap<Uint8Array, Entry>();

/** Parses leaf data. Throws BAD_ENVELOPE, NOT_CANONICAL, BAD_ENTRY: reasons for which a leaf is void. */
export function parseEntry(line: Uint8Array): Entry {
  const known = parsedLines.get(line);
  if (known) return known;
  const entry = parseLine(line);
  parsedLines.set(line, entry);
  return entry;
}

function parseLine(line: Uint8Array): Entry {
  if (line.length > MAX_LEAF) throw new VaultError('BAD_ENTRY', `an entry has ${line.length} bytes, more than ${MAX_LEAF}`);
  const envelope = decodeEnvelope(line);
  if (envelope.payloadType !== ENTRY_TYPE) throw new VaultError('BAD_ENTRY', 'the envelope does not hold an entry');
  const parsed = v.safeParse(EntryFrame, parseCanonical(envelope.payload));
  if (!parsed.success) throw new VaultError('BAD_ENTRY', `the entry does not follow its schema at ${v.getDotPath(parsed.issues[0]) ?? 'the top level'}`);
  const [{ keyid, sig }] = envelope.signatures;
  const signedBytes = preAuthEncoding(ENTRY_TYPE, envelope.payload);
  return { digest: sha256Hex(signedBytes), payload: parsed.output, keyid, signedBytes, signature: sig };
}

/** True when the entry is signed by this key and names its true key id. */
export function verifyEntry(entry: Entry, publicKeyHex: string): boolean {
  const publicKey = fromHex(publicKeyHex)!;
  return entry.keyid === keyId(publicKey) && verifier(publicKey)(entry.signedBytes, entry.signature);
}

export interface NewEntry {
  readonly vault: string;
  readonly actor: { readonly person: string; readonly device: string };
  readonly op: string;
  readonly nonce: string;
  readonly seen: { readonly size: number; readonly root: string };
  readonly policy: { readonly number: number; readonly digest: string };
  readonly time: number;
  readonly body: Json;
}

/** A signed entry ready to append: its line, and its body as an object file where it is too large for a leaf. */
export interface SignedEntry {
  readonly line: Uint8Array;
  readonly object?: { readonly path: string; readonly bytes: Uint8Array };
}

/** Throws BAD_VALUE for a body that is too large even for an object. */
export function signEntry(entry: NewEntry, key: SigningKey): SignedEntry {
  const inline = sealEnvelope(canonicalJson(entry), key);
  if (inline.length <= MAX_LEAF) return { line: inline };
  const { body, ...rest } = entry;
  const bytes = canonicalJson(body);
  if (bytes.length > MAX_OBJECT) {
    throw new VaultError('BAD_VALUE', `this ${entry.op} would have ${bytes.length} bytes, more than the ${MAX_OBJECT} that the log takes`, { hint: 'Nothing was signed. Do it for fewer secrets at a time.' });
  }
  const sha256 = sha256Hex(bytes);
  const line = sealEnvelope(canonicalJson({ ...rest, object: { sha256, size: bytes.length } }), key);
  return { line, object: { path: objectPath(sha256), bytes } };
}

function sealEnvelope(payload: Uint8Array, key: SigningKey): Uint8Array {
  const sig = key.sign(preAuthEncoding(ENTRY_TYPE, payload));
  return utf8(encodeEnvelope({ payloadType: ENTRY_TYPE, payload, signatures: [{ keyid: keyId(key.publicKey), sig }] }));
}

/** `objects/<sha256>.json` */
export function objectPath(sha256: string): string {
  return `objects/${sha256}.json`;
}

/** The body of an entry: its own, or that of the object it names, which must be canonical and of that digest and size. */
export function entryBody(entry: Entry, file: (sha256: string) => Uint8Array | undefined): Json {
  if ('body' in entry.payload) return entry.payload.body;
  const { sha256, size } = entry.payload.object;
  const bytes = file(sha256);
  if (!bytes || bytes.length !== size || sha256Hex(bytes) !== sha256) {
    throw new VaultError('HASH_MISMATCH', `object ${sha256.slice(0, 8)} is missing or not what was signed`);
  }
  return parseCanonical(bytes);
}
