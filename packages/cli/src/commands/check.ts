/** `check`: everything verified, and everything in order, as one exit code for CI. */
import { type AuditReport, VaultError, vaultStatus, verifyVault } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, readOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { draftNotes } from '../drafts/notes.js';
import { EXIT_NEEDS_OTHERS, EXIT_VERIFICATION } from '../exit-codes.js';
import { count, entries } from '../render.js';

export function define(command: Command, act: Act): void {
  readOptions(command)
    .description('Verifies the whole log and every file that it names, and looks for what is stale, unsigned or due. Needs to be told which vault it must be. Exit code 5 when something is forged, damaged or missing; 6 when something waits for somebody: stale keys, missing grants, open proposals, certificates that end within 60 days. One line a problem, marked !. Lines marked - are notes and change no exit code: provisional keys, standing access about to end, people without whom something is lost, drafts that say something else than the vault. Needs no identity.')
    .action(act(check));
  examples(command, 'oxp-vault check', 'oxp-vault check --expect "$VAULT_EXPECT" --json');
}

async function check(context: CliContext): Promise<number> {
  await requireExpect(context);
  const vault = await context.vault({ look: true });
  const audit = await verifyVault(vault);
  const { items } = await vaultStatus(vault);
  const waiting = items.filter((item) => item.mark === '!');
  const notes = [...items.filter((item) => item.mark === '-'), ...(await draftNotes(context, vault))];
  const unsound = !audit.ok || audit.voids.length > 0 || audit.strays.length > 0;
  const code = unsound ? EXIT_VERIFICATION : waiting.length > 0 ? EXIT_NEEDS_OTHERS : 0;
  await context.result({ ok: code === 0, audit, waiting, notes }, inWords(context, audit, waiting, notes));
  return code;
}

/** A check that accepts whatever vault it finds checks nothing. */
async function requireExpect(context: CliContext): Promise<void> {
  if ((await context.expect()) !== undefined) return;
  throw new VaultError('EXPECT_NEEDED', 'check must be told which vault this is to be', {
    hint: 'Pass what `oxp-vault status` prints after expect: --expect VAULT@SIZE:ROOT (or OXP_VAULT_EXPECT, or expect: in oxp-vault.yaml)',
  });
}

interface Line {
  readonly text: string;
  readonly next?: string;
}

function inWords(context: CliContext, audit: AuditReport, waiting: readonly Line[], notes: readonly Line[]): string {
  const bad = context.paint.mark('!');
  return [
    ...audit.missing.map((f) => `${bad} ${f.what} is missing: ${f.path}`),
    ...audit.damaged.map((f) => `${bad} ${f.what} is not what was signed: ${f.path}`),
    ...audit.voids.map((v) => `${bad} entry ${v.leaf} is void: ${v.code}, ${v.message}`),
    ...audit.strays.map((s) => `${bad} entry ${s.leaf} by ${s.person} was signed on another history`),
    ...waiting.map((item) => `${bad} ${lineOf(item)}`),
    ...notes.map((note) => `${context.paint.mark('-')} ${lineOf(note)}`),
    `${entries(audit.entries)} and ${count(audit.files, 'file')} verified${audit.ok ? '' : ', with faults'}`,
    '',
  ].join('\n');
}

function lineOf({ text, next }: Line): string {
  return next === undefined ? text : `${text}: ${next}`;
}
