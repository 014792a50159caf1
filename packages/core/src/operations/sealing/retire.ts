/** Retiring: saying, signed, that a version is deployed nowhere any more. */
import { VaultError } from '../../errors.js';
import { versionsOf } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { findVersion } from '../opening/open.js';

export interface Retirement {
  readonly name: string;
  readonly version: number;
}

/**
 * The versions that are meant: one, or, where none is named, all older than the newest that are not retired yet. Throws
 * SECRET_NOT_FOUND, VERSION_NOT_FOUND, PENDING.
 */
export function retirable(vault: Vault, name: string, version?: number): Retirement[] {
  if (version !== undefined) return [{ name, version: findVersion(vault, name, version).statement.version }];
  const newest = findVersion(vault, name).statement.version;
  const versions = versionsOf(vault.state.secrets, name);
  return versions.filter((ver) => ver.statement.version < newest && !ver.retired).map((ver) => ({ name, version: ver.statement.version }));
}

/** Retires these versions, all or none. Throws NOT_ALLOWED, ALREADY_DONE. */
export async function retireVersions(vault: Vault, retirements: readonly Retirement[]): Promise<void> {
  vault.requireActor();
  const twice = retirements.find((r, i) => retirements.findIndex((other) => other.name === r.name && other.version === r.version) !== i);
  if (twice) throw new VaultError('USAGE', `${twice.name}@${twice.version} is named twice`);
  const acts = retirements.map(({ name, version }) => ({ op: 'secret.retire', body: { statement: findVersion(vault, name, version).digest } }));
  await vault.append({ acts, files: [] });
}
