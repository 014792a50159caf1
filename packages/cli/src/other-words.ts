/** What people type who come from age, sops, ssh-keygen or terraform, and the command that does it here. */
const HERE: Readonly<Record<string, string>> = {
  add: 'oxp-vault seal NAME --from FILE, or for a person: oxp-vault member add CARD',
  apply: 'oxp-vault seal',
  cat: 'oxp-vault open NAME | cat',
  create: 'oxp-vault seal NAME --from FILE',
  decrypt: 'oxp-vault open NAME | cat',
  delete: 'nothing is deleted: an old version is retired (oxp-vault retire NAME), and what is in bootstrap.yaml no more is not made again',
  encrypt: 'oxp-vault seal NAME --from FILE',
  'exec-env': 'oxp-vault exec --env VARIABLE=NAME -- PROGRAM',
  export: 'oxp-vault open NAME --format env, or files: oxp-vault open --role ROLE --out DIR',
  get: 'oxp-vault open NAME | cat',
  history: 'oxp-vault show NAME, or oxp-vault audit log NAME',
  keygen: 'oxp-vault identity create for your own keys, oxp-vault generate KIND --out DIR for material',
  log: 'oxp-vault audit log',
  login: 'oxp-vault agent start',
  ls: 'oxp-vault list',
  plan: 'oxp-vault seal --dry-run',
  publish: 'oxp-vault sync',
  push: 'oxp-vault sync',
  pull: 'oxp-vault sync',
  put: 'oxp-vault seal NAME --from FILE',
  read: 'oxp-vault open NAME | cat',
  run: 'oxp-vault exec --env VARIABLE=NAME -- PROGRAM',
  set: 'oxp-vault seal NAME --from FILE',
  unlock: 'oxp-vault agent start',
  updatekeys: 'oxp-vault seal, which seals anew where readers have changed',
  users: 'oxp-vault member list',
  verify: 'oxp-vault audit verify',
  version: 'oxp-vault --version',
  whoami: 'oxp-vault identity show',
};
/** Words for the same as another. */
const SAME: Readonly<Record<string, string>> = { destroy: 'delete', remove: 'delete', rm: 'delete', output: 'get', view: 'get', write: 'put', lock: 'encrypt', who: 'whoami', people: 'users' };

/** How that is said here; undefined for a word that is no tool's. */
export function saidHere(word: string): string | undefined {
  const key = Object.hasOwn(SAME, word) ? SAME[word]! : word;
  return Object.hasOwn(HERE, key) ? HERE[key] : undefined;
}
