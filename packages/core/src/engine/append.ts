/** Appending: files, then the new last page, then the checkpoint swap, which is the commit point (design: Stores). */
import { parseEntry, type SignedEntry } from '../audit/entry.js';
import { signCheckpoint, type CheckpointSigner, type LogPoint } from '../audit/checkpoint.js';
import { encodePage, decodePage, PAGE_SIZE, pagePath, pageStart } from '../audit/page.js';
import { refusalToError, VaultError } from '../errors.js';
import type { Store, StoreChange } from '../ports.js';
import { CompactRange } from '../primitives/compact-range.js';
import type { SigningKey } from '../primitives/ed25519.js';
import { sha256Hex, toHex } from '../primitives/hash.js';
import { leafHash } from '../primitives/merkle-hash.js';
import { isRelease } from '../handover/release.js';
import { judge, type VaultState, type VoidLeaf } from '../state.js';
import type { LoadedLog } from './load.js';
import { inParallel } from './parallel.js';

export interface NewFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface Sequencer extends CheckpointSigner {
  readonly key: SigningKey;
}

/** What somebody has to say, not signed yet. */
export interface Act {
  readonly op: string;
  readonly body: object;
}

export interface Acts {
  readonly acts: readonly Act[];
  /** Ciphertexts that they name. */
  readonly files: readonly NewFile[];
}

export interface Batch {
  readonly entries: readonly SignedEntry[];
  /** Ciphertexts, grants and policy files that the entries name. */
  readonly files: readonly NewFile[];
}

export interface Admitted {
  /** Those not in the log yet that may stand under one checkpoint: a leaf that puts a policy into effect ends its batch. */
  readonly run: readonly SignedEntry[];
  /** The states before and after the last leaf of the run, one of which must enrol the checkpoint's signer. */
  readonly around: readonly [VaultState, VaultState];
}

/** The entries of `batch` that are not in the log yet, each judged allowed in turn. Throws the first refusal: then nothing is written. */
export function admit(state: VaultState, batch: Batch): Admitted {
  const run: SignedEntry[] = [];
  let around: [VaultState, VaultState] = [state, state];
  let ended = false;
  let after = state;
  const bySha256 = new Map([...batch.files, ...objectsOf(batch.entries)].map((f) => [sha256Hex(f.bytes), f.bytes]));
  for (const signed of batch.entries) {
    const { digest } = parseEntry(signed.line);
    // A push that timed out may have been accepted all the same: the same signed bytes are never appended twice.
    if (after.digests.has(digest)) {
      const refused = voidWith(after, digest);
      if (refused) {
        throw new VaultError(refused.code, `somebody has put this entry into the log where it was not allowed, and there it has no effect: ${refused.message}`, {
          hint: 'Do it again: it is then signed anew.',
        });
      }
      continue;
    }
    const judged = judge(after, { data: signed.line, file: (sha256) => bySha256.get(sha256) });
    if (judged.refused) throw refusalToError(judged.refused);
    const before = after;
    after = judged.next;
    if (ended) continue;
    run.push(signed);
    around = [before, after];
    ended = after.policy?.digest !== before.policy?.digest;
  }
  return { run, around };
}

function objectsOf(entries: readonly SignedEntry[]): NewFile[] {
  return entries.flatMap((e) => (e.object ? [e.object] : []));
}

/** Why an entry is in the log without effect, if it is. */
function voidWith(state: VaultState, digest: string): VoidLeaf | undefined {
  for (const leaf of state.voids.values()) if (leaf.digest === digest) return leaf;
  return undefined;
}

/**
 * Writes one run of admitted entries after `loaded`. The new point of the log when the swap succeeded; undefined when somebody
 * was first: the caller loads again, judges again, and comes back with the same signed bytes.
 */
export async function writeRun(
  store: Store,
  loaded: LoadedLog | undefined,
  vault: string,
  run: readonly SignedEntry[],
  files: readonly NewFile[],
  sequencer: Sequencer,
): Promise<LogPoint | undefined> {
  const size = loaded?.log.state.size ?? 0;
  const start = pageStart(size);
  const old = loaded && size > start ? await lastPage(store, loaded) : undefined;
  // Its writer has replaced it since. Should it be gone for another reason, loading again says so.
  if (old === 'gone') return undefined;
  let lines = [...(old?.lines ?? []), ...run.map((e) => e.line)];
  let previous = old ? old.previous : (loaded?.log.pages.at(-1) ?? null);
  const pages: NewFile[] = [];
  for (let first = start; lines.length > 0; first += PAGE_SIZE) {
    const bytes = encodePage({ previous, lines: lines.slice(0, PAGE_SIZE) });
    previous = sha256Hex(bytes);
    pages.push({ path: pagePath(first, previous), bytes });
    lines = lines.slice(PAGE_SIZE);
  }
  const tree = (loaded?.log.tree ?? CompactRange.empty).appendAll(run.map((e) => leafHash(e.line)));
  const point = { size: tree.size, root: toHex(tree.root()) };
  const next = signCheckpoint({ ...point, vault, page: previous! }, sequencer, sequencer.key);
  const change = { old: loaded?.checkpoint.bytes, next, files: [...files, ...objectsOf(run), ...pages], replaced: old ? [old.path] : [], about: aboutRun(run, size) };
  return (await commit(store, change, pages)) ? point : undefined;
}

/** As one act where the store can do that, else in the order of docs/format.md: what a crash leaves is garbage beside the truth. */
async function commit(store: Store, change: StoreChange, pages: readonly NewFile[]): Promise<boolean> {
  if (store.commit) return store.commit(change);
  const withheld = store.swapCheckpointWith ? change.files.filter((file) => isRelease(file.path)) : [];
  const first = withheld.length === 0 ? change.files : change.files.filter((file) => !isRelease(file.path));
  await inParallel(first.filter((file) => !pages.includes(file)), (file) => store.putNew(file.path, file.bytes));
  for (const page of pages) await store.putNew(page.path, page.bytes);
  // What leaves for a receiver leaves with its entry or not at all: it could be read where it lies, and the log would know nothing of it.
  const { old, next } = change;
  if (!(await (withheld.length > 0 && store.swapCheckpointWith ? store.swapCheckpointWith(old, next, withheld) : store.swapCheckpoint(old, next)))) return false;
  // Only now is the replaced page garbage. A reader that misses it starts again from the checkpoint.
  for (const path of change.replaced) await store.remove(path);
  return true;
}

/** What a store may say of a commit to people: who did what, then each entry by index, op and digest. Nothing that is not in the log. */
function aboutRun(run: readonly SignedEntry[], size: number): string {
  const entries = run.map((signed) => parseEntry(signed.line));
  const ops = entries.map(({ payload }) => payload.op);
  const counted = [...new Set(ops)].map((op) => (ops.indexOf(op) === ops.lastIndexOf(op) ? op : `${ops.filter((o) => o === op).length} ${op}`));
  const people = [...new Set(entries.map(({ payload }) => payload.actor.person))];
  const lines = entries.map(({ payload, digest }, i) => `${size + i} ${payload.op} ${digest}`);
  return `${people.join(', ')}: ${counted.join(', ')}\n\n${lines.join('\n')}\n`;
}

async function lastPage(store: Store, loaded: LoadedLog): Promise<{ path: string; previous: string | null; lines: readonly Uint8Array[] } | 'gone'> {
  const { size, page } = loaded.checkpoint;
  const path = pagePath(pageStart(size - 1), page);
  const bytes = await store.get(path);
  if (!bytes) return 'gone';
  return { path, ...decodePage(bytes, page, path) };
}
