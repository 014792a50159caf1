/** k-of-n over names, nestable: `{need: 2, of: ['a', 'b', {need: 1, of: ['c', 'd']}]}`. Pure combinatorics, no keys. */
import * as v from 'valibot';

export interface ThresholdTree {
  readonly need: number;
  readonly of: readonly (string | ThresholdTree)[];
}

export interface TreeLeaf {
  /** Dotted child indices from the root: `0.2`. */
  readonly path: string;
  readonly name: string;
}

/** Deep enough for any organisation, shallow enough for recursion. */
export const MAX_TREE_DEPTH = 8;
export const MAX_TREE_LEAVES = 255;

/** The closed schema of a tree over the given kind of name. `treeFault` checks what a shape cannot say. */
export function thresholdTreeSchema(name: v.GenericSchema<string>): v.GenericSchema<ThresholdTree> {
  const tree: v.GenericSchema<ThresholdTree> = v.strictObject({
    need: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
    of: v.pipe(v.array(v.union([name, v.lazy(() => tree)])), v.minLength(1), v.maxLength(MAX_TREE_LEAVES)),
  });
  return tree;
}

/** All leaves in order of their paths. */
export function treeLeaves(tree: ThresholdTree, prefix = ''): TreeLeaf[] {
  return tree.of.flatMap((child, i) => {
    const path = prefix === '' ? String(i) : `${prefix}.${i}`;
    return typeof child === 'string' ? [{ path, name: child }] : treeLeaves(child, path);
  });
}

/** True when the names for which `has` holds are enough. */
export function isSatisfied(tree: ThresholdTree, has: (name: string) => boolean): boolean {
  let count = 0;
  for (const child of tree.of) {
    if (typeof child === 'string' ? has(child) : isSatisfied(child, has)) count++;
  }
  return count >= tree.need;
}

/** In words why this tree cannot be used, or undefined: need out of range, a name twice, too deep, too many leaves. */
export function treeFault(tree: ThresholdTree): string | undefined {
  const names = new Set<string>();
  const visit = (node: ThresholdTree, depth: number): string | undefined => {
    if (depth > MAX_TREE_DEPTH) return `is nested deeper than ${MAX_TREE_DEPTH} levels`;
    if (node.need > node.of.length) return `needs ${node.need} of only ${node.of.length}`;
    for (const child of node.of) {
      if (typeof child !== 'string') {
        const fault = visit(child, depth + 1);
        if (fault !== undefined) return fault;
      } else if (names.has(child)) return `names ${child} twice: a person counts once`;
      else names.add(child);
    }
    return undefined;
  };
  const fault = visit(tree, 1);
  if (fault !== undefined) return fault;
  return names.size > MAX_TREE_LEAVES ? `has more than ${MAX_TREE_LEAVES} leaves` : undefined;
}

/** `2 of alice bruno erin AND 1 of frank grace`. */
export function treeInWords(tree: ThresholdTree): string {
  const allNested = tree.need === tree.of.length && tree.of.every((c) => typeof c !== 'string');
  if (allNested) return tree.of.map((c) => treeInWords(c)).join(' AND ');
  const parts = tree.of.map((c) => (typeof c === 'string' ? c : `(${treeInWords(c)})`));
  return `${tree.need} of ${parts.join(' ')}`;
}
