/** The Merkle tree of RFC 6962 section 2 (RFC 9162 section 2.1): hashes, roots, and proofs made and checked. */
import { CompactRange } from './compact-range.js';
import { equalBytes, sha256 } from './hash.js';
import { nodeHash } from './merkle-hash.js';

export { CompactRange, type CompactRangeJson } from './compact-range.js';
export { leafHash, nodeHash } from './merkle-hash.js';

/** The root over leaf hashes; SHA-256 of nothing for none. */
export function rootOf(leafHashes: readonly Uint8Array[]): Uint8Array {
  return CompactRange.empty.appendAll(leafHashes).root();
}

/**
 * The audit path of leaf `index` in the tree of the first `size` leaves, from the leaf upwards (RFC 6962 section 2.1.1).
 * RangeError unless 0 <= index < size <= number of leaf hashes.
 */
export function inclusionProof(leafHashes: readonly Uint8Array[], index: number, size: number): Uint8Array[] {
  return inclusionPath(subtreesOf(leafHashes, size), index, size);
}

/**
 * Proof that the tree of the first `m` leaves is a prefix of the tree of the first `n` (RFC 6962 section 2.1.2). Empty for m = n
 * and for m = 0. RangeError unless 0 <= m <= n <= number of leaf hashes.
 */
export function consistencyProof(leafHashes: readonly Uint8Array[], m: number, n: number): Uint8Array[] {
  return consistencyPath(subtreesOf(leafHashes, n), m, n);
}

/** The root of the leaves from `from` (inclusive) to `to` (exclusive), for the ranges that proofs are made of. */
export type SubtreeRoot = (from: number, to: number) => Uint8Array;

/** PATH(m, D[n]) of RFC 6962, the subtree roots coming from anywhere (leaf hashes, tiles). */
export function inclusionPath(subtree: SubtreeRoot, index: number, size: number): Uint8Array[] {
  if (!inRange(index, 0, size - 1)) throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
  const path: Uint8Array[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + splitPoint(to - from);
    if (index < middle) {
      path.push(subtree(middle, to));
      to = middle;
    } else {
      path.push(subtree(from, middle));
      from = middle;
    }
  }
  return path.reverse();
}

/** PROOF(m, D[n]) of RFC 6962. */
export function consistencyPath(subtree: SubtreeRoot, m: number, n: number): Uint8Array[] {
  if (!inRange(m, 0, n)) throw new RangeError(`a tree of ${m} is not a prefix of a tree of ${n}`);
  if (m === 0 || m === n) return [];
  const path: Uint8Array[] = [];
  let from = 0;
  let to = n;
  // SUBPROOF: `m` stays absolute; the old tree's root is known to the verifier as long as the range starts at 0.
  while (m !== to) {
    const middle = from + splitPoint(to - from);
    if (m <= middle) {
      path.push(subtree(middle, to));
      to = middle;
    } else {
      path.push(subtree(from, middle));
      from = middle;
    }
  }
  if (from !== 0) path.push(subtree(from, to));
  return path.reverse();
}

/** RFC 9162 section 2.1.3.2. False, never an exception, for anything that does not prove it. */
export function verifyInclusion(leaf: Uint8Array, index: number, size: number, proof: readonly Uint8Array[], root: Uint8Array): boolean {
  if (!inRange(size, 1, Number.MAX_SAFE_INTEGER) || !inRange(index, 0, size - 1)) return false;
  let fn = index;
  let sn = size - 1;
  let r = leaf;
  for (const p of proof) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      r = nodeHash(p, r);
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      r = nodeHash(r, p);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equalBytes(r, root);
}

/**
 * RFC 9162 section 2.1.4.2, with the two cases it leaves out: every tree is consistent with itself, and the empty tree with
 * every tree. False, never an exception, for anything that does not prove it.
 */
export function verifyConsistency(m: number, n: number, rootM: Uint8Array, rootN: Uint8Array, proof: readonly Uint8Array[]): boolean {
  if (!inRange(n, 0, Number.MAX_SAFE_INTEGER) || !inRange(m, 0, n)) return false;
  if (m === 0) return proof.length === 0 && equalBytes(rootM, EMPTY_ROOT) && (n > 0 || equalBytes(rootN, EMPTY_ROOT));
  if (m === n) return proof.length === 0 && equalBytes(rootM, rootN);
  let fn = m - 1;
  let sn = n - 1;
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)];
  // When m is a power of two the old root is itself the first node.
  const nodes = fn === 0 ? [rootM, ...proof] : proof;
  const [first, ...rest] = nodes;
  if (first === undefined) return false;
  let fr = first;
  let sr = first;
  for (const c of rest) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      fr = nodeHash(c, fr);
      sr = nodeHash(c, sr);
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      sr = nodeHash(sr, c);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equalBytes(fr, rootM) && equalBytes(sr, rootN);
}

const EMPTY_ROOT = sha256(new Uint8Array(0));

function subtreesOf(leafHashes: readonly Uint8Array[], size: number): SubtreeRoot {
  if (!inRange(size, 0, leafHashes.length)) throw new RangeError(`there are ${leafHashes.length} leaves, not ${size}`);
  return (from, to) => rootOf(leafHashes.slice(from, to));
}

/** The largest power of two below `size` (size > 1). */
function splitPoint(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

function inRange(x: number, low: number, high: number): boolean {
  return Number.isSafeInteger(x) && x >= low && x <= high;
}

// Bit operators in JavaScript stop at 32 bits; sizes go to 2^53.
function isOdd(x: number): boolean {
  return x % 2 === 1;
}

function half(x: number): number {
  return Math.floor(x / 2);
}
