/** Exit codes in words, from the one table of the library (ERROR_CLASSES). */
import { ERROR_CLASSES, type ErrorClass } from '@oxp-vault/core';

const WORDS: Readonly<Record<ErrorClass, string>> = {
  unexpected: 'unexpected: a fault of oxp-vault itself',
  usage: 'usage: what was typed or written down cannot be used',
  'not-found': 'not found: no such vault, secret, person, role or entry',
  denied: 'not allowed: the policy does not allow it',
  verification: 'verification failed: tampering, rollback, fork, forgery',
  'needs-others': 'needs others: signatures, grants or acknowledgements are missing',
  conflict: 'conflict: somebody else was first; try again',
  store: 'store: the disk, the network or the store is at fault',
  identity: 'identity: no usable identity, or no passphrase',
};

/** Ctrl-C at a question, as a shell reports SIGINT. */
export const EXIT_CANCELLED = 130;
/** Nobody read our output any more, as a shell reports SIGPIPE. */
export const EXIT_OUTPUT_CLOSED = 141;

export const EXIT_VERIFICATION = ERROR_CLASSES.verification;
export const EXIT_NEEDS_OTHERS = ERROR_CLASSES['needs-others'];
export const EXIT_USAGE = ERROR_CLASSES.usage;
export const EXIT_STORE = ERROR_CLASSES.store;

export interface ExitCode {
  readonly code: number;
  readonly words: string;
}

/** In ascending order, 0 first. */
export function exitCodes(): ExitCode[] {
  const classes = Object.entries(ERROR_CLASSES).map(([name, code]) => ({ code, words: WORDS[name as ErrorClass] }));
  return [
    { code: 0, words: 'done' },
    ...classes.sort((a, b) => a.code - b.code),
    { code: EXIT_CANCELLED, words: 'cancelled at a question (Ctrl-C)' },
    { code: EXIT_OUTPUT_CLOSED, words: 'whoever read the output stopped reading' },
  ];
}
