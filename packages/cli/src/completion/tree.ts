/** What a completion script has to know of the commands, taken from the commands themselves. */
import type { Command, Option } from 'commander';

export interface CompletionOption {
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

export interface CompletionNode {
  /** `identity create`; empty for the program itself. */
  readonly path: string;
  readonly description: string;
  readonly children: readonly CompletionNode[];
  /** Its own options and the global ones. */
  readonly options: readonly CompletionOption[];
  /** What its first argument may be, where that is a closed list. */
  readonly choices: readonly string[];
}

export function completionTree(program: Command): CompletionNode {
  return nodeOf(program, '', []);
}

function nodeOf(command: Command, path: string, inherited: readonly CompletionOption[]): CompletionNode {
  const own = command.createHelp().visibleOptions(command).map(optionOf);
  const options = [...own, ...inherited.filter((option) => !own.some(({ flags }) => flags.some((flag) => option.flags.includes(flag))))];
  // Only the program's options hold everywhere.
  const handed = path === '' ? options : inherited;
  return {
    path,
    description: command.summary() || command.description(),
    children: command.commands.map((child) => nodeOf(child, `${path} ${child.name()}`.trim(), handed)),
    options,
    choices: command.registeredArguments[0]?.argChoices ?? [],
  };
}

function optionOf(option: Option): CompletionOption {
  return {
    flags: [option.long, option.short].filter((flag): flag is string => flag !== undefined && flag !== null),
    description: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  };
}

/** The node and all below it, parents first. */
export function* allNodes(node: CompletionNode): Iterable<CompletionNode> {
  yield node;
  for (const child of node.children) yield* allNodes(child);
}

/** Words that may stand next: subcommands, else the choices of an argument. */
export function nextWords(node: CompletionNode): readonly string[] {
  return node.children.length > 0 ? node.children.map((child) => child.path.split(' ').at(-1)!) : node.choices;
}

/** Flags that take the word after them. */
export function valueFlags(node: CompletionNode): readonly string[] {
  return node.options.filter((option) => option.takesValue).flatMap((option) => option.flags);
}
