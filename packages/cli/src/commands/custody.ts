/** `custody status | ack | check`: who holds shares of what, and whether they open. */
import { acknowledgeShares, checkShares, custodyReport, type CustodianReport, type CustodyReport, type ShareOutcome } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, readOptions, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { ago, columns, count } from '../render.js';
import { logWords } from '../sealing/report.js';
import { vaultForWriting } from '../writing.js';

export function define(command: Command, act: Act): void {
  examples(
    readOptions(command.command('status'))
      .summary('who holds what, who has acknowledged it, where too few are left')
      .description('Shows every version under custody: its custodians, who has acknowledged the share and who is awaited, when it was last checked, and where one more loss would be one too many. Needs no passphrase.')
      .action(act(status)),
    'oxp-vault custody status',
    'oxp-vault custody status --json',
  );
  examples(
    vaultOptions(command.command('ack'))
      .summary('open your new shares and say that they are right')
      .description('Opens every share of yours that you have not acknowledged, compares it with what was signed, and says so in the log. A version under custody counts once enough of its custodians have done this.')
      .action(act(ack)),
    'oxp-vault custody ack',
  );
  examples(
    vaultOptions(command.command('check'))
      .summary('open your shares and say whether they still do')
      .description('Opens every share of yours and writes into the log whether it opens and is the right one. Do it every few months: a share that nobody can open is found out while others still can. Exit code 5 when one does not open.')
      .action(act(check)),
    'oxp-vault custody check',
  );
}

async function status(context: CliContext): Promise<void> {
  const vault = await context.vault();
  const now = context.clock.now();
  const reports = custodyReport(vault);
  const text = reports.map((report) => secretText(context, report, now)).join('');
  await context.result({ secrets: reports, log: { vault: vault.id, ...vault.point } }, reports.length === 0 ? 'nothing is under custody\n' : text);
  const me = (await context.whoami())?.person;
  if (reports.some((report) => report.custodians.some((each) => each.person === me && each.canAct && each.acknowledged === null))) await context.next('oxp-vault custody ack');
}

function secretText(context: CliContext, report: CustodyReport, now: number): string {
  const { name, version, group, tree, pending, awaited, custodians, alarms } = report;
  const head = `${context.paint.strong(name)} v${version}   custody ${group}: ${tree}\n`;
  const waiting = pending ? `  ${context.paint.mark('!')} pending: it does not count yet; awaited: ${awaited.join(' ') || 'nobody who can'}\n` : '';
  const rows = custodians.map((each) => [each.person, stateWords(each, now), checkWords(each, now)]);
  const warnings = alarms.map((alarm) => `  ${context.paint.mark('!')} ${alarm.path === '' ? '' : `in ${alarm.path}: `}${alarm.text}\n`).join('');
  return `${head}${waiting}${columns(rows, { indent: 2 })}${warnings}`;
}

function stateWords({ canAct, acknowledged }: CustodianReport, now: number): string {
  if (!canAct) return 'lost: no device of theirs can open it';
  return acknowledged === null ? 'has not acknowledged' : `acknowledged ${ago(acknowledged.time, now)}`;
}

function checkWords({ checked }: CustodianReport, now: number): string {
  return checked === null ? 'never checked' : `${checked.ok ? 'opened' : 'did NOT open'} when checked ${ago(checked.time, now)}`;
}

async function ack(context: CliContext): Promise<number> {
  const vault = await vaultForWriting(context);
  const outcomes = await acknowledgeShares(vault);
  const done = outcomes.filter((each) => each.fault === undefined);
  const lines = outcomes.map((each) => `${line(context, each, 'your share opens and is the right one')}${each.fault || each.pending ? '' : `    ${each.name} v${each.version} counts now\n`}`);
  const summary = outcomes.length === 0 ? `no share of yours waits. ${logWords(vault)}\n` : `${count(done.length, 'share')} acknowledged. ${logWords(vault)}\n`;
  await context.result({ shares: outcomes.map(document), log: { vault: vault.id, ...vault.point } }, `${lines.join('')}${summary}`);
  for (const { name, version, awaited } of custodyReport(vault).filter((report) => report.pending)) await context.say(`${name} v${version} is pending; awaited: ${awaited.join(' ') || 'nobody who can'}`);
  return exitCode(outcomes);
}

async function check(context: CliContext): Promise<number> {
  const vault = await vaultForWriting(context);
  const outcomes = await checkShares(vault);
  const good = outcomes.filter((each) => each.fault === undefined).length;
  const lines = outcomes.map((each) => line(context, each, 'your share opens'));
  const summary = outcomes.length === 0 ? 'you hold no share' : `${good} of ${count(outcomes.length, 'share')} ${good === 1 && outcomes.length === 1 ? 'opens' : 'open'}`;
  await context.result({ shares: outcomes.map(document), log: { vault: vault.id, ...vault.point } }, `${lines.join('')}${summary}. ${logWords(vault)}\n`);
  return exitCode(outcomes);
}

function line(context: CliContext, { name, version, fault }: ShareOutcome, good: string): string {
  if (!fault) return `${context.paint.mark('+')} ${name} v${version}   ${good}\n`;
  return `${context.paint.mark('!')} ${name} v${version}   ${fault.code}: ${fault.message}\n${fault.hint === undefined ? '' : `    ${fault.hint}\n`}`;
}

function document({ fault, ...outcome }: ShareOutcome): object {
  return { ...outcome, ok: fault === undefined, ...(fault ? { error: fault.toJSON() } : {}) };
}

/** 0, or the code of the first share that does not open: a script has to notice. */
function exitCode(outcomes: readonly ShareOutcome[]): number {
  return outcomes.find((each) => each.fault)?.fault?.exitCode ?? 0;
}
