/** Dealing: the identity of one version becomes shares, and is put together again from them before anybody relies on it. */
import { VaultError } from '../errors.js';
import { identityToBytes, IDENTITY_SIZE } from '../primitives/age-identity.js';
import { equalBytes } from '../primitives/hash.js';
import { minimalSets, minimalSetWith } from '../primitives/threshold-sets.js';
import { treeLeaves, type ThresholdTree } from '../primitives/threshold-tree.js';
import { formatShareLine, shareCommitment } from './share.js';
import { joinAlong, splitAlong, type Shares } from './split.js';

/** Up to this many minimal sets are tried, all of them where there are no more. */
const SETS_TRIED = 256;

export interface DealtShare {
  readonly path: string;
  readonly person: string;
  /** Hex. */
  readonly commitment: string;
  /** The plaintext of the share file: to be encrypted to the person's devices, and wiped. */
  readonly line: Uint8Array;
}

/** Shares of an age identity, one for each leaf in order of the tree. Every one of them was tried. */
export async function dealShares(vault: string, { name, version, tree }: { readonly name: string; readonly version: number; readonly tree: ThresholdTree }, identity: string): Promise<DealtShare[]> {
  const raw = identityToBytes(identity);
  const shares = await splitAlong(tree, raw);
  try {
    await proveShares(tree, shares, raw);
    return treeLeaves(tree).map(({ path, name: person }) => {
      const place = { vault, name, version, path };
      const share = shares.get(path)!;
      return { path, person, commitment: shareCommitment(place, share), line: formatShareLine(place, share) };
    });
  } finally {
    raw.fill(0);
    for (const share of shares.values()) share.fill(0);
  }
}

/** Tries every minimal set, or, of more than 256, so many and one for each leaf. INTERNAL where one does not give the secret back. */
export async function proveShares(tree: ThresholdTree, shares: Shares, secret: Uint8Array): Promise<void> {
  for (const set of setsToTry(tree)) {
    const joined = await joinAlong(tree, IDENTITY_SIZE, new Map(set.map((path) => [path, shares.get(path)!])));
    const right = joined !== undefined && equalBytes(joined, secret);
    joined?.fill(0);
    if (!right) throw new VaultError('INTERNAL', `the shares ${set.join(' ')} do not give back what was split: nothing was sealed`);
  }
}

export function setsToTry(tree: ThresholdTree): (readonly string[])[] {
  const sets: (readonly string[])[] = [];
  for (const set of minimalSets(tree)) {
    if (sets.length === SETS_TRIED) {
      const tried = new Set(sets.flat());
      for (const { path } of treeLeaves(tree)) if (!tried.has(path)) sets.push(minimalSetWith(tree, path));
      break;
    }
    sets.push(set);
  }
  return sets;
}
