/** `exposure`: who could still know what. Needs no passphrase: grants, seals and handovers are in the log. */
import { exposureOf, type ExposureReport, isSecretName, type Knowledge, newestVersion, summariseExposure, type Vault, VaultError } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, collect, examples, readOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { howWords, replacedWords, summaryWords, togetherWords, versionWords, whoWords } from '../exposure-view.js';
import { freshnessWords } from '../freshness.js';
import { count, thousands, wrappedTable } from '../render.js';

interface Options {
  readonly person: readonly string[];
  readonly offline?: boolean;
}

export function define(command: Command, act: Act): void {
  readOptions(command)
    .argument('[name...]', 'only these secrets; dns/ is all below it')
    .option('--person <name>', 'what this person could know, also if they have left; repeat for several together', collect, [])
    .description('Shows who could have seen which version of which secret, how, and what has replaced it since. It counts grants, not openings: whoever was given a key can open without a record, and nobody loses what they could read. Recorded openings are shown in addition. Needs no passphrase.')
    .action(act(run));
  examples(command, 'oxp-vault exposure', 'oxp-vault exposure --person alice', 'oxp-vault exposure dns/rfc2136_tsig_secret', 'oxp-vault exposure pki/ --person alice --person erin --json');
}

async function run(context: CliContext, names: readonly string[], options: Options): Promise<void> {
  requirePaths(names);
  const vault = await context.vault({ look: true });
  const persons = [...new Set(options.person)];
  const report = await exposureOf(vault, { ...(names.length > 0 ? { names } : {}), ...(persons.length > 0 ? { persons } : {}) });
  const summary = summariseExposure(report.knowledge);
  const text = persons.length > 0 ? ofPersons(context, report, persons) : names.length > 0 ? ofSecrets(context, report) : ofVault(context, vault, report);
  await context.result({ ...(persons.length > 0 ? { persons, summary } : {}), ...report, log: { vault: vault.id, ...vault.point } }, text);
  if (report.knowledge.some(({ entitled, replaced }) => !entitled && replaced.status !== 'replaced')) await context.say('Old files stay in every copy of the vault, and in the history of Git: what somebody could read, they can go on reading.');
  await context.say(freshnessWords(context, vault, options.offline === true));
}

/** Without the text, since anything may have been typed there. */
function requirePaths(names: readonly string[]): void {
  if (names.every((name) => name === '/' || isSecretName(name.replace(/\/$/, '')))) return;
  throw new VaultError('BAD_NAME', 'this is no name of a secret, nor a path: segments of a-z, 0-9, . _ - joined by /, such as dns/tsig or dns/');
}

/** Of one person, or of several together. */
function ofPersons(context: CliContext, report: ExposureReport, persons: readonly string[]): string {
  const now = context.clock.now();
  const several = persons.length > 1;
  const rows = report.knowledge.map((known) => [known.name, versionWords(known.versions), ...(several ? [whoWords(known)] : []), howWords(known, now), replacedWords(known)]);
  const left = persons.flatMap((person) => {
    const stays = report.knowledge.filter((known) => known.person === person);
    return stays.length > 0 && stays.every((known) => known.left !== undefined) ? [`${person} left with entry ${thousands(Math.max(...stays.map((known) => known.left!)))}, and retains access to these versions:\n`] : [];
  });
  return [
    ...left,
    wrappedTable(['NAME', 'VERSION', ...(several ? ['WHO'] : []), 'HOW', 'REPLACED BY'], rows, context.io.stdout.columns, 2),
    ...together(context, report),
    `${summaryWords(persons.join(' or '), report.knowledge)}\n`,
  ].join('');
}

function ofSecrets(context: CliContext, report: ExposureReport): string {
  const now = context.clock.now();
  const rows = report.knowledge.map((known) => [known.name, versionWords(known.versions), whoWords(known), howWords(known, now), replacedWords(known)]);
  return [wrappedTable(['NAME', 'VERSION', 'WHO', 'HOW', 'REPLACED BY'], rows, context.io.stdout.columns, 2), ...together(context, report)].join('');
}

/** One line a secret: who reads it now, and who else could still know what is in use. */
function ofVault(context: CliContext, vault: Vault, report: ExposureReport): string {
  const { secrets } = vault.state;
  const names = secrets.versions.sortedKeys();
  if (names.length === 0) return 'no secrets yet\n';
  const known = new Map<string, Knowledge[]>();
  for (const each of report.knowledge) known.set(each.name, [...(known.get(each.name) ?? []), each]);
  const rows = names.map((name) => {
    const versions = secrets.versions.get(name) ?? [];
    const live = (known.get(name) ?? []).filter(({ replaced }) => replaced.status !== 'replaced');
    const listed = (of: readonly Knowledge[]): string => [...new Set(of.map(whoWords))].join(', ');
    const shares = live.filter(({ alone, entitled }) => !alone && entitled);
    const own = [listed(live.filter(({ alone, entitled }) => alone && entitled)), ...(shares.length > 0 ? [`shares: ${listed(shares)}`] : [])].filter((words) => words !== '');
    const inUse = versions.filter((version) => !version.retired && (!version.pending || !newestVersion(versions))).map(({ statement }) => statement.version);
    return [name, versionWords(inUse), own.join('; ') || '-', listed(live.filter(({ alone, entitled }) => alone && !entitled)) || '-'];
  });
  const risky = report.knowledge.filter(({ alone, entitled, replaced }) => alone && !entitled && replaced.status !== 'replaced');
  const exposed = new Set(risky.map(({ name }) => name)).size;
  const who = [...new Set(risky.map(({ person }) => person))];
  return [
    wrappedTable(['NAME', 'IN USE', 'MAY KNOW IT', 'COULD STILL KNOW IT'], rows, context.io.stdout.columns, 2),
    ...together(context, report),
    exposed === 0
      ? `Nobody else could still know ${names.length === 1 ? 'it' : `any of the ${count(names.length, 'secret')}`}.\n`
      : `${thousands(exposed)} of ${count(names.length, 'secret')} could still be known to somebody else: oxp-vault exposure --person ${who[0]}\n`,
  ].join('');
}

function together(context: CliContext, { together: all }: ExposureReport): string[] {
  return all.map((each) => `${context.paint.mark('!')} ${togetherWords(each)}\n`);
}
