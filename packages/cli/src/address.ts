/** Where the vault is: what was typed, else the environment, else the nearest place above (docs: "How commands find the vault"). */
import { lstat, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { directoryStore, type Store, VaultError } from '@oxp-vault/core';
import type { Io } from './io.js';

export const CONFIG_FILE = 'oxp-vault.yaml';

export interface VaultAddress {
  /** An absolute path, or an address of another kind as typed. */
  readonly address: string;
  /** `VAULT[@SIZE:ROOT]` from the file that named the vault. */
  readonly expect?: string;
  /** Who said so, for messages: `--vault`, `OXP_VAULT`, the path of an oxp-vault.yaml, or a directory. */
  readonly from: string;
}

/** The vault that is meant. Throws VAULT_NOT_FOUND when nothing names one, BAD_ADDRESS, BAD_YAML. */
export async function findVault(io: Pick<Io, 'env' | 'cwd'>, flag: string | undefined): Promise<VaultAddress> {
  if (flag !== undefined) return { address: normalAddress(flag, io.cwd), from: '--vault' };
  const named = io.env['OXP_VAULT'];
  if (named) return { address: normalAddress(named, io.cwd), from: 'OXP_VAULT' };
  for (const directory of upwards(io.cwd)) {
    const path = join(directory, CONFIG_FILE);
    if (await isFile(path)) return { ...(await readConfig(path)), from: path };
  }
  for (const directory of upwards(io.cwd)) {
    for (const candidate of [directory, join(directory, 'vault')]) {
      if (await isFile(join(candidate, 'log', 'checkpoint'))) return { address: candidate, from: candidate };
    }
  }
  throw new VaultError('VAULT_NOT_FOUND', `no vault is named, and there is none at or above ${io.cwd}`, {
    hint: 'Name one with --vault ADDRESS or in OXP_VAULT, or make one: oxp-vault init',
  });
}

/** A typed address with its path made absolute from `base`. Throws BAD_ADDRESS. */
export function normalAddress(text: string, base: string): string {
  if (text === '' || /[\x00-\x1f\x7f]/.test(text)) throw new VaultError('BAD_ADDRESS', 'the address of the vault is empty or holds control characters');
  if (isRemote(text)) return text;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw new VaultError('BAD_ADDRESS', `${text.slice(0, text.indexOf(':'))}: is no kind of place that a vault can be in`, {
      hint: 'An address is a directory, git+URL[#branch], git+. or s3://bucket/prefix.',
    });
  }
  return resolve(base, text.startsWith('~/') ? join(homedir(), text.slice(2)) : text);
}

function isRemote(address: string): boolean {
  return address.startsWith('git+') || address.startsWith('s3://');
}

/** Throws UNSUPPORTED for what this release has no store for. */
export function storeAt(address: string): Store {
  if (isRemote(address)) {
    const kind = address.startsWith('s3') ? 'an S3 bucket' : 'a Git repository';
    throw new VaultError('UNSUPPORTED', `a vault in ${kind} comes with a later release`, { hint: 'Until then keep the vault in a directory: --vault DIR' });
  }
  return directoryStore(address);
}

/**
 * The form that `init` writes: comments, and values of one word, bare or in quotes, that YAML takes as they stand. Everything else
 * goes to the YAML parser, which `open` and a provider's every call should not have to load.
 */
const PLAIN_LINE = /^(?:#.*|(vault|expect): (?:"([\w./~+:@#%-]+)"|((?:[./~]|git\+|s3:)[\w./~+:@#%-]*\w|[0-9a-f]{64}(?:@\d+:[0-9a-f]{64})?)))?$/;

function plainConfig(text: string): Record<string, string> | undefined {
  const found = text.split('\n').map((line) => PLAIN_LINE.exec(line));
  const pairs = found.flatMap((match) => (match?.[1] === undefined ? [] : [[match[1], (match[2] ?? match[3])!] as const]));
  return found.includes(null) || new Set(pairs.map(([key]) => key)).size !== pairs.length ? undefined : Object.fromEntries(pairs);
}

async function readYaml(path: string, text: string): Promise<unknown> {
  const { parseConfigYaml } = await import('./config-yaml.js');
  const parsed = parseConfigYaml(text);
  if ('badLine' in parsed) throw badConfig(path, `line ${parsed.badLine} is no YAML`);
  return parsed.value;
}

async function readConfig(path: string): Promise<Omit<VaultAddress, 'from'>> {
  const text = await readFile(path, 'utf8');
  const raw = plainConfig(text) ?? (await readYaml(path, text));
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw badConfig(path, 'it is not a list of `key: value` lines');
  const { vault, expect, ...more } = raw as Record<string, unknown>;
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) throw badConfig(path, `${unknown} is no key of it`);
  if (typeof vault !== 'string') throw badConfig(path, 'it does not say `vault: ADDRESS`');
  if (expect !== undefined && typeof expect !== 'string') throw badConfig(path, '`expect` is not a text');
  const address = normalAddress(vault, dirname(path));
  return expect === undefined ? { address } : { address, expect };
}

function badConfig(path: string, why: string): VaultError {
  return new VaultError('BAD_YAML', `${path} cannot be used: ${why}`, { hint: 'It holds two lines: `vault: ADDRESS` and, if you like, `expect: VAULT@SIZE:ROOT` as `oxp-vault status` prints it.' });
}

/** The directory and all above it. */
function* upwards(from: string): Iterable<string> {
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    yield directory;
    if (directory === dirname(directory)) return;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return false;
    throw error;
  }
}
