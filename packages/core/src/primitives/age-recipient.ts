/**
 * Whether anything can be sealed to an age recipient (https://c2sp.org/age). One that looks right and is not would stop whoever
 * seals to a list of people with that one among them, so it is refused where it enters.
 */
import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { bech32 } from '@scure/base';

const POINT_SIZE = 32;
/** ML-KEM-768 encapsulation key (FIPS 203): three polynomials of 256 coefficients of 12 bits, then 32 bytes. */
const POLYNOMIALS = 3 * 384;
const ML_KEM_SIZE = POLYNOMIALS + 32;
const ML_KEM_MODULUS = 3329;

/** The kind that all recipients of a vault have. */
export type Suite = 'x25519' | 'hybrid';

/** By what it begins with: whether it can be used, says `recipientFault`. */
export function suiteOf(recipient: string): Suite {
  return recipient.startsWith('age1pq1') ? 'hybrid' : 'x25519';
}

let probe: KeyObject | undefined;

/** In words what is wrong with `age1…` (X25519) or `age1pq1…` (ML-KEM-768 + X25519), or undefined. */
export function recipientFault(recipient: string): string | undefined {
  let decoded: { prefix: string; bytes: Uint8Array };
  try {
    const { prefix, words } = bech32.decode(recipient as `${string}1${string}`, false);
    decoded = { prefix, bytes: bech32.fromWords(words) };
  } catch {
    return 'it is not bech32 with a right checksum'; // The library throws for whatever is wrong: that is the verdict.
  }
  const { prefix, bytes } = decoded;
  if (prefix === 'age') return bytes.length === POINT_SIZE ? pointFault(bytes) : 'it has a wrong length';
  if (prefix !== 'age1pq') return 'it is of no known kind';
  if (bytes.length !== ML_KEM_SIZE + POINT_SIZE) return 'it has a wrong length';
  return coefficientFault(bytes.subarray(0, POLYNOMIALS)) ?? pointFault(bytes.subarray(ML_KEM_SIZE));
}

/** A second spelling of a point would let one key be enrolled twice; a point of low order gives no secret. */
function pointFault(point: Uint8Array): string | undefined {
  const top = point[31] ?? 0;
  const aboveField = top === 0x7f && point.subarray(1, 31).every((b) => b === 0xff) && (point[0] ?? 0) >= 0xed;
  if (top > 0x7f || aboveField) return 'its point is not in canonical encoding';
  probe ??= generateKeyPairSync('x25519').privateKey;
  const x = Buffer.from(point).toString('base64url');
  try {
    diffieHellman({ privateKey: probe, publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' }) });
  } catch {
    return 'its point is of low order'; // OpenSSL refuses the all-zero secret.
  }
  return undefined;
}

/** The modulus check of FIPS 203, section 7.2. */
function coefficientFault(encoded: Uint8Array): string | undefined {
  for (let i = 0; i < encoded.length; i += 3) {
    const [a = 0, b = 0, c = 0] = encoded.subarray(i, i + 3);
    if ((a | ((b & 0xf) << 8)) >= ML_KEM_MODULUS || ((b >> 4) | (c << 4)) >= ML_KEM_MODULUS) return 'its ML-KEM key is out of range';
  }
  return undefined;
}
