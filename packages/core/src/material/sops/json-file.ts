/**
 * SOPS files in JSON. Read as the subset of YAML that JSON is, because JSON.parse loses the order of keys that are numbers, and digits;
 * written by putting values into the text as it stands.
 */
import { isMap, isScalar, isSeq, parseDocument, Scalar, type Pair } from 'yaml';
import { utf8 } from '../../primitives/hash.js';
import { goString, jsonPlain } from './go-values.js';
import { badSops, type GoValue, type SopsDepth, type SopsDocument, type SopsLeaf, type SopsPiece } from './model.js';

const METADATA = 'sops';

interface Patch {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export function readJsonFile(text: string): SopsDocument {
  const top = jsonObject(text);
  const document = parseDocument(text, { schema: 'failsafe', version: '1.2', prettyErrors: false, uniqueKeys: true, logLevel: 'silent' });
  const { contents } = document;
  if (document.errors.length > 0 || !isMap(contents)) throw badSops('has the same key twice in one object');
  const patches: Patch[] = [];
  const leaves: SopsLeaf[] = [];
  const pairs = contents.items as Pair[];
  const block = pairs.findIndex((pair) => keyOf(pair) === METADATA);
  pairs.forEach((pair, i) => {
    if (i !== block) walk(pair.value, [keyOf(pair)], leaves, patches);
  });
  if (block >= 0) patches.push(withoutPair(pairs, block));
  return {
    metadata: top[METADATA],
    leaves,
    comments: [],
    emit: () => utf8(patched(text, 0, text.length, patches)),
    pieces: (depth) => pairs.filter((_, i) => i !== block).flatMap((pair) => pieceOf(text, patches, pair.value, [keyOf(pair)], depth)),
  };
}

/** Strictly JSON, with an object at its top. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw badSops('is no valid JSON'); // the parser's own message quotes the text it stumbled over
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw badSops('has no object at its top');
  return parsed as Readonly<Record<string, unknown>>;
}

function keyOf({ key }: Pair): string {
  return String((key as Scalar).value);
}

function walk(node: unknown, keys: readonly string[], leaves: SopsLeaf[], patches: Patch[]): void {
  if (isMap(node)) for (const pair of node.items) walk(pair.value, [...keys, keyOf(pair)], leaves, patches);
  if (isSeq(node)) for (const item of node.items) walk(item, keys, leaves, patches);
  if (!isScalar(node)) return;
  const text = String(node.value);
  const clear = node.type === Scalar.PLAIN ? jsonPlain(text) : goString(text);
  if (!clear) return;
  let now = clear;
  const [from, to] = node.range!;
  const put = (value: GoValue): void => {
    now = value;
    patches.push({ from, to, text: literalOf(value) });
    node.value = value.text;
  };
  leaves.push({ keys, text, clear: () => now, put });
}

/** A number stands as it is, however many digits it has. What JSON has no literal for (a time, infinity) is text. */
function literalOf({ type, text }: GoValue): string {
  return type === 'str' || type === 'time' || /^[-+.]*(inf|nan)$/.test(text) ? JSON.stringify(text) : text;
}

/** The pair with the comma that would be left over. */
function withoutPair(pairs: readonly Pair[], index: number): Patch {
  const end = (pair: Pair): number => (pair.value as Scalar).range![1];
  const start = (pair: Pair): number => (pair.key as Scalar).range![0];
  const [before, pair, after] = [pairs[index - 1], pairs[index]!, pairs[index + 1]];
  if (before) return { from: end(before), to: end(pair), text: '' };
  return { from: start(pair), to: after ? start(after) : end(pair), text: '' };
}

function patched(text: string, from: number, to: number, patches: readonly Patch[]): string {
  let out = '';
  let at = from;
  for (const patch of patches.filter((p) => p.from >= from && p.to <= to).sort((a, b) => a.from - b.from)) {
    out += text.slice(at, patch.from) + patch.text;
    at = patch.to;
  }
  return out + text.slice(at, to);
}

function pieceOf(text: string, patches: readonly Patch[], node: unknown, path: readonly (string | number)[], depth: SopsDepth): SopsPiece[] {
  if (isMap(node) && depth === 'leaves') return node.items.flatMap((pair) => pieceOf(text, patches, pair.value, [...path, keyOf(pair)], depth));
  if (isSeq(node) && depth === 'leaves') return node.items.flatMap((item, i) => pieceOf(text, patches, item, [...path, i], depth));
  if (isMap(node) || isSeq(node)) {
    const [from, to] = node.range!;
    return [{ path, bytes: utf8(`${patched(text, from, to, patches)}\n`), scalar: false }];
  }
  const value = isScalar(node) ? String(node.value) : '';
  const isNull = isScalar(node) && node.type === Scalar.PLAIN && value === 'null';
  return [{ path, bytes: isNull || value === '' ? undefined : utf8(value), scalar: true }];
}
