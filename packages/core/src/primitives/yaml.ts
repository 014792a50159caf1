/** YAML that people write for us: one plain document, whose values are what they look like, and a line for every fault. */
import { isMap, isScalar, isSeq, visit, type Document, type Node } from 'yaml';
import { VaultError } from '../errors.js';
import { parseYaml } from './yaml-document.js';

export type KeyPath = readonly (string | number)[];

export interface YamlFile {
  /** What JSON can hold: null, booleans, text, numbers that are kept exactly, lists, maps. */
  readonly value: unknown;
  /** The line of the innermost part of `path` that is there, from 1. */
  readonly lineOf: (path: KeyPath) => number;
  /** `FILE, line N`: how a message about the part at `path` begins. */
  readonly place: (path: KeyPath) => string;
}

/** Far above any real file of this sort, and parsed in a moment. */
const MAX_LENGTH = 1024 * 1024;
/** Maps and lists in each other. Whoever walks the value calls itself. */
const MAX_LEVELS = 100;
/** Such keys mean something to JavaScript, and validators pass over them. */
const TREACHEROUS_KEYS: ReadonlySet<unknown> = new Set(['__proto__', 'prototype', 'constructor']);
/** With the u flag a surrogate matches only where it is alone. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

interface Fault {
  readonly offset: number;
  readonly what: string;
}

/** Parses `text`. Throws BAD_YAML, naming `file` and the line and quoting nothing, for what is no single plain document. */
export function readYaml(text: string, file: string, options: { hint?: string } = {}): YamlFile {
  const fail = (line: number, what: string): VaultError => new VaultError('BAD_YAML', `${file}, line ${line}: ${what}`, options);
  if (text.length > MAX_LENGTH) throw fail(1, `the file is larger than ${MAX_LENGTH} characters`);
  const parsed = parseYaml(text, { levels: MAX_LEVELS, stringKeys: true });
  if ('fault' in parsed) throw fail(parsed.line, parsed.fault);
  const { document, lineAt } = parsed;
  const fault = directiveIn(text, document) ?? notPlain(text, document);
  if (fault !== undefined) throw fail(lineAt(fault.offset), fault.what);
  const lineOf = (path: KeyPath): number => lineAt(offsetOf(document, path));
  return { value: document.toJS({ maxAliasCount: 0 }), lineOf, place: (path) => `${file}, line ${lineOf(path)}` };
}

/** `%YAML 1.1` would turn `no` into false, 010 into eight and 2001-01-01 into a date. */
function directiveIn(text: string, document: Document.Parsed): Fault | undefined {
  const found = /^\ufeff?%/m.exec(text.slice(0, document.range[0]));
  return found === null ? undefined : { offset: found.index, what: 'a directive (%NAME), which is not allowed' };
}

/** What makes a value mean more than it shows. */
function notPlain(text: string, document: Document.Parsed): Fault | undefined {
  let fault: Fault | undefined;
  const stop = (offset: number, what: string): symbol => {
    fault = { offset, what };
    return visit.BREAK;
  };
  visit(document, {
    Alias: (_key, node) => stop(startOf(node), 'an alias (*name), which is not allowed: write it out'),
    Value: (key, node) => {
      const start = startOf(node);
      // Both stand before the node, perhaps on a line above.
      if (node.anchor !== undefined) return stop(text.lastIndexOf('&', start), 'an anchor (&name), which is not allowed');
      if (node.tag !== undefined) return stop(text.lastIndexOf('!', start), 'a tag (!name), which is not allowed');
      const what = isScalar(node) ? scalarFault(node.value, key === 'key') : undefined;
      return what === undefined ? undefined : stop(start, what);
    },
  });
  return fault;
}

function scalarFault(value: unknown, isKey: boolean): string | undefined {
  if (isKey && value === '<<') return 'a merge key (<<), which is not allowed: write it out';
  if (isKey && TREACHEROUS_KEYS.has(value)) return `${String(value)} cannot be a key or a name`;
  // Of those, JSON has no infinity and no NaN, and a large one would be rounded.
  if (typeof value === 'number' && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return 'a number that cannot be kept exactly: if it is a text, put it in quotes';
  return typeof value === 'string' && LONE_SURROGATE.test(value) ? 'a text with half a character (\\ud800 to \\udfff alone)' : undefined;
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function offsetOf(document: Document.Parsed, path: KeyPath): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  for (const step of path) {
    let at: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
      [at, node] = [pair?.key, pair?.value];
    } else if (isSeq(node)) {
      at = node = node.items[Number(step)];
    } else break;
    if (at === undefined) break;
    offset = (at as Node).range?.[0] ?? offset;
  }
  return offset;
}
