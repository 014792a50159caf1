/** `completion bash|zsh|fish`: a script that knows every command and option, made from them. */
import { Argument, type Command } from 'commander';
import { type Act, type CommandTree, examples } from '../command.js';
import { bashCompletion } from '../completion/bash.js';
import { fishCompletion } from '../completion/fish.js';
import { completionTree, type CompletionNode } from '../completion/tree.js';
import { zshCompletion } from '../completion/zsh.js';
import type { CliContext } from '../context.js';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const satisfies Record<string, (program: CompletionNode) => string>;

export function define(command: Command, act: Act, tree: CommandTree): void {
  const completion = async (context: CliContext, shell: keyof typeof SHELLS): Promise<void> => context.print(SHELLS[shell](completionTree(await tree.loadAll())));
  examples(
    command.description('Prints the completion script of a shell.').addArgument(new Argument('<shell>', 'which one').choices(Object.keys(SHELLS))).action(act(completion)),
    'source <(oxp-vault completion bash)',
    'oxp-vault completion zsh > ~/.zfunc/_oxp-vault',
    'oxp-vault completion fish > ~/.config/fish/completions/oxp-vault.fish',
  );
}
