/**
 * age files (https://c2sp.org/age). Headers are made and parsed by `age-encryption`, which is loaded at the first use; payloads and
 * X25519 are native (age-payload.ts, age-native.ts), everything else, scrypt and post-quantum, is the library's. What the library lets pass and the specification
 * does not is refused here: no recipient at all, and classic beside post-quantum recipients.
 */
import type { Identity, Recipient, Stanza } from 'age-encryption';
import { VaultError } from '../errors.js';
import { generateX25519Identity, X25519Identity, X25519Recipient } from './age-native.js';
import { decryptStreamPayload, encryptStreamPayload, FILE_KEY_SIZE, payloadSize } from './age-payload.js';
import { concatBytes } from './hash.js';

/** Hybrid post-quantum recipients and identities. */
const PQ_RECIPIENT = 'age1pq1';
const PQ_IDENTITY = 'AGE-SECRET-KEY-PQ-1';
/** What the library accepts when it decrypts: 1 GiB of memory. More would only serve to exhaust the machine. */
const MAX_WORK_FACTOR = 20;

/** An identity as text, or imported once (`new X25519Identity(text)`) for many files: importing costs as much as ten files. */
export type AgeIdentity = string | X25519Identity;

export interface AgeHeaderStanzas {
  /** The type of each stanza, in the order of the header: `X25519`, `mlkem768x25519`, `scrypt`. */
  readonly types: readonly string[];
  /** The type that all stanzas have; undefined when they differ or there are none. */
  readonly type: string | undefined;
  readonly count: number;
}

/**
 * Encrypts to every recipient. NO_RECIPIENTS for none, MIXED_RECIPIENTS for `age1…` beside `age1pq1…` (the file would be no
 * safer than its weakest stanza), BAD_VALUE for a recipient of any other kind.
 */
export async function ageEncrypt(plaintext: Uint8Array, recipients: readonly string[]): Promise<Uint8Array> {
  if (recipients.length === 0) throw new VaultError('NO_RECIPIENTS', 'there is no recipient to encrypt to');
  const hybrid = recipients.filter((recipient) => recipient.startsWith(PQ_RECIPIENT)).length;
  if (hybrid !== 0 && hybrid !== recipients.length) {
    throw new VaultError('MIXED_RECIPIENTS', 'classic and post-quantum recipients cannot share a file');
  }
  return encryptTo(plaintext, hybrid > 0 ? recipients : recipients.map((recipient) => new X25519Recipient(recipient)));
}

/** Decrypts with whichever identity fits. DECRYPT_FAILED when none does or the file is damaged. */
export async function ageDecrypt(file: Uint8Array, identities: readonly AgeIdentity[]): Promise<Uint8Array> {
  const fileKey = await fileKeyOf(file, identities);
  try {
    return decryptStreamPayload(fileKey, splitHeader(file).payload);
  } finally {
    fileKey.fill(0);
  }
}

/**
 * The key of this one file, 16 bytes, from a header whose MAC was checked. Whoever has it reads the payload without being a
 * recipient. DECRYPT_FAILED when no identity fits.
 */
export async function fileKeyOf(file: Uint8Array, identities: readonly AgeIdentity[]): Promise<Uint8Array> {
  return unwrapHeader(splitHeader(file).header, identities.map(toIdentity));
}

/** Decrypts with a file key that somebody else unwrapped. DECRYPT_FAILED unless it is the key of this header and payload. */
export async function decryptWithFileKey(file: Uint8Array, fileKey: Uint8Array): Promise<Uint8Array> {
  if (fileKey.length !== FILE_KEY_SIZE) throw failed('the file key has a wrong length');
  const { header, payload } = splitHeader(file);
  await unwrapHeader(header, [{ unwrapFileKey: () => fileKey }]);
  return decryptStreamPayload(fileKey, payload);
}

/** What kind of recipients a file has and how many, without any key. Nothing vouches for it but a hash of the file. */
export async function ageHeaderStanzas(file: Uint8Array): Promise<AgeHeaderStanzas> {
  const { header } = splitHeader(file);
  let types: readonly string[] | undefined;
  const probe: Identity = {
    unwrapFileKey(stanzas: Stanza[]) {
      types = stanzas.map((stanza) => stanza.args[0] ?? '');
      return null;
    },
  };
  const decrypter = await newDecrypter([probe]);
  try {
    await decrypter.decryptHeader(header);
  } catch (cause) {
    // It cannot succeed: the probe fits nothing. If it was asked, the header was well-formed.
    if (types === undefined) throw failed('its header is malformed', cause);
  }
  const found = types ?? [];
  const [type] = found;
  return { types: found, type: found.every((other) => other === type) ? type : undefined, count: found.length };
}

/** Both parts as views. DECRYPT_FAILED when there is no end of a header; everything else about it is left to age-encryption. */
export function splitHeader(file: Uint8Array): { header: Uint8Array; payload: Uint8Array } {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  // No other line of a header begins so: stanzas begin with "-> ", and their bodies are base64.
  const mac = bytes.indexOf('\n--- ');
  const end = mac < 0 ? -1 : bytes.indexOf('\n', mac + 1);
  if (end < 0) throw failed('it has no complete age header');
  return { header: file.subarray(0, end + 1), payload: file.subarray(end + 1) };
}

/** A fresh identity: `AGE-SECRET-KEY-1…`, or with `pq` a hybrid post-quantum `AGE-SECRET-KEY-PQ-1…`. */
export async function generateAgeIdentity({ pq = false }: { readonly pq?: boolean } = {}): Promise<string> {
  if (!pq) return generateX25519Identity();
  const { generateHybridIdentity } = await import('age-encryption');
  return generateHybridIdentity();
}

/** The public half. IDENTITY_INVALID for what is no identity. */
export async function identityToRecipient(identity: string): Promise<string> {
  if (!identity.startsWith(PQ_IDENTITY)) return new X25519Identity(identity).recipient;
  const age = await import('age-encryption');
  try {
    return await age.identityToRecipient(identity);
  } catch {
    throw invalidHybrid(); // without the cause: bech32 errors quote their input
  }
}

/** An age file under a passphrase. `workFactor` is the base-2 logarithm of scrypt's N: 18 takes a good second and 256 MiB. */
export async function agePassphraseEncrypt(bytes: Uint8Array, passphrase: string, workFactor = 18): Promise<Uint8Array> {
  if (!Number.isInteger(workFactor) || workFactor < 1 || workFactor > MAX_WORK_FACTOR) throw new VaultError('BAD_VALUE', `a work factor is a whole number from 1 to ${MAX_WORK_FACTOR}`);
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(workFactor);
  return readAll(await encrypter.encrypt(streamOf(bytes)));
}

/** PASSPHRASE_WRONG, or DECRYPT_FAILED for a file that is damaged or not under a passphrase. */
export async function agePassphraseDecrypt(file: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const { header, payload } = splitHeader(file);
  const { type } = await ageHeaderStanzas(file);
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  let fileKey: Uint8Array;
  try {
    fileKey = await decrypter.decryptHeader(header);
  } catch (cause) {
    // The library knows no codes: this is how it says that the stanza is well-formed and the passphrase does not fit.
    const wrong = type === 'scrypt' && cause instanceof Error && cause.message.includes('no identity matched');
    throw wrong ? new VaultError('PASSPHRASE_WRONG', 'the passphrase does not open this file') : failed('its header is damaged, or it is not under a passphrase', cause);
  }
  try {
    return decryptStreamPayload(fileKey, payload);
  } finally {
    fileKey.fill(0);
  }
}

/** As a stream, because the buffer mode of the library loads the whole fetch stack of Node. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream as AsyncIterable<Uint8Array>) parts.push(part);
  return concatBytes(...parts);
}

async function encryptTo(plaintext: Uint8Array, recipients: readonly (string | Recipient)[]): Promise<Uint8Array> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  // The library encrypts an empty payload, for its header; a recipient that writes no stanza learns the file key for ours.
  let fileKey: Uint8Array | undefined;
  encrypter.addRecipient({
    wrapFileKey(key: Uint8Array) {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  for (const recipient of recipients) addRecipient(encrypter, recipient);
  const emptyFile = await readAll(await encrypter.encrypt(streamOf(new Uint8Array())));
  if (fileKey === undefined) throw new VaultError('INTERNAL', 'age-encryption did not offer its file key');
  const header = emptyFile.subarray(0, emptyFile.length - payloadSize(0));
  const file = concatBytes(header, encryptStreamPayload(fileKey, plaintext));
  fileKey.fill(0);
  return file;
}

function addRecipient(encrypter: { addRecipient(recipient: string | Recipient): void }, recipient: string | Recipient): void {
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new VaultError('BAD_VALUE', 'this is no post-quantum age recipient', { cause });
  }
}

function toIdentity(identity: AgeIdentity): Identity | string {
  if (typeof identity !== 'string') return identity;
  return identity.startsWith(PQ_IDENTITY) ? identity : new X25519Identity(identity);
}

async function newDecrypter(identities: readonly (string | Identity)[]): Promise<{ decryptHeader(header: Uint8Array): Promise<Uint8Array> }> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  for (const identity of identities) {
    try {
      decrypter.addIdentity(identity);
    } catch {
      throw invalidHybrid(); // without the cause: bech32 errors quote their input
    }
  }
  return decrypter;
}

async function unwrapHeader(header: Uint8Array, identities: readonly (string | Identity)[]): Promise<Uint8Array> {
  const decrypter = await newDecrypter(identities);
  try {
    return await decrypter.decryptHeader(header);
  } catch (cause) {
    if (cause instanceof VaultError) throw cause;
    throw failed('its header is damaged, or not for any identity at hand', cause);
  }
}

function invalidHybrid(): VaultError {
  return new VaultError('IDENTITY_INVALID', 'this is no post-quantum age identity');
}

function failed(why: string, cause?: unknown): VaultError {
  return new VaultError('DECRYPT_FAILED', `the age file does not open: ${why}`, cause === undefined ? {} : { cause });
}
