/**
 * At three in the morning: an empty machine, the recovery device, the address of the vault and the line that tells it from others. What is
 * typed is counted, and then Terraform and Ansible themselves say whether they could start.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, expect, it, vi } from 'vitest';
import { mustRun } from '../support/run.js';
import { type Sandbox, sandbox } from '../support/sandbox.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { binDirectory, buildCli, mustRunMain } from './harness.js';

const PASSPHRASE = 'three in the morning, no coffee';
const SECRET_KEY = '9d1c4e7a-5b3f-4c2d-8e6a-1f0b7c9d2e4a';

const BOOTSTRAP = `secrets:
  ssh/bootstrap:     { kind: ssh-key }
  dns/tsig:          { kind: tsig, key: external-dns. }
  terraform/state:   { kind: state-key }
  scaleway/root:     { kind: api-key, import: { env: { access: SCW_ACCESS_KEY, secret: SCW_SECRET_KEY } } }
  ansible/inventory: { kind: ansible-inventory, import: { file: inventory.yml } }
`;
const INVENTORY = 'all:\n  hosts:\n    localhost:\n      ansible_connection: local\n';

/** Terraform's own provider needs nothing from the network; the variables come from the vault. */
const MAIN_TF = `variable "dns_tsig" {
  type      = string
  sensitive = true
}
variable "terraform_state_base64" {
  type      = string
  sensitive = true
}
resource "terraform_data" "zone" {
  input = sha256(var.dns_tsig)
}
`;
/** Without Python on the other side: what is shown is that Ansible starts with these files. */
const PLAYBOOK = `- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: test -n "$SCW_SECRET_KEY"
`;

/** At most so many, of which none is longer than what fits on a note. */
const COMMANDS = 5;

describeWith(['git', 'bash', 'terraform', 'ansible-playbook', 'ssh-keygen'], 'at three in the morning', (tools) => {
  vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
  beforeAll(buildCli);

  /** The vault of a team in Git, and what lies in the safe: the recovery device and the note beside it. */
  async function stored(): Promise<{ safe: string; address: string }> {
    const place = tempDir('remote');
    const remote = join(place, 'vault.git');
    await mustRun(tools.git, ['init', '-q', '--bare', remote]);
    const address = `git+file://${remote}`;
    const alice = sandbox('alice');
    const env = { OXP_VAULT: address, SCW_ACCESS_KEY: 'SCWDEMODEMODEMODEMO0', SCW_SECRET_KEY: SECRET_KEY };
    const type = (...argv: string[]): Promise<unknown> => mustRunMain(alice, argv, { env });
    await type('identity', 'create', '--device', 'laptop', '--no-passphrase');
    await type('init', '--name', 'platform');
    writeFileSync(join(alice.work, 'bootstrap.yaml'), BOOTSTRAP);
    writeFileSync(join(alice.work, 'inventory.yml'), INVENTORY);
    const phrase = join(alice.work, 'phrase');
    writeFileSync(phrase, `${PASSPHRASE}\n`);
    const safe = join(place, 'usb');
    await type('device', 'add', '--recovery', '--out', join(safe, 'recovery.age'), '--new-passphrase-file', phrase);
    // Sealed after the device was put away: it opens that as well.
    await type('seal');
    await type('role', 'rekey', 'team');
    await type('rotate', 'dns/tsig');
    return { safe, address };
  }

  it(`everything of a role is open after at most ${COMMANDS} commands, and Terraform and Ansible start`, async () => {
    const { safe, address } = await stored();
    const note = readFileSync(join(safe, 'README.txt'), 'utf8');
    expect(note).toContain(`vault     ${address}\n`);
    const expected = /^ *expect +(\S+)$/m.exec(note)![1]!;

    const night = sandbox('night', { path: [binDirectory(tempDir('program'))] });
    for (const name of ['recovery.age', 'README.txt']) copyFileSync(join(safe, name), join(night.work, name));
    // A passphrase is typed; here it lies in a file for want of a terminal.
    writeFileSync(join(night.work, 'phrase'), `${PASSPHRASE}\n`);
    // The team's code, from its own repository.
    for (const [name, text] of [['infra/main.tf', MAIN_TF], ['site.yml', PLAYBOOK]] as const) {
      mkdirSync(join(night.work, name, '..'), { recursive: true });
      writeFileSync(join(night.work, name), text);
    }

    const typed = [
      `export OXP_VAULT=${address} OXP_VAULT_EXPECT=${expected} OXP_VAULT_IDENTITY=recovery.age OXP_VAULT_PASSPHRASE_FILE=phrase`,
      'oxp-vault open --role team --out ./in',
      'oxp-vault open dns/tsig terraform/state#base64 --format tfvars > infra/secrets.auto.tfvars.json',
      'oxp-vault exec --scaleway scaleway/root -- bash -c "cd infra && terraform init -input=false && terraform plan -input=false"',
      'oxp-vault exec --scaleway scaleway/root -- ansible-playbook -i in/ansible/inventory.yml --private-key in/ssh/bootstrap site.yml',
    ];
    expect(typed.length).toBeLessThanOrEqual(COMMANDS);
    const outputs = await typing(night, tools.bash, typed);
    expect(outputs[3]).toContain('Plan: 1 to add, 0 to change, 0 to destroy.');
    expect(outputs[4]).toMatch(/localhost +: ok=1 +changed=1 +unreachable=0 +failed=0/);

    // The files are what their tools want.
    const file = (name: string): string => join(night.work, 'in', name);
    expect((await mustRun(tools['ssh-keygen'], ['-y', '-f', file('ssh/bootstrap')])).text.split(' ').slice(0, 2)).toEqual(readFileSync(file('ssh/bootstrap.pub'), 'utf8').split(' ').slice(0, 2).map((word) => word.trim()));
    expect(readFileSync(file('dns/tsig.key'), 'utf8')).toMatch(/^key "external-dns-v2\." \{/);
    expect(readFileSync(file('terraform/state'))).toHaveLength(32);
    expect(readFileSync(file('ansible/inventory.yml'), 'utf8')).toBe(INVENTORY);
    expect(JSON.parse(readFileSync(file('scaleway/root.json'), 'utf8'))).toMatchObject({ secret: SECRET_KEY });
    expect(existsSync(join(night.work, 'oxp-vault.yaml'))).toBe(false);
  });

  it('with another vault in its place nothing is opened', async () => {
    const { safe } = await stored();
    const other = await stored();
    const expected = /^ *expect +(\S+)$/m.exec(readFileSync(join(safe, 'README.txt'), 'utf8'))![1]!;
    const night = sandbox('night', { path: [binDirectory(tempDir('program'))] });
    writeFileSync(join(night.work, 'phrase'), `${PASSPHRASE}\n`);
    const env = { OXP_VAULT: other.address, OXP_VAULT_EXPECT: expected, OXP_VAULT_IDENTITY: join(safe, 'recovery.age'), OXP_VAULT_PASSPHRASE_FILE: 'phrase' };
    const result = await night.run('oxp-vault', ['open', '--role', 'team', '--out', './in'], { env });
    expect(result.code).toBe(5);
    expect(existsSync(join(night.work, 'in'))).toBe(false);
  });
});

/** What each line printed, typed one after the other into one shell; rejects at the first that fails. */
async function typing(person: Sandbox, bash: string, lines: readonly string[]): Promise<string[]> {
  const script = lines.map((line, i) => `echo "=== ${i}" >&2; { ${line}\n} 1>&2 || exit ${i + 10}`).join('\n');
  const result = await person.run(bash, ['--norc', '-c', script.replaceAll(/(> infra\/\S+)\n\} 1>&2/g, '$1\n}')], { timeout: 240_000 });
  if (result.code !== 0) throw new Error(`line ${result.code - 10} failed\n${result.stderr}`);
  return stripVTControlCharacters(result.stderr).split(/^=== \d+$/m).slice(1);
}
