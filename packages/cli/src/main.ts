/** The command line: finds the command, runs it, and turns whatever goes wrong into words and an exit code. */
import { type Command, CommanderError } from 'commander';
import { isVaultError, VaultError } from '@oxp-vault/core';
import type { Act } from './command.js';
import { CliContext, type GlobalOptions } from './context.js';
import { reportError, toVaultError, usageError } from './errors.js';
import { EXIT_CANCELLED, EXIT_OUTPUT_CLOSED, EXIT_USAGE } from './exit-codes.js';
import { type Io, OutputClosed } from './io.js';
import { mayBeNews } from './may-be-news.js';
import { Cancelled } from './prompt.js';
import { leadingExpect } from './leading-expect.js';
import { type Captured, commandIn, createShell } from './shell.js';

/** Longer lines are hard to read, however wide the terminal. */
const HELP_WIDTH = 100;

/** Runs one command line (without the program's own name) and gives its exit code. Never throws. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await run(argv, io);
  } catch (error) {
    return await fail(error, argv, io);
  }
}

async function run(typed: readonly string[], given: Io): Promise<number> {
  const { argv, expect } = leadingExpect(typed);
  // Before the command it always means the vault, as OXP_VAULT_EXPECT does: `policy sign --expect` means a policy.
  const io = expect === undefined ? given : { ...given, env: withVariable(given.env, 'OXP_VAULT_EXPECT', expect) };
  const captured: Captured = { out: '', err: '' };
  let code = 0;
  const act: Act = <A extends unknown[]>(body: (context: CliContext, ...args: A) => Promise<number | void>) => async (...raw: unknown[]) => {
    const command = raw.at(-1) as Command;
    const context = new CliContext(io, command.optsWithGlobals<GlobalOptions>());
    try {
      code = (await body(context, ...(raw as A))) ?? 0;
    } catch (error) {
      const asked = mayBeNews(error) ? context.asked() : undefined;
      if (!asked) throw awayFrom(error, context, command);
      code = (await body(asked, ...(raw as A))) ?? 0;
    }
  };
  const shell = createShell(act, captured, Math.min(io.stdout.columns ?? HELP_WIDTH, HELP_WIDTH));
  const { program } = shell;

  const name = commandIn(program, argv);
  if (name !== undefined && program.commands.some((command) => command.name() === name)) await shell.load(name);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    code = shown(error, captured, wordsOf(program, name, argv));
  }
  if (captured.out !== '') await io.stdout.write(captured.out);
  if (captured.err !== '') await io.stderr.write(captured.err);
  return code;
}

/** A copy by descriptors: one by `...` would leave out what no child process is to inherit (process-io.ts). */
function withVariable(env: Io['env'], name: string, value: string): Io['env'] {
  return Object.defineProperty(Object.defineProperties<Record<string, string | undefined>>({}, Object.getOwnPropertyDescriptors(env)), name, { value, enumerable: true });
}

/** What a remote store cannot say now, this machine may know: said by the commands that can do with that. */
function awayFrom(error: unknown, { options }: CliContext, command: Command): unknown {
  if (!isVaultError(error, 'STORE_REMOTE') || options.offline || !command.options.some((option) => option.long === '--offline')) return error;
  const { message, hint = '', details } = error;
  return new VaultError('STORE_REMOTE', message, { details: [...details, ...(hint === '' ? [] : [hint])], hint: 'What this machine knows already: the same with --offline', cause: error });
}

/** Commander ends by throwing also when it was asked for help. A command without its subcommand shows help, as an error. */
function shown(error: CommanderError, captured: Captured, command: readonly string[]): number {
  if (error.exitCode === 0) return 0;
  if (error.code === 'commander.help' && captured.err !== '') return EXIT_USAGE;
  throw usageError(error, command);
}

/** `identity create`, as far as there is such a command. */
function wordsOf(program: Command, name: string | undefined, argv: readonly string[]): string[] {
  const command = program.commands.find((each) => each.name() === name);
  if (!command) return [];
  const below = command.commands.find((each) => argv.slice(argv.indexOf(command.name()) + 1).find((word) => !word.startsWith('-')) === each.name());
  return [command.name(), ...(below ? [below.name()] : [])];
}

async function fail(error: unknown, argv: readonly string[], io: Io): Promise<number> {
  if (error instanceof OutputClosed) return EXIT_OUTPUT_CLOSED;
  if (error instanceof Cancelled) {
    await quietly(() => io.stderr.write('cancelled\n'));
    return EXIT_CANCELLED;
  }
  const failure = toVaultError(error);
  const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  await quietly(() => reportError(failure, io, words.includes('--json')));
  return failure.exitCode;
}

/** Nobody can be told that nobody can be told anything: the exit code still says what happened. */
async function quietly(tell: () => Promise<void>): Promise<void> {
  try {
    await tell();
  } catch (error) {
    if (!(error instanceof OutputClosed) && !(error instanceof VaultError)) throw error;
  }
}
