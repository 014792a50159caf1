/** The queue: entries signed here that are not in the log yet, fsynced before anything that they record is shown. */
import * as v from 'valibot';
import { parseEntry, type SignedEntry } from '../audit/entry.js';
import { VaultError } from '../errors.js';
import type { LocalState } from '../ports.js';
import { fromBase64, toBase64, utf8 } from '../primitives/hash.js';
import type { NewFile } from './append.js';

const ORDER_DIGITS = 10;

const QueuedFile = v.strictObject({ path: v.string(), base64: v.string() });
const QueuedJson = v.strictObject({ line: v.string(), object: v.optional(QueuedFile), files: v.array(QueuedFile), reason: v.optional(v.string()) });

export interface Queued {
  readonly digest: string;
  readonly entry: SignedEntry;
  readonly files: readonly NewFile[];
  /** Why it was refused, for what lies in `rejected/`. */
  readonly reason?: string;
}

export interface RejectedEntry {
  /** Entry digest. */
  readonly digest: string;
  readonly op: string;
  /** Who signed it. */
  readonly person: string;
  readonly reason: string;
}

/** What became of entries that waited. */
export interface Drained {
  /** Ops of the entries that are in the log now. */
  readonly appended: readonly string[];
  /** Kept with their files, because the log no longer allows them. */
  readonly rejected: readonly RejectedEntry[];
  /** Entries that were in the log before. */
  readonly present: number;
}

type Where = 'queue' | 'rejected';

function queueFolder(vault: string, where: Where): string {
  return `vaults/${vault}/${where}/`;
}

/** `0000000001-<digest>.json`: in the order of signing. Claimed times would not do: clocks jump, and a batch is signed in one second. */
async function nextPath(local: LocalState, vault: string, where: Where, digest: string): Promise<string> {
  const folder = queueFolder(vault, where);
  const paths = await local.list(folder);
  const last = paths.sort().at(-1)?.slice(folder.length, folder.length + ORDER_DIGITS) ?? '0';
  return `${folder}${String(Number(last) + 1).padStart(ORDER_DIGITS, '0')}-${digest}.json`;
}

export async function enqueue(local: LocalState, vault: string, entry: SignedEntry, files: readonly NewFile[] = []): Promise<Queued> {
  if (local.volatile) {
    throw new VaultError('STORE_IO', 'this has to be kept until it is in the log, and there is no place here that lasts', {
      hint: 'Name a directory that can be written and is kept: XDG_STATE_HOME.',
    });
  }
  const queued: Queued = { digest: parseEntry(entry.line).digest, entry, files };
  const known = await pathsOf(local, vault, 'queue', queued.digest);
  if (known.length === 0) await local.write(await nextPath(local, vault, 'queue', queued.digest), encodeQueued(queued));
  return queued;
}

export async function dequeue(local: LocalState, vault: string, digest: string): Promise<void> {
  for (const path of await pathsOf(local, vault, 'queue', digest)) await local.remove(path);
}

async function pathsOf(local: LocalState, vault: string, where: Where, digest: string): Promise<string[]> {
  return (await local.list(queueFolder(vault, where))).filter((path) => path.endsWith(`-${digest}.json`));
}

/** Keeps what the log no longer allows, with its files, until its author has dealt with it. Once, however often it is refused. */
export async function reject(local: LocalState, vault: string, queued: Queued, reason: string): Promise<void> {
  const [known] = await pathsOf(local, vault, 'rejected', queued.digest);
  await local.write(known ?? (await nextPath(local, vault, 'rejected', queued.digest)), encodeQueued({ ...queued, reason }));
  await dequeue(local, vault, queued.digest);
}

/** Throws a rejected entry away, with its files. */
export async function discard(local: LocalState, vault: string, digest: string): Promise<void> {
  for (const path of await pathsOf(local, vault, 'rejected', digest)) await local.remove(path);
}

/** In the order of signing. */
export async function listQueued(local: LocalState, vault: string, where: Where): Promise<Queued[]> {
  const found: Queued[] = [];
  for (const path of (await local.list(queueFolder(vault, where))).sort()) {
    const bytes = await local.read(path);
    if (bytes) found.push(decodeQueued(bytes, path));
  }
  return found;
}

/** One line of JSON, without its end. */
export function encodeQueued(queued: Queued): Uint8Array {
  const file = (f: NewFile): v.InferOutput<typeof QueuedFile> => ({ path: f.path, base64: toBase64(f.bytes) });
  const { entry, files, reason } = queued;
  return utf8(JSON.stringify({
    line: new TextDecoder().decode(entry.line),
    ...(entry.object ? { object: file(entry.object) } : {}),
    files: files.map(file),
    ...(reason === undefined ? {} : { reason }),
  }));
}

/** Throws STORE_IO, with `path` in its message, and what `parseEntry` throws. Nothing in it is believed yet. */
export function decodeQueued(bytes: Uint8Array, path: string): Queued {
  const file = (f: v.InferOutput<typeof QueuedFile>): NewFile => {
    const content = fromBase64(f.base64);
    if (!content) throw damaged(path);
    return { path: f.path, bytes: content };
  };
  let raw: unknown;
  try {
    raw = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw damaged(path, cause);
  }
  const parsed = v.safeParse(QueuedJson, raw);
  if (!parsed.success) throw damaged(path);
  const { line, object, files, reason } = parsed.output;
  const entry: SignedEntry = { line: utf8(line), ...(object ? { object: file(object) } : {}) };
  return { digest: parseEntry(entry.line).digest, entry, files: files.map(file), ...(reason === undefined ? {} : { reason }) };
}

function damaged(path: string, cause?: unknown): VaultError {
  return new VaultError('STORE_IO', `the queued entry ${path} is damaged`, { cause, hint: 'It is kept as it is. Move it away to go on without it.' });
}
