/**
 * Ed25519 on `node:crypto`, under one rule for a valid signature everywhere: A, R and S in canonical encoding, A and R of prime
 * order, and the equation without cofactor, S B = R + k A.
 *
 * OpenSSL checks S < L, computes R' = S B - k A and compares the encoding of R' with the bytes of R. So R is canonical when it
 * passes, and with A of prime order R' is in the prime-order subgroup: all that is left to check here is that A is canonical
 * and that R is not the identity (the one element of that subgroup that is not of prime order). The order of A is checked once,
 * where a key enters (`assertStrongPublicKey`), because that costs as much as many verifications.
 */
import { createPrivateKey, createPublicKey, randomBytes, sign, verify, type KeyObject } from 'node:crypto';
import { VaultError } from '../errors.js';
import { Secret } from '../secret.js';
import { PUBLIC_KEY_LENGTH } from './ed25519-portable.js';
import { concatBytes, equalBytes, taggedHash, toHex, utf8 } from './hash.js';

export { assertStrongPublicKey, PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH, verifyPortable } from './ed25519-portable.js';

export const SEED_LENGTH = 32;

export interface SigningKey {
  /** The 32 bytes of RFC 8032 section 5.1.5 that the key is derived from. */
  readonly seed: Secret;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes, deterministic. */
  sign(message: Uint8Array): Uint8Array;
}

/** True when `signature` is a valid signature of `message`; false for anything else, a wrong length included. Never throws. */
export type Verify = (message: Uint8Array, signature: Uint8Array) => boolean;

/** RFC 8410 section 7: the DER of a PrivateKeyInfo up to the seed. */
const PKCS8_PREFIX = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);
/** The encoding of the identity element: x = 0, y = 1. */
const IDENTITY = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));

export function generateSigningKey(): SigningKey {
  return signingKeyFromSeed(Uint8Array.from(randomBytes(SEED_LENGTH)));
}

/** Takes the 32 bytes over. IDENTITY_INVALID for another length. */
export function signingKeyFromSeed(seed: Uint8Array): SigningKey {
  if (seed.length !== SEED_LENGTH) throw new VaultError('IDENTITY_INVALID', `an Ed25519 seed has ${SEED_LENGTH} bytes`);
  const der = concatBytes(PKCS8_PREFIX, seed);
  const key = createPrivateKey({ key: Buffer.from(der.buffer), format: 'der', type: 'pkcs8' });
  der.fill(0);
  // SPKI, not JWK: some Node 20 releases can hang exporting a fresh key as JWK.
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-PUBLIC_KEY_LENGTH));
  return { seed: Secret.take(seed), publicKey, sign: (message) => new Uint8Array(sign(null, message, key)) };
}

/** Imported keys, oldest use first. A vault has few keys; the bound is against a log full of made-up ones. */
const imported = new Map<string, Verify>();
const MAX_IMPORTED = 1024;

/**
 * A function that verifies under `publicKey`, which must have passed `assertStrongPublicKey` at some time. For a key that is no
 * canonical encoding it answers false to everything.
 */
export function verifier(publicKey: Uint8Array): Verify {
  const id = toHex(publicKey);
  const known = imported.get(id);
  const made = known ?? makeVerifier(publicKey);
  imported.delete(id);
  imported.set(id, made);
  if (imported.size > MAX_IMPORTED) {
    for (const oldest of imported.keys()) {
      imported.delete(oldest);
      break;
    }
  }
  return made;
}

function makeVerifier(publicKey: Uint8Array): Verify {
  if (!isCanonicalEncoding(publicKey)) return () => false;
  const x = Buffer.from(publicKey).toString('base64url');
  const key: KeyObject = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return (message, signature) => {
    // OpenSSL answers false to a signature of a wrong length.
    if (equalBytes(signature.subarray(0, 32), IDENTITY)) return false;
    return verify(null, message, key, signature);
  };
}

/** 32 bytes with y < p = 2^255 - 19 (little-endian, the top bit is the sign of x), and not "-0" as x. */
function isCanonicalEncoding(bytes: Uint8Array): boolean {
  if (bytes.length !== PUBLIC_KEY_LENGTH) return false;
  const top = bytes[31] ?? 0;
  const middle = bytes.subarray(1, 31);
  const low = bytes[0] ?? 0;
  if ((top & 0x7f) === 0x7f && middle.every((b) => b === 0xff)) {
    if (low >= 0xed) return false;
    if (low === 0xec && top === 0xff) return false; // y = p - 1 has x = 0
  }
  return !(top === 0x80 && low === 1 && middle.every((b) => b === 0)); // y = 1 has x = 0
}

/** The name of a key: hex SHA-256 of `oxp-vault/key/v1`, NUL, `ed25519`, NUL, the public key. Always computed, never believed. */
export function keyId(publicKey: Uint8Array): string {
  return toHex(taggedHash('oxp-vault/key/v1', utf8('ed25519'), publicKey));
}
