/** Splitting a secret along a tree, and putting it together again. A nested node splits the share that its parent gives it, whole. */
import { joinShares, shareFault, shareSize, splitSecret, type Threshold } from '../primitives/secret-sharing.js';
import type { ThresholdTree } from '../primitives/threshold-tree.js';

/** Raw shares by path. */
export type Shares = ReadonlyMap<string, Uint8Array>;

/** The share of every leaf, in order of the tree. */
export async function splitAlong(tree: ThresholdTree, secret: Uint8Array, prefix = ''): Promise<Map<string, Uint8Array>> {
  const shares = new Map<string, Uint8Array>();
  for (const [i, share] of (await splitSecret(secret, thresholdOf(tree))).entries()) {
    const child = tree.of[i]!;
    const path = childPath(prefix, i);
    if (typeof child === 'string') {
      shares.set(path, share);
      continue;
    }
    for (const [below, part] of await splitAlong(child, share, path)) shares.set(below, part);
    share.fill(0);
  }
  return shares;
}

/** The secret of `size` bytes, from the first shares that are enough; undefined where they are not. Shares are to be checked before. */
export async function joinAlong(tree: ThresholdTree, size: number, shares: Shares, prefix = ''): Promise<Uint8Array | undefined> {
  const threshold = thresholdOf(tree);
  const parts: Uint8Array[] = [];
  const made: Uint8Array[] = [];
  try {
    for (const [i, child] of tree.of.entries()) {
      if (parts.length === tree.need) break;
      const path = childPath(prefix, i);
      const part = typeof child === 'string' ? shares.get(path) : await joinAlong(child, shareSize(size, threshold), shares, path);
      if (part === undefined) continue;
      parts.push(part);
      if (typeof child !== 'string') made.push(part);
    }
    return parts.length === tree.need ? await joinShares(parts, size, threshold) : undefined;
  } finally {
    for (const part of made) part.fill(0);
  }
}

/** In words why these bytes cannot be the share of the leaf at `path` of a secret of `size` bytes, or undefined. */
export function leafShareFault(tree: ThresholdTree, path: string, size: number, share: Uint8Array): string | undefined {
  const [first, ...rest] = path.split('.');
  const child = tree.of[Number(first)];
  const threshold = thresholdOf(tree);
  if (child === undefined || (typeof child === 'string') !== (rest.length === 0)) return 'there is no such leaf';
  return typeof child === 'string' ? shareFault(share, size, threshold) : leafShareFault(child, rest.join('.'), shareSize(size, threshold), share);
}

function thresholdOf(tree: ThresholdTree): Threshold {
  return { need: tree.need, count: tree.of.length };
}

function childPath(prefix: string, i: number): string {
  return prefix === '' ? String(i) : `${prefix}.${i}`;
}
