/** The files of a vault as one set: what a copy needs so that everybody accepts it, and how it gets from one store into another. */
import type { LoadedLog } from '../../engine/load.js';
import { inParallel } from '../../engine/parallel.js';
import { isVaultError } from '../../errors.js';
import type { Store } from '../../ports.js';
import { sha256Hex, isContent } from '../../primitives/hash.js';
import { OURS, PAGE } from '../log/garbage.js';
import { pagesOf, walkLoaded, type NamedFile } from '../log/walk.js';

/** The digits of its own digest that a name holds at its end. */
const DIGITS = /([0-9a-f]{64}|[0-9a-f]{8})\.(?:age|json)$/;

/**
 * Everything beside the checkpoint: pages, policy files, objects, and what entries in effect name. Where the log holds ops of a newer
 * release, also whatever in the store is named after its own digest: those ops may name it. Throws MissingFile.
 */
export async function filesOfLog(store: Store, loaded: LoadedLog): Promise<NamedFile[]> {
  const { log } = loaded;
  const files = new Map(pagesOf(loaded).map((file) => [file.path, file]));
  for (const path of log.files) {
    const sha256 = log.policyFiles.get(path) ?? DIGITS.exec(path)?.[1] ?? '';
    files.set(path, { path, sha256, size: undefined, what: path.startsWith('policy/') ? 'a policy' : 'the body of an entry' });
  }
  const leaves = await walkLoaded(store, loaded);
  for (const { refused, files: named } of leaves) {
    // Two entries may name one path with eight digits in common; the store holds one file, and the log's own come first.
    if (!refused) for (const file of named) if (!files.has(file.path)) files.set(file.path, file);
  }
  if (leaves.some(({ refused }) => refused?.code === 'UNKNOWN_OP' || refused?.code === 'UNSUPPORTED')) {
    for (const path of await store.list('')) {
      if (files.has(path) || PAGE.test(path) || !OURS.some((shape) => shape.test(path))) continue;
      const sha256 = sha256Hex((await store.get(path)) ?? new Uint8Array());
      if (sha256.startsWith(DIGITS.exec(path)?.[1] ?? 'none')) files.set(path, { path, sha256, size: undefined, what: 'what an entry of a newer release may name' });
    }
  }
  return [...files.values()];
}

/** The bytes of a file where they are those that were signed. */
export async function signedBytes(store: Store, file: NamedFile): Promise<Uint8Array | undefined> {
  const bytes = await store.get(file.path);
  return bytes && isContent(bytes, file) ? bytes : undefined;
}

/** The same for a store in which anything may lie: a link, or a file that is too large, is not the file that was signed. */
export async function signedBytesIfAny(store: Store, file: NamedFile): Promise<Uint8Array | undefined> {
  try {
    return await signedBytes(store, file);
  } catch (error) {
    if (isVaultError(error, 'LINK_REFUSED') || (isVaultError(error, 'STORE_REMOTE') && store.commit)) return undefined;
    throw error;
  }
}

export interface Copying {
  readonly to: Store;
  /** The checkpoint that lies there now. */
  readonly old: Uint8Array | undefined;
  readonly checkpoint: Uint8Array;
  readonly files: readonly NamedFile[];
  /** Finds the bytes of a file, verified; undefined where nobody has them: then it is left out. */
  readonly find: (file: NamedFile) => Promise<Uint8Array | undefined>;
  /** Garbage once the checkpoint is there. */
  readonly replaced: readonly string[];
  /** For a store that keeps a history for people. */
  readonly about: string;
  readonly step?: (done: number, total: number) => void;
}

/** How many files were not there already; undefined when somebody else has written there meanwhile: then it is to be judged again. */
export async function copyFiles({ to, old, checkpoint, files, find, replaced, about, step }: Copying): Promise<number | undefined> {
  const collected: { path: string; bytes: Uint8Array }[] = [];
  let done = 0;
  let copied = 0;
  await inParallel(files, async (file) => {
    if (!(await signedBytesIfAny(to, file))) {
      const bytes = await find(file);
      if (bytes) {
        copied++;
        if (to.commit) collected.push({ path: file.path, bytes });
        else await to.putNew(file.path, bytes);
      }
    }
    step?.(++done, files.length);
  });
  const written = to.commit ? await to.commit({ old, next: checkpoint, files: collected, replaced, about }) : await to.swapCheckpoint(old, checkpoint);
  if (!written) return undefined;
  if (!to.commit) for (const path of replaced) await to.remove(path);
  return copied;
}
