import { allNodes, type CompletionNode, type CompletionOption, nextWords, valueFlags } from './tree.js';

/** For fish 3: as ~/.config/fish/completions/oxp-vault.fish, or piped to source. */
export function fishCompletion(program: CompletionNode): string {
  const nodes = [...allNodes(program)];
  const takes = nodes.map((node) => `        case ${quote(node.path)}\n            string split ' ' -- ${quote(valueFlags(node).join(' '))}\n`).join('');
  const lines = nodes.flatMap((node) => {
    const at = `complete -c oxp-vault -n ${quote(`__oxp_vault_at ${quote(node.path)}`)}`;
    const children = new Map(node.children.map((child) => [child.path.split(' ').at(-1)!, child.description]));
    const words = nextWords(node).map((word) => `${at} -f -a ${quote(word)} -d ${quote(children.get(word) ?? '')}`);
    return [...words, ...node.options.map((option) => `${at} ${optionWords(option)}`)];
  });
  return `# fish completion for oxp-vault. To use it now: oxp-vault completion fish | source
function __oxp_vault_takes
    switch "$argv[1]"
${takes}    end
end

# The command that has been typed so far, as words with single spaces.
function __oxp_vault_path
    set -l path
    set -l skip 0
    set -l takes (__oxp_vault_takes '')
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        test "$word" = --; and break
        if contains -- $word $takes
            set skip 1
            continue
        end
        set -l longer (string join -- ' ' $path $word)
        if contains -- "$longer" $__oxp_vault_paths
            set path $path $word
            set takes (__oxp_vault_takes "$longer")
        end
    end
    string join ' ' -- $path
end

function __oxp_vault_at
    test (__oxp_vault_path | string collect; or echo '') = "$argv[1]"
end

set -g __oxp_vault_paths ${nodes.filter((node) => node.path !== '').map((node) => quote(node.path)).join(' ')}
complete -c oxp-vault -e
${lines.join('\n')}
`;
}

function optionWords({ flags, description, takesValue, choices }: CompletionOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = choices.length > 0 ? [`-x -a ${quote(choices.join(' '))}`] : takesValue ? ['-r'] : [];
  return [...names, ...value, `-d ${quote(description)}`].join(' ');
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
