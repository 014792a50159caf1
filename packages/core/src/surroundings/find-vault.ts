/** Where the vault is: what was typed, else the environment, else the nearest place above (README: "How commands find things"). */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { VaultError } from '../errors.js';
import { errnoOf } from '../stores/io-error.js';
import { CONFIG_FILE, normalAddress, upwards, type VaultAddress } from './address.js';
import type { Surroundings } from './surroundings.js';

/** The vault that is meant. Throws VAULT_NOT_FOUND when nothing names one, BAD_ADDRESS, BAD_YAML. */
export async function findVault(io: Surroundings, flag: string | undefined): Promise<VaultAddress> {
  if (flag !== undefined) return { address: normalAddress(flag, io.cwd), base: io.cwd, from: '--vault' };
  const named = io.env['OXP_VAULT'];
  if (named) return { address: normalAddress(named, io.cwd), base: io.cwd, from: 'OXP_VAULT' };
  for (const directory of upwards(io.cwd)) {
    const path = join(directory, CONFIG_FILE);
    if (await isFile(path)) return { ...(await (await import('./vault-config.js')).readConfig(path)), from: path };
  }
  for (const directory of upwards(io.cwd)) {
    for (const candidate of [directory, join(directory, 'vault')]) {
      if (await isFile(join(candidate, 'log', 'checkpoint'))) return { address: candidate, base: candidate, from: candidate };
    }
  }
  throw new VaultError('VAULT_NOT_FOUND', `no vault is named, and there is none at or above ${io.cwd}`, {
    hint: 'Name one with --vault ADDRESS or in OXP_VAULT, or make one: oxp-vault init',
  });
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return false;
    throw error;
  }
}
