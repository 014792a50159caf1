/** `rotate NAME…`: the next version of what can be made here, from its signed parameters; for the rest, what to do by hand. */
import type { Command } from 'commander';
import { planRotation, runSealPlan, type RotationStep, type SealLine } from '@oxp-vault/core';
import { type Act, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { vaultForWriting } from '../writing.js';
import { sayPending } from '../sealing/pending.js';
import { requireSecretName } from '../secret-name.js';
import { countLines, logWords, sealDocument, sealExitCode, sealLines, throwSingle } from '../sealing/report.js';

export function define(command: Command, act: Act): void {
  vaultOptions(command)
    .description('Makes a new value of what can be made here, as the version before says. For what is issued elsewhere (an API key, a kubeconfig) it says what to do by hand. The old value goes on working where it is deployed: once it is no more, retire it.')
    .argument('<name...>', 'secrets to make the next version of')
    .action(act(run));
  examples(command, 'oxp-vault rotate dns/rfc2136_tsig_secret', 'oxp-vault rotate app/password ssh/bootstrap');
}

async function run(context: CliContext, names: readonly string[]): Promise<number> {
  requireSecretName(...names);
  const vault = await vaultForWriting(context);
  const plan = await planRotation(vault, names);
  const lines = await runSealPlan(vault, plan);
  throwSingle(lines);
  const made = plan.steps.filter((step) => isMade(lines, step));
  const { sealed, refused } = countLines(lines);
  const deploy = made.map((step) => deployWords(step)).join('');
  await context.result(
    { ...sealDocument(lines, vault, false), todo: made.map(({ line, todo, inUse }) => ({ name: line.name, version: line.version, do: todo, stillInUse: inUse })) },
    `${sealLines(lines, context.paint, false)}${deploy}${sealed} rotated${refused === 0 ? '' : `, ${refused} not`}. ${logWords(vault)}\n`,
  );
  if (!(await sayPending(context, vault, made.map((step) => step.line.name))) && made.length > 0) await context.next(`deploy, then: oxp-vault retire ${made.map((step) => step.line.name).join(' ')}`);
  return sealExitCode(lines);
}

function isMade(lines: readonly SealLine[], step: RotationStep): boolean {
  return lines.some((line) => line.name === step.line.name && line.refusal === undefined);
}

/** A new version replaces nothing by itself: the old value answers wherever it is deployed. */
function deployWords({ line, todo, inUse }: RotationStep): string {
  return `  ${line.name}: ${todo}. Until it is retired, ${inUse.map((version) => `v${version}`).join(', ')} still ${inUse.length === 1 ? 'counts' : 'count'} as in use.\n`;
}
