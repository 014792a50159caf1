/** Where an agent listens, and that nobody else can be at either end: the directory and the socket are this user's alone. */
import { lstatSync, type Stats, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, realpath, rm, rmdir } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { VaultError } from '../errors.js';
import { errnoOf, storeError } from '../stores/io-error.js';

/** Names the socket of an agent, as SSH_AUTH_SOCK does: given to what `exec` runs, or by a person. */
export const AGENT_VARIABLE = 'OXP_VAULT_AGENT';
const SOCKET = 'agent.sock';
/** Bytes that the address of a socket has room for, the least of the systems that Node runs on. */
const MAX_PATH = 103;

/** The place of the one agent of this user for a vault, by its address. */
export function socketOf(env: Readonly<Record<string, string | undefined>>, address: string): string {
  const runtime = env['XDG_RUNTIME_DIR'];
  const base = runtime && isAbsolute(runtime) ? join(runtime, 'oxp-vault') : join(tmpdir(), `oxp-vault-${process.getuid?.() ?? -1}`);
  return join(base, createHash('sha256').update(address).digest('hex').slice(0, 16), SOCKET);
}

/** A place of its own for the agent of one program; `removeSocket` takes it away. */
export async function privateSocket(): Promise<string> {
  const directory = await mkdtemp(join(await realpath(tmpdir()), 'oxp-vault-'));
  await chmod(directory, 0o700);
  return join(directory, SOCKET);
}

/** Makes the directory (0700) of a socket. Throws AGENT_UNSAFE for one that others could have put there, BAD_VALUE for a path too long. */
export async function prepareSocket(path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH) throw new VaultError('BAD_VALUE', `the path of a socket has at most ${MAX_PATH} bytes, and ${path} has more`, { hint: 'Name a shorter directory in XDG_RUNTIME_DIR or TMPDIR.' });
  const directory = dirname(path);
  try {
    await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw storeError(error, 'cannot make the directory', directory);
  }
  mustBeOurs(directory);
}

/** Takes a socket away, and its directory unless somebody keeps something else there. */
export async function removeSocket(path: string): Promise<void> {
  await rm(path, { force: true });
  try {
    await rmdir(dirname(path));
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) throw storeError(error, 'cannot remove the directory', dirname(path));
  }
}

/** False where there is none. Throws AGENT_UNSAFE for one that could be somebody else's. */
export function socketIsThere(path: string): boolean {
  try {
    mustBeOurs(dirname(path));
    mustBeOwn(path, 'socket');
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/**
 * The directory of a socket, and the one that it lies in: in /tmp anybody may have made `oxp-vault-UID` first, and could then exchange what lies
 * there between a look at it and its use.
 */
function mustBeOurs(directory: string): void {
  mustBeOwn(directory, 'directory');
  const above = dirname(directory);
  const { mode } = statSync(above);
  const me = process.getuid?.();
  // A link is its owner's to turn elsewhere.
  const trusted = me === undefined || resolve(above) === resolve(tmpdir()) || [lstatSync(above), statSync(above)].every(({ uid }) => uid === me || uid === 0);
  // In a sticky directory nobody but its owner exchanges what others own.
  if (trusted && ((mode & 0o002) === 0 || (mode & 0o1000) !== 0)) return;
  throw unsafe('directory', above, trusted ? 'everybody may exchange what lies in it' : 'it belongs to another user');
}

/** Whoever can write the directory can put a socket of their own there, and is then asked for secrets, or told them. */
function mustBeOwn(path: string, what: 'directory' | 'socket'): void {
  const stats: Stats = lstatSync(path);
  const kind = what === 'socket' ? stats.isSocket() : stats.isDirectory();
  const owned = stats.uid === (process.getuid?.() ?? stats.uid);
  if (kind && owned && (stats.mode & 0o077) === 0) return;
  const why = !kind ? `it is no ${what}` : owned ? 'others may use it' : 'it belongs to another user';
  throw unsafe(what, path, why);
}

function unsafe(what: string, path: string, why: string): VaultError {
  return new VaultError('AGENT_UNSAFE', `the ${what} ${path} of the agent is not believed: ${why}`, { hint: 'Nothing was asked or told there. An agent needs a directory that only you can use: without OXP_VAULT_AGENT or --socket one is made for you, below XDG_RUNTIME_DIR where that is set. If something else is in its place, remove that' });
}
