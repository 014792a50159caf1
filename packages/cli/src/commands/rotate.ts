/** `rotate NAME…`: the next version of what can be made here, from its signed parameters; for the rest, what to do by hand. */
import type { Command } from 'commander';
import { planRotation, runSealPlan, type RotationStep, type SealLine } from '@oxp-vault/core';
import { type Act, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { vaultForWriting, withIssuers } from '../writing.js';
import { sayPending } from '../sealing/pending.js';
import { requireSecretName } from '../secret-name.js';
import { countLines, dryRunSummary, logWords, sealDocument, sealExitCode, sealLines, throwSingle } from '../sealing/report.js';

export function define(command: Command, act: Act): void {
  vaultOptions(command)
    .description('Makes a new value of what can be made here, as the version before says. For what is issued elsewhere (an API key, a kubeconfig) it says what to do by hand. The old value goes on working where it is deployed: once it is no more, retire it.')
    .argument('<name...>', 'secrets to make the next version of')
    .option('--dry-run', 'only show what would be made, and what would be left to do')
    .action(act(run));
  examples(command, 'oxp-vault rotate dns/rfc2136_tsig_secret', 'oxp-vault rotate app/password ssh/bootstrap');
}

async function run(context: CliContext, names: readonly string[], options: { readonly dryRun?: boolean }): Promise<number> {
  requireSecretName(...names);
  if (options.dryRun) return dryRun(context, names);
  const vault = await vaultForWriting(context, (seen) => withIssuers(seen, names));
  const plan = await planRotation(vault, names);
  const lines = await runSealPlan(vault, plan);
  throwSingle(lines);
  const made = plan.steps.filter((step) => isMade(lines, step));
  const { sealed, refused } = countLines(lines);
  const deploy = made.map(deployWords).join('');
  await context.result(
    { ...sealDocument(lines, vault, false), todo: made.map(todoOf) },
    `${sealLines(lines, context.paint, false)}${deploy}${sealed} rotated${refused === 0 ? '' : `, ${refused} not`}. ${logWords(vault)}\n`,
  );
  if (!(await sayPending(context, vault, made.map((step) => step.line.name))) && made.length > 0) await context.next(`deploy, then: oxp-vault retire ${made.map((step) => step.line.name).join(' ')}`);
  return sealExitCode(lines);
}

/** Nothing is made or recorded, and no passphrase needed. */
async function dryRun(context: CliContext, names: readonly string[]): Promise<number> {
  const vault = await context.vault({ news: true });
  const plan = await planRotation(vault, names, await context.card());
  const lines = plan.steps.map((step) => step.line);
  throwSingle(lines);
  const made = plan.steps.filter((step) => isMade(lines, step));
  await context.result(
    { ...sealDocument(lines, vault, true), todo: made.map(todoOf) },
    `${sealLines(lines, context.paint, true)}${made.map(deployWords).join('')}${dryRunSummary(countLines(lines), ['oxp-vault rotate', ...names].join(' '))}`,
  );
  return sealExitCode(lines);
}

function todoOf({ line, todo, inUse }: RotationStep): object {
  return { name: line.name, version: line.version, do: todo, stillInUse: inUse };
}

function isMade(lines: readonly SealLine[], step: RotationStep): boolean {
  return lines.some((line) => line.name === step.line.name && line.refusal === undefined);
}

/** A new version replaces nothing by itself: the old value answers wherever it is deployed. */
function deployWords({ line, todo, inUse }: RotationStep): string {
  return `  ${line.name}: ${todo}. Until it is retired, ${inUse.map((version) => `v${version}`).join(', ')} still ${inUse.length === 1 ? 'counts' : 'count'} as in use.\n`;
}
