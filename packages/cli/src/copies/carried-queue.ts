/** Entries that were queued elsewhere and carried here: a file of `open --offline --queue`, or the local state of another machine. */
import { constants } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodeQueued, encodeQueued, parseQueueFile, type Queued, type QueueFile, VaultError } from '@oxp-vault/core';
import { errnoOf, ioError } from '../files/private-file.js';

const ENTRY = /^\d{10}-[0-9a-f]{64}\.json$/;

/** What lies at a path: a vault, or entries. Throws FILE_NOT_FOUND, STORE_IO, and what reading damaged entries throws. */
export async function whatLiesAt(path: string, vault: string): Promise<'vault' | QueueFile> {
  if (await isFile(path)) return parseQueueFile(await read(path));
  if (await isThere(join(path, 'log', 'checkpoint'))) return 'vault';
  // A queue itself; the local state of one vault, of all, and what lies around it.
  for (const below of ['', 'queue', join('vaults', vault, 'queue'), join('oxp-vault', 'vaults', vault, 'queue')]) {
    const names = (await namesIn(join(path, below))).filter((name) => ENTRY.test(name)).sort();
    const decode = async (name: string): Promise<Queued> => decodeQueued(await read(join(path, below, name)), join(path, below, name));
    if (names.length > 0) return { entries: await Promise.all(names.map(decode)), damaged: [] };
  }
  throw new VaultError('FILE_NOT_FOUND', `${path} is no copy of a vault, and no entries wait there`, {
    hint: 'Name a vault, a file that `open --offline --queue FILE` has written, or the local state of another machine (~/.local/state/oxp-vault).',
  });
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw new VaultError('FILE_NOT_FOUND', `there is nothing at ${path}`);
    throw ioError('cannot read', path, error);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw ioError('cannot read', path, error);
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw ioError('cannot list', path, error);
  }
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw ioError('cannot read', path, error);
  }
}

/** Adds an entry to a queue file, for this user alone; on the disk when this resolves. A line that a power failure cut off is ended first. */
// Cutting it off would be neater, but another process may be writing it.
export async function appendToQueueFile(path: string, queued: Queued): Promise<void> {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    try {
      const { size } = await file.stat();
      const last = Buffer.alloc(1, '\n');
      if (size > 0) await file.read(last, 0, 1, size - 1);
      const start = last.toString('latin1') === '\n' ? '' : '\n';
      await file.appendFile(Buffer.concat([Buffer.from(start), encodeQueued(queued), Buffer.from('\n')]));
      await file.sync();
      if (size === 0) await syncDirectory(dirname(path));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw ioError('cannot write the queue', path, error);
  }
}

/** The name has to last too. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
