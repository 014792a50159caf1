/**
 * A vault in a plain directory, on this machine or a shared mount.
 *
 * What is durable when, so that a power failure at any moment leaves the old state or the new one:
 *   1. `putNew` returns when the file's content is on the disk (fsync) and it has its name. The name itself may still be lost.
 *   2. `swapCheckpoint` first syncs every directory that a `putNew` has touched, once each: a thousand new files cost a thousand
 *      file syncs, run a few at a time, but only as many directory syncs as there are directories.
 *   3. Then it writes the new checkpoint beside the old one, fsync, rename, fsync of `log/`. The rename is the commit point.
 * So nothing that a checkpoint names can be missing while the checkpoint is there.
 */
import { dirname } from 'node:path';
import type { Store, StoreChange } from '../ports.js';
import { syncDirectory } from './file-steps.js';
import { LOCK_PATIENCE, withLock } from './lock.js';
import { CHECKPOINT, checkPath, checkPrefix, checkWritable, LOCK } from './path.js';
import { type PlainTree, vaultTree } from './plain-tree.js';
import { Turns } from './turns.js';

export interface DirectoryStoreOptions {
  /** How long a swap waits for another writer, in milliseconds. 5000 unless given. */
  readonly lockPatience?: number;
}

/** A store in the directory `dir`, which the first write makes. `dir` itself must not be a link; directories above it may be. */
export function directoryStore(dir: string, options: DirectoryStoreOptions = {}): Store {
  return new DirectoryStore(dir, options.lockPatience ?? LOCK_PATIENCE);
}

/** Open files and running syncs at once, whatever the number of calls. */
const AT_ONCE = 16;

class DirectoryStore implements Store {
  readonly address: string;
  readonly #tree: PlainTree;
  readonly #lockPatience: number;
  readonly #turns = new Turns(AT_ONCE);
  /** Directories whose entries may not be on the disk yet. */
  #unsynced = new Set<string>();

  constructor(dir: string, lockPatience: number) {
    this.address = dir;
    this.#tree = vaultTree(dir);
    this.#lockPatience = lockPatience;
  }

  async get(path: string): Promise<Uint8Array | undefined> {
    checkPath(path);
    return this.#turns.take(() => this.#tree.read(path));
  }

  async putNew(path: string, bytes: Uint8Array): Promise<void> {
    checkWritable(path);
    await this.#turns.take(async () => {
      const directories = await this.#tree.makeDirectories(path);
      // Synced too: somebody who was killed, or a plain copy, may have left the file in the page cache only.
      const present = await this.#tree.read(path, true);
      if (!same(present, bytes)) await this.#tree.publish(await this.#tree.writeTemporary(path, bytes), path);
      // It may have lain there for long, named by nothing: from now on it must not look like old garbage to a `gc`.
      else await this.#tree.touch(path);
      for (const directory of directories) this.#unsynced.add(directory);
    });
  }

  async list(prefix: string): Promise<string[]> {
    const paths = await this.#tree.list(checkPrefix(prefix));
    return paths.filter((path) => path !== LOCK);
  }

  async remove(path: string): Promise<void> {
    await this.#tree.remove(checkWritable(path));
  }

  async swapCheckpoint(old: Uint8Array | undefined, next: Uint8Array): Promise<boolean> {
    return this.swapCheckpointWith(old, next, []);
  }

  async swapCheckpointWith(old: Uint8Array | undefined, next: Uint8Array, files: StoreChange['files']): Promise<boolean> {
    for (const { path } of files) checkWritable(path);
    // A loser learns it without the lock, and without waiting for one that is stuck.
    if (!(await this.#checkpointIs(old))) return false;
    await this.#tree.makeDirectories(CHECKPOINT);
    await this.#syncDirectories();
    return withLock(
      this.#tree.root,
      async (stillMine) => {
        if (!(await this.#checkpointIs(old))) return false;
        try {
          await this.#putAll(files);
          await this.#replaceCheckpoint(next, stillMine);
        } catch (error) {
          // Not replaced: what should have come with it goes again, as far as it can. Why it failed is the story to tell.
          await Promise.allSettled(files.map(({ path }) => this.#tree.remove(path)));
          throw error;
        }
        await syncDirectory(dirname(this.#tree.at(CHECKPOINT)));
        return true;
      },
      this.#lockPatience,
    );
  }

  /** Each is on the disk, or the first failure is thrown once none is being written any more. */
  async #putAll(files: StoreChange['files']): Promise<void> {
    const outcomes = await Promise.allSettled(files.map(({ path, bytes }) => this.putNew(path, bytes)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
    await this.#syncDirectories();
  }

  async #replaceCheckpoint(next: Uint8Array, stillMine: () => Promise<void>): Promise<void> {
    const temporary = await this.#tree.writeTemporary(CHECKPOINT, next);
    try {
      await stillMine();
    } catch (error) {
      await this.#tree.discard(temporary);
      throw error;
    }
    await this.#tree.publish(temporary, CHECKPOINT);
  }

  async #checkpointIs(expected: Uint8Array | undefined): Promise<boolean> {
    const present = await this.#tree.read(CHECKPOINT);
    return expected === undefined ? present === undefined : same(present, expected);
  }

  async #syncDirectories(): Promise<void> {
    const directories = [...this.#unsynced];
    await Promise.all(directories.map((directory) => this.#turns.take(() => syncDirectory(directory))));
    // Only now: after a failure the next swap tries them again.
    for (const directory of directories) this.#unsynced.delete(directory);
  }
}

function same(present: Uint8Array | undefined, bytes: Uint8Array): boolean {
  return present !== undefined && Buffer.compare(present, bytes) === 0;
}
