/** A YAML file that people write: one plain document, and a line for every fault. */
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit, type Document, type Node } from 'yaml';
import { VaultError } from '../errors.js';

export type KeyPath = readonly (string | number)[];

export interface YamlFile {
  readonly value: unknown;
  /** The line of the innermost part of `path` that is there. */
  lineOf(path: KeyPath): number;
}

/** Far above any real policy, and parsed in a moment. */
const MAX_LENGTH = 1024 * 1024;

/** Such keys mean something to JavaScript, and validators pass over them. */
const TREACHEROUS_KEYS: ReadonlySet<unknown> = new Set(['__proto__', 'prototype', 'constructor']);

/** Levels of the parsed document, of which a custody tree takes three for each of its own. Whoever walks it calls itself. */
const MAX_LEVELS = 100;
const TOO_DEEP = 'nested too deeply';

const FAULTS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'the same key twice in one map',
  TAB_AS_INDENT: 'a tab where blanks must indent',
  BAD_INDENT: 'wrong indentation, or a bracket that is not closed',
  MISSING_CHAR: 'a character is missing, such as a comma, a closing quote or a bracket',
  MULTILINE_IMPLICIT_KEY: 'a key that goes over several lines',
  BLOCK_AS_IMPLICIT_KEY: 'a map where only one line can stand',
  NON_STRING_KEY: 'a key that is no plain word',
  RESOURCE_EXHAUSTION: TOO_DEEP,
};

/** Parses `text`. BAD_YAML, naming file and line and quoting nothing, for what is no single plain document. */
export function readYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter();
  const fail = (offset: number, what: string): VaultError => new VaultError('BAD_YAML', `${file}, line ${lines.linePos(offset).line || 1}: ${what}`);
  if (text.length > MAX_LENGTH) throw fail(0, `larger than ${MAX_LENGTH} characters`);
  const documents = parseAllDocuments(text, {
    lineCounter: lines, prettyErrors: false, uniqueKeys: true, stringKeys: true, version: '1.2', logLevel: 'silent',
  });
  const [document, second] = Array.isArray(documents) ? documents : [];
  if (document === undefined) throw new VaultError('BAD_YAML', `${file} is empty`);
  const error = document.errors[0];
  if (error) throw fail(error.pos[0], FAULTS[error.code] ?? 'not valid YAML');
  if (second) throw fail(second.range[0], 'a second document: a file holds one');
  const fault = notPlain(document);
  if (fault) throw fail(fault.offset, fault.what);
  return { value: document.toJS({ maxAliasCount: 0 }), lineOf: (path) => lines.linePos(offsetOf(document, path)).line };
}

/** What makes a value mean more than it shows: anchors, aliases, tags, keys with a life of their own. */
function notPlain(document: Document.Parsed): { offset: number; what: string } | undefined {
  let fault: { offset: number; what: string } | undefined;
  const stop = (node: Node, what: string): symbol => {
    fault = { offset: node.range?.[0] ?? 0, what };
    return visit.BREAK;
  };
  visit(document, {
    Alias: (_key, node) => stop(node, 'an alias (*name), which is not allowed: write it out'),
    Value: (key, node, path) => {
      if (path.length > MAX_LEVELS) return stop(node, TOO_DEEP);
      if (node.anchor !== undefined) return stop(node, 'an anchor (&name), which is not allowed');
      if (node.tag !== undefined) return stop(node, 'a tag (!name), which is not allowed');
      return key === 'key' && isScalar(node) && TREACHEROUS_KEYS.has(node.value) ? stop(node, `${String(node.value)} cannot be a key or a name`) : undefined;
    },
  });
  return fault;
}

function offsetOf(document: Document.Parsed, path: KeyPath): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  for (const step of path) {
    let at: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
      [at, node] = [pair?.key, pair?.value];
    } else if (isSeq(node) && typeof step === 'number') {
      at = node = node.items[step];
    } else break;
    if (at === undefined) break;
    offset = (at as Node).range?.[0] ?? offset;
  }
  return offset;
}

/** `roles.infra.members[1]`; keys that are no plain words in quotes, so that they can be shown. */
export function keyPath(path: KeyPath): string {
  return path
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`;
      const text = /^[\w.-]{1,64}$/.test(step) ? step : JSON.stringify(step.slice(0, 64)).replace(/[^\x20-\x7e]/g, '?');
      return i === 0 ? text : `.${text}`;
    })
    .join('');
}
