import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { isVaultError, type VaultError } from '../../../packages/core/src/errors.js';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array | undefined): string | undefined => (data === undefined ? undefined : new TextDecoder().decode(data));

/** A maker of fresh directories, all removed when the test file is done. */
export function scratch(): () => string {
  const base = mkdtempSync(join(tmpdir(), 'oxp-stores-'));
  afterAll(() => rmSync(base, { recursive: true }));
  return () => mkdtempSync(join(base, 'd-'));
}

/** The VaultError that `work` ends in. */
export async function failure(work: Promise<unknown>): Promise<VaultError> {
  try {
    await work;
  } catch (error) {
    if (isVaultError(error)) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** The VaultErrors that all of these end in. */
export async function failures(work: readonly Promise<unknown>[]): Promise<VaultError[]> {
  return Promise.all(work.map(failure));
}
