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

/** The tree without a name, asking for as many as before, and without branches that nobody else is in; undefined where too few would be left. */
export function withoutName(tree: ThresholdTree, name: string): ThresholdTree | undefined {
  const of: (string | ThresholdTree)[] = [];
  for (const child of tree.of) {
    if (child === name || (typeof child !== 'string' && treeLeaves(child).every((leaf) => leaf.name === name))) continue;
    const left = typeof child === 'string' ? child : withoutName(child, name);
    if (left === undefined) return undefined;
    of.push(left);
  }
  return of.length < tree.need ? undefined : { need: tree.need, of };
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

/**
 * Who is still needed, as people say it: `bruno or erin, and frank or grace`. Empty when the names for which `has` holds are enough;
 * undefined when they never will be, with only those for whom `can` holds to come.
 */
export function missingInWords(tree: ThresholdTree, has: (name: string) => boolean, can: (name: string) => boolean): string | undefined {
  const words = missing(tree, has, can);
  return words === undefined ? undefined : words.text;
}

interface Words {
  readonly text: string;
  /** True for words that need brackets, or a comma, beside others. */
  readonly several: boolean;
}

function missing(tree: ThresholdTree, has: (name: string) => boolean, can: (name: string) => boolean): Words | undefined {
  const children = tree.of.map((child) => (typeof child === 'string' ? leaf(child, has, can) : missing(child, has, can)));
  const left = tree.need - children.filter((child) => child?.text === '').length;
  if (left <= 0) return { text: '', several: false };
  const open = children.filter((child) => child !== undefined && child.text !== '') as Words[];
  if (open.length < left) return undefined;
  if (open.length === 1) return open[0];
  const plain = open.every((child) => !child.several);
  if (open.length === left) return { text: open.map((child) => child.text).join(plain ? ' and ' : ', and '), several: true };
  const alternatives = open.map((child) => (child.several ? `(${child.text})` : child.text));
  return { text: left === 1 ? alternatives.join(' or ') : `${left} of ${alternatives.join(' ')}`, several: true };
}

function leaf(name: string, has: (name: string) => boolean, can: (name: string) => boolean): Words | undefined {
  if (has(name)) return { text: '', several: false };
  return can(name) ? { text: name, several: false } : undefined;
}
