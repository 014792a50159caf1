import { isDeepStrictEqual } from 'node:util';
import { isVaultError } from '../errors.js';
import type { JsonObject } from '../wire.js';
import type { CheckResult } from './material.js';

export function result(check: string, ok: boolean, detail?: string): CheckResult {
  return detail === undefined ? { check, ok } : { check, ok, detail };
}

/**
 * Runs one check. A VaultError becomes a failed result with its message, which by the rule of errors.ts holds no secret; of any
 * other exception only the class is told, because libraries quote their input.
 */
export async function attempt(check: string, fn: () => Promise<CheckResult[]> | CheckResult[]): Promise<CheckResult[]> {
  try {
    return await fn();
  } catch (error) {
    return [result(check, false, isVaultError(error) ? error.message : `refused by the parser (${error instanceof Error ? error.name : typeof error})`)];
  }
}

/**
 * Whether the public parts that a statement claims are those of the file. `ignore` names parts that cannot be computed from
 * the file alone.
 */
export function samePublic(claimed: JsonObject, computed: JsonObject, ignore: readonly string[] = []): CheckResult {
  const names = [...new Set([...Object.keys(claimed), ...Object.keys(computed)])].filter((name) => !ignore.includes(name)).sort();
  const different = names.filter((name) => !isDeepStrictEqual(claimed[name], computed[name]));
  return different.length === 0 ? result('public parts match', true) : result('public parts match', false, `different: ${different.join(', ')}`);
}
