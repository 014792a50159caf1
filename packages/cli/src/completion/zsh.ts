import { allNodes, type CompletionNode, nextWords, valueFlags } from './tree.js';

/** For the new completion system: as a file `_oxp-vault` in $fpath, or sourced after compinit. */
export function zshCompletion(program: CompletionNode): string {
  const nodes = [...allNodes(program)];
  const described = (word: string, words: string): string => quote(`${word.replaceAll(':', '\\:')}:${words}`);
  const takes = nodes.map((node) => `    ${quote(node.path)}) takes=(${valueFlags(node).map(quote).join(' ')}) ;;\n`).join('');
  const paths = nodes.filter((node) => node.path !== '').map((node) => `      ${quote(node.path)}) at=${quote(node.path)}; _oxp_vault_takes "$at" ;;\n`).join('');
  const choices = nodes
    .flatMap((node) => node.options.filter((option) => option.choices.length > 0).flatMap((option) => option.flags.map((flag) => `      ${quote(`${node.path}:${flag}`)}) compadd -- ${option.choices.map(quote).join(' ')}; return ;;\n`)))
    .join('');
  const words = nodes
    .map((node) => {
      const next = node.children.length > 0 ? node.children.map((child) => described(child.path.split(' ').at(-1)!, child.description)) : nextWords(node).map(quote);
      const flags = node.options.flatMap((option) => option.flags.map((flag) => described(flag, option.description)));
      return `    ${quote(node.path)})\n      next=(${next.join(' ')})\n      flags=(${flags.join(' ')})\n      ;;\n`;
    })
    .join('');
  return `#compdef oxp-vault
# zsh completion for oxp-vault. As a file _oxp-vault in $fpath, or now: source <(oxp-vault completion zsh)
_oxp_vault_takes() {
  takes=()
  case "$1" in
${takes}  esac
}

_oxp_vault() {
  local at word skip
  local -a takes next flags
  at= skip=
  _oxp_vault_takes ''
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $skip ]]; then skip=; continue; fi
    [[ $word == -- ]] && { _default; return }
    if (( \${takes[(Ie)$word]} )); then skip=$word; continue; fi
    case "\${at:+$at }$word" in
${paths}    esac
  done
  if [[ -n $skip ]]; then
    case "$at:$skip" in
${choices}    esac
    _files
    return
  fi
  case "$at" in
${words}  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option flags
  elif (( $#next )); then
    _describe command next
  else
    _files
  fi
}

if [[ \${funcstack[1]} == _oxp_vault ]]; then
  _oxp_vault "$@"
else
  compdef _oxp_vault oxp-vault
fi
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
