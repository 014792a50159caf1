/** A vault as a program of yours meets it: found, verified and unlocked as the command would, without a word on any terminal. */
import { findAgent } from '../agent/find.js';
import { isVaultError, VaultError } from '../errors.js';
import type { Identity } from '../policy/identity.js';
import { Vault } from '../vault.js';
import { findVault } from './find-vault.js';
import { type IdentityFile, readIdentityFile, unlock } from './identity-file.js';
import { localState } from './local-state.js';
import { passphraseFile, readPassphraseFile } from './passphrase-file.js';
import { storeAt } from './store-at.js';
import type { Surroundings } from './surroundings.js';

export interface OpenVaultOptions extends Partial<Surroundings> {
  /** As for `--vault`: a directory, or `git+…`; else OXP_VAULT, else the nearest oxp-vault.yaml, else the nearest vault above. */
  readonly vault?: string;
  /** The identity file; else OXP_VAULT_IDENTITY or OXP_VAULT_IDENTITY_DATA, else the usual place. */
  readonly identity?: string;
  /** Of the identity; else what stands in the file that OXP_VAULT_PASSPHRASE_FILE names. */
  readonly passphrase?: string;
  /** `VAULT[@SIZE:ROOT]`; else OXP_VAULT_EXPECT, else what the oxp-vault.yaml says that named the vault. */
  readonly expect?: string;
  /** Never use the network. */
  readonly offline?: boolean;
  /** Seconds: see VaultOptions. 60 unless given. */
  readonly maxAge?: number;
}

const MAX_AGE = 60;

/**
 * Where an agent serves the vault and no identity is named, the agent opens (`withSecret`) and nothing is unlocked here; where there is no
 * identity at all, what is public can be read. Throws what finding, loading and unlocking throw: VAULT_NOT_FOUND, ROLLBACK, FORK,
 * PASSPHRASE_NEEDED, PASSPHRASE_WRONG and others.
 */
export async function openVault(options: OpenVaultOptions = {}): Promise<Vault> {
  const io: Surroundings = { env: options.env ?? process.env, cwd: options.cwd ?? process.cwd() };
  const where = await findVault(io, options.vault);
  const expect = options.expect ?? (io.env['OXP_VAULT_EXPECT'] || where.expect);
  const offline = options.offline ?? false;
  const vault = await Vault.open({
    store: await storeAt(where, { io, offline, interactive: false }),
    local: localState(io, options.identity),
    maxAge: offline ? Infinity : (options.maxAge ?? MAX_AGE),
    ...(expect === undefined ? {} : { expect }),
  });
  if (options.identity === undefined && (await findAgent(io.env, vault.store.address))?.found.vault === vault.id) return vault;
  const file = await identityFile(io, options.identity);
  return file ? vault.as(await unlocked(io, file, options.passphrase)) : vault;
}

async function identityFile(io: Surroundings, named: string | undefined): Promise<IdentityFile | undefined> {
  try {
    return await readIdentityFile(io, named);
  } catch (error) {
    if (named === undefined && isVaultError(error, 'IDENTITY_NOT_FOUND')) return undefined;
    throw error;
  }
}

async function unlocked(io: Surroundings, file: IdentityFile, given: string | undefined): Promise<Identity> {
  if (!file.encrypted) return unlock(file);
  const path = passphraseFile(io, undefined);
  const passphrase = given ?? (path === undefined ? undefined : await readPassphraseFile(path));
  if (passphrase !== undefined) return unlock(file, passphrase);
  throw new VaultError('PASSPHRASE_NEEDED', `the identity ${file.path ?? 'in OXP_VAULT_IDENTITY_DATA'} is under a passphrase`, {
    hint: 'Give it as `passphrase`, name its file in OXP_VAULT_PASSPHRASE_FILE, or start an agent: oxp-vault agent start',
  });
}
