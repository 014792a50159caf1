/** An age identity as its 32 bytes: the X25519 scalar, or the seed of a hybrid one (https://c2sp.org/age). */
import { bech32 } from '@scure/base';
import { VaultError } from '../errors.js';

export const IDENTITY_SIZE = 32;
const CLASSIC = 'age-secret-key-';
const HYBRID = 'age-secret-key-pq-';

/** The identities in an age identity file, as they stand there; its comments are passed over. */
export function identityLines(text: string): string[] {
  return text.match(/^AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+$/gm) ?? [];
}

/** The bytes of `AGE-SECRET-KEY-1…` or `AGE-SECRET-KEY-PQ-1…`. IDENTITY_INVALID for anything else. */
export function identityToBytes(identity: string): Uint8Array {
  const decoded = bech32.decodeUnsafe(identity, identity.length);
  const known = decoded !== undefined && identity === identity.toUpperCase() && (decoded.prefix === CLASSIC || decoded.prefix === HYBRID);
  const bytes = known ? bech32.fromWordsUnsafe(decoded.words) : undefined;
  if (!bytes || bytes.length !== IDENTITY_SIZE) throw new VaultError('IDENTITY_INVALID', 'this is no age identity of 32 bytes');
  return Uint8Array.from(bytes);
}

/** The identity line of these 32 bytes. */
export function identityOfBytes(bytes: Uint8Array, { pq }: { readonly pq: boolean }): string {
  if (bytes.length !== IDENTITY_SIZE) throw new VaultError('IDENTITY_INVALID', 'this is no age identity of 32 bytes');
  return bech32.encodeFromBytes(pq ? HYBRID : CLASSIC, bytes).toUpperCase();
}
