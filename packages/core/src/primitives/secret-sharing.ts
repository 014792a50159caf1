/**
 * One secret in `count` shares of which `need` give it back. Shamir over GF(2^8) (`shamir-secret-sharing`) where a true threshold is
 * asked for; XOR where all are needed; where one is enough, every share is the secret itself. The library joins whatever it is
 * given, too few shares included, takes index 0 and tells nobody: all that is refused here. It is loaded at the first use.
 */
import { randomBytes } from 'node:crypto';
import { VaultError } from '../errors.js';

export interface Threshold {
  readonly need: number;
  readonly count: number;
}

/** Shamir's shares end in one byte that says at which point, never 0, the polynomial was taken. */
const INDEX_SIZE = 1;

/** Length of each share of a secret of `size` bytes. */
export function shareSize(size: number, threshold: Threshold): number {
  return isShamir(threshold) ? size + INDEX_SIZE : size;
}

function isShamir({ need, count }: Threshold): boolean {
  return need !== 1 && need !== count;
}

/** `count` shares. BAD_VALUE unless 1 ≤ need ≤ count ≤ 255 and there is something to share. */
export async function splitSecret(secret: Uint8Array, threshold: Threshold): Promise<Uint8Array[]> {
  const { need, count } = threshold;
  if (!Number.isInteger(need) || !Number.isInteger(count) || need < 1 || need > count || count > 255 || secret.length === 0) {
    throw new VaultError('BAD_VALUE', `${secret.length} bytes cannot be shared among ${count} so that ${need} are enough`);
  }
  if (need === 1) return Array.from({ length: count }, () => Uint8Array.from(secret));
  if (need < count) return (await import('shamir-secret-sharing')).split(Uint8Array.from(secret), count, need);
  const shares = Array.from({ length: count - 1 }, () => Uint8Array.from(randomBytes(secret.length)));
  return [...shares, xor([secret, ...shares])];
}

/**
 * In words why these bytes cannot be a share of a secret of `size` bytes, or undefined. What passes can still be the wrong share: that
 * only a commitment tells.
 */
export function shareFault(share: Uint8Array, size: number, threshold: Threshold): string | undefined {
  const wanted = shareSize(size, threshold);
  if (share.length !== wanted) return `it has ${share.length} bytes instead of ${wanted}`;
  return isShamir(threshold) && share.at(-1) === 0 ? 'its index is 0' : undefined;
}

/**
 * The secret of `size` bytes, from exactly `need` shares. NEEDS_SHARES for fewer; BAD_VALUE for more, for shares that cannot be any,
 * and for one share twice.
 */
export async function joinShares(shares: readonly Uint8Array[], size: number, threshold: Threshold): Promise<Uint8Array> {
  const { need, count } = threshold;
  if (shares.length < need) throw new VaultError('NEEDS_SHARES', `${need} of ${count} shares are needed, and there are ${shares.length}`);
  if (shares.length > need) throw new VaultError('BAD_VALUE', `${shares.length} shares were given where ${need} are needed`);
  const fault = shares.map((share) => shareFault(share, size, threshold)).find((words) => words !== undefined);
  if (fault !== undefined) throw new VaultError('BAD_VALUE', `a share is none: ${fault}`);
  if (need === 1) return Uint8Array.from(shares[0]!);
  if (!isShamir(threshold)) return xor(shares);
  if (new Set(shares.map((share) => share.at(-1))).size < need) throw new VaultError('BAD_VALUE', 'one share was given twice');
  return (await import('shamir-secret-sharing')).combine(shares.map((share) => Uint8Array.from(share)));
}

function xor(parts: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint8Array(parts[0]!.length);
  for (const part of parts) for (const [i, byte] of part.entries()) sum[i] = sum[i]! ^ byte;
  return sum;
}
