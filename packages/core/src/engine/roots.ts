/** The roots that the log had at every size: what the claims of entries and `--expect` are held against. */
import { parseEntry, type Entry } from '../audit/entry.js';
import type { LogPoint } from '../audit/checkpoint.js';
import { isVaultError } from '../errors.js';
import { toHex } from '../primitives/hash.js';
import type { Stray, VerifiedLog } from './state-cache.js';

const ROOT_SIZE = 32;

/** True when the log had this root at this size. */
export function rootWas(roots: Uint8Array, point: LogPoint): boolean {
  return toHex(rootAt(roots, point.size)) === point.root;
}

/** The largest size at which both logs had the same root. */
export function commonSize(a: Uint8Array, b: Uint8Array): number {
  const sizes = Math.min(a.length, b.length) / ROOT_SIZE;
  let size = 0;
  while (size < sizes && Buffer.compare(rootAt(a, size), rootAt(b, size)) === 0) size++;
  return Math.max(0, size - 1);
}

/** Empty beyond the end of the log. */
function rootAt(roots: Uint8Array, size: number): Uint8Array {
  return roots.subarray(size * ROOT_SIZE, (size + 1) * ROOT_SIZE);
}

/** The entry at `leaf` if what it claims to have seen was never so in this log. */
export function strayOf(data: Uint8Array, leaf: number, roots: Uint8Array, policies: VerifiedLog['policies']): Stray | undefined {
  let entry: Entry;
  try {
    entry = parseEntry(data);
  } catch (error) {
    if (isVaultError(error)) return undefined;
    throw error;
  }
  const { seen, policy, actor } = entry.payload;
  const claimed = policies[policy.number - 1];
  const wasInEffect = claimed !== undefined && claimed.digest === policy.digest && claimed.leaf <= leaf;
  return seen.size <= leaf && rootWas(roots, seen) && wasInEffect ? undefined : { leaf, person: actor.person, seen, policy };
}
