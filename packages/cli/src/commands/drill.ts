/** `drill`: from nothing but the address, the pin and an identity to everything open, and nothing of it left behind. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DrillLine, fsLocalState, recordDrill, runDrill, storeAt, Vault } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { EXIT_VERIFICATION } from '../exit-codes.js';
import { dropOnSignal } from '../files/output-directory.js';
import { startProgress } from '../progress.js';
import { ioError } from '../files/private-file.js';
import { columns, count, thousands } from '../render.js';
import { logWords } from '../sealing/report.js';
import { vaultForWriting } from '../writing.js';

export function define(command: Command, act: Act): void {
  vaultOptions(command)
    .description('Meets the vault as a new machine would, with nothing but its address, the pin and your identity; opens in memory everything in use that you may read, runs the self-check of each, shows none of it and leaves nothing behind. The result is signed into the log, and `status` says how long ago it was. Exit code: that of the first failure, 5 where one is of verification.')
    .action(act(run));
  examples(command, 'oxp-vault drill', 'oxp-vault drill --identity /media/usb/recovery.age', 'oxp-vault drill --json');
}

async function run(context: CliContext): Promise<number> {
  const vault = await vaultForWriting(context);
  const lines = await onScratch(context, vault);
  const failed = lines.filter(({ fault }) => fault !== undefined);
  if (lines.length > 0) await recordDrill(vault, lines);
  await context.result(documentOf(vault, lines), textOf(context, vault, lines));
  const codes = failed.map(({ fault }) => fault!.exitCode);
  return codes.includes(EXIT_VERIFICATION) ? EXIT_VERIFICATION : (codes[0] ?? 0);
}

/** A fresh local state and, of a remote vault, a fresh copy, in a directory of their own that is gone afterwards, whatever happens. */
async function onScratch(context: CliContext, vault: Vault): Promise<DrillLine[]> {
  const directory = await scratchDirectory();
  const forget = dropOnSignal(directory);
  const progress = startProgress(context.io.stderr, 'opening');
  try {
    const env = { ...context.io.env, XDG_CACHE_HOME: join(directory, 'cache') };
    const store = await storeAt(await context.address(), { io: { ...context.io, env }, offline: false, interactive: context.interactive });
    const local = fsLocalState(join(directory, 'state'));
    const scratch = await Vault.open({ store, local, clock: context.clock, identity: await context.identity(), expect: vault.expectLine });
    return await runDrill(scratch, (done, total) => progress.update(done, total));
  } finally {
    await progress.end();
    forget();
    await rm(directory, { recursive: true, force: true });
  }
}

async function scratchDirectory(): Promise<string> {
  const prefix = join(tmpdir(), 'oxp-vault-drill-');
  try {
    // 0700, as mkdtemp makes them.
    return await mkdtemp(prefix);
  } catch (error) {
    throw ioError('cannot make a directory for the drill at', prefix, error);
  }
}

function documentOf(vault: Vault, lines: readonly DrillLine[]): object {
  return {
    ok: lines.every(({ fault }) => fault === undefined),
    opened: lines.filter(({ opened }) => opened).length,
    versions: lines.map(({ name, version, kind, opened, fault }) => ({ name, version, kind, opened, ok: fault === undefined, ...(fault ? { error: fault.toJSON() } : {}) })),
    log: { vault: vault.id, ...vault.point },
  };
}

function textOf(context: CliContext, vault: Vault, lines: readonly DrillLine[]): string {
  if (lines.length === 0) return 'there is nothing in use that you may read: nothing was opened, and nothing recorded\n';
  const failed = lines.filter(({ fault }) => fault !== undefined);
  const rows = failed.map(({ name, version, fault }) => [`${context.paint.mark('!')} ${name}`, `v${version}`, `${fault!.code}: ${fault!.message}`]);
  const sound = lines.length - failed.length;
  const secrets = new Set(lines.map(({ name }) => name)).size;
  return [
    columns(rows, { gap: 3 }),
    `${thousands(sound)} of ${count(lines.length, 'version')} of ${count(secrets, 'secret')} opened and found sound, from ${context.path(vault.store.address)}, with nothing but its address, the pin and your identity.\n`,
    `Nothing was left behind; the result is recorded. ${logWords(vault)}\n`,
  ].join('');
}
