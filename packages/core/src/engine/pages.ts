/** Reads from a store the pages that a checkpoint adds to what is known, following the digests backwards from the last page. */
import { decodePage, PAGE_SIZE, pagePath, pageStart, type Page } from '../audit/page.js';
import type { VaultCheckpoint } from '../audit/checkpoint.js';
import { PUT_BACK, VaultError } from '../errors.js';
import type { Store } from '../ports.js';
import { toHex } from '../primitives/hash.js';
import { leafHash } from '../primitives/merkle-hash.js';
import { FORKED } from './load-faults.js';
import type { VerifiedLog } from './state-cache.js';
import { entries } from '../primitives/count.js';

export interface NewLeaves {
  /** Leaf data from `known.state.size` on. */
  readonly lines: readonly Uint8Array[];
  /** Digests of all full pages up to the checkpoint. */
  readonly pages: readonly string[];
  /** Leaf hashes, hex, of the page that is not full. */
  readonly partial: readonly string[];
}

/** Thrown when a file that the checkpoint stands on is not there (yet, or any more): the caller reads the checkpoint again before it believes this. */
export class MissingFile extends Error {
  constructor(readonly path: string) {
    super(path);
  }
}

/** Throws FORK when what is there contradicts what is known, STORE_INCOMPLETE when a page is not what it should be. */
export async function readNewLeaves(store: Store, checkpoint: VaultCheckpoint, known: VerifiedLog): Promise<NewLeaves> {
  const from = pageStart(known.state.size);
  // Back to front, because each page names the one before it; ends with the page that holds the first new leaf.
  const read: { start: number; digest: string; page: Page }[] = [];
  let digest: string | null = checkpoint.page;
  for (let start = pageStart(checkpoint.size - 1); start >= from; start -= PAGE_SIZE) {
    if (digest === null) throw new VaultError('STORE_INCOMPLETE', `the page before leaf ${start + PAGE_SIZE} is not named`, { hint: PUT_BACK });
    const page = await readPage(store, start, digest);
    const full = Math.min(PAGE_SIZE, checkpoint.size - start);
    if (page.lines.length !== full) {
      throw new VaultError('STORE_INCOMPLETE', `${pagePath(start, digest)} has ${entries(page.lines.length)} instead of ${full}`, { hint: PUT_BACK });
    }
    read.unshift({ start, digest, page });
    digest = page.previous;
  }
  if (from === 0 && digest !== null) throw new VaultError('BAD_CHECKPOINT', 'the first page of the log names one before it');
  if (read.length > 0 && digest !== (known.pages.at(-1) ?? null)) throw fork(`the page before leaf ${from} is another one`);

  const hashes = read.flatMap(({ page }) => page.lines.map((line) => leafHash(line)));
  const overlap = known.state.size - from;
  for (let i = 0; i < overlap; i++) {
    if (toHex(hashes[i]!) !== known.partial[i]) throw fork(`leaf ${from + i} has been rewritten`);
  }
  const pages = [...known.pages, ...read.filter(({ page }) => page.lines.length === PAGE_SIZE).map((p) => p.digest)];
  const lastStart = pageStart(checkpoint.size);
  const partial = hashes.slice(Math.max(0, lastStart - from)).map(toHex);
  return { lines: read.flatMap(({ page }) => page.lines).slice(overlap), pages, partial };
}

async function readPage(store: Store, start: number, digest: string): Promise<Page> {
  const path = pagePath(start, digest);
  const bytes = await store.get(path);
  if (!bytes) throw new MissingFile(path);
  return decodePage(bytes, digest, path);
}

function fork(what: string): VaultError {
  return new VaultError('FORK', `this log contradicts the one that this machine has accepted: ${what}`, {
    hint: FORKED,
  });
}
