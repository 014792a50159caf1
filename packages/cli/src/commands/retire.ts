/** `retire NAME[@VERSION]…`: says, signed, that a version is deployed nowhere any more. */
import type { Command } from 'commander';
import { isSecretName, retirable, retireVersions, type Retirement, VaultError } from '@oxp-vault/core';
import { type Act, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { vaultForWriting } from '../writing.js';
import { count } from '../render.js';
import { logWords } from '../sealing/report.js';

export function define(command: Command, act: Act): void {
  vaultOptions(command)
    .description('Says in the log that versions are deployed nowhere any more: from then on a secret counts as replaced for those who knew them, and formats that give all versions leave them out. Nothing is deleted; the newest version stays.')
    .argument('<name...>', 'NAME: all versions but the newest; NAME@VERSION: that one')
    .option('--dry-run', 'only show which versions it would be')
    .action(act(run));
  examples(command, 'oxp-vault retire dns/rfc2136_tsig_secret', 'oxp-vault retire app/password@1');
}

async function run(context: CliContext, targets: readonly string[], { dryRun = false }: { readonly dryRun?: boolean }): Promise<void> {
  const parsed = targets.map(parseTarget);
  const vault = dryRun ? await context.vault({ news: true }) : await vaultForWriting(context, () => parsed.map(({ name }) => name));
  const retirements = parsed.flatMap(({ name, version }) => retirable(vault, name, version));
  if (dryRun) return showPlan(context, retirements, targets);
  if (retirements.length > 0) await retireVersions(vault, retirements);
  const lines = retirements.map(({ name, version }) => `${context.paint.mark('-')} ${name}   v${version}   retired: deployed nowhere any more\n`).join('');
  await context.result({ retired: retirements, log: { vault: vault.id, ...vault.point } }, retirements.length === 0 ? `nothing to retire: no version but the newest is in use. ${logWords(vault)}\n` : `${lines}${count(retirements.length, 'version')} retired. ${logWords(vault)}\n`);
  if (retirements.length > 0) await context.say('Its readers still have it, and always will: retiring says that it opens nothing any more.');
}

async function showPlan(context: CliContext, retirements: readonly Retirement[], targets: readonly string[]): Promise<void> {
  const lines = retirements.map(({ name, version }) => `${context.paint.mark('-')} ${name}   v${version}   would be retired\n`).join('');
  const summary = retirements.length === 0 ? 'There is nothing to do.' : `Nothing was written. To do it: ${['oxp-vault retire', ...targets].join(' ')}`;
  await context.result({ dryRun: true, retired: retirements }, `${lines}${count(retirements.length, 'version')} to retire. ${summary}\n`);
}

function parseTarget(text: string): Partial<Retirement> & Pick<Retirement, 'name'> {
  const [, name = '', version] = /^([^@]*)(?:@v?([1-9][0-9]{0,8}))?$/.exec(text) ?? [];
  if (!isSecretName(name)) throw new VaultError('BAD_NAME', 'this is neither NAME nor NAME@VERSION', { hint: 'For example: oxp-vault retire app/password@1' });
  return version === undefined ? { name } : { name, version: Number(version) };
}
