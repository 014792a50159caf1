import { allNodes, type CompletionNode, nextWords, valueFlags } from './tree.js';

/** For bash 3.2 and later, without the bash-completion package. */
export function bashCompletion(program: CompletionNode): string {
  const nodes = [...allNodes(program)];
  const arm = (pattern: string, body: string): string => `    ${pattern}) ${body} ;;\n`;
  const paths = nodes.filter((node) => node.path !== '');
  const values = nodes.map((node) => arm(`'${node.path}'`, `takes=' ${valueFlags(node).join(' ')} '`)).join('');
  const choices = nodes
    .flatMap((node) => node.options.filter((option) => option.choices.length > 0).flatMap((option) => option.flags.map((flag) => arm(`'${node.path}:${flag}'`, `words='${option.choices.join(' ')}'`))))
    .join('');
  const words = nodes.map((node) => arm(`'${node.path}'`, `words='${nextWords(node).join(' ')}'; flags='${node.options.flatMap((option) => option.flags).join(' ')}'`)).join('');
  return `# bash completion for oxp-vault. To use it now: source <(oxp-vault completion bash)
_oxp_vault_takes() {
  takes=
  case "$1" in
${values}  esac
}

_oxp_vault() {
  local cur path word takes words flags skip i
  cur=\${COMP_WORDS[COMP_CWORD]}
  path= skip= words= flags=
  COMPREPLY=()
  _oxp_vault_takes ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $skip ]]; then
      # "--option=value" comes as three words.
      [[ $word == = ]] || skip=
      continue
    fi
    [[ $word == -- ]] && return
    case "$takes" in *" $word "*) skip=$word; continue ;; esac
    case "\${path:+$path }$word" in
${paths.map((node) => `      '${node.path}') path='${node.path}'; _oxp_vault_takes "$path" ;;\n`).join('')}    esac
  done
  [[ $cur == = ]] && cur=
  if [[ -n $skip ]]; then
    case "$path:$skip" in
${choices}    esac
    # Without choices it is a file or a word of one's own: bash offers files.
    [[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  case "$path" in
${words}  esac
  [[ $cur == -* ]] && words=$flags
  [[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _oxp_vault oxp-vault
`;
}
