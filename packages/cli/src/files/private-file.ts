/** Files that only their owner may read, and that nothing existing is lost for. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { VaultError } from '@oxp-vault/core';

const PRIVATE = 0o600;

/** Writes a new file, on the disk when this resolves. Makes its directory (0700) where there is none. Throws OUTPUT_EXISTS, STORE_IO. */
export async function writeNewFile(path: string, bytes: Uint8Array, mode = PRIVATE): Promise<void> {
  await makeDirectory(dirname(path));
  let created = false;
  try {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, mode);
    created = true;
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw exists(path);
    // Half a key file would be taken for a whole one.
    if (created) await rm(path, { force: true });
    throw ioError('cannot write', path, error);
  }
}

/** Replaces a private file: the old content or the new one, whatever happens. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await writeNewFile(temporary, bytes);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw ioError('cannot replace', path, error);
  }
}

/** Throws OUTPUT_EXISTS for whatever is there, a link that leads nowhere included. */
export async function mustNotExist(path: string, hint?: string): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return;
    throw ioError('cannot look at', path, error);
  }
  throw exists(path, hint);
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw ioError('cannot make the directory', path, error);
  }
}

export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

const FILE_HINTS: Readonly<Record<string, string>> = {
  EACCES: 'You may not: look at its owner and mode, and at those of the directories above it.',
  EPERM: 'You may not: look at its owner and mode, and at those of the directories above it.',
  EROFS: 'It lies on something that is mounted read-only.',
  ENOSPC: 'Make room there and run the command again.',
  ENOTDIR: 'Something on the way there is a file and no directory.',
  ENAMETOOLONG: 'Its name is too long.',
};

export function ioError(doing: string, path: string, cause: unknown): VaultError {
  const errno = errnoOf(cause);
  if (errno === 'EISDIR' && doing === 'cannot read') return new VaultError('BAD_VALUE', `${path} is a directory`, { hint: 'Name a file.', cause });
  return new VaultError('STORE_IO', `${doing} ${path}: ${errno || 'unknown error'}`, { ...(FILE_HINTS[errno] === undefined ? {} : { hint: FILE_HINTS[errno] }), cause });
}

function exists(path: string, hint = 'Name another place, or move it away first.'): VaultError {
  return new VaultError('OUTPUT_EXISTS', `${path} is there already, and is not overwritten`, { hint });
}
