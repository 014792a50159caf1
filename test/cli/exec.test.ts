import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { binDirectory, buildCli, runBin } from './harness.js';
import { run } from '../support/run.js';
import { describeWith } from '../support/tools.js';
import { owner, type VaultOwner } from './person.js';

const SCALEWAY = { SCW_ACCESS_KEY: 'SCWDEMODEMODEMODEMO0', SCW_SECRET_KEY: 'c0ffee00-1111-4222-8333-444455556666' };

async function aliceWith(): Promise<{ alice: VaultOwner; value: string; env: Record<string, string> }> {
  const alice = await owner();
  await alice.must(['seal']);
  const value = (await alice.must(['open', 'app/password'])).text;
  return { alice, value, env: { PATH: `${binDirectory(alice.home)}:${process.env['PATH']}` } };
}

const log = async (alice: VaultOwner, last: number): Promise<string[]> => (await alice.must(['audit', 'log', '--last', String(last)])).text.trim().split('\n').map((line) => line.replace(/^.*\(laptop\) +/, ''));

describe('exec', () => {
  beforeAll(buildCli, 300_000);

  it('gives the program its variables, its streams and its exit code, and records scope and opening', async () => {
    const { alice, value, env } = await aliceWith();
    const result = await runBin(alice, ['exec', '--env', 'DB_PASSWORD=app/password', '--', 'sh', '-c', 'cat; printf %s "$DB_PASSWORD"; echo told >&2; exit 7'], { env, input: 'given ' });
    expect([result.code, result.text, result.stderr]).toEqual([7, `given ${value}`, 'told\n']);
    expect(await log(alice, 2)).toEqual(['began a session that may open app/password (exec sh)', 'ended a session that opened app/password v1 (exec sh)']);
  });

  it('lets what it starts open within the scope without an identity, and leaves nothing behind', async () => {
    const { alice, value, env } = await aliceWith();
    await alice.must(['seal', 'dns/key', '--kind', 'tsig', '--set', 'key=demo.']);
    const locked = { ...env, OXP_VAULT_IDENTITY: join(alice.home, '.config/oxp-vault/identity.age') };
    const script = 'echo "$OXP_VAULT_AGENT"; export OXP_VAULT_IDENTITY=/nowhere; oxp-vault open app/password; echo; oxp-vault open dns/key; echo $?';
    const { text, stderr } = await runBin(alice, ['exec', '--scope', 'app/', '--', 'sh', '-c', script], { env: locked });
    const [socket = '', opened, outside] = text.split('\n');
    expect([opened, outside]).toEqual([value, '9']);
    expect(stderr).toContain('IDENTITY_NOT_FOUND');
    expect(existsSync(dirname(socket))).toBe(false);
  });

  it('gives a Scaleway key as the tools expect it', async () => {
    const { alice, env } = await aliceWith();
    alice.write('bootstrap.yaml', 'secrets:\n  scaleway/root: { kind: api-key, import: { env: { access: SCW_ACCESS_KEY, secret: SCW_SECRET_KEY } } }\n');
    await alice.must(['seal'], { env: SCALEWAY });
    const { text } = await runBin(alice, ['exec', '--scaleway', 'scaleway/root', '--', 'sh', '-c', 'echo "$SCW_ACCESS_KEY $SCW_SECRET_KEY $AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY"'], { env });
    expect(text).toBe(`${SCALEWAY.SCW_ACCESS_KEY} ${SCALEWAY.SCW_SECRET_KEY} ${SCALEWAY.SCW_ACCESS_KEY} ${SCALEWAY.SCW_SECRET_KEY}\n`);
    const refused = await runBin(alice, ['exec', '--scaleway', 'app/password', '--', 'true'], { env });
    expect([refused.code, refused.stderr.includes('FORMAT_UNSUITABLE')]).toEqual([125, true]);
  });

  it('lets OpenTofu encrypt with a key that stands in no variable', async () => {
    const { alice, env } = await aliceWith();
    await alice.must(['seal', 'terraform/state', '--kind', 'state-key']);
    const { text, stderr } = await runBin(alice, ['exec', '--tofu-encryption', 'terraform/state', '--', 'sh', '-c', 'echo "$TF_ENCRYPTION"; export OXP_VAULT_IDENTITY=/nowhere; echo null | oxp-vault terraform key-provider terraform/state'], { env });
    const [config = '', header, answer = ''] = text.split('\n');
    const { key_provider: provider } = JSON.parse(config) as { key_provider: { external: { oxp_vault: { command: string[] } } } };
    expect(provider.external.oxp_vault.command, stderr).toEqual(['oxp-vault', 'terraform', 'key-provider', 'terraform/state']);
    expect(header).toContain('OpenTofu-External-Key-Provider');
    const { encryption_key: key } = (JSON.parse(answer) as { keys: { encryption_key: string } }).keys;
    expect([Buffer.from(key, 'base64').length, config.includes(key)]).toEqual([32, false]);
    expect((await runBin(alice, ['exec', '--tofu-encryption', 'app/password', '--', 'true'], { env })).code).toBe(125);
  });

  it('masks the values, also where they come in pieces, as Base64 and on standard error', async () => {
    const { alice, value, env } = await aliceWith();
    const script = 'printf "%s" "a${V%?????}"; sleep 0.2; printf "%s" "${V#"${V%?????}"}z"; printf "%s" "$V" | base64; printf "err $V" >&2';
    const { text, stderr } = await runBin(alice, ['exec', '--mask', '--env', 'V=app/password', '--', 'sh', '-c', script], { env });
    expect([text, stderr]).toEqual(['a***z***\n', 'err ***']);
    expect(text + stderr).not.toContain(value.slice(0, 8));
  });

  it('says with 125, 126 and 127 that the program never ran', async () => {
    const { alice, env } = await aliceWith();
    const code = async (...words: string[]): Promise<number> => (await runBin(alice, ['exec', ...words], { env })).code;
    alice.write('plain', 'x');
    const entries = (await log(alice, 100)).length;
    expect(await code('--env', 'V=no/such', '--', 'true')).toBe(125);
    expect(await code('--env', '1V=app/password', '--', 'true')).toBe(125);
    expect((await log(alice, 100)).length).toBe(entries);
    expect(await code('--', './plain')).toBe(126);
    expect(await code('--', 'no-such-program')).toBe(127);
  });

  it('passes a signal on, says by its code which one ended the program, and still closes the session', async () => {
    const { alice, env } = await aliceWith();
    const script = 'trap "echo caught; exit 3" TERM; echo "$PPID"; while :; do sleep 0.05; done';
    const running = runBin(alice, ['exec', '--scope', 'app/', '--', 'sh', '-c', `{ ${script}; } > ${join(alice.work, 'out')}`], { env });
    let parent = '';
    for (let i = 0; i < 500 && parent === ''; i++) {
      await sleep(20);
      parent = existsSync(join(alice.work, 'out')) ? readFileSync(join(alice.work, 'out'), 'utf8').trim() : '';
    }
    expect(Number(parent)).toBeGreaterThan(1);
    process.kill(Number(parent), 'SIGTERM');
    expect((await running).code).toBe(3);
    expect(readFileSync(join(alice.work, 'out'), 'utf8')).toContain('caught');
    expect((await log(alice, 1))[0]).toBe('ended a session that opened nothing');
    const killed = await runBin(alice, ['exec', '--scope', 'app/', '--', 'sh', '-c', 'kill -KILL $$'], { env });
    expect(killed.code).toBe(137);
  });

  it('leaves no socket in the temporary directory', async () => {
    const { alice, env } = await aliceWith();
    const mine = (): string[] => readdirSync(tmpdir()).filter((name) => /^oxp-vault-[A-Za-z0-9]{6}$/.test(name));
    const before = mine();
    const { text } = await runBin(alice, ['exec', '--scope', 'app/', '--', 'sh', '-c', 'ls -d "$(dirname "$OXP_VAULT_AGENT")"'], { env });
    expect(before).not.toContain(text.trim().split('/').at(-1));
    expect(mine()).not.toContain(text.trim().split('/').at(-1));
  });
});

describeWith(['ssh-add', 'ssh-agent'], 'exec --ssh-agent', () => {
  beforeAll(buildCli, 300_000);

  async function withKeys(): Promise<Awaited<ReturnType<typeof aliceWith>> & { fingerprint: string }> {
    const found = await aliceWith();
    await found.alice.must(['seal', 'ssh/deploy', '--kind', 'ssh-key']);
    await found.alice.must(['seal', 'ssh/other', '--kind', 'ssh-key', '--set', 'algorithm=ecdsa-p256']);
    return { ...found, fingerprint: (await found.alice.must(['open', 'ssh/deploy#fingerprint'])).text };
  }

  const agents = async (socket: string): Promise<string> => (await run('ps', ['-eo', 'args'])).text.split('\n').filter((line) => line.includes(socket)).join('\n');

  it('gives the program the keys without a file, and nothing of it is left', async () => {
    const { alice, env, fingerprint } = await withKeys();
    const { code, text } = await runBin(alice, ['exec', '--ssh-agent', 'ssh/deploy', '--ssh-agent', 'ssh/other', '--', 'sh', '-c', 'ssh-add -l; echo "$SSH_AUTH_SOCK"; exit 3'], { env: { ...env, SSH_AUTH_SOCK: '/nowhere' } });
    const [first = '', second = '', socket = ''] = text.split('\n');
    expect([code, first.split(' ')[1], second.split(' ').at(-1)]).toEqual([3, fingerprint, '(ECDSA)']);
    expect([existsSync(dirname(socket)), await agents(socket)]).toEqual([false, '']);
    expect(await log(alice, 2)).toEqual(['began a session that may open ssh/deploy, ssh/other (exec sh)', expect.stringMatching(/^ended a session that opened ssh\/(deploy|other) v1, ssh\/(deploy|other) v1 \(exec sh\)$/)]);
  });

  it('takes only SSH keys, and says before anything is recorded what is none', async () => {
    const { alice, env } = await withKeys();
    const before = await log(alice, 100);
    for (const [name, fault] of [['app/password', 'FORMAT_UNSUITABLE'], ['no/such', 'SECRET_NOT_FOUND']] as const) {
      const refused = await runBin(alice, ['exec', '--ssh-agent', name, '--', 'true'], { env });
      expect([refused.code, refused.stderr.includes(`error ${fault}`)]).toEqual([125, true]);
    }
    expect(await log(alice, 100)).toEqual(before);
  });

  it('says that there is no ssh-agent, and leaves nothing behind', async () => {
    const { alice, env } = await withKeys();
    const refused = await runBin(alice, ['exec', '--ssh-agent', 'ssh/deploy', '--', 'true'], { env: { ...env, PATH: '/nowhere' } });
    expect([refused.code, refused.stderr.includes('error UNSUPPORTED: no ssh-agent could be started')]).toEqual([125, true]);
    expect(readdirSync(alice.env['TMPDIR']!)).toEqual([]);
    expect((await log(alice, 1))[0]).toContain('ended a session');
  });

  it('ends also when oxp-vault is killed', async () => {
    const { alice, env } = await withKeys();
    const out = join(alice.work, 'out');
    const running = runBin(alice, ['exec', '--ssh-agent', 'ssh/deploy', '--', 'sh', '-c', `echo "$PPID $SSH_AUTH_SOCK" > ${out}.new; mv ${out}.new ${out}; sleep 1`], { env });
    for (let i = 0; i < 500 && !existsSync(out); i++) await sleep(20);
    const [parent, socket = ''] = readFileSync(out, 'utf8').trim().split(' ');
    expect(await agents(socket)).toContain('ssh-agent');
    process.kill(Number(parent), 'SIGKILL');
    await running;
    // It looks every ten seconds.
    for (let i = 0; i < 150 && (await agents(socket)) !== ''; i++) await sleep(100);
    expect(await agents(socket)).toBe('');
  });
});
