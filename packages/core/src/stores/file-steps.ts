/** Single file-system steps that plain-tree.ts is made of. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { VaultError } from '../errors.js';
import { errnoOf, linkRefused, storeError } from './io-error.js';

/** Makes the names in a directory last. Where the file system has no such operation, a rename is all there is. */
export async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, constants.O_RDONLY);
    await closing(handle, async () => handle.sync());
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EINVAL' || errno === 'ENOTSUP' || (process.platform === 'win32' && (errno === 'EPERM' || errno === 'EISDIR'))) return;
    throw storeError(error, 'cannot sync', directory);
  }
}

export async function lstatOrNothing(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** LINK_REFUSED for a link, STORE_IO for any other thing that is no plain file. */
export function mustBePlain(path: string, stats: Stats): void {
  if (stats.isSymbolicLink()) throw linkRefused(path);
  if (!stats.isFile()) throw new VaultError('STORE_IO', `${path} is not a plain file`, { hint: 'Move it away.' });
}

export async function closing<T>(handle: FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await handle.close();
  }
}

/** Not a Buffer: its `slice` would alias. */
export function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
