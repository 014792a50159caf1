/** `gc`: removes what killed writers and replaced pages leave behind. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { breakLock, findGarbage, isRemote, type LockDescription, removeGarbage, removeLeftovers, type Store, VaultError } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { bytes, columns, count, dateTime } from '../render.js';
import { errnoOf, ioError } from '../files/private-file.js';

interface GcOptions {
  readonly dryRun?: boolean;
  readonly now?: boolean;
  readonly breakLock?: boolean;
}

/** Seconds. A writer has written its files and committed them long before. */
const OLD = 3600;

export function define(command: Command, act: Act): void {
  examples(
    vaultOptions(command)
      .description('Removes files that no entry of the log names: replaced pages, and what a writer left that was killed. Never anything that an entry names, nor a file of another shape.')
      .option('--dry-run', 'only say what would be removed')
      .option('--now', 'also what is younger than an hour: only while nobody writes')
      .option('--break-lock', 'first remove a lock whose holder is certainly gone')
      .action(act(gc)),
    'oxp-vault gc --dry-run',
    'oxp-vault gc',
    'oxp-vault gc --break-lock',
  );
}

interface Found {
  readonly path: string;
  readonly size: number;
}

async function gc(context: CliContext, options: GcOptions): Promise<void> {
  const { address } = await context.address();
  const directory = isRemote(address) ? undefined : address;
  const broken = options.breakLock ? await tryBreak(context, directory, options.dryRun ?? false) : undefined;
  const vault = await context.vault();
  const { paths, pagesOnly } = await findGarbage(vault);
  const youngest = options.now ? Infinity : Date.now() - OLD * 1000;
  // A store that writes a batch as one act holds no file that is about to be committed: all of them are old enough.
  const garbage = directory === undefined ? await contents(vault.store, paths) : await sizes(directory, paths, youngest);
  let leftovers = 0;
  if (!options.dryRun) {
    if (!(await removeGarbage(vault, garbage.map((file) => file.path)))) throw new VaultError('RACE_LOST', 'somebody wrote to the vault meanwhile', { hint: 'Nothing was removed. Run it again.' });
    if (directory !== undefined) leftovers = await removeLeftovers(directory, options.now ? 0 : OLD);
  }
  const size = garbage.reduce((sum, file) => sum + file.size, 0);
  const what = [count(garbage.length, 'file'), ...(leftovers > 0 ? [count(leftovers, 'unfinished file')] : [])].join(' and ');
  const verb = options.dryRun ? 'would be removed. Nothing was changed' : 'removed';
  await context.result(
    { removed: garbage.map((file) => file.path), bytes: size, leftovers, dryRun: options.dryRun ?? false, kept: paths.length - garbage.length, pagesOnly, brokenLock: broken !== undefined },
    garbage.length + leftovers === 0 ? 'There is nothing to remove: the log names every file.\n' : `${columns(garbage.map((file) => [context.paint.mark('-'), file.path, bytes(file.size)]))}${what} (${bytes(size)}) ${verb}.\n`,
  );
  if (pagesOnly) await context.warn('The log holds entries of a newer release, so only replaced pages were looked at.');
  if (paths.length > garbage.length) await context.say(`${count(paths.length - garbage.length, 'file')} younger than an hour kept: a writer may be about to commit them.`);
}

async function tryBreak(context: CliContext, directory: string | undefined, dryRun: boolean): Promise<LockDescription | undefined> {
  if (directory === undefined) throw new VaultError('USAGE', 'only a vault in a directory has a lock');
  if (dryRun) return undefined;
  if (!(await context.confirm('Break the lock? Only if you know that its holder is gone.'))) return undefined;
  const found = await breakLock(directory);
  const { holder } = found ?? {};
  const whose = holder ? ` of process ${holder.pid} on ${holder.host}, held since ${dateTime(holder.since)},` : '';
  await context.say(found ? `The lock${whose} is removed.` : 'There was no lock.');
  return found;
}

async function sizes(directory: string, paths: readonly string[], youngest: number): Promise<Found[]> {
  const found: Found[] = [];
  for (const path of paths) {
    const file = join(directory, path);
    try {
      const { size, mtimeMs } = await lstat(file);
      if (mtimeMs <= youngest) found.push({ path, size });
    } catch (error) {
      // A writer has just removed the page that it replaced.
      if (errnoOf(error) !== 'ENOENT') throw ioError('cannot look at', file, error);
    }
  }
  return found;
}

async function contents(store: Store, paths: readonly string[]): Promise<Found[]> {
  return Promise.all(paths.map(async (path) => ({ path, size: (await store.get(path))?.length ?? 0 })));
}
