/** `sync --from`: what is still valid of another copy of the vault, or of a queue that was carried here (attacks 4, 14). */
import { objectPath, parseEntry } from '../../audit/entry.js';
import { loadLog, nothingKnown, type LoadedLog } from '../../engine/load.js';
import { rootWas } from '../../engine/roots.js';
import { decodeQueued, type Drained, type Queued } from '../../engine/queue.js';
import { isVaultError, VaultError } from '../../errors.js';
import type { NewFile } from '../../engine/append.js';
import type { Store } from '../../ports.js';
import { sha256Hex, utf8 } from '../../primitives/hash.js';
import type { Vault } from '../../vault.js';
import { copyTo } from './clone.js';
import { signedBytes } from './files.js';
import { appendAllowed } from './drain.js';
import { readLeaf, walkLoaded, type NamedFile, type WalkedLeaf } from '../log/walk.js';

export interface TakenOver extends Drained {
  /** Entries that were left alone because a file that they name is not there. */
  readonly incomplete: readonly { readonly digest: string; readonly op: string; readonly person: string; readonly path: string }[];
  /** True where the copy was this very log, only longer: it was taken as it is, void entries and all. */
  readonly extended: boolean;
}

/**
 * Appends the entries of `copy` that are not in the log of `vault`, in their order, each judged by the state here. Entries that are
 * void in the copy stay there. Throws WRONG_VAULT, EXPECT_NEEDED, and what loading the copy throws.
 */
export async function takeOverCopy(vault: Vault, copy: Store): Promise<TakenOver> {
  await copy.refresh?.(0);
  const loaded = await loadLog(copy, async (id) => {
    requireSame(vault, id, copy.address);
    return { known: nothingKnown, vouched: [] };
  });
  const extending = await extend(vault, copy, loaded);
  if (extending) return extending;
  const waiting: Queued[] = [];
  const incomplete: TakenOver['incomplete'][number][] = [];
  for (const leaf of await walkLoaded(copy, loaded)) {
    if (leaf.refused || !leaf.entry || vault.state.digests.has(leaf.entry.digest)) continue;
    const queued = await carried(leaf, async (file) => (await signedBytes(copy, file)) ?? signedBytes(vault.store, file));
    if ('path' in queued) incomplete.push(queued);
    else waiting.push(queued);
  }
  return { ...(await appendAllowed(vault, waiting)), incomplete, extended: false };
}

/** Signed again, the same entries would make another history than the one that others have accepted: so they are not. */
async function extend(vault: Vault, copy: Store, loaded: LoadedLog): Promise<TakenOver | undefined> {
  const { size } = vault.point;
  if (loaded.checkpoint.size <= size || !rootWas(loaded.log.roots, vault.point) || !vault.confirmed) return undefined;
  const ops = (await walkLoaded(copy, loaded)).slice(size).flatMap(({ entry, refused }) => (entry && !refused ? [entry.payload.op] : []));
  if (!(await copyTo(copy, loaded, vault.store))) return undefined;
  await vault.refresh();
  return { appended: ops, rejected: [], present: size, incomplete: [], extended: true };
}

/**
 * The same for entries out of a queue: of this vault, each with exactly the files that it names. Whatever else came along is dropped,
 * for a file is only worth what an entry says of it.
 */
export async function takeOverQueue(vault: Vault, entries: readonly Queued[], from: string): Promise<TakenOver> {
  const waiting: Queued[] = [];
  const incomplete: TakenOver['incomplete'][number][] = [];
  for (const { digest, entry, files } of entries) {
    requireSame(vault, parseEntry(entry.line).payload.vault, from);
    if (vault.state.digests.has(digest)) continue;
    const bySha256 = new Map([...files, ...(entry.object ? [entry.object] : [])].map(({ bytes }) => [sha256Hex(bytes), bytes]));
    const leaf = await readLeaf(entry.line, async (path) => [...bySha256].find(([sha256]) => objectPath(sha256) === path)?.[1]);
    const queued = await carried({ leaf: 0, data: entry.line, ...leaf }, async (file) => {
      const bytes = bySha256.get(file.sha256);
      return bytes ?? signedBytes(vault.store, file);
    });
    if ('path' in queued) incomplete.push(queued);
    else waiting.push(queued);
  }
  const drained = await appendAllowed(vault, waiting);
  return { ...drained, present: entries.length - drained.appended.length - drained.rejected.length - incomplete.length, incomplete, extended: false };
}

export interface QueueFile {
  readonly entries: readonly Queued[];
  /** Numbers, from 1, of lines that hold no entry. A power failure may leave one: nothing was shown before its line was whole. */
  readonly damaged: readonly number[];
}

/** The entries of a queue file: one JSON document a line. Nothing in it is believed yet. */
export function parseQueueFile(bytes: Uint8Array): QueueFile {
  const entries: Queued[] = [];
  const damaged: number[] = [];
  for (const [i, line] of new TextDecoder().decode(bytes).split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      entries.push(decodeQueued(utf8(line), `line ${i + 1}`));
    } catch (error) {
      if (!isVaultError(error)) throw error;
      damaged.push(i + 1);
    }
  }
  return { entries, damaged };
}

function requireSame(vault: Vault, id: string, where: string): void {
  if (id === vault.id) return;
  throw new VaultError('WRONG_VAULT', `${where} is of vault ${id.slice(0, 8)}, and this is ${vault.id.slice(0, 8)}`, { hint: 'Nothing was taken over.' });
}

type Incomplete = TakenOver['incomplete'][number];

/** An entry with the files that it names, or the first of them that is nowhere. */
async function carried({ data, entry, files }: WalkedLeaf, find: (file: NamedFile) => Promise<Uint8Array | undefined>): Promise<Queued | Incomplete> {
  const { digest, payload } = entry ?? parseEntry(data);
  const object = 'object' in payload ? objectPath(payload.object.sha256) : undefined;
  const found: NewFile[] = [];
  for (const file of files) {
    const bytes = await find(file);
    if (!bytes) return { digest, op: payload.op, person: payload.actor.person, path: file.path };
    found.push({ path: file.path, bytes });
  }
  const own = found.find(({ path }) => path === object);
  return { digest, entry: { line: data, ...(own ? { object: own } : {}) }, files: found.filter((file) => file !== own) };
}
