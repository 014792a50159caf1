/** Which leaves of a threshold tree are just enough. Lazy: a tree of 2 of 255 has more than 32,000 such sets. */
import type { ThresholdTree } from './threshold-tree.js';

/** Every set of leaf paths that satisfies the tree and of which none can be left out; each set in order of the tree. */
export function* minimalSets(tree: ThresholdTree, prefix = ''): Generator<readonly string[]> {
  yield* choose(tree, prefix, 0, tree.need);
}

/** Sets from `need` of the children from `from` on. */
function* choose(node: ThresholdTree, prefix: string, from: number, need: number): Generator<readonly string[]> {
  if (need === 0) {
    yield [];
    return;
  }
  for (let i = from; i <= node.of.length - need; i++) {
    for (const first of childSets(node, prefix, i)) for (const rest of choose(node, prefix, i + 1, need - 1)) yield [...first, ...rest];
  }
}

function* childSets(node: ThresholdTree, prefix: string, i: number): Generator<readonly string[]> {
  const child = node.of[i]!;
  const path = pathOf(prefix, i);
  if (typeof child === 'string') yield [path];
  else yield* minimalSets(child, path);
}

/** One minimal set that contains the leaf with this path, or one below it. */
export function minimalSetWith(tree: ThresholdTree, path: string, prefix = ''): readonly string[] {
  const inside = Math.max(0, tree.of.findIndex((_, i) => path === pathOf(prefix, i) || path.startsWith(`${pathOf(prefix, i)}.`)));
  // The child on the way to the leaf, and the next ones round, as many as are needed.
  const chosen = Array.from({ length: tree.need }, (_, k) => (inside + k) % tree.of.length).sort((a, b) => a - b);
  return chosen.flatMap((i) => {
    const child = tree.of[i]!;
    const at = pathOf(prefix, i);
    if (typeof child === 'string') return [at];
    return minimalSetWith(child, i === inside ? path : `${at}.0`, at);
  });
}

function pathOf(prefix: string, i: number): string {
  return prefix === '' ? String(i) : `${prefix}.${i}`;
}
