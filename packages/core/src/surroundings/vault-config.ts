/** oxp-vault.yaml: where the vault is, and which one it must be. Loaded only where there is one: the YAML parser takes its time. */
import { randomBytes } from 'node:crypto';
import { lstat, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseDocument } from 'yaml';
import { VaultError } from '../errors.js';
import { readYaml, type KeyPath } from '../primitives/yaml.js';
import { storeError } from '../stores/io-error.js';
import { addressFor, normalAddress, type VaultAddress } from './address.js';

const FORM = 'It holds two lines: `vault: ADDRESS` and, if you like, `expect: VAULT@SIZE:ROOT` as `oxp-vault status` prints it.';

/** Throws BAD_YAML, BAD_ADDRESS, STORE_IO, and NOT_ALLOWED for a file that somebody else has put there. */
export async function readConfig(path: string): Promise<Omit<VaultAddress, 'from'>> {
  await requireOwn(path);
  const { value, place } = readYaml(await textOf(path), path, { hint: FORM });
  const fail = (at: KeyPath, what: string): VaultError => new VaultError('BAD_YAML', `${place(at)}: ${what}`, { hint: FORM });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail([], 'expected lines of `key: value`');
  const { vault, expect, ...more } = value as Record<string, unknown>;
  const [stranger] = Object.keys(more);
  if (stranger !== undefined) throw fail([stranger], 'there is a key beside vault and expect');
  if (vault === undefined) throw fail([], '`vault: ADDRESS` is missing');
  if (typeof vault !== 'string') throw fail(['vault'], 'vault is not a text');
  if (expect !== undefined && typeof expect !== 'string') throw fail(['expect'], 'expect is not a text');
  const base = dirname(path);
  const address = normalAddress(vault, base);
  return expect === undefined ? { address, base } : { address, base, expect };
}

/** Says that the vault is elsewhere now. Everything else in the file stays, comments too; a link stays one; old text or new, whatever happens. */
export async function moveVault(link: string, address: string): Promise<void> {
  const path = await realpath(link);
  const document = parseDocument(await readFile(path, 'utf8'));
  document.set('vault', addressFor(address, dirname(link)));
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const { mode } = await stat(path);
    await writeFile(temporary, document.toString({ lineWidth: 0 }), { flag: 'wx', mode, flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw storeError(error, 'cannot replace', link);
  }
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
