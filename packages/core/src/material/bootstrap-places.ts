import type { Document, LineCounter } from 'yaml';
import { type ErrorCode, VaultError } from '../errors.js';

/** Turns a path in the document into words that say where. */
export class Places {
  constructor(
    readonly file: string,
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  /** The line of the node at `path`, or of the nearest one above it that is there. */
  line(path: readonly string[]): number {
    let offset = 0;
    let node: unknown = this.document.contents;
    for (const key of path) {
      const pair = pairsOf(node).find((candidate) => String((candidate.key as { value?: unknown } | null)?.value) === key);
      const item = pair === undefined ? itemsOf(node)[Number(key)] : pair.value;
      const start = rangeOf(pair?.key ?? item);
      if (start === undefined) break;
      offset = start;
      node = item;
    }
    return this.lines.linePos(offset).line;
  }

  error(code: ErrorCode, path: readonly string[], fault: string, options: { hint?: string | undefined; nameless?: boolean } = {}): VaultError {
    const [, secret, ...field] = path;
    const words = [secret === undefined || options.nameless === true ? '' : secret, field.join('.'), fault].filter((part) => part !== '');
    return new VaultError(code, `${this.file}:${this.line(path)}: ${words.join(': ')}`, options.hint === undefined ? {} : { hint: options.hint });
  }
}

interface YamlPair {
  readonly key: unknown;
  readonly value: unknown;
}

function itemsOf(node: unknown): readonly unknown[] {
  const items = (node as { items?: unknown } | null)?.items;
  return Array.isArray(items) ? items : [];
}

function pairsOf(node: unknown): readonly YamlPair[] {
  return itemsOf(node).filter((item): item is YamlPair => typeof item === 'object' && item !== null && 'key' in item);
}

function rangeOf(node: unknown): number | undefined {
  const range = (node as { range?: readonly number[] | null } | null)?.range;
  return range?.[0];
}
