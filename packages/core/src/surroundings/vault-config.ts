/** oxp-vault.yaml: where the vault is, and which one it must be. */
import { lstat, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { VaultError } from '../errors.js';
import { storeError } from '../stores/io-error.js';
import { normalAddress, type VaultAddress } from './address.js';
import { plainLines } from './plain-lines.js';

/** Throws BAD_YAML, BAD_ADDRESS, STORE_IO, and NOT_ALLOWED for a file that somebody else has put there. */
export async function readConfig(path: string): Promise<Omit<VaultAddress, 'from'>> {
  await requireOwn(path);
  const text = await textOf(path);
  const raw: unknown = plainLines(text) ?? (await import('./yaml-value.js')).yamlValue(text, (line) => badConfig(path, `line ${line} is no YAML`));
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw badConfig(path, 'it is not a list of `key: value` lines');
  const { vault, expect, ...more } = raw as Record<string, unknown>;
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) throw badConfig(path, `${unknown} is no key of it`);
  if (typeof vault !== 'string') throw badConfig(path, 'it does not say `vault: ADDRESS`');
  if (expect !== undefined && typeof expect !== 'string') throw badConfig(path, '`expect` is not a text');
  const base = dirname(path);
  const address = normalAddress(vault, base);
  return expect === undefined ? { address, base } : { address, base, expect };
}

/** It vouches for the vault: one that another user left in a directory above, /tmp for instance, could vouch for a false one. */
async function requireOwn(path: string): Promise<void> {
  const me = process.getuid?.();
  const { uid } = await lstat(path);
  if (me === undefined || uid === me || uid === 0) return;
  throw new VaultError('NOT_ALLOWED', `${path} belongs to another user, and is not believed`, {
    hint: 'If it is right, name the vault yourself: --vault ADDRESS (or OXP_VAULT), with --expect',
  });
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw storeError(error, 'cannot read', path);
  }
}

function badConfig(path: string, why: string): VaultError {
  return new VaultError('BAD_YAML', `${path} cannot be used: ${why}`, {
    hint: 'It holds two lines: `vault: ADDRESS` and, if you like, `expect: VAULT@SIZE:ROOT` as `oxp-vault status` prints it.',
  });
}
