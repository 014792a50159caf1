/** What killed writers leave behind: temporary files, which no reader ever looks at. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lstatOrNothing } from './file-steps.js';
import { errnoOf, storeError } from './io-error.js';
import { withLock } from './lock.js';
import { LOCK, TEMPORARY } from './path.js';
import { type PlainTree, vaultTree } from './plain-tree.js';

/** Seconds. No writer keeps a temporary file for longer than a moment; a machine may sleep in that moment. */
const OLD = 24 * 3600;

/**
 * Removes temporary files older than `age` seconds below the vault directory `dir`; returns how many. Under the lock, because
 * only its holder knows that no claim on an earlier lock is in force (lock.ts). LOCKED, STORE_IO.
 */
export async function removeLeftovers(dir: string, age = OLD): Promise<number> {
  const tree = vaultTree(dir);
  if ((await lstatOrNothing(tree.root)) === undefined) return 0;
  return withLock(tree.root, async () => {
    // Our lock is seconds old by the clock of the machine that keeps the files, which need not be ours.
    const { mtimeMs } = await lstat(tree.at(LOCK));
    return sweep(tree, tree.root, mtimeMs - age * 1000);
  });
}

async function sweep(tree: PlainTree, directory: string, before: number): Promise<number> {
  let removed = 0;
  try {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) removed += await sweep(tree, path, before);
      if (!entry.isFile() || !entry.name.startsWith(TEMPORARY)) continue;
      const stats = await lstatOrNothing(path);
      if (stats === undefined || stats.mtimeMs > before) continue;
      await tree.discard(path);
      removed += 1;
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw storeError(error, 'cannot list', directory);
  }
  return removed;
}
