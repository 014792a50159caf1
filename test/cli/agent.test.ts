import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../support/tools.js';
import { run } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { buildCli, runBin } from './harness.js';
import { owner, type VaultOwner } from './person.js';

interface Status {
  readonly pid: number;
  readonly socket: string;
  readonly scope: readonly string[];
  readonly until: number;
}

const started: number[] = [];
afterEach(() => {
  for (const pid of started.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      continue; // it has ended as it should
    }
  }
});

/** alice under a passphrase, with sealed secrets and a runtime directory of her own. */
async function aliceWith(): Promise<{ alice: VaultOwner; env: Record<string, string>; value: string }> {
  const alice = await owner();
  await alice.must(['seal']);
  await alice.must(['seal', 'dns/key', '--kind', 'tsig', '--set', 'key=demo.']);
  const value = (await alice.must(['open', 'app/password'])).text;
  const runtime = tempDir('run');
  chmodSync(runtime, 0o700);
  return { alice, env: { XDG_RUNTIME_DIR: runtime }, value };
}

async function start(alice: VaultOwner, env: Record<string, string>, ...words: string[]): Promise<Status> {
  const { code, text, stderr } = await runBin(alice, ['agent', 'start', '--json', ...words], { env });
  expect(code, stderr).toBe(0);
  const status = JSON.parse(text) as Status;
  started.push(status.pid);
  return status;
}

async function gone(pid: number): Promise<boolean> {
  for (let i = 0; i < 300; i++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true; // nobody of that number
    }
    await sleep(20);
  }
  return false;
}

const log = async (alice: VaultOwner): Promise<string[]> => (await alice.must(['audit', 'log'])).text.trim().split('\n').map((line) => line.replace(/^.*\(laptop\) +/, ''));

describe('the agent', () => {
  beforeAll(buildCli, 300_000);

  it('opens without an identity what it was started for; its scope is in the log before, what it opened after', async () => {
    const { alice, env, value } = await aliceWith();
    const status = await start(alice, env, '--scope', 'app/', '--for', '30m');
    expect(status.scope).toEqual(['app/']);
    expect((await log(alice)).at(-1)).toBe('began a session that may open app/ (agent, may write)');
    expect([statSync(dirname(status.socket)).mode & 0o777, statSync(status.socket).mode & 0o777]).toEqual([0o700, 0o600]);

    const locked = { ...env, OXP_VAULT_IDENTITY: '/nowhere' };
    expect((await alice.must(['open', 'app/password'], { env: locked })).text).toBe(value);
    const external = await alice.must(['terraform', 'external'], { env: locked, input: JSON.stringify({ name: 'app/password', allow_secret_in_state: 'true' }) });
    expect(JSON.parse(external.text)).toMatchObject({ value });
    // Outside of its scope, and where an identity is named, it is as if there were none.
    expect((await alice.ov(['open', 'dns/key'], { env: locked })).stderr).toContain('IDENTITY_NOT_FOUND');
    expect((await alice.ov(['open', 'app/password', '--identity', '/nowhere'], { env })).stderr).toContain('IDENTITY_NOT_FOUND');

    expect((await alice.must(['agent', 'status'], { env })).text).toMatch(/^opened +app\/password$/m);
    await alice.must(['agent', 'stop'], { env });
    expect(await gone(status.pid)).toBe(true);
    expect(existsSync(dirname(status.socket))).toBe(false);
    expect((await log(alice)).slice(-2)).toEqual(['began a session that may open app/ (agent, may write)', 'ended a session that opened app/password v1 (agent, may write)']);
    expect((await alice.ov(['open', 'app/password'], { env: locked })).stderr).toContain('IDENTITY_NOT_FOUND');
  });

  it('is one for a vault: the second is refused, and what a killed one left is no hindrance', async () => {
    const { alice, env } = await aliceWith();
    const first = await start(alice, env);
    const second = await runBin(alice, ['agent', 'start'], { env });
    expect(second.code).toBe(7);
    expect(second.stderr).toContain(`error AGENT_RUNNING: an agent of alice is running for this vault already (process ${first.pid})`);
    process.kill(first.pid, 'SIGKILL');
    await gone(first.pid);
    expect(existsSync(first.socket)).toBe(true);
    expect((await alice.ov(['agent', 'status'], { env })).code).toBe(9);
    await start(alice, env);
    await alice.must(['agent', 'stop'], { env });
  });

  it('ends in good order on SIGTERM', async () => {
    const { alice, env } = await aliceWith();
    const { pid, socket } = await start(alice, env);
    process.kill(pid, 'SIGTERM');
    expect(await gone(pid)).toBe(true);
    expect(existsSync(socket)).toBe(false);
    expect((await log(alice)).at(-1)).toContain('ended a session that opened nothing');
  });

  it('ends with the process that it is to end with, and says in the log what it was for', async () => {
    const { alice, env } = await aliceWith();
    const other = spawn('sleep', ['600'], { stdio: 'ignore' });
    try {
      const { pid, socket } = await start(alice, env, '--while', String(other.pid), '--purpose', 'a play');
      await sleep(1500);
      expect(existsSync(socket)).toBe(true);
      other.kill('SIGKILL');
      expect(await gone(pid)).toBe(true);
      expect(existsSync(socket)).toBe(false);
      expect((await log(alice)).slice(-2)).toEqual(['began a session that may open / (a play, may write)', 'ended a session that opened nothing']);
    } finally {
      other.kill('SIGKILL');
    }
  });

  it.each([['0'], ['x'], ['-1'], ['4194999'], ['99999999999']])('is not started for a process %s, which is none', async (pid) => {
    const { alice, env } = await aliceWith();
    const before = await log(alice);
    const refused = await alice.ov(['agent', 'start', '--foreground', `--while=${pid}`], { env });
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--while takes the number of a process that runs')]);
    expect(await log(alice)).toEqual(before);
  });

  it('listens where it is told to, beside one for every command, and leaves alone what else lies there', async () => {
    const { alice, env, value } = await aliceWith();
    const directory = tempDir('place');
    writeFileSync(join(directory, 'mine'), 'kept');
    const usual = await start(alice, env, '--scope', 'dns/');
    const { socket } = await start(alice, env, '--socket', join(directory, 'a.sock'));
    expect(socket).toBe(join(directory, 'a.sock'));
    const locked = { ...env, OXP_VAULT_IDENTITY: '/nowhere' };
    expect((await alice.ov(['open', 'app/password'], { env: locked })).stderr).toContain('IDENTITY_NOT_FOUND');
    expect((await alice.must(['open', 'app/password'], { env: { ...locked, OXP_VAULT_AGENT: socket } })).text).toBe(value);
    const again = await runBin(alice, ['agent', 'start', '--foreground', '--socket', join(directory, 'a.sock')], { env });
    expect([again.code, again.stderr]).toEqual([7, expect.stringContaining('error AGENT_RUNNING')]);
    const before = await log(alice);
    await alice.must(['agent', 'stop'], { env: { ...env, OXP_VAULT_AGENT: socket } });
    expect(readdirSync(directory)).toEqual(['mine']);
    // The one that was refused had begun no session.
    expect((await log(alice)).slice(before.length)).toEqual(['ended a session that opened app/password v1 (agent, may write)']);
    process.kill(usual.pid, 'SIGTERM');
    expect(await gone(usual.pid)).toBe(true);
  });

  it('that OXP_VAULT_AGENT names and that is not there is one clear error', async () => {
    const { alice, env } = await aliceWith();
    const failed = await alice.ov(['open', 'app/password'], { env: { ...env, OXP_VAULT_AGENT: join(alice.work, 'none.sock') } });
    expect(failed).toMatchObject({ code: 9, text: '' });
    expect(failed.stderr).toContain('error AGENT_UNREACHABLE: no agent answers at');
  });

  it('is not believed where others could be behind it, or hear what is asked', async () => {
    const { alice, env, value } = await aliceWith();
    const directory = join(tempDir('fake'), 'd');
    mkdirSync(directory, { mode: 0o700 });
    const socket = join(directory, 's');
    const server = createServer((_, response) => response.end('{}'));
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      const named = { ...env, OXP_VAULT_AGENT: socket };
      chmodSync(socket, 0o666);
      expect((await alice.ov(['open', 'app/password'], { env: named })).stderr).toContain('error AGENT_UNSAFE');
      chmodSync(socket, 0o600);
      chmodSync(directory, 0o755);
      expect((await alice.ov(['open', 'app/password'], { env: named })).stderr).toContain('error AGENT_UNSAFE');
      chmodSync(directory, 0o700);
      // Ours by owner and mode, and no agent all the same.
      expect((await alice.ov(['open', 'app/password'], { env: named })).stderr).toContain('error AGENT_UNREACHABLE');
      writeFileSync(join(directory, 'file'), '');
      expect((await alice.ov(['open', 'app/password'], { env: { ...env, OXP_VAULT_AGENT: join(directory, 'file') } })).stderr).toContain('it is no socket');
      symlinkSync(socket, join(directory, 'link'));
      expect((await alice.ov(['open', 'app/password'], { env: { ...env, OXP_VAULT_AGENT: join(directory, 'link') } })).stderr).toContain('it is no socket');
    } finally {
      server.close();
    }
    expect((await alice.must(['open', 'app/password'], { env })).text).toBe(value);
  });

  it('is not believed where it belongs to another user', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('skipped: only root can give a socket to another user');
    const { alice, env } = await aliceWith();
    const { socket, pid } = await start(alice, env);
    const ask = async (): Promise<string> => (await alice.ov(['open', 'app/password'], { env })).stderr;
    chownSync(socket, 4242, 4242);
    expect(await ask()).toContain('it belongs to another user');
    chownSync(socket, 0, 0);
    chownSync(dirname(socket), 4242, 4242);
    expect(await ask()).toContain('it belongs to another user');
    chownSync(dirname(socket), 0, 0);
    process.kill(pid, 'SIGTERM');
    expect(await gone(pid)).toBe(true);
  });

  it('does not start in a directory that others can write', async () => {
    const { alice, env } = await aliceWith();
    const { socket } = await start(alice, env);
    await alice.must(['agent', 'stop'], { env });
    mkdirSync(dirname(socket), { recursive: true });
    chmodSync(dirname(socket), 0o777);
    const refused = await runBin(alice, ['agent', 'start', '--foreground'], { env });
    expect(refused.code).toBe(9);
    expect(refused.stderr).toContain('error AGENT_UNSAFE');
    expect(readdirSync(dirname(socket))).toEqual([]);
  });

  it('is given its identity neither in argv nor in its environment', async ({ skip }) => {
    if (!existsSync('/proc/self/environ')) skip('there is no /proc here');
    const { alice, env } = await aliceWith();
    const { pid } = await start(alice, env);
    for (const file of ['cmdline', 'environ']) {
      const { stdout } = await run('cat', [`/proc/${pid}/${file}`]);
      expect(stdout.toString()).not.toMatch(/AGE-SECRET-KEY|signing key/);
    }
    await alice.must(['agent', 'stop'], { env });
  });
});

describeWith(['curl'], 'curl alone is a client of the agent', (paths) => {
  beforeAll(buildCli, 300_000);

  it('for values, fields and versions; errors have their code', async () => {
    const { alice, env, value } = await aliceWith();
    const { socket } = await start(alice, env);
    const curl = (...words: string[]): ReturnType<typeof run> => run(paths.curl, ['-sS', '--unix-socket', socket, ...words]);
    expect((await curl('http://x/v1/secret/app/password')).stdout.toString()).toBe(value);
    expect((await curl('http://x/v1/secret/dns/key?field=secret&version=1')).stdout.toString()).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    const status = async (...words: string[]): Promise<string> => (await curl('-o', '/dev/null', '-w', '%{http_code}', ...words)).stdout.toString();
    expect(await status('http://x/v1/secret/no/such')).toBe('404');
    expect(await status('http://x/v1/secret/app/password?version=0')).toBe('400');
    expect(await status('http://x/v1/secret/app/password?field=nope')).toBe('404');
    expect(await status('http://x/v1/secret/..%2f..%2fetc')).toBe('400');
    expect(await status('http://x/elsewhere')).toBe('400');
    expect(await status('-X', 'POST', '-d', 'no json', 'http://x/v1/secrets')).toBe('400');
    expect(JSON.parse((await curl('-X', 'POST', '-d', '{"vault":"00","secrets":[{"name":"app/password"}]}', 'http://x/v1/secrets')).stdout.toString())).toMatchObject({ error: { code: 'WRONG_VAULT' } });
    const batch = JSON.parse((await curl('-d', '{"secrets":[{"name":"app/password"},{"name":"dns/key","field":"secret"}]}', 'http://x/v1/secrets')).stdout.toString()) as { secrets: { base64: string }[] };
    expect(batch.secrets.map(({ base64 }) => Buffer.from(base64, 'base64').toString())).toEqual([value, expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/)]);
    const post = async (path: string, body: object): Promise<Record<string, unknown>> => JSON.parse((await curl('-d', JSON.stringify(body), `http://x/v1/${path}`)).stdout.toString()) as Record<string, unknown>;
    expect(await post('secrets', { role: 'team' })).toMatchObject({ secrets: [{ name: 'app/password', base64: Buffer.from(value).toString('base64') }, { name: 'dns/key', kind: 'tsig' }] });
    expect(await post('secrets', { role: 'nobody' })).toMatchObject({ error: { code: 'ROLE_NOT_FOUND' } });
    const rendered = await post('render', { secrets: [{ name: 'dns/key' }], format: 'bind' });
    expect(Buffer.from(String(rendered['base64']), 'base64').toString()).toContain('key "demo." {');
    expect(await post('render', { secrets: [{ name: 'dns/key' }], format: 'files' })).toMatchObject({ error: { code: 'USAGE', message: expect.stringContaining('director') as string } });
    expect(await post('render', { vault: '00', secrets: [{ name: 'dns/key' }], format: 'bind' })).toMatchObject({ error: { code: 'WRONG_VAULT' } });
    expect(await post('render', { secrets: [{ name: 'dns/key' }], format: 'nonesuch' })).toMatchObject({ error: { code: 'USAGE' } });
    await alice.must(['agent', 'stop'], { env });
  });

  it('that is told of news: what was sealed a moment ago is there, and the root tells that it is', async () => {
    const { alice, env } = await aliceWith();
    const { socket } = await start(alice, env);
    const ask = async (...words: string[]): Promise<{ root: string; entries: number; error?: { code: string } }> => JSON.parse((await run(paths.curl, ['-sS', '--unix-socket', socket, ...words])).stdout.toString()) as { root: string; entries: number };
    const before = await ask('http://x/v1/status');
    await alice.must(['seal', 'app/new', '--from', '-'], { input: 'just now' });
    expect((await ask('http://x/v1/secret/app/new')).error?.code).toBe('SECRET_NOT_FOUND');
    const after = await ask('-d', '{}', 'http://x/v1/refresh');
    expect([after.entries, after.root === before.root]).toEqual([before.entries + 1, false]);
    expect((await run(paths.curl, ['-sS', '--unix-socket', socket, 'http://x/v1/secret/app/new'])).stdout.toString()).toBe('just now');
    await alice.must(['agent', 'stop'], { env });
  });
});
