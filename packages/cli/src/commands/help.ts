/** `help [COMMAND… | ERROR-CODE | exit-codes]` */
import { ERROR_CLASSES, ERROR_CODES, type ErrorCode, explainError, VaultError } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, type CommandTree, examples } from '../command.js';
import type { CliContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { columns } from '../render.js';

const EXIT_CODES = 'exit-codes';

export function define(command: Command, act: Act, tree: CommandTree): void {
  const help = (context: CliContext, topic: readonly string[]): Promise<void> => explain(context, tree, topic);
  examples(
    command.description('Explains a command, an error code, or what the exit codes mean.').argument('[topic...]', 'a command, an error code, or exit-codes').action(act(help)),
    'oxp-vault help',
    'oxp-vault help identity create',
    'oxp-vault help ROLLBACK',
    'oxp-vault help exit-codes',
  );
}

async function explain(context: CliContext, tree: CommandTree, topic: readonly string[]): Promise<void> {
  const [first, ...rest] = topic;
  if (first === undefined) await context.print(helpOf(tree.program));
  else if (first === EXIT_CODES) await exitCodeHelp(context);
  else if (isErrorCode(first.toUpperCase())) await errorHelp(context, first.toUpperCase() as ErrorCode);
  else await context.print(helpOf(await findCommand(tree, first, rest)));
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}

async function exitCodeHelp(context: CliContext): Promise<void> {
  await context.result(exitCodes(), columns(exitCodes().map(({ code, words }) => [String(code).padStart(3), words])));
}

async function errorHelp(context: CliContext, code: ErrorCode): Promise<void> {
  const text = await explainError(code);
  const exit = ERROR_CLASSES[ERROR_CODES[code]];
  await context.result({ code, class: ERROR_CODES[code], exit, text }, `${code} (exit code ${exit})\n\n${wrapped(text)}\n`);
}

async function findCommand(tree: CommandTree, name: string, path: readonly string[]): Promise<Command> {
  const names = tree.program.commands.map((each) => each.name());
  if (!names.includes(name)) {
    throw new VaultError('USAGE', `there is no command and no error code called ${JSON.stringify(name)}`, { hint: 'See what there is: oxp-vault help' });
  }
  let command = await tree.load(name);
  for (const word of path) {
    const next = command.commands.find((each) => each.name() === word);
    if (!next) throw new VaultError('USAGE', `${command.name()} has no subcommand ${JSON.stringify(word)}`, { hint: `It has: ${command.commands.map((each) => each.name()).join(', ') || 'none'}` });
    command = next;
  }
  return command;
}

/** What --help prints, with the texts added around it. */
function helpOf(command: Command): string {
  let text = '';
  const before = command.configureOutput();
  command.configureOutput({ ...before, writeOut: (more) => (text += more) });
  command.outputHelp();
  command.configureOutput(before);
  return text;
}

const WIDTH = 100;

function wrapped(text: string): string {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line.length + word.length + 1 > WIDTH && line !== '') {
        lines.push(line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines.join('\n');
}
