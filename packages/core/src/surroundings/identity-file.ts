/** The identity of this device: where it lies, how it is unlocked, and whose it is without unlocking it. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { isVaultError, VaultError } from '../errors.js';
import { parseCard, type Card } from '../policy/card.js';
import { formatIdentity, parseIdentity, type Identity } from '../policy/identity.js';
import type { LocalState } from '../ports.js';
import { agePassphraseDecrypt, agePassphraseEncrypt } from '../primitives/age.js';
import { errnoOf, storeError } from '../stores/io-error.js';
import { inHome } from './home.js';
import { IDENTITY_DATA, type Surroundings } from './surroundings.js';

const ENCRYPTED = Buffer.from('age-encryption.org/v1\n');
/** A file that another program encrypted in text form is not taken: age-encryption would have to be loaded to tell. */
const ARMOURED = Buffer.from('-----BEGIN AGE ENCRYPTED FILE-----');

const GROUP_AND_OTHERS = 0o077;

export interface IdentityFile {
  /** Where it lies; undefined when it came in OXP_VAULT_IDENTITY_DATA. */
  readonly path: string | undefined;
  readonly bytes: Uint8Array;
  /** True when it takes a passphrase. */
  readonly encrypted: boolean;
  /** True when its mode lets others at it. Where modes mean nothing, or it is no file: false. */
  readonly othersMayRead: boolean;
}

/** As it stands in the file; or in base64, because variables that are masked in the output of jobs have to be one line, and bytes none. */
function fromVariable(data: string): Uint8Array {
  const text = data.replaceAll('\r\n', '\n').trim();
  return /^[A-Za-z0-9+/\s]+={0,2}$/.test(text) && !text.startsWith('AGE-SECRET-KEY-') ? Buffer.from(text, 'base64') : Buffer.from(`${text}\n`);
}

/** `$XDG_CONFIG_HOME/oxp-vault` or `~/.config/oxp-vault`; likewise for the state. A relative value is ignored, as XDG demands. */
export function configDirectory(io: Surroundings): string {
  return join(base(io, 'XDG_CONFIG_HOME', '.config'), 'oxp-vault');
}

export function stateDirectory(io: Surroundings): string {
  return join(base(io, 'XDG_STATE_HOME', join('.local', 'state')), 'oxp-vault');
}

/** Mirrors of remote vaults: copies that may be removed at any time. */
export function cacheDirectory(io: Pick<Surroundings, 'env'>): string {
  return join(base(io, 'XDG_CACHE_HOME', '.cache'), 'oxp-vault');
}

function base(io: Pick<Surroundings, 'env'>, variable: string, below: string): string {
  const named = io.env[variable];
  return named && isAbsolute(named) ? named : inHome(io.env, below);
}

/** Where the identity is, or would be made: `--identity`, OXP_VAULT_IDENTITY, else the usual place. */
export function identityPath(io: Surroundings, flag: string | undefined): string {
  const named = flag ?? io.env['OXP_VAULT_IDENTITY'];
  return named ? resolve(io.cwd, named) : join(configDirectory(io), 'identity.age');
}

/** Reads it as it is. Throws IDENTITY_NOT_FOUND, STORE_IO, IDENTITY_INVALID. */
export async function readIdentityFile(io: Surroundings, flag: string | undefined): Promise<IdentityFile> {
  const data = io.env[IDENTITY_DATA];
  if (data && flag === undefined) return described(undefined, fromVariable(data), 0);
  const path = identityPath(io, flag);
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const stats = await file.stat();
    // A pipe is read once, by whoever it is for.
    return described(path, await file.readFile(), stats.isFile() ? stats.mode : 0);
  } catch (error) {
    if (isVaultError(error)) throw error;
    if (errnoOf(error) !== 'ENOENT') throw storeError(error, 'cannot read the identity', path);
    throw new VaultError('IDENTITY_NOT_FOUND', `there is no identity at ${path}`, {
      hint: 'Name yours with --identity, or make one: oxp-vault identity create',
    });
  } finally {
    await file?.close();
  }
}

function described(path: string | undefined, bytes: Uint8Array, mode: number): IdentityFile {
  if (startsWith(bytes, ARMOURED)) {
    throw new VaultError('IDENTITY_INVALID', 'this identity is encrypted in the text form of age', {
      hint: 'Turn it into the binary form: age -d FILE | age -p -o identity.age',
    });
  }
  return { path, bytes, encrypted: startsWith(bytes, ENCRYPTED), othersMayRead: process.geteuid !== undefined && (mode & GROUP_AND_OTHERS) !== 0 };
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, start.length), start) === 0;
}

/** The identity in a file, with its passphrase where it takes one. Throws PASSPHRASE_WRONG, DECRYPT_FAILED, IDENTITY_INVALID. */
export async function unlock(file: IdentityFile, passphrase?: string): Promise<Identity> {
  const plain = file.encrypted ? await agePassphraseDecrypt(file.bytes, passphrase ?? '') : file.bytes;
  try {
    return await parseIdentity(new TextDecoder().decode(plain));
  } finally {
    if (file.encrypted) plain.fill(0);
  }
}

/** The bytes of an identity file: under a passphrase as `age -p` writes them, or plain. */
export async function lock(identity: Identity, passphrase: string | undefined): Promise<Uint8Array> {
  const plain = formatIdentity(identity);
  try {
    return await plain.use(async (bytes) => (passphrase === undefined ? Uint8Array.from(bytes) : agePassphraseEncrypt(bytes, passphrase)));
  } finally {
    plain.wipe();
  }
}

/** The card of an identity file that this machine has unlocked or made before. By content: another file is another person. */
function cardPath(file: Pick<IdentityFile, 'bytes'>): string {
  return `identities/${createHash('sha256').update(file.bytes).digest('hex').slice(0, 32)}.card`;
}

export async function rememberCard(local: LocalState, file: Pick<IdentityFile, 'bytes'>, card: Card): Promise<void> {
  const bytes = Buffer.from(`${card.line}\n`);
  const known = await local.read(cardPath(file));
  if (known === undefined || Buffer.compare(known, bytes) !== 0) await local.write(cardPath(file), bytes);
}

/** Undefined where only the passphrase could tell. */
export async function knownCard(local: LocalState, file: IdentityFile): Promise<Card | undefined> {
  if (!file.encrypted) return (await unlock(file)).card;
  const bytes = await local.read(cardPath(file));
  return bytes && parseCard(new TextDecoder().decode(bytes).trimEnd());
}
