/**
 * X25519 recipients and identities of age (https://c2sp.org/age, "The X25519 recipient type") on `node:crypto`, for the extension
 * points of `age-encryption`. Many times as fast as its own, and loads none of it.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { bech32 } from '@scure/base';
import type { Identity, Recipient, Stanza } from 'age-encryption';
import { VaultError } from '../errors.js';
import { FILE_KEY_SIZE } from './age-payload.js';
import { concatBytes, fromBase64, toBase64 } from './hash.js';

export { decryptStreamPayload, encryptStreamPayload } from './age-payload.js';

const RECIPIENT_PREFIX = 'age';
const IDENTITY_PREFIX = 'AGE-SECRET-KEY-';
const POINT_SIZE = 32;
const TAG_SIZE = 16;
/** The wrapping key is used once, so the nonce is fixed. */
const ZERO_NONCE = Buffer.alloc(12);
/** RFC 8410 section 7: the DER of a PrivateKeyInfo up to the scalar. */
const PKCS8_PREFIX = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20]);

/** Wraps file keys for one `age1…` recipient. */
export class X25519Recipient implements Recipient {
  readonly #point: Uint8Array;
  readonly #key: KeyObject;

  /** BAD_VALUE for anything but a classic recipient. */
  constructor(recipient: string) {
    this.#point = decodeBech32(recipient, RECIPIENT_PREFIX, 'age recipient', 'BAD_VALUE');
    this.#key = importPoint(this.#point);
  }

  wrapFileKey(fileKey: Uint8Array): Stanza[] {
    const ephemeral = generateKeyPairSync('x25519');
    const share = exportPoint(ephemeral.publicKey);
    const wrapKey = deriveWrapKey(ephemeral.privateKey, this.#key, concatBytes(share, this.#point));
    if (wrapKey === undefined) throw new VaultError('BAD_VALUE', 'an age recipient is a point of low order, to which nothing can be sealed');
    return [{ args: ['X25519', encodeUnpadded(share)], body: wrap(wrapKey, fileKey) }];
  }
}

/** Unwraps file keys with one `AGE-SECRET-KEY-1…` identity. */
export class X25519Identity implements Identity {
  /** The public half, `age1…`. */
  readonly recipient: string;
  readonly #point: Uint8Array;
  readonly #key: KeyObject;

  /** IDENTITY_INVALID for anything but a classic identity. */
  constructor(identity: string) {
    const scalar = decodeBech32(identity, IDENTITY_PREFIX, 'age identity', 'IDENTITY_INVALID');
    const der = concatBytes(PKCS8_PREFIX, scalar);
    this.#key = createPrivateKey({ key: Buffer.from(der.buffer), format: 'der', type: 'pkcs8' });
    der.fill(0);
    scalar.fill(0);
    this.#point = exportPoint(createPublicKey(this.#key));
    this.recipient = bech32.encodeFromBytes(RECIPIENT_PREFIX, this.#point);
  }

  /** Null when no stanza is for this identity. DECRYPT_FAILED for a malformed X25519 stanza, as the specification demands. */
  unwrapFileKey(stanzas: readonly Stanza[]): Uint8Array | null {
    for (const stanza of stanzas) {
      if (stanza.args[0] !== 'X25519') continue;
      const share = stanza.args.length === 2 ? decodeShare(stanza.args[1]) : undefined;
      if (share === undefined || stanza.body.length !== FILE_KEY_SIZE + TAG_SIZE) throw malformed();
      const wrapKey = deriveWrapKey(this.#key, importPoint(share), concatBytes(share, this.#point));
      if (wrapKey === undefined) throw malformed();
      const fileKey = unwrap(wrapKey, stanza.body);
      if (fileKey !== undefined) return fileKey;
    }
    return null;
  }
}

/** A fresh classic identity, `AGE-SECRET-KEY-1…`. */
export function generateX25519Identity(): string {
  const scalar = randomBytes(POINT_SIZE);
  const identity = bech32.encodeFromBytes(IDENTITY_PREFIX, scalar).toUpperCase();
  scalar.fill(0);
  return identity;
}

/** Seals a file key under a key that is used for nothing else: ChaCha20-Poly1305 with a zero nonce, 32 bytes. */
export function wrap(wrapKey: Uint8Array, fileKey: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', wrapKey, ZERO_NONCE, { authTagLength: TAG_SIZE });
  const sealed = cipher.update(fileKey);
  cipher.final();
  return concatBytes(sealed, cipher.getAuthTag());
}

/** Undefined when the body was not sealed under this key. */
export function unwrap(wrapKey: Uint8Array, body: Uint8Array): Uint8Array | undefined {
  const decipher = createDecipheriv('chacha20-poly1305', wrapKey, ZERO_NONCE, { authTagLength: TAG_SIZE });
  decipher.setAuthTag(body.subarray(FILE_KEY_SIZE));
  const fileKey = Uint8Array.from(decipher.update(body.subarray(0, FILE_KEY_SIZE)));
  try {
    decipher.final();
  } catch {
    return undefined; // Not for us. Stanzas are anonymous: trying is the only way to know.
  }
  return fileKey;
}

/** Standard base64 without padding, as stanza arguments are written. */
export function encodeUnpadded(bytes: Uint8Array): string {
  return toBase64(bytes).replace(/=+$/, '');
}

/** Undefined for the all-zero secret that a point of low order gives; OpenSSL refuses it by throwing. */
function deriveWrapKey(privateKey: KeyObject, publicKey: KeyObject, salt: Uint8Array): Uint8Array | undefined {
  let shared: Buffer;
  try {
    shared = diffieHellman({ privateKey, publicKey });
  } catch {
    return undefined;
  }
  const key = new Uint8Array(hkdfSync('sha256', shared, salt, 'age-encryption.org/v1/X25519', 32));
  shared.fill(0);
  return key;
}

/** JWK, because Node 20 takes ten times as long to import SPKI. */
function importPoint(point: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: Buffer.from(point).toString('base64url') }, format: 'jwk' });
}

/** SPKI, because some Node 20 releases can hang exporting a fresh key as JWK. */
function exportPoint(key: KeyObject): Uint8Array {
  return Uint8Array.from(key.export({ format: 'der', type: 'spki' }).subarray(-POINT_SIZE));
}

function decodeShare(text: string | undefined): Uint8Array | undefined {
  // 32 bytes are 43 characters and one of padding, which stanzas leave out.
  return text?.length === 43 ? fromBase64(`${text}=`) : undefined;
}

function decodeBech32(text: string, prefix: string, what: string, code: 'BAD_VALUE' | 'IDENTITY_INVALID'): Uint8Array {
  const decoded = bech32.decodeUnsafe(text, text.length);
  // Bech32 text is of one case; age fixes which: the case of the prefix.
  const whole = text.startsWith(prefix) && decoded?.prefix === prefix.toLowerCase() ? bech32.fromWordsUnsafe(decoded.words) : undefined;
  const bytes = whole === undefined ? undefined : Uint8Array.from(whole);
  if (bytes?.length !== POINT_SIZE) throw new VaultError(code, `this is no X25519 ${what}`);
  return bytes;
}

function malformed(): VaultError {
  return new VaultError('DECRYPT_FAILED', 'the age file does not open: it has a malformed X25519 stanza');
}
