/** Values on their way in and out: imported, made in the vault, opened in every format. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inventory, kubeconfig } from './mistakes.js';
import { needlesFor } from './needles.js';
import { canary, core, filesIn, fresh, input, names, recordOpened, release, type Stage } from './stage.js';

/** A base64 text that begins with the canary. */
const base64Canary = (label: string): string => `${core(label)}AAAAAAAAAAAAAAAAAAA`.slice(0, 43).concat('=');

export async function sealImports(s: Stage): Promise<void> {
  const one = (kind: string, label: string, text: string): readonly [string, string, string] => [kind, label, text];
  release(s, 'Kube', core('Kube'));
  release(s, 'Ansible', core('Ansible'));
  release(s, 'Tsig', base64Canary('Tsig'));
  release(s, 'State', core('State'));
  const imports = [
    one('document', 'document', release(s, 'Document').repeat(3)),
    one('password', 'password', release(s, 'Password')),
    one('kubeconfig', 'kubeconfig', kubeconfig(core('Kube'))),
    one('ansible-inventory', 'inventory', inventory(core('Ansible'))),
    one('tsig', 'tsig', `key "imported." { algorithm hmac-sha256; secret "${base64Canary('Tsig')}"; };\n`),
    one('api-key', 'token', release(s, 'Token', core('Token'))),
  ];
  for (const [kind, name, text] of imports) await s.cli(0, ['seal', `imported/${name}`, '--kind', kind, '--from', input(s, name, text)]);
  await s.cli(0, ['seal', 'imported/stdin', '--from', '-', '--json'], { input: release(s, 'Stdin') });
  // What was generated as files comes in as well; its canaries are known already.
  for (const kind of ['pki-root', 'ssh-key', 'state-key']) {
    const files = filesIn(s.outputs).filter((path) => path.includes(`/${kind}`) && !path.endsWith('.pub'));
    await s.cli(0, ['seal', `imported/${kind}`, '--kind', kind, '--from', input(s, kind, Buffer.concat(files.map((path) => readFileSync(path))))]);
  }
}

/** From a program in place of Terraform, which gives out what it has, or fails over it. */
export async function sealOutputs(s: Stage): Promise<void> {
  const outputs = input(s, 'outputs.json', JSON.stringify({ it: { sensitive: true, type: 'string', value: release(s, 'Output') } }));
  const plan = input(s, 'outputs.yaml', 'secrets:\n  imported/output: { kind: document, import: { terraform: { dir: ., output: it } } }\n');
  const env = { OXP_VAULT_TERRAFORM: input(s, 'terraform', `#!/bin/sh\ncat '${outputs}'\n`), TF_LOG: 'TRACE', TF_LOG_PATH: 'terraform.log' };
  chmodSync(env.OXP_VAULT_TERRAFORM, 0o755);
  await s.cli(0, ['seal', '--bootstrap', plan], { env });
  input(s, 'terraform', `#!/bin/sh\ncat '${outputs}' '${outputs}'; exit "$BROKEN"\n`);
  for (const broken of ['0', '1']) await s.cli(2, ['seal', 'imported/output', '--bootstrap', plan], { env: { ...env, BROKEN: broken } });
}

export async function sealGenerated(s: Stage): Promise<void> {
  const uuid = '9d1c4e7a-5b3f-4c2d-8e6a-1f0b7c9d2e4a';
  s.needles.push(...needlesFor('the Scaleway secret key', uuid), ...needlesFor('the Scaleway secret key', uuid.replaceAll('-', '')));
  release(s, 'Env');
  writeFileSync(join(s.person.work, 'bootstrap.yaml'), `secrets:
  made/root:      { kind: pki-root, subject: { CN: Root } }
  made/issuing:   { kind: pki-intermediate, issuer: made/root, subject: { CN: Issuing } }
  made/ssh:       { kind: ssh-key }
  made/tsig:      { kind: tsig, key: made. }
  made/state:     { kind: state-key }
  made/password:  { kind: password, length: 32 }
  made/scaleway:  { kind: api-key, import: { env: { access: SCW_ACCESS_KEY, secret: SCW_SECRET_KEY } } }
  made/env:       { kind: password, import: { env: APP_SECRET } }
`);
  const env = { SCW_ACCESS_KEY: 'SCWDEMODEMODEMODEMO0', SCW_SECRET_KEY: uuid, APP_SECRET: canary('Env') };
  await s.cli(0, ['seal', '--dry-run'], { env });
  await s.cli(0, ['seal', '--json'], { env });
  await s.cli(0, ['seal'], { env });
  for (const name of ['root', 'issuing', 'ssh', 'tsig', 'state', 'password']) await recordOpened(s, `made/${name}`);
}

export async function open(s: Stage): Promise<void> {
  const values = { values: true } as const;
  for (const name of names(s)) await s.cli(0, ['open', name, '--json'], values);
  for (const name of ['imported/document', 'made/root', 'made/tsig']) {
    await s.cli(0, ['open', name], values);
    await s.cli(3, ['open', `${name}#nothing`]);
    await s.cli(3, ['open', name, '--at', '99']);
    await s.cli(2, ['open', name, '--format', 'nothing']);
  }
  await s.cli(0, ['open', '--role', 'team'], values);
  for (const format of ['yaml', 'env', 'tfvars', 'k8s-secret']) await s.cli(0, ['open', 'imported/password', 'made/tsig', '--format', format], values);
  for (const format of ['bind', 'external-dns']) await s.cli(0, ['open', 'made/tsig', '--format', format], values);
  await s.cli(0, ['open', 'made/root', '--format', 'p12', '--password-file', input(s, 'p12', release(s, 'Twelve'))], values);
  await s.cli(0, ['open', 'made/scaleway', '--format', 'scaleway'], values);
  await s.cli(2, ['open', 'imported/document', '--format', 'bind']);
  await s.cli(2, ['open', 'imported/password', '--format', 'p12']);
  await s.cli(2, ['open', 'made/root', '--format', 'p12', '--password-file', input(s, 'empty', '')]).catch(async () => s.cli(9, ['open', 'made/root', '--format', 'p12', '--password-file', join(s.inputs, 'empty')]));
  await s.cli(2, ['open', 'imported/password', '--format', 'github-actions', '--github-key', 'AAAA', '--github-key-id', '1']);
  await s.cli(2, ['open', core('Document')]);
  await s.cli(2, ['open', '--role', 'team', '--out', s.inputs]);
  await s.cli(0, ['open', '--role', 'team', '--out', fresh(s)]);
  await s.cli(0, ['open', 'imported/document', '--offline'], values);
  await s.cli(4, ['open', 'imported/password', '--identity', join(s.inputs, 'bruno.age')]);
  await s.cli(9, ['open', 'imported/password', '--identity', 'locked.age', '--passphrase-file', join(s.inputs, 'wrong')]);
  // A place that cannot be written to, found out after decrypting.
  writeFileSync(join(s.outputs, 'a-file'), '');
  await s.cli(8, ['open', 'imported/password', '--out', join(s.outputs, 'a-file', 'below')]);
}
