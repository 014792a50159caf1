/** `sync`: what waits here goes into the log. Taking over a copy, and mending a store or a pin, are steps of their own below it. */
import { choresDue, doHousekeeping, listQueued, discard, entryInWords, type Queued, type Vault, VaultError } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { freshnessWords } from '../freshness.js';
import { columns, entries, short } from '../render.js';
import { reportHousekeeping, throughAgent } from '../writing.js';

interface Options {
  readonly from?: string;
  readonly restore?: boolean;
  readonly repin?: string;
  readonly discard?: true | readonly string[];
  readonly all?: boolean;
}

export function define(command: Command, act: Act): void {
  examples(
    vaultOptions(command)
      .description('Asks the store for news and appends the entries that wait on this machine. What the log does not allow any more is kept, with its files, until it is discarded: oxp-vault status shows it.')
      .option('--from <copy>', 'take over what is still valid of another copy of the vault, of a file of `open --offline --queue`, or of the queue of another machine')
      .option('--restore', 'put the last state that this machine has accepted back over a store that is older, gone or damaged; with --from: from that copy')
      .option('--repin <size:root>', 'accept the log that contains this point, as people have agreed by voice, whatever this machine has seen')
      .option('--discard [digest...]', 'throw away entries that are not allowed any more; without a digest: list them')
      .option('--all', 'with --discard: all of them')
      .action(act(run)),
    'oxp-vault sync',
    'oxp-vault sync --from /media/usb/vault',
    'oxp-vault sync --restore',
    'oxp-vault sync --discard 1f3a90c2',
  );
}

async function run(context: CliContext, options: Options): Promise<number | void> {
  const { from, restore, repin } = options;
  const ways = [restore && '--restore', repin !== undefined && '--repin', options.discard && '--discard'].filter(Boolean);
  if (ways.length > 1) throw new VaultError('USAGE', `${ways.join(' and ')} are two things: one at a time`);
  if (from !== undefined && (repin !== undefined || options.discard)) throw new VaultError('USAGE', '--from goes alone or with --restore');
  if (options.all && !options.discard) throw new VaultError('USAGE', '--all goes with --discard');
  if (restore) return (await import('../copies/mending.js')).restore(context, from);
  if (repin !== undefined) return (await import('../copies/mending.js')).acceptAgreed(context, repin);
  if (options.discard) return throwAway(context, options.discard === true ? [] : options.discard, options.all ?? false);
  if (from !== undefined) return (await import('../copies/taking-over.js')).takeOver(context, from);
  return send(context);
}

async function send(context: CliContext): Promise<void> {
  const seen = await throughAgent(context, () => []);
  // What an agent leaves is done here, where somebody can be asked.
  const vault = seen.deputy && context.canUnlock && choresDue(seen).length > 0 ? await context.unlocked(seen) : seen;
  const done = await doHousekeeping(vault);
  await reportHousekeeping(context, done);
  const { appended, rejected, made, turned, granted, released, left } = done;
  const { size, root } = vault.point;
  const counts = [appended.length === 0 && rejected.length === 0 ? 'Nothing waits here' : `${appended.length} appended`, ...(rejected.length > 0 ? [`${rejected.length} rejected`] : [])].join(', ');
  await context.result(
    { vault: vault.id, size, root, appended, rejected, made, turned, granted, released, left, ...(vault.freshness?.fetched === undefined ? {} : { fetched: vault.freshness.fetched }) },
    `${counts}. Log: ${entries(size)}, root ${short(root)}.\n`,
  );
  await context.say(freshnessWords(context, vault, false));
  if (rejected.length > 0) await context.next('oxp-vault status');
}

async function throwAway(context: CliContext, digests: readonly string[], all: boolean): Promise<void> {
  if (all && digests.length > 0) throw new VaultError('USAGE', '--all goes without digests');
  const vault = await context.vault();
  const rejected = await listQueued(vault.local, vault.id, 'rejected');
  if (!all && digests.length === 0) return listRejected(context, vault, rejected);
  const chosen = all ? rejected : digests.map((digest) => oneOf(rejected, digest));
  if (chosen.length > 0) {
    await context.say(await rejectedLines(vault, chosen));
    if (!(await context.confirm(`Throw ${entries(chosen.length)} away, with what was sealed in them?`))) return context.say('Nothing was changed.');
  }
  for (const { digest } of chosen) await discard(vault.local, vault.id, digest);
  await context.result({ vault: vault.id, discarded: chosen.map(({ digest }) => digest) }, `${entries(chosen.length)} thrown away.\n`);
}

async function listRejected(context: CliContext, vault: Vault, rejected: readonly Queued[]): Promise<void> {
  const rows = rejected.map(({ digest, reason }) => ({ digest, reason: reason ?? null }));
  await context.result({ vault: vault.id, rejected: rows }, rejected.length === 0 ? 'No entry of yours was refused.\n' : await rejectedLines(vault, rejected));
  if (rejected.length > 0) await context.next('oxp-vault sync --discard DIGEST, or --discard --all');
}

async function rejectedLines(vault: Vault, rejected: readonly Queued[]): Promise<string> {
  return columns(await Promise.all(rejected.map(async ({ digest, entry, reason }) => [short(digest), await entryInWords(vault, entry), reason ?? ''])), { indent: 2 });
}

function oneOf(rejected: readonly Queued[], digits: string): Queued {
  const found = /^[0-9a-f]{4,64}$/.test(digits) ? rejected.filter(({ digest }) => digest.startsWith(digits)) : [];
  const [one] = found;
  if (one && found.length === 1) return one;
  throw new VaultError('ENTRY_NOT_FOUND', found.length > 1 ? 'several rejected entries begin with these digits' : 'no rejected entry begins with that', { hint: 'oxp-vault status shows them.' });
}
