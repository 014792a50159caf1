/** terraform-provider-oxpvault under real Terraform: the right values arrive, and none of them is seen anywhere. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { BIN, buildCli } from '../cli/harness.js';
import { owner, person, type VaultOwner } from '../cli/person.js';
import { leaks, type Needle, needlesFor } from '../leak/needles.js';
import { run } from '../support/run.js';
import { PROVIDER, SOURCE, TerraformBox, testProviders } from '../support/terraform/box.js';
import { describeWith, tool } from '../support/tools.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const canary = (label: string): string => `CANARY${label}${sha256(label).slice(0, 20)}`;
const needles = (...labels: string[]): Needle[] => labels.flatMap((label) => needlesFor(label, canary(label)));

const HEAD = `terraform {
  required_providers {
    oxpvault = { source = "${SOURCE}" }
    sink     = { source = "oxp.test/oxp/sink" }
  }
}
`;
const MAIN = `${HEAD}
ephemeral "oxpvault_secret" "password" { name = "app/token" }
ephemeral "oxpvault_secret" "api" {
  name  = "cloud/api"
  field = "secret"
}
data "oxpvault_public" "password" { name = "app/token" }

provider "oxpvault" {}
provider "sink" { token = ephemeral.oxpvault_secret.api.value }

resource "sink_store" "it" {
  name              = "it"
  secret_wo         = ephemeral.oxpvault_secret.password.value
  secret_wo_version = data.oxpvault_public.password.version
}
`;

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 600) throw new Error('what was waited for did not come about');
    await sleep(50);
  }
}

async function ownerOfTwo(): Promise<VaultOwner> {
  const alice = await owner();
  await alice.must(['seal', 'app/token', '--kind', 'password', '--from', '-'], { input: canary('One') });
  await alice.must(['seal', 'cloud/api', '--kind', 'api-key', '--from', '-'], { input: canary('Api') });
  return alice;
}

describeWith(['terraform', 'python3'], 'the provider under Terraform', () => {
  let providers: Awaited<ReturnType<typeof testProviders>>;
  beforeAll(async () => {
    await buildCli();
    providers = await testProviders();
  }, 300_000);

  it('gives a write-only argument and a provider block their values, and leaves no trace of them', async () => {
    const alice = await ownerOfTwo();
    const box = new TerraformBox(alice, providers, MAIN);
    await box.must(['validate']);
    await box.must(['plan', '-out=one.tfplan']);
    await box.must(['apply', 'one.tfplan']);
    expect([box.got('it'), box.got('provider-token')]).toEqual([sha256(canary('One')), sha256(canary('Api'))]);
    // A new version at the source is a new version of the argument, by itself.
    await alice.must(['seal', 'app/token', '--from', '-'], { input: canary('Two') });
    const second = await box.must(['apply', '-auto-approve']);
    expect(second.text).toContain('1 changed');
    expect(box.got('it')).toBe(sha256(canary('Two')));
    expect((await box.must(['plan', '-out=two.tfplan', '-detailed-exitcode'])).text).toContain('No changes');
    await box.must(['show', '-json', 'two.tfplan']);
    await box.must(['destroy', '-auto-approve']);

    const log = (await alice.must(['audit', 'log'])).text;
    expect(log).toContain('opened app/token v1 (terraform provider)');
    expect(log).toContain('opened cloud/api v1 (terraform provider)');
    const everything = await box.everything();
    expect(leaks(everything, needles('One', 'Two', 'Api'))).toEqual([]);
    expect(box.leftovers()).toEqual([]);

    // The search sees what it is to see: states, the members of plans, trace logs, and with strace what was started.
    const where = everything.map((each) => each.where).join('\n');
    for (const place of ['terraform.tfstate', 'one.tfplan.members/tfplan', 'one.tfplan.members/tfstate', 'trace-2.log']) expect(where).toContain(place);
    const known = leaks(everything, needlesFor('the fingerprint of what arrived', sha256(canary('Two')))).concat(leaks(everything, needlesFor('a name', 'secret_wo_version')));
    expect(known.map((line) => line.replace(/^.* in /, ''))).toEqual(expect.arrayContaining([expect.stringMatching(/sink\/it$/) as string, expect.stringMatching(/terraform\.tfstate/) as string, expect.stringMatching(/members\/tfplan$/) as string]));
    if (tool('strace') !== undefined) expect(box.programs.length).toBeGreaterThan(10);
  }, 300_000);

  it('is installed from a filesystem mirror', async () => {
    const alice = await ownerOfTwo();
    const mirror = alice.at('mirror');
    const platform = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;
    const place = join(mirror, SOURCE, '1.0.0', platform);
    mkdirSync(place, { recursive: true });
    symlinkSync(PROVIDER, join(place, 'terraform-provider-oxpvault_v1.0.0'));
    const installation = `  filesystem_mirror {\n    path    = "${mirror}"\n    include = ["oxp-vault.internal/*/*"]\n  }\n`;
    const main = `terraform {\n  required_providers {\n    oxpvault = {\n      source  = "${SOURCE}"\n      version = "~> 1.0"\n    }\n  }\n}\nephemeral "oxpvault_secret" "it" { name = "app/token" }\ndata "oxpvault_public" "it" { name = "app/token" }\noutput "version" { value = data.oxpvault_public.it.version }\n`;
    const box = new TerraformBox(alice, {}, main, { installation });
    expect((await box.must(['init'])).text).toContain(`Installed ${SOURCE} v1.0.0`);
    expect(box.read('.terraform.lock.hcl')).toContain('h1:');
    await box.must(['apply', '-auto-approve']);
    expect((await box.must(['output', 'version'])).text).toBe('1\n');
    expect(leaks(await box.everything(), needles('One'))).toEqual([]);
    expect(box.leftovers()).toEqual([]);
  });

  it('that was unlocked beforehand serves several runs, until Ctrl-C', async () => {
    const alice = person('alice');
    const phrase = alice.write('phrase', 'correct horse battery\n');
    await alice.must(['identity', 'create', '--person', 'alice', '--passphrase-file', phrase]);
    const unlocked = { env: { OXP_VAULT_PASSPHRASE_FILE: phrase } };
    await alice.must(['init'], unlocked);
    await alice.must(['seal', 'app/token', '--kind', 'password', '--from', '-'], { input: canary('One'), ...unlocked });
    const main = (block: string): string => `${HEAD}provider "oxpvault" {${block}}\nephemeral "oxpvault_secret" "it" { name = "app/token" }\nresource "sink_store" "it" {\n  name = "it"\n  secret_wo = ephemeral.oxpvault_secret.it.value\n}\n`;
    const box = new TerraformBox(alice, { sink: providers.sink }, main(''));

    const child = spawn(process.execPath, [PROVIDER, '--reattach'], { cwd: alice.work, env: { ...box.env, ...unlocked.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const line = await new Promise<string>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    const [, value = ''] = /^export TF_REATTACH_PROVIDERS='(.*)'\n$/.exec(line) ?? [];
    // The passphrase is nowhere any more: what follows is answered by the process that was unlocked.
    const attached = { TF_REATTACH_PROVIDERS: value };
    await box.must(['plan'], attached);
    await box.must(['apply', '-auto-approve'], attached);
    expect(box.got('it')).toBe(sha256(canary('One')));
    expect(child.exitCode).toBeNull();
    await alice.must(['seal', 'app/token', '--from', '-'], { input: canary('Two'), ...unlocked });
    box.write('main.tf', main('').replace('name = "it"\n', 'name = "other"\n'));
    await box.must(['apply', '-auto-approve'], attached);
    expect(box.got('other')).toBe(sha256(canary('Two')));

    box.write('main.tf', main(` vault = "${alice.work}/vault" `));
    const refused = await box.run(['plan'], attached);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/USAGE: this provider was unlocked beforehand/);

    const ended = new Promise((resolve) => child.on('close', (code) => resolve(code)));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(box.leftovers()).toEqual([]);
    const gone = await box.run(['plan'], attached);
    expect(gone.code).toBe(1);
    expect(leaks(await box.everything(), needles('One', 'Two'))).toEqual([]);
  }, 300_000);

  it('opens through the agent of `oxp-vault exec`, and asks for no passphrase', async () => {
    const alice = person('alice');
    const phrase = alice.write('phrase', 'correct horse battery\n');
    const unlocked = { env: { OXP_VAULT_PASSPHRASE_FILE: phrase } };
    await alice.must(['identity', 'create', '--person', 'alice', '--passphrase-file', phrase]);
    await alice.must(['init'], unlocked);
    for (const [name, label] of [['app/token', 'One'], ['other/token', 'Two']] as const) await alice.must(['seal', name, '--kind', 'password', '--from', '-'], { input: canary(label), ...unlocked });
    const main = (name: string): string => `${HEAD}ephemeral "oxpvault_secret" "it" { name = "${name}" }\nresource "sink_store" "it" {\n  name      = "it"\n  secret_wo = ephemeral.oxpvault_secret.it.value\n}\n`;
    const box = new TerraformBox(alice, { sink: providers.sink }, main('app/token'));
    const exec = () => run(process.execPath, [BIN, '--passphrase-file', phrase, 'exec', '--scope', 'app/', '--', box.program, 'apply', '-auto-approve', '-no-color'], { cwd: box.directory, env: box.env, timeout: 120_000 });
    const applied = await exec();
    expect(applied, applied.stderr).toMatchObject({ code: 0 });
    expect(box.got('it')).toBe(sha256(canary('One')));
    expect((await alice.must(['audit', 'log'])).text).toContain('app/token');
    box.write('main.tf', main('other/token'));
    const outside = await exec();
    expect(outside.code).toBe(1);
    expect(outside.stderr).toMatch(/PASSPHRASE_NEEDED/);
    expect(leaks(await box.everything(), needles('One', 'Two'))).toEqual([]);
    expect(box.leftovers()).toEqual([]);
  }, 300_000);

  describe('says what is wrong, with a code and what to do, and never a value:', () => {
    const secret = (body: string, block = ''): string => `${HEAD}provider "oxpvault" {${block}}\nephemeral "oxpvault_secret" "it" {\n${body}\n}\n`;
    const look = (body: string): string => `${HEAD}data "oxpvault_public" "it" {\n${body}\n}\n`;
    const cases: [title: string, main: string, env: Record<string, string>, said: RegExp][] = [
      ['no such secret', secret('name = "app/tokens"'), {}, /SECRET_NOT_FOUND: [\s\S]*oxp-vault help SECRET_NOT_FOUND/],
      ['a private field in a data source', look('name = "app/token"\nfield = "password"'), {}, /SECRET_IN_STATE: [\s\S]*on main\.tf line[\s\S]*ephemeral "oxpvault_secret"/],
      ['no name of a secret', secret('name = "app/token#password"'), {}, /BAD_NAME: [\s\S]*on main\.tf line[\s\S]*`field`/],
      ['no such format', secret('name = "app/token"\nformat = "nope"'), {}, /USAGE: |FORMAT_UNSUITABLE: /],
      ['a format that makes files', secret('name = "app/token"\nformat = "files"'), {}, /USAGE: the format files /],
      ['no vault', secret('name = "app/token"', ' vault = "/nowhere" '), {}, /VAULT_NOT_FOUND: /],
      ['another vault than the one that was meant', secret('name = "app/token"', ` expect = "${'0'.repeat(64)}" `), {}, /EXPECT_MISMATCH: |WRONG_VAULT: /],
      ['no identity', secret('name = "app/token"', ' identity = "/nowhere" '), {}, /IDENTITY_NOT_FOUND: /],
      ['a role that does not read it', secret('name = "app/token"', ' role = "guests" '), {}, /NOT_A_READER: [\s\S]*role guests/],
      ['the same, by the environment', secret('name = "app/token"'), { OXP_VAULT_ROLE: 'guests' }, /NOT_A_READER: [\s\S]*role guests/],
      ['a passphrase that is not given', secret('name = "app/token"', ' identity = "../locked.age" '), {}, /PASSPHRASE_NEEDED: /],
      ['a wrong passphrase', secret('name = "app/token"', '\n  identity = "../locked.age"\n  passphrase_file = "../wrong"\n'), {}, /PASSPHRASE_WRONG: /],
    ];

    let alice: VaultOwner;
    beforeAll(async () => {
      alice = person('alice');
      await alice.must(['identity', 'create', '--person', 'alice', '--no-passphrase']);
      await alice.must(['init', '--role', 'team', '--role', 'guests']);
      await alice.must(['seal', 'app/token', '--kind', 'password', '--from', '-'], { input: canary('One') });
      await alice.must(['identity', 'create', '--person', 'bob', '--out', 'locked.age', '--passphrase-file', alice.write('right', 'correct horse battery\n')]);
      alice.write('wrong', 'another horse battery');
    });

    it.each(cases)('%s', async (title, main, env, said) => {
      const box = new TerraformBox(alice, providers, main, { directory: title.replaceAll(/[^a-z]/g, '-') });
      const failed = await box.run(['plan'], env, false);
      expect(failed.code).toBe(1);
      // Terraform wraps and frames what it is told.
      expect(failed.stderr.replace(/\n[│ ]*/g, ' ')).toMatch(said);
      expect(leaks(await box.everything(), needles('One'))).toEqual([]);
      expect(box.leftovers()).toEqual([]);
    });
  });

  it('leaves when Terraform is killed, and takes its socket along', async () => {
    const alice = await ownerOfTwo();
    const box = new TerraformBox(alice, providers, MAIN);
    const child = spawn(box.program, ['apply', '-auto-approve'], { cwd: box.directory, env: { ...box.env, SINK_PAUSE: '60000' }, stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = new Promise((resolve) => child.on('close', resolve));
    await until(() => existsSync(join(box.sink, 'it')));
    expect(readdirSync(alice.env['TMPDIR']!).filter((name) => name.startsWith('oxp-vault-tf-')).length).toBeGreaterThan(0);
    child.kill('SIGKILL');
    await ended;
    // They look once a second whether it is still there.
    await until(() => box.leftovers().length === 0);
  });

  it('stays at Ctrl-C, which Terraform deals with', async () => {
    const alice = await ownerOfTwo();
    const box = new TerraformBox(alice, providers, MAIN);
    const child = spawn(box.program, ['apply', '-auto-approve', '-no-color'], { cwd: box.directory, env: { ...box.env, SINK_PAUSE: '1500' }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = new Promise((resolve) => child.on('close', resolve));
    await until(() => existsSync(join(box.sink, 'it')));
    process.kill(-child.pid!, 'SIGINT');
    await ended;
    expect(said).toContain('Interrupt received');
    expect(said).not.toMatch(/plugin (did not respond|process exited)|connection/i);
    expect(box.leftovers()).toEqual([]);
  });
});

describe('the provider started by hand', () => {
  beforeAll(buildCli, 300_000);
  const byHand = (args: readonly string[], env: Record<string, string> = {}) => run(process.execPath, [PROVIDER, ...args], { env: { ...process.env, ...env } });

  it('says what it is', async () => {
    const told = await byHand([]);
    expect(told).toMatchObject({ code: 1, text: '' });
    expect(told.stderr).toMatch(/^This is a provider: Terraform or OpenTofu starts it/);
    expect(await byHand(['--debug'])).toMatchObject({ code: 2, text: '' });
  });

  it('refuses a Terraform that is too old, and a vault that is not there', async () => {
    const cookie = { TF_PLUGIN_MAGIC_COOKIE: 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2', PLUGIN_PROTOCOL_VERSIONS: '5' };
    expect(await byHand([], cookie)).toMatchObject({ code: 1, text: '', stderr: expect.stringMatching(/^terraform-provider-oxpvault: UNSUPPORTED: [^\n]*1\.10[^\n]*\n$/) as string });
    expect(await byHand(['--reattach'], { OXP_VAULT: '/nowhere' })).toMatchObject({ code: 1, text: '', stderr: expect.stringMatching(/VAULT_NOT_FOUND/) as string });
  });
});
