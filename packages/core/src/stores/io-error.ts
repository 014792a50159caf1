import { VaultError } from '../errors.js';

/** The errno name of a failed system call, like `ENOSPC`; undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const full = 'Make room there and run the command again.';
const closed = 'Check that you may write there: the owner and mode of the directory, and that it is not mounted read-only.';

const unreadable = 'Check that you may read it: the owner and mode of it, and of the directories above it.';

const hints: Readonly<Record<string, string>> = {
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: 'A limit on the size of files is in force (see `ulimit -f`, or what the file system allows). Lift it and run the command again.',
  EROFS: closed,
  EACCES: closed,
  EPERM: closed,
  ENOTDIR: 'Something that is not a directory stands where a directory belongs. Move it away.',
  EISDIR: 'A directory stands where a file belongs. Move it away.',
  EMFILE: 'Too many files are open at once (see `ulimit -n`).',
  ENFILE: 'Too many files are open on this machine.',
  EIO: 'The disk reports a fault. Look at its health before trying again.',
  ESTALE: 'The shared mount has lost the directory. Mount it again.',
};

/** Turns what the file system said into STORE_IO. A VaultError passes as it is. `doing` is like `cannot write`. */
export function storeError(error: unknown, doing: string, path: string): VaultError {
  if (error instanceof VaultError) return error;
  const errno = errnoOf(error);
  if (errno === undefined) return new VaultError('INTERNAL', `${doing} ${path}`, { cause: error });
  // A link at the last component, seen by O_NOFOLLOW only: it came after we had looked.
  if (errno === 'ELOOP') return linkRefused(path);
  return new VaultError('STORE_IO', `${doing} ${path}: ${errno}`, {
    hint: hints[errno] === closed && /^cannot (?:read|list)\b/.test(doing) ? unreadable : hints[errno] ?? 'Nothing was changed. Mend the cause and run the command again.',
    cause: error,
  });
}

export function linkRefused(path: string, hint = 'Links are never followed in a vault. Put the real file or directory there.'): VaultError {
  return new VaultError('LINK_REFUSED', `${path} is a link`, { hint });
}
