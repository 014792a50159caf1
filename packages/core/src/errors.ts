import { ERROR_CLASSES, ERROR_CODES, type ErrorClass, type ErrorCode } from './error-codes.js';

export type { ErrorClass, ErrorCode } from './error-codes.js';

export interface VaultErrorOptions {
  /** What the person can do next: one sentence, or a command line to type. */
  hint?: string;
  /** Further lines that place the fault: which file, leaf, person, version. Never a value. */
  details?: readonly string[];
  cause?: unknown;
}

/**
 * The only error the library throws on purpose. `code` is stable; `message` says what and where. Neither it nor `hint` nor
 * `details` ever holds a secret or any part of one: callers pass names, paths and digests, not content.
 */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: readonly string[];

  constructor(code: ErrorCode, message: string, options: VaultErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? [];
  }

  get class(): ErrorClass {
    return ERROR_CODES[this.code];
  }

  /** Exit code of the CLI for this error. */
  get exitCode(): number {
    return ERROR_CLASSES[this.class];
  }

  toJSON(): { code: ErrorCode; message: string; hint?: string; details?: readonly string[] } {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details.length === 0 ? {} : { details: this.details }),
    };
  }
}

/** The hint for whatever is damaged or missing in a store. */
export const PUT_BACK = 'Put back what is known to be good: oxp-vault sync --restore; or from a copy, a backup or that of a colleague: oxp-vault sync --restore --from COPY';

/** For whoever has lost every race against other writers. */
export function othersWereWriting(hint = 'Try again.'): VaultError {
  return new VaultError('RACE_LOST', 'others were writing all the time', { hint });
}

/** True for a VaultError, with the given code if one is named. */
export function isVaultError(error: unknown, code?: ErrorCode): error is VaultError {
  return error instanceof VaultError && (code === undefined || error.code === code);
}

/** True for what is wrong with one file: somebody made it so, and the others may be read all the same. Not for trouble with the store. */
export function isFileFault(error: unknown): error is VaultError {
  return isVaultError(error) && (error.class !== 'store' || error.code === 'BLOB_MISSING');
}

/** A fault found while judging an entry: a value, not an exception, because a bad leaf is kept and reported, not thrown. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

export function refusal(code: ErrorCode, message: string, hint?: string): Refusal {
  return hint === undefined ? { code, message } : { code, message, hint };
}

/** What parsers throw for bytes that are not as they must be is a reason like any other. */
export function orRefusal<T>(attempt: () => T | Refusal): T | Refusal {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof VaultError) return refusal(error.code, error.message, error.hint);
    throw error;
  }
}

export function refusalToError(r: Refusal): VaultError {
  return new VaultError(r.code, r.message, r.hint === undefined ? {} : { hint: r.hint });
}
