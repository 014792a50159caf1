/** What a file in commands/ is made of. */
import { VaultError } from '@oxp-vault/core';
import type { Command } from 'commander';
import type { CliContext } from './context.js';

/** Wraps what a command does, so that commander can call it. A number that it returns is the exit code. */
export type Act = <A extends unknown[]>(run: (context: CliContext, ...args: A) => Promise<number | void>) => (...raw: unknown[]) => Promise<void>;

export interface CommandModule {
  /**
   * Adds arguments, options, subcommands, examples and actions to a command that has its name and summary already. `tree` is for commands
   * about commands.
   */
  define(command: Command, act: Act, tree: CommandTree): void;
}

/** All commands, each loaded when it is asked for. */
export interface CommandTree {
  readonly program: Command;
  /** The command of that name with all it takes. Throws USAGE for a name that is none. */
  load(name: string): Promise<Command>;
  loadAll(): Promise<Command>;
}

/** `--expect`, for every command that opens a vault. */
export function vaultOptions(command: Command): Command {
  return command.option('--expect <line>', 'VAULT[@SIZE:ROOT]: the vault this must be, and a point its log must contain (OXP_VAULT_EXPECT)');
}

/** The same with how new the answer must be, for commands that only read. */
export function readOptions(command: Command): Command {
  return vaultOptions(command)
    .option('--offline', 'do not ask a remote for news')
    .option('--max-age <seconds>', 'ask a remote for news if what is known of it is older (default: 60)', seconds);
}

function seconds(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new VaultError('USAGE', '--max-age takes a number of seconds');
  return Number(text);
}

/** For options that may be given several times: `.option('--set <key=value>', '…', collect)`. A greedy list would swallow arguments. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

const known = new WeakMap<Command, readonly string[]>();

/** Every command shows how it is used: whole lines as one types them, the commonest first. */
export function examples(command: Command, ...lines: readonly [string, ...string[]]): Command {
  known.set(command, lines);
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}\n`).join('')}`);
}

export function examplesOf(command: Command): readonly string[] {
  return known.get(command) ?? [];
}
