/** `status`: the one place to look. */
import { type StatusItem, type StatusReport, vaultStatus } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, readOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { columns, count, short, thousands } from '../render.js';

export function define(command: Command, act: Act): void {
  readOptions(command)
    .description('Shows what waits for you, what is stale, provisional, pending or due, and the line that tells others which vault this is. Needs no passphrase.')
    .action(act(status));
  examples(command, 'oxp-vault status', 'oxp-vault status --json');
}

async function status(context: CliContext): Promise<void> {
  const vault = await context.vault();
  const report = await vaultStatus(vault, await context.whoami());
  const { person } = report;
  const rows = [
    ['you', personWords(person)],
    ['log', `${thousands(report.entries)} entries, root ${short(report.root)}${report.confirmed ? '' : '; freshness unknown'}`],
    ['policy', String(report.policy)],
    ['secrets', thousands(report.secrets)],
    ['expect', report.expect],
  ];
  const mine = report.items.filter((item) => item.mine);
  const others = report.items.filter((item) => !item.mine);
  const text = `vault "${report.name}" ${short(report.vault)} in ${context.path(report.address)}\n${columns(rows, { indent: 2, gap: 3 })}${section(context, 'Waits for you', mine)}${section(context, 'Waits for others', others)}`;
  await context.result(report, text);
  if (report.items.length === 0) await context.say('Nothing waits for anybody.');
  else if (mine.length === 0) await context.say(`Nothing waits for you; ${count(others.length, 'thing')} for others.`);
}

/** `alice (admin, role infra)` */
function personWords(person: StatusReport['person']): string {
  if (person === undefined) return 'not known here yet';
  if (!person.enrolled) return `${person.name}, not enrolled`;
  const parts = [...(person.admin ? ['admin'] : []), ...person.roles.map((role) => `role ${role}`)];
  return `${person.name} (${parts.join(', ') || 'in no role'})`;
}

function section(context: CliContext, title: string, items: readonly StatusItem[]): string {
  if (items.length === 0) return '';
  const lines = items.map(({ mark, text, next }) => `  ${context.paint.mark(mark)} ${text}\n${next === undefined ? '' : `      ${next}\n`}`);
  return `${title}\n${lines.join('')}`;
}
