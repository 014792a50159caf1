/** The tree of commands, each loaded when it is needed: the one that was typed, or all for completions. */
import { Command, CommanderError, Help } from 'commander';
import { VaultError } from '@oxp-vault/core';
import type { Act, CommandTree } from './command.js';
import { COMMANDS } from './commands/index.js';
import { version } from './version.js';

export interface Captured {
  out: string;
  err: string;
}

/** The program with a bare command for every row of the table. What commander prints is collected in `captured`. */
export function createShell(act: Act, captured: Captured, width: number): CommandTree {
  const program = new Command('oxp-vault');
  program
    .description('Keeps the secrets that a platform is born with, sealed to teams, signed and logged, and hands them over.')
    .usage('COMMAND [options]')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => (captured.out += text),
      writeErr: (text) => (captured.err += text),
      // Commander's errors reach us as exceptions, and get our form.
      outputError: () => undefined,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      getOutHelpWidth: () => width,
      getErrHelpWidth: () => width,
    })
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (title) => title.replace(/^Global Options:$/, 'Global options:'),
      subcommandTerm: (command) => command.name(),
      // A list to begin with is nothing that anybody chose.
      optionDescription: (option) => Help.prototype.optionDescription.call(new Help(), option).replace(' (default: [])', ''),
      formatHelp: (command, helper) => optionsLast(Help.prototype.formatHelp.call(helper, command, helper)),
    })
    .helpOption('-h, --help', 'show help')
    .optionsGroup('Global options:')
    .option('-V, --version', 'show the version')
    .option('--vault <address>', 'where the vault is: a directory, or git+URL[#BRANCH] (OXP_VAULT; else the nearest oxp-vault.yaml or vault above)')
    .option('--identity <file>', 'your identity (an agent; its content in OXP_VAULT_IDENTITY_DATA; OXP_VAULT_IDENTITY; else ~/.config/oxp-vault/identity.age)')
    .option('--passphrase-file <file>', 'where the passphrase of the identity stands (OXP_VAULT_PASSPHRASE_FILE)')
    .option('--json', 'machine output: one JSON document on stdout')
    .option('--yes', 'answer yes to what would be asked')
    .addHelpText('after', '\nFor one command: oxp-vault help COMMAND. For an error: oxp-vault help CODE. Exit codes: oxp-vault help exit-codes.');
  program.on('option:version', () => {
    captured.out += `${version()}\n`;
    throw new CommanderError(0, 'commander.version', '');
  });
  for (const row of COMMANDS) program.command(row.name).summary(row.summary).description(sentence(row.summary)).helpGroup(`${row.group}:`).helpCommand(false);

  const loaded = new Map<string, Promise<Command>>();
  const define = async (name: string): Promise<Command> => {
    const row = COMMANDS.find((each) => each.name === name);
    const command = program.commands.find((each) => each.name() === name);
    if (!row || !command) throw new VaultError('USAGE', `there is no command ${name}`, { hint: 'See what there is: oxp-vault help' });
    (await row.load()).define(command, act, tree);
    for (const each of command.commands) if (each.description() === '') each.description(sentence(each.summary()));
    return command;
  };
  const load = (name: string): Promise<Command> => {
    const command = loaded.get(name) ?? define(name);
    loaded.set(name, command);
    return command;
  };
  const tree: CommandTree = {
    program,
    load,
    loadAll: async () => {
      await Promise.all(COMMANDS.map((row) => load(row.name)));
      return program;
    },
  };
  return tree;
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** What there is to do comes first, the options that hold everywhere last. */
function optionsLast(help: string): string {
  const sections = help.trimEnd().split('\n\n');
  const rank = (section: string): number => (section.startsWith('Global options:') ? 2 : section.startsWith('Options:') ? 1 : 0);
  return `${sections.sort((a, b) => rank(a) - rank(b)).join('\n\n')}\n`;
}

/** The first word that is neither an option nor the value of a global one: the command that was typed. */
export function commandIn(program: Command, argv: readonly string[]): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--') return undefined;
    if (!word.startsWith('-') || word === '-') return word;
    const option = program.options.find((each) => each.long === word || each.short === word);
    if (option?.required) i++;
  }
  return undefined;
}
