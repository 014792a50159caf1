import type { ErrorCode } from './error-codes.js';

/** What an error code means, how it comes about and what to do. The texts are loaded when first asked for. */
export async function explainError(code: ErrorCode): Promise<string> {
  return (await import('./error-help.js')).ERROR_HELP[code];
}
