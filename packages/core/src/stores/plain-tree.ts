/**
 * Plain files below one directory, read and written without ever following a link.
 *
 * Each component from the directory on is looked at with lstat, and the file itself is opened with O_NOFOLLOW. Node has no
 * `openat`, so somebody who may write in the directory could still swap a component between the look and the open. What that
 * wins is small: everything read is checked against a signed digest, everything written is meant to be public.
 */
import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { link, lutimes, mkdir, open, readdir, realpath, rename, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { VaultError } from '../errors.js';
import { closing, lstatOrNothing, mustBePlain, plainBytes } from './file-steps.js';
import { errnoOf, linkRefused, storeError } from './io-error.js';
import { isStorePath, TEMPORARY } from './path.js';

export interface TreeOptions {
  /** Permission bits of new directories and files, before the umask. */
  readonly directoryMode: number;
  readonly fileMode: number;
  /** Throws where an existing directory of the tree is not to be trusted. */
  readonly judge?: (path: string, stats: Stats) => void;
}

// O_NONBLOCK: opening a FIFO that somebody put there must not hang.
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** What link(2) says where there are no hard links: exFAT, some network and FUSE file systems. */
const NO_HARD_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export class PlainTree {
  /** Absolute, so that a later chdir changes nothing. */
  readonly root: string;
  readonly #options: TreeOptions;

  constructor(root: string, options: TreeOptions) {
    this.root = resolve(root);
    this.#options = options;
  }

  /** The absolute form of a checked path. */
  at(path: string): string {
    return join(this.root, path);
  }

  /** The bytes of a plain file, or undefined where there is none. With `sync` they are on the disk when this returns. */
  async read(path: string, sync = false): Promise<Uint8Array | undefined> {
    if (!(await this.#directory(dirname(path)))) return undefined;
    const file = this.at(path);
    try {
      const stats = await lstatOrNothing(file);
      if (stats === undefined) return undefined;
      mustBePlain(file, stats);
      const handle = await open(file, READ);
      return await closing(handle, async () => {
        mustBePlain(file, await handle.stat());
        if (sync) await handle.sync();
        return plainBytes(await handle.readFile());
      });
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw storeError(error, 'cannot read', file);
    }
  }

  /**
   * Makes the directories of `path`. Returns what to sync so that the name lasts: these directories, made now or before
   * (their maker may have been killed before it synced them), and above the root only those that got a new entry.
   */
  async makeDirectories(path: string): Promise<string[]> {
    const chain = chainOf(dirname(path)).map((each) => this.at(each));
    const above: string[] = [];
    try {
      for (const directory of chain) {
        if (await this.#isDirectory(directory)) continue;
        above.push(...(await this.#makeDirectory(directory)));
        await this.#isDirectory(directory);
      }
    } catch (error) {
      throw storeError(error, 'cannot make the directory of', this.at(path));
    }
    return [...above, ...chain];
  }

  /** Returns the directories above the root that got a new entry. */
  async #makeDirectory(directory: string): Promise<string[]> {
    const mode = this.#options.directoryMode;
    if (directory === this.root) {
      const first = await mkdir(directory, { mode, recursive: true });
      return first === undefined ? [] : ancestorsBetween(first, directory);
    }
    try {
      await mkdir(directory, { mode });
    } catch (error) {
      // Another writer was first.
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    return [];
  }

  /** Writes `bytes` to a temporary file beside `path`, on the disk when this returns. Its directory exists. */
  async writeTemporary(path: string, bytes: Uint8Array, sync = true): Promise<string> {
    const temporary = join(dirname(this.at(path)), `${TEMPORARY}${randomBytes(12).toString('hex')}`);
    try {
      const handle = await open(temporary, CREATE, this.#options.fileMode);
      await closing(handle, async () => {
        await handle.writeFile(bytes);
        if (sync) await handle.sync();
      });
      return temporary;
    } catch (error) {
      throw await this.#cleanUp(temporary, storeError(error, 'cannot write', this.at(path)));
    }
  }

  /** Gives a temporary file its name, replacing what is there. A directory or link in its place is refused. */
  async publish(temporary: string, path: string): Promise<void> {
    const file = this.at(path);
    try {
      const stats = await lstatOrNothing(file);
      if (stats !== undefined) mustBePlain(file, stats);
      await rename(temporary, file);
    } catch (error) {
      throw await this.#cleanUp(temporary, storeError(error, 'cannot write', file));
    }
  }

  /** Makes the file look as new as it counts again. */
  async touch(path: string): Promise<void> {
    const now = new Date();
    try {
      await lutimes(this.at(path), now, now);
    } catch (error) {
      throw storeError(error, 'cannot write', this.at(path));
    }
  }

  /**
   * Gives `path` the bytes of the temporary file `temporary`, which stays; false, changing nothing, where the name is taken.
   * The file appears whole; only on a file system without hard links is it made first and filled then.
   */
  async claim(path: string, temporary: string, bytes: Uint8Array): Promise<boolean> {
    const file = this.at(path);
    try {
      await link(temporary, file);
      return true;
    } catch (error) {
      const errno = errnoOf(error) ?? '';
      if (errno === 'EEXIST') return false;
      if (!NO_HARD_LINKS.has(errno)) throw storeError(error, 'cannot make', file);
    }
    try {
      const handle = await open(file, CREATE, this.#options.fileMode);
      await closing(handle, async () => handle.writeFile(bytes));
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw storeError(error, 'cannot make', file);
    }
  }

  /** Removes a temporary file by its absolute name, if it is still there. */
  async discard(temporary: string): Promise<void> {
    try {
      await unlink(temporary);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw storeError(error, 'cannot remove', temporary);
    }
  }

  /** Removes a plain file; false where there is none. */
  async remove(path: string): Promise<boolean> {
    if (!(await this.#directory(dirname(path)))) return false;
    const file = this.at(path);
    try {
      const stats = await lstatOrNothing(file);
      if (stats === undefined) return false;
      mustBePlain(file, stats);
      await unlink(file);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw storeError(error, 'cannot remove', file);
    }
  }

  /** Every plain file below `prefix` that has a valid path, sorted by code units. Links and foreign names are no part of it. */
  async list(prefix: string): Promise<string[]> {
    const start = prefix === '' ? '.' : prefix.slice(0, -1);
    const found: string[] = [];
    if (await this.#directory(start)) await this.#walk(prefix, found);
    return found.sort();
  }

  async #walk(prefix: string, found: string[]): Promise<void> {
    const directory = this.at(prefix);
    try {
      for (const entry of await readdir(directory, { withFileTypes: true })) {
        const path = `${prefix}${entry.name}`;
        if (!isStorePath(path)) continue;
        if (entry.isFile()) found.push(path);
        if (entry.isDirectory()) await this.#walk(`${path}/`, found);
      }
    } catch (error) {
      // Gone since its parent was read.
      if (errnoOf(error) !== 'ENOENT') throw storeError(error, 'cannot list', directory);
    }
  }

  /** False where a directory on the way to `path` is missing. LINK_REFUSED where one is a link. */
  async #directory(path: string): Promise<boolean> {
    for (const each of chainOf(path)) {
      const directory = this.at(each);
      try {
        if (!(await this.#isDirectory(directory))) return false;
      } catch (error) {
        throw storeError(error, 'cannot read', directory);
      }
    }
    return true;
  }

  async #isDirectory(directory: string): Promise<boolean> {
    const stats = await lstatOrNothing(directory);
    if (stats === undefined) return false;
    if (stats.isSymbolicLink()) {
      throw directory === this.root ? linkRefused(directory, await realNameHint(directory)) : linkRefused(directory);
    }
    if (!stats.isDirectory()) throw new VaultError('STORE_IO', `${directory} is not a directory (ENOTDIR)`, { hint: 'Move it away.' });
    this.#options.judge?.(directory, stats);
    return true;
  }

  /** Removes a temporary file on the way out of a failure; says so where even that fails. */
  async #cleanUp(temporary: string, failure: VaultError): Promise<VaultError> {
    try {
      await unlink(temporary);
    } catch (error) {
      const errno = errnoOf(error);
      // Never made, or not reachable any more: then there is nothing to tell.
      if (errno === 'ENOENT' || errno === 'ENOTDIR') return failure;
      return new VaultError(failure.code, failure.message, {
        ...(failure.hint === undefined ? {} : { hint: failure.hint }),
        details: [`the unfinished file ${temporary} could not be removed: ${errno ?? 'unknown error'}`],
        cause: failure.cause,
      });
    }
    return failure;
  }
}

/** A vault's own directory: anybody may read it, as far as the umask lets them. */
export function vaultTree(dir: string): PlainTree {
  return new PlainTree(dir, { directoryMode: 0o755, fileMode: 0o644 });
}

/** `.`, then each directory down to `path`. */
function chainOf(path: string): string[] {
  const segments = path === '.' ? [] : path.split('/');
  return ['.', ...segments.map((_, i) => segments.slice(0, i + 1).join('/'))];
}

/** The parent of `first`, and every directory from there down to the parent of `last`. */
function ancestorsBetween(first: string, last: string): string[] {
  const parent = dirname(last);
  return last === first ? [parent] : [...ancestorsBetween(first, parent), parent];
}

async function realNameHint(path: string): Promise<string> {
  try {
    return `Give the directory itself: ${await realpath(path)}`;
  } catch (error) {
    return `Links are never followed in a vault, and this one leads nowhere (${errnoOf(error) ?? 'unknown error'}).`;
  }
}
