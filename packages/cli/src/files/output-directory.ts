/** Opened secrets as files: a directory of its own, 0700, its files 0600, all of them or none. */
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { type RenderedFile, VaultError } from '@oxp-vault/core';
import { errnoOf, ioError } from './private-file.js';

/**
 * Throws OUTPUT_EXISTS unless `directory` is missing or empty, LINK_REFUSED where a link stands in its place. Asked before anything
 * is decrypted.
 */
export async function checkOutputDirectory(directory: string): Promise<void> {
  try {
    const stats = await lstat(directory);
    if (stats.isSymbolicLink()) throw new VaultError('LINK_REFUSED', `${directory} is a link: secrets are not written through one`, { hint: 'Name the directory that it leads to, or another.' });
    if (stats.isDirectory() && (await readdir(directory)).length === 0) return;
  } catch (error) {
    if (error instanceof VaultError) throw error;
    if (errnoOf(error) === 'ENOENT') return;
    throw ioError('cannot look at', directory, error);
  }
  throw new VaultError('OUTPUT_EXISTS', `${directory} is there already, and nothing is overwritten`, { hint: 'Name a directory that does not exist yet, or an empty one. Nothing was decrypted.' });
}

/** Writes the files under a name of its own and renames that into place, so that half of them are never taken for all. */
export async function writeOutputDirectory(directory: string, files: readonly RenderedFile[]): Promise<void> {
  const parent = dirname(directory);
  const draft = join(parent, `.${basename(directory)}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  await removeAbandoned(directory);
  const forget = dropOnSignal(draft);
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 });
    await mkdir(draft, { mode: 0o700 });
    for (const file of files) await writeInto(draft, file);
    await checkOutputDirectory(directory);
    await rename(draft, directory);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (error instanceof VaultError) throw error;
    throw ioError('cannot write', directory, error);
  } finally {
    forget();
  }
}

/** What a killed run left of its draft of this directory: plaintext that nobody asked for any more. */
export async function removeAbandoned(directory: string): Promise<void> {
  const parent = dirname(directory);
  const prefix = `.${basename(directory)}.`;
  for (const name of await namesIn(parent)) {
    const pid = name.startsWith(prefix) ? /^(\d+)-[0-9a-f]{12}\.tmp$/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      await rm(join(parent, name), { recursive: true, force: true });
    } catch (error) {
      throw ioError('cannot remove what a killed run left at', join(parent, name), error);
    }
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw ioError('cannot read', directory, error);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, but somebody else's.
    return errnoOf(error) === 'EPERM';
  }
}

async function writeInto(directory: string, { path, bytes }: RenderedFile): Promise<void> {
  const target = resolve(directory, path);
  if (!target.startsWith(directory + sep)) throw new VaultError('INTERNAL', 'a file would be written outside its directory');
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const file = await open(target, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Being stopped must not leave plaintext behind. `interrupt: ignore` is for while an editor has the terminal: Ctrl-C is meant for it.
 * The function given back ends the watch.
 */
export function dropOnSignal(path: string, { interrupt = 'drop' }: { interrupt?: 'drop' | 'ignore' } = {}): () => void {
  const drop = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT' && interrupt === 'ignore') return;
    forget();
    void rm(path, { recursive: true, force: true }).finally(() => process.kill(process.pid, signal));
  };
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const forget = (): void => signals.forEach((signal) => process.off(signal, drop));
  for (const signal of signals) process.on(signal, drop);
  return forget;
}
