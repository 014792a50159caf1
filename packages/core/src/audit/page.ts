/** Pages: up to 256 entries, one a line, after one line with the digest of the page before (docs/format.md, "Pages"). */
import { PUT_BACK, VaultError } from '../errors.js';
import { concatBytes, sha256Hex, utf8 } from '../primitives/hash.js';
import { MAX_LEAF } from './entry.js';

export const PAGE_SIZE = 256;
const NEWLINE = 0x0a;
/** Bytes of the first line, at most. */
const MAX_HEAD = 100;
const MAX_PAGE = MAX_HEAD + PAGE_SIZE * (MAX_LEAF + 1);

export interface Page {
  /** SHA-256 of the page before, hex; null for the first. */
  readonly previous: string | null;
  /** Leaf data, without newlines. */
  readonly lines: readonly Uint8Array[];
}

/** `log/0000000256-<16 hex>-0000000256.jsonl`. Git finds deltas by the end of a name, so the index stands there too. */
export function pagePath(first: number, sha256: string): string {
  const index = String(first).padStart(10, '0');
  return `log/${index}-${sha256.slice(0, 16)}-${index}.jsonl`;
}

/** First leaf index of the page that holds leaf `index`. */
export function pageStart(index: number): number {
  return index - (index % PAGE_SIZE);
}

export function encodePage(page: Page): Uint8Array {
  const head = utf8(`${JSON.stringify({ previous: page.previous })}\n`);
  const newline = Uint8Array.of(NEWLINE);
  return concatBytes(head, ...page.lines.flatMap((line) => [line, newline]));
}

/**
 * Parses a page whose digest the caller expects. Throws STORE_INCOMPLETE when it is not that page, or has not the form of one: anybody who
 * can write to a store names a page of any size and shape under a checkpoint of their own, and nothing says yet that it is nobody's.
 */
export function decodePage(bytes: Uint8Array, sha256: string, path: string): Page {
  if (bytes.length > MAX_PAGE) throw malformed(path);
  if (sha256Hex(bytes) !== sha256) {
    throw new VaultError('STORE_INCOMPLETE', `${path} is not the page that the checkpoint names`, { hint: PUT_BACK });
  }
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start);
    // Too many are not collected first: a page of newlines would be millions.
    if (end < 0 || end - start > MAX_LEAF || lines.length > PAGE_SIZE) throw malformed(path);
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  const head = lines.shift();
  if (!head || lines.length === 0) throw malformed(path);
  // As single bytes: a decoder of UTF-8 passes over a byte order mark, and a page has one form.
  const match = /^\{"previous":(?:null|"([0-9a-f]{64})")\}$/.exec(Buffer.from(head).toString('latin1'));
  if (!match) throw malformed(path);
  return { previous: match[1] ?? null, lines };
}

function malformed(path: string): VaultError {
  return new VaultError('STORE_INCOMPLETE', `${path} does not have the form of a page`, { hint: PUT_BACK });
}
