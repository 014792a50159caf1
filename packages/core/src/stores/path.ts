import { VaultError } from '../errors.js';

/** What a write in progress is called. No path of a store may look like it, so an unfinished file is never taken for a real one. */
export const TEMPORARY = '.tmp-';

/** Starts with a letter or digit: no `.`, no `..`, no `.git`, no temporary file, no option of a program. */
const SEGMENT = /^[a-z0-9][a-z0-9._-]{0,254}$/;

/** True for a relative POSIX path of lower-case segments without `..`: nothing a file system could read in two ways. */
export function isStorePath(path: string): boolean {
  return path.length <= 1024 && !path.includes('..') && path.split('/').every((segment) => SEGMENT.test(segment));
}

/** BAD_NAME unless `path` names a file below a store. */
export function checkPath(path: string): string {
  if (isStorePath(path)) return path;
  throw new VaultError('BAD_NAME', `${JSON.stringify(path)} is not a path in a vault`, {
    hint: 'Paths are relative: segments of a-z 0-9 . _ - joined by "/", without "..".',
  });
}

/** BAD_NAME unless `prefix` is empty (everything) or a path followed by `/`. */
export function checkPrefix(prefix: string): string {
  if (prefix === '') return prefix;
  if (prefix.endsWith('/') && isStorePath(prefix.slice(0, -1))) return prefix;
  throw new VaultError('BAD_NAME', `${JSON.stringify(prefix)} is not a prefix of paths in a vault`, {
    hint: 'A prefix is empty, or a path that ends in "/".',
  });
}

/** The one mutable file of a vault (design: "The log is the vault"). */
export const CHECKPOINT = 'log/checkpoint';
/** The lock of a directory store. It is no file of the vault. */
export const LOCK = 'lock';

/** BAD_NAME for what only the store itself may write: the checkpoint goes through `swapCheckpoint`, the lock through lock.ts. */
export function checkWritable(path: string): string {
  if (checkPath(path) !== CHECKPOINT && path !== LOCK) return path;
  throw new VaultError('BAD_NAME', `${path} is not written once under a name of its own: the store keeps it`);
}
