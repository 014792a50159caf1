/**
 * Ed25519 on `@noble/ed25519` alone, so that it also runs in a browser. It decides the two things that the native code of Node
 * does not: whether a public key is strong, and, slowly, whether a signature is valid by the rule of ed25519.ts.
 */
import { Point, verifyAsync } from '@noble/ed25519';
import { VaultError } from '../errors.js';

export const PUBLIC_KEY_LENGTH = 32;
export const SIGNATURE_LENGTH = 64;

/**
 * Passes for the canonical encoding of a point of prime order, which every key made from a seed is. WEAK_KEY for the rest:
 * wrong length, y >= p, not on the curve, small order (would verify any message), mixed order (implementations disagree).
 */
export function assertStrongPublicKey(publicKey: Uint8Array): void {
  if (!isPrimeOrderPoint(publicKey)) {
    throw new VaultError('WEAK_KEY', 'the Ed25519 public key is not the canonical encoding of a point of prime order', {
      hint: 'Such a key does not come from an honest generator. Make a new one.',
    });
  }
}

/**
 * The verdict of `verifier` (ed25519.ts) on a key that passed `assertStrongPublicKey`, and false for any other key. Never
 * throws for what the arguments hold. Some 20 times slower; SHA-512 comes from WebCrypto, hence the promise.
 */
export async function verifyPortable(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (signature.length !== SIGNATURE_LENGTH) return false;
  if (!isPrimeOrderPoint(publicKey) || !isPrimeOrderPoint(signature.subarray(0, 32))) return false;
  // Noble multiplies the equation by the cofactor. With A and R in the prime-order subgroup that changes no verdict.
  return verifyAsync(signature, message, publicKey, { zip215: false });
}

/** Strict decoding (RFC 8032 section 5.1.3), then: not the identity, and the group order times the point is the identity. */
function isPrimeOrderPoint(bytes: Uint8Array): boolean {
  if (bytes.length !== PUBLIC_KEY_LENGTH) return false;
  let point: Point;
  try {
    // Strict decoding states the rule; no encoding that only lenient decoding takes is of prime order on this curve.
    point = Point.fromBytes(bytes, false);
  } catch {
    return false; // Noble reports every encoding fault by throwing: this is the verdict, not a fault of ours.
  }
  return !point.isSmallOrder() && point.isTorsionFree();
}
