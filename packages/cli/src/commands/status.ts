/** `status`: the one place to look. */
import { type DrillSummary, lossesInWords, lossesWithout, type StatusItem, type StatusReport, VaultError, vaultStatus } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, readOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { asOf } from '../freshness.js';
import { ago, columns, count, entries, short, thousands } from '../render.js';

interface Options {
  readonly offline?: boolean;
  readonly without?: string;
}

export function define(command: Command, act: Act): void {
  readOptions(command)
    .description('Shows what waits for you, what is stale, provisional, pending or due, and the line that tells others which vault this is. With --without: what could be opened and decided by nobody if these persons were gone with all their devices (ill, away, left): the policy, the keys of roles, managed roles, custody groups, rules and secrets; what is so already is not counted. Needs no passphrase.')
    .option('--without <persons>', 'what nobody could open or decide any more if they were gone: alice,bruno')
    .action(act(run));
  examples(command, 'oxp-vault status', 'oxp-vault status --without alice', 'oxp-vault status --without alice,bruno --json');
}

async function run(context: CliContext, options: Options): Promise<void> {
  return options.without === undefined ? status(context, options) : statusWithout(context, options.without);
}

/** No news are good news, and they are said. */
async function statusWithout(context: CliContext, list: string): Promise<void> {
  const persons = [...new Set(list.split(',').map((name) => name.trim()))];
  if (persons.includes('')) throw new VaultError('USAGE', '--without takes names with commas between them', { hint: 'Such as --without alice,bruno' });
  const vault = await context.vault({ look: true });
  const losses = lossesWithout(vault.state, persons);
  const who = persons.join(' and ');
  const lines = lossesInWords(losses).map((line) => `  ${context.paint.mark('!')} ${line}\n`);
  await context.result({ without: persons, losses }, lines.length === 0 ? `Without ${who} everything could still be opened and decided.\n` : `Without ${who} nobody could\n${lines.join('')}`);
}

async function status(context: CliContext, { offline }: Options): Promise<void> {
  // Whoever was just told that something waits for them looks here: a minute is too long.
  const vault = await context.vault({ news: true, look: true });
  const report = await vaultStatus(vault, await context.whoami());
  const { person } = report;
  const rows = [
    ['you', personWords(person)],
    ['log', `${entries(report.entries)}, root ${short(report.root)}`],
    ['as of', asOf(context, vault, offline === true)],
    ['policy', String(report.policy)],
    ['secrets', thousands(report.secrets)],
    ...(report.drill ? [['drill', drillWords(report.drill, context.clock.now())]] : []),
    ['expect', report.expect],
  ];
  // A risk that is others' to mend is theirs to read; --json has them all.
  const shown = report.items.filter((item) => !item.aside);
  const mine = urgentFirst(shown.filter((item) => item.mine));
  const others = urgentFirst(shown.filter((item) => !item.mine));
  const text = `vault "${report.name}" ${short(report.vault)} in ${context.path(report.address)}\n${columns(rows, { indent: 2, gap: 3 })}${section(context, 'Waits for you', mine)}${section(context, 'Waits for others', others)}`;
  await context.result(report, text);
  if (shown.length === 0) await context.say('Nothing waits for anybody.');
  else if (mine.length === 0) await context.say(`Nothing waits for you; ${count(others.length, 'thing')} for others.`);
}

/** `3 days ago by carol: 41 opened` */
function drillWords({ person, time, opened, failed }: DrillSummary, now: number): string {
  return `${ago(time, now)} by ${person}: ${thousands(opened)} opened${failed === 0 ? '' : `, ${thousands(failed)} failed`}`;
}

/** `alice (admin, role infra)` */
function personWords(person: StatusReport['person']): string {
  if (person === undefined) return 'not known here yet';
  if (!person.enrolled) return `${person.name}, not enrolled`;
  const parts = [...(person.admin ? ['admin'] : []), ...person.roles.map((role) => `role ${role}`)];
  return `${person.name} (${parts.join(', ') || 'in no role'})`;
}

/** What is marked ! goes before notes; else as reported. */
function urgentFirst(items: readonly StatusItem[]): StatusItem[] {
  return [...items.filter(({ mark }) => mark === '!'), ...items.filter(({ mark }) => mark !== '!')];
}

function section(context: CliContext, title: string, items: readonly StatusItem[]): string {
  if (items.length === 0) return '';
  const lines = items.map(({ mark, text, details = [], next }) => [`  ${context.paint.mark(mark)} ${text}`, ...details.map((line) => `      ${line}`), ...(next === undefined ? [] : [`      ${next}`])]);
  return `${title}\n${lines.flat().join('\n')}\n`;
}
