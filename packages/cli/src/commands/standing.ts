/** `standing`: which machines open what without a record, given until a time and ended. */
import { endStanding, giveStanding, listStanding, type StandingLine, VaultError } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { count, dateTime, table } from '../render.js';
import { parseUntil, untilInWords } from '../until.js';
import { vaultForWriting } from '../writing.js';

interface Options {
  readonly notAfter?: string;
  readonly end?: boolean;
}

/** Names are listed up to here; --json lists all. */
const SHOWN = 6;

export function define(command: Command, act: Act): void {
  vaultOptions(command)
    .description('Gives a machine standing access: until a time it opens these secrets without writing anything to log or queue, so that a CI job needs no right to write. It counts for what you own, while you own it. Whether the machine can read them is a matter of its role. Without names: what stands.')
    .argument('[machine]', 'the machine')
    .argument('[name...]', 'secrets it may open; dns/ is all below it, / everything')
    .option('--not-after <time>', 'until when: 90d, 12h, 2w, 2027-01-31, 2027-01-31T18:00+01:00')
    .option('--end', 'end it: for these names, or for all that you may end')
    .action(act(run));
  examples(command, 'oxp-vault standing ci dns/ --not-after 90d', 'oxp-vault standing', 'oxp-vault standing ci --end', 'oxp-vault standing ci dns/rfc2136_tsig_secret --end');
}

async function run(context: CliContext, machine: string | undefined, names: readonly string[], options: Options): Promise<void> {
  const { notAfter, end } = options;
  if (notAfter !== undefined && end) throw new VaultError('USAGE', '--not-after and --end exclude each other');
  if (notAfter === undefined && !end) {
    if (names.length > 0) throw new VaultError('USAGE', 'it is not said until when', { hint: 'Say it: --not-after 90d. To end it: --end' });
    return list(context, machine);
  }
  if (machine === undefined) throw new VaultError('USAGE', 'it is not said which machine', { hint: 'For example: oxp-vault standing ci dns/ --not-after 90d' });
  if (end) return endAccess(context, machine, names);
  // Before anything is asked for or written.
  const time = parseUntil(notAfter!, context.clock.now());
  if (names.length === 0) throw new VaultError('USAGE', 'it is not said what the machine may open', { hint: 'Name secrets, or paths such as dns/; everything is /' });
  return give(context, machine, names, time);
}

async function list(context: CliContext, machine: string | undefined): Promise<void> {
  const vault = await context.vault();
  const lines = listStanding(vault).filter((line) => machine === undefined || line.machine === machine);
  if (machine !== undefined && lines.length === 0 && vault.policy.people.get(machine)?.kind !== 'machine') {
    const machines = [...vault.policy.people].flatMap(([person, { kind }]) => (kind === 'machine' ? [person] : []));
    throw new VaultError('PERSON_NOT_FOUND', 'there is no machine of that name', { hint: machines.length > 0 ? `Machines: ${machines.join(', ')}` : 'There is none in this vault yet: oxp-vault identity create --machine' });
  }
  await context.result({ standing: lines }, lines.length === 0 ? 'no machine has standing access: every opening is recorded\n' : table(['MACHINE', 'MAY OPEN', 'UNTIL', 'GIVEN BY', 'COVERS'], lines.map(row)));
}

function row({ machine, path, by, notAfter, state, secrets }: StandingLine): string[] {
  const covers = state === 'expired' ? 'nothing: expired' : state === 'lapsed' ? `nothing: ${by} owns none of it any more` : count(secrets.length, 'secret');
  return [machine, path, dateTime(notAfter), by, covers];
}

async function give(context: CliContext, machine: string, names: readonly string[], time: number): Promise<void> {
  const vault = await vaultForWriting(context);
  const given = await giveStanding(vault, machine, names, time);
  const mark = context.paint.mark('+');
  await context.result(given, `${mark} ${machine} may open ${given.scope.join(', ')} without a record until ${untilInWords(time)}\n`);
  if (given.notOwned.length > 0) await context.warn(`Others own ${some(given.notOwned)}: openings there are recorded as before. An owner of theirs can give standing access, too.`);
  if (given.notReadable.length > 0) await context.warn(`${machine} is in no role that reads ${some(given.notReadable)}: standing access alone opens nothing.`);
}

async function endAccess(context: CliContext, machine: string, names: readonly string[]): Promise<void> {
  const vault = await vaultForWriting(context);
  await endStanding(vault, machine, names);
  const left = listStanding(vault).filter((line) => line.machine === machine && line.state === 'stands');
  await context.result({ machine, ended: names, left }, `${context.paint.mark('-')} ${machine}: openings of ${names.length === 0 ? 'all that you own' : names.join(', ')} are recorded from now on\n`);
  if (left.length > 0) await context.say(`Still standing: ${left.map(({ path, by }) => `${path} (by ${by})`).join(', ')}`);
}

function some(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return more > 0 ? `${names.slice(0, SHOWN).join(', ')} and ${count(more, 'more', 'more')}` : names.join(', ');
}
