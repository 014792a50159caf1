/**
 * `npm run demo`: four people, two teams, from nothing to a platform whose secrets are sealed, opened, verified and defended.
 * Everything is real: keys, files, the tools that check them. It happens in a scratch directory that is removed at the end.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../packages/cli/dist/bin.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'oxp-vault-demo-'));
const infra = join(scratch, 'platform');
const started = performance.now();
const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const bold = (text) => (colour ? `\x1b[1m${text}\x1b[0m` : text);
const faint = (text) => (colour ? `\x1b[2m${text}\x1b[0m` : text);

process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

mkdirSync(infra);
for (const person of ['alice', 'bruno', 'carol', 'dora']) mkdirSync(join(scratch, person));

chapter('Four people. Each makes an identity; the card is the public half.', 'alice and bruno build the platform, carol and dora will run it. (Without passphrases, only because this is a demo.)');
for (const person of ['alice', 'bruno', 'carol', 'dora']) as(person, `identity create --person ${person} --device laptop --no-passphrase --card ${join(scratch, `${person}.card`)}`, { quiet: person !== 'alice' });

chapter('Alice makes the vault, outside of the platform that it will bring to life.', 'Three admins, two of whom must agree to any change of the rules.');
const cards = (person) => join(scratch, `${person}.card`);
as('alice', `init --role infra --role platform --admin ${cards('bruno')} --admin ${cards('carol')} --member infra=${cards('bruno')} --member platform=${cards('carol')} --member platform=${cards('dora')}`);

chapter('Who may read what is a file that people edit, propose and sign.');
const draft = readFileSync(join(infra, 'policy.yaml'), 'utf8');
writeFileSync(join(infra, 'policy.yaml'), `${draft.slice(0, draft.indexOf('\nrules:'))}
rules:
  - { path: /, owners: [infra], writers: [infra], readers: [infra] }
  - { path: ansible/, owners: [infra], writers: [infra], readers: [infra, platform] }
  - { path: dns/, owners: [infra], writers: [infra], readers: [infra, platform] }
  - { path: kube/, owners: [infra], writers: [infra], readers: [infra, platform] }
`);
const planned = as('alice', 'policy propose --dry-run --json', { quiet: true, digest: (printed) => printed.digest });
as('alice', `policy propose --yes --expect ${planned}`);
as('bruno', `policy sign --yes --expect ${planned}`);

chapter('What must exist is said in bootstrap.yaml: generated where it can be, imported where it comes from elsewhere.');
writeMaterial();
console.log(faint(readFileSync(join(infra, 'bootstrap.yaml'), 'utf8').trimEnd()));
const scaleway = { SCW_ACCESS_KEY: 'SCWDEMODEMODEMODEMO0', SCW_SECRET_KEY: 'c0ffee00-1111-4222-8333-444455556666' };
as('alice', 'seal --dry-run', { env: scaleway });
as('alice', 'seal', { env: scaleway });
as('bruno', 'seal', { env: scaleway, note: 'Running it twice changes nothing.' });

chapter('Until now Alice, as their steward, knew the key of the platform team. Carol makes their own.');
as('carol', 'role rekey platform');

chapter('Carol opens what her team may read. Every opening is in the log before she sees a byte.');
as('carol', 'list');
as('carol', 'open --role platform --out in');
as('carol', 'open dns/rfc2136_tsig_secret --format external-dns');
as('carol', 'open scaleway/root', { expect: 4, note: 'What is not for her stays closed.' });

chapter('The files are those that the tools want.');
as('alice', 'open --role infra --out out', { quiet: true });
tool('openssl', 'x509 -in out/pki/root.crt -noout -subject -ext basicConstraints');
tool('openssl', 'verify -CAfile out/pki/root.crt out/pki/issuing.crt');
tool('ssh-keygen', '-l -f out/ssh/bootstrap');
writeFileSync(join(infra, 'named.conf'), 'include "in/dns/rfc2136_tsig_secret.key";\nzone "example.internal" { type primary; file "/dev/null"; allow-transfer { key "external-dns."; }; };\n');
tool('named-checkconf', 'named.conf');
tool('kubectl', '--kubeconfig in/kube/root.kubeconfig config get-contexts');
tool('ansible-inventory', '-i in/ansible/inventory.yml --graph');

chapter('And without us: plain age recovers a role and then its secrets.');
withoutUs();

chapter('The audit verifies every entry, signature and file again, from nothing.');
as('dora', 'audit verify');
as('dora', 'audit log');

chapter('Somebody who can write to the store changes one byte of a secret ...');
const vault = join(infra, 'vault');
const before = join(scratch, 'yesterday');
const victim = join(vault, 'secrets', 'dns', 'rfc2136_tsig_secret', readdirSync(join(vault, 'secrets', 'dns', 'rfc2136_tsig_secret'))[0]);
const good = readFileSync(victim);
const bad = Buffer.from(good);
bad[bad.length - 1] ^= 1;
writeFileSync(victim, bad);
as('carol', 'open dns/rfc2136_tsig_secret', { expect: 5 });
writeFileSync(victim, good);

chapter('... or puts yesterday\'s vault back, to hide that a key was replaced.');
cpSync(vault, before, { recursive: true });
as('alice', 'rotate dns/rfc2136_tsig_secret');
as('carol', 'status', { quiet: true });
cpSync(vault, join(scratch, 'today'), { recursive: true });
rmSync(vault, { recursive: true });
cpSync(before, vault, { recursive: true });
as('carol', 'open dns/rfc2136_tsig_secret', { expect: 5 });
rmSync(vault, { recursive: true });
cpSync(join(scratch, 'today'), vault, { recursive: true });

chapter('Dora leaves. The vault says what she still knows, and what to do about it.');
as('alice', 'member remove dora --yes', { expect: 6, note: 'Two of three admins must agree: until then, exit code 6.' });
const leaving = as('bruno', 'policy log --json', { quiet: true, digest: (printed) => printed.at(-1).digest });
as('bruno', `policy sign --yes --expect ${leaving}`);
as('carol', 'role rekey platform');
as('dora', 'open kube/root', { expect: 9, alternatives: [4] });
as('alice', 'status');

console.log(`\n${bold('That was it')}: ${((performance.now() - started) / 1000).toFixed(1)} s, all of it in a scratch directory that is gone now.`);
console.log('Your own: README.md, "Day one".');

/** Runs the CLI as a person, in the team's directory, showing what they type and see. Gives what `digest` finds in its JSON. */
function as(person, words, { quiet = false, expect = 0, alternatives = [], env = {}, note, digest } = {}) {
  if (note) console.log(faint(`# ${note}`));
  const shown = words.replaceAll(`${scratch}/`, '').replace(/([0-9a-f]{16})[0-9a-f]{48}/g, '$1…');
  if (!quiet) console.log(bold(`${person}$ oxp-vault ${shown}`));
  const home = join(scratch, person);
  const { OXP_VAULT: _a, OXP_VAULT_IDENTITY: _b, XDG_CONFIG_HOME: _c, XDG_STATE_HOME: _d, XDG_CACHE_HOME: _e, ...inherited } = process.env;
  const result = spawnSync(process.execPath, [cli, ...words.split(' ')], {
    cwd: infra,
    env: { ...inherited, HOME: home, ...env },
    stdio: ['ignore', quiet ? 'pipe' : 1, quiet ? 'pipe' : 1],
  });
  if (result.status !== expect && !alternatives.includes(result.status)) {
    throw new Error(`${person}$ oxp-vault ${shown} ended with ${result.status}, expected ${expect}\n${result.stderr ?? ''}`);
  }
  if (!quiet && expect !== 0) console.log(faint(`# exit code ${result.status}`));
  return digest ? digest(JSON.parse(result.stdout.toString())) : '';
}

function tool(name, words) {
  const found = (process.env.PATH ?? '').split(delimiter).concat('/usr/sbin').map((dir) => join(dir, name)).find((path) => spawnSync('test', ['-x', path]).status === 0);
  if (!found) return console.log(faint(`# ${name} is not on this machine: not shown`));
  console.log(bold(`$ ${name} ${words.replaceAll(`${scratch}/`, '')}`));
  const { status } = spawnSync(found, words.split(' '), { cwd: infra, stdio: ['ignore', 1, 1], env: { ...process.env, HOME: scratch } });
  if (status !== 0) throw new Error(`${name} ended with ${status}`);
  if (name === 'named-checkconf') console.log(faint('# silence is consent'));
}

function chapter(title, more) {
  console.log(`\n${bold(`== ${title}`)}`);
  if (more) console.log(faint(`   ${more}`));
}

function writeMaterial() {
  as('alice', `generate pki-root --set subject.CN=demo-cluster --out ${join(scratch, 'cluster-ca')}`, { quiet: true });
  const certificate = readdirSync(join(scratch, 'cluster-ca'), { recursive: true }).find((name) => name.endsWith('.crt'));
  const authority = readFileSync(join(scratch, 'cluster-ca', certificate)).toString('base64');
  writeFileSync(join(infra, 'kubeconfig.yaml'), `apiVersion: v1
kind: Config
clusters:
  - name: root
    cluster: { server: "https://6f1c6f4e-0000-4000-8000-000000000000.api.k8s.fr-par.scw.cloud:6443", certificate-authority-data: ${authority} }
contexts:
  - name: admin@root
    context: { cluster: root, user: root-admin }
current-context: admin@root
users:
  - name: root-admin
    user: { token: c0ffee00-1111-4222-8333-444455556666 }
`);
  writeFileSync(join(infra, 'inventory.yml'), 'all:\n  children:\n    dns: { hosts: { ns1.example.internal: {}, ns2.example.internal: {} } }\n    kube: { hosts: { "node[1:3].example.internal": {} } }\n');
  writeFileSync(join(infra, 'edge.ini'), '[edge]\nedge[1:2].example.internal ansible_user=root\n\n[edge:vars]\nregion=fr-par\n');
  writeFileSync(join(infra, 'bootstrap.yaml'), `secrets:
  pki/root:                { kind: pki-root, subject: { CN: Example Root, O: Example } }
  pki/issuing:             { kind: pki-intermediate, issuer: pki/root, subject: { CN: Example Issuing }, permit: [example.internal] }
  ssh/bootstrap:           { kind: ssh-key, comment: bootstrap@example.internal }
  dns/rfc2136_tsig_secret: { kind: tsig, key: external-dns., algorithm: hmac-sha256 }
  terraform/state:         { kind: state-key }
  scaleway/root:           { kind: api-key, import: { env: { access: SCW_ACCESS_KEY, secret: SCW_SECRET_KEY } } }
  kube/root:               { kind: kubeconfig, import: { file: kubeconfig.yaml } }
  ansible/inventory:       { kind: ansible-inventory, import: { file: inventory.yml } }
  ansible/edge:            { kind: ansible-inventory, import: { file: edge.ini } }
`);
}

function withoutUs() {
  const grants = join(infra, 'vault', 'roles', 'platform');
  const epoch = readdirSync(grants).sort().at(-1);
  const grant = readdirSync(join(grants, epoch)).find((name) => name.startsWith('carol-'));
  const secret = readdirSync(join(infra, 'vault', 'secrets', 'dns', 'rfc2136_tsig_secret'))[0];
  const identity = join(scratch, 'carol', '.config', 'oxp-vault', 'identity.age');
  tool('age', `-d -i ${identity} -o ${join(scratch, 'platform.txt')} ${join(grants, epoch, grant)}`);
  tool('age', `-d -i ${join(scratch, 'platform.txt')} -o ${join(scratch, 'tsig.key')} ${join(infra, 'vault', 'secrets', 'dns', 'rfc2136_tsig_secret', secret)}`);
}
