/** Answers of a vault that are worth asking a remote store for once more: others may have changed them since it was last fetched. */
import { type ErrorCode, isVaultError } from '@oxp-vault/core';

const CODES: readonly ErrorCode[] = [
  'SECRET_NOT_FOUND', 'VERSION_NOT_FOUND', 'PERSON_NOT_FOUND', 'ROLE_NOT_FOUND', 'ENTRY_NOT_FOUND',
  'NOT_ENROLLED', 'NOT_ALLOWED', 'NOT_A_READER', 'NEEDS_GRANT', 'NEEDS_SIGNATURES', 'PENDING', 'EPOCH_MISSING',
];

export function mayBeNews(error: unknown): boolean {
  return isVaultError(error) && CODES.includes(error.code);
}
