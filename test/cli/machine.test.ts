/** A machine that has nothing but its variables: what it opens, where it keeps nothing, and what it hands on to nobody. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mustRun } from '../support/run.js';
import { type Sandbox, sandbox } from '../support/sandbox.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { buildCli, runBin, runMain, type MainOptions, type MainResult } from './harness.js';
import { person, type VaultOwner } from './person.js';

let alice: VaultOwner;
let data: string;
let vault: string;
let expectLine: string;
beforeAll(async () => {
  await buildCli();
  alice = person('alice');
  await alice.must(['identity', 'create', '--person', 'alice', '--device', 'laptop', '--no-passphrase']);
  await alice.must(['init', '--name', 'platform', '--role', 'team', '--role', 'other']);
  await alice.must(['seal', 'app/a', '--kind', 'document', '--from', '-'], { input: 'value of a' });
  await alice.must(['seal', 'app/b', '--kind', 'document', '--from', '-'], { input: 'value of b' });
  await alice.must(['identity', 'create', '--machine', '--person', 'ci', '--device', 'runner', '--no-passphrase', '--out', 'ci.age']);
  await alice.must(['member', 'add', 'ci.card', '--role', 'team', '--yes']);
  await alice.must(['standing', 'ci', 'app/a', '--not-after', '90d']);
  data = readFileSync(join(alice.work, 'ci.age'), 'utf8');
  vault = join(alice.work, 'vault');
  expectLine = (JSON.parse((await alice.must(['status', '--json'])).text) as { expect: string }).expect;
}, 300_000);

const entries = async (): Promise<number> => (JSON.parse((await alice.must(['status', '--json'])).text) as { entries: number }).entries;

/** A job with these variables; `home` undefined: none that could be written. */
function job(home?: Sandbox): { env: Record<string, string | undefined>; run: (argv: readonly string[], options?: MainOptions) => Promise<MainResult> } {
  const machine = home ?? sandbox('runner');
  const nowhere = { HOME: '/dev/null/home', XDG_STATE_HOME: undefined, XDG_CONFIG_HOME: undefined, XDG_CACHE_HOME: undefined };
  const env = { OXP_VAULT: vault, OXP_VAULT_EXPECT: expectLine, OXP_VAULT_IDENTITY_DATA: data, ...(home ? {} : nowhere) };
  return { env, run: (argv, options = {}) => runMain(machine, argv, { ...options, env: { ...env, ...options.env } }) };
}

describe.each([['in an empty home', () => sandbox('runner')], ['where nothing can be written', () => undefined]])('a job %s', (_place, home) => {
  it('opens under standing access, and writes nothing', async () => {
    const before = await entries();
    for (const more of [[], ['--offline']]) {
      const opened = await job(home()).run(['open', 'app/a', ...more]);
      expect([opened.code, opened.text]).toEqual([0, 'value of a']);
      expect(opened.stderr).toContain('Standing access: of app/a nothing is recorded.');
      expect(opened.stderr).not.toContain('freshness unknown');
    }
    expect(await entries()).toBe(before);
  });

  it('records what is not covered', async () => {
    const before = await entries();
    const opened = await job(home()).run(['open', 'app/b']);
    expect([opened.code, opened.text]).toEqual([0, 'value of b']);
    expect(opened.stderr).not.toContain('Standing access');
    expect(await entries()).toBe(before + 1);
  });

  it('lists, looks, checks and seals', async () => {
    const { run } = job(home());
    expect((await run(['list', '--json'])).code).toBe(0);
    expect((await run(['status'])).text).toContain('ci (role team)');
    expect((await run(['check'])).code).toBe(0);
    expect((await run(['seal', 'app/made', '--kind', 'document', '--from', '-'], { input: `made ${Math.random()}` })).code).toBe(0);
  });

  it('stops at another vault, and at an older one', async () => {
    const { run } = job(home());
    expect((await run(['open', 'app/a', '--expect', 'ab'.repeat(32)])).code).toBe(5);
    const [id, point] = expectLine.split('@') as [string, string];
    expect((await run(['open', 'app/a'], { env: { OXP_VAULT_EXPECT: `${id}@9999:${point.split(':')[1]}` } })).code).toBe(5);
  });
});

describe('where nothing can be written', () => {
  it('nothing is shown whose record would have to wait', async () => {
    const opened = await job().run(['open', 'app/b', '--offline']);
    expect([opened.code, opened.text]).toEqual([8, '']);
    expect(opened.stderr).toContain('there is no place here that lasts');
  });

  it('a person opens nothing, and is told when they only look: their pin and queue would be lost', async () => {
    const { env, run } = job();
    const opened = await run(['open', 'app/a'], { env: { ...env, OXP_VAULT_IDENTITY_DATA: undefined, OXP_VAULT_IDENTITY: join(alice.work, 'ci.age') } });
    expect([opened.code, opened.text]).toEqual([8, '']);
    const status = await run(['status', '--identity', join(alice.work, 'ci.age')]);
    expect(status.code).toBe(0);
    expect(status.stderr).toContain('Nothing of this is remembered');
  });

  it('what an earlier run has left there counts still', async () => {
    const home = sandbox('runner');
    const { run } = job(home);
    expect((await run(['status'])).code).toBe(0);
    const state = join(home.home, '.local', 'state', 'oxp-vault');
    expect(existsSync(state)).toBe(true);
    expect((await run(['status'], { env: { OXP_VAULT_EXPECT: undefined } })).stderr).not.toContain('freshness unknown');
  });
});

describe('the identity in a variable', () => {
  it.each([['as it stands in the file', (text: string) => text], ['in base64', (text: string) => Buffer.from(text).toString('base64')], ['in base64 with line breaks', (text: string) => Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\r\n')],
    ['with the line ends of Windows', (text: string) => text.replaceAll('\n', '\r\n')], ['without its last line end', (text: string) => text.trimEnd()]])('%s', async (_form, form) => {
    const shown = await job().run(['identity', 'show', '--json'], { env: { OXP_VAULT_IDENTITY_DATA: form(data) } });
    expect(JSON.parse(shown.text)).toMatchObject({ person: 'ci', device: 'runner', kind: 'machine', encrypted: false });
  });

  it.each([['cut short', (text: string) => text.slice(0, -9)], ['base64 of something else', () => Buffer.from('something else').toString('base64')], ['a word', () => 'secret-word']])('%s is refused, and not repeated', async (_form, form) => {
    const value = form(data);
    for (const json of [[], ['--json']]) {
      const opened = await job().run(['open', 'app/a', ...json], { env: { OXP_VAULT_IDENTITY_DATA: value } });
      expect(opened.code).toBe(9);
      expect(opened.text).not.toContain('value of a');
      for (const line of value.split('\n').filter((each) => each.length > 8)) expect(opened.stderr + opened.text).not.toContain(line);
    }
  });
});

describe('the program', () => {
  it('is given its identity and, before the command, the vault that is meant', async () => {
    const { OXP_VAULT_EXPECT: line, ...env } = job(sandbox('runner')).env;
    const opened = await runBin(sandbox('runner'), ['--expect', line!, 'open', 'app/a'], { env });
    expect([opened.code, opened.text]).toEqual([0, 'value of a']);
  });
});

describeWith(['git'], 'programs that are started', ({ git }) => {
  it('find the identity neither in their environment nor in their arguments', async () => {
    const bin = tempDir('spy');
    const seen = join(bin, 'seen');
    writeFileSync(join(bin, 'git'), `#!/bin/sh\nprintf 'git %s\\n' "$*" >> ${seen}\nenv >> ${seen}\nexec ${git} "$@"\n`);
    chmodSync(join(bin, 'git'), 0o755);
    const remote = join(tempDir('remote'), 'vault.git');
    await mustRun(git, ['init', '--quiet', '--bare', remote]);
    await alice.must(['clone', vault, `git+file://${remote}`]);
    const home = sandbox('runner', { path: [bin] });
    const { env } = job(home);
    const variables = { ...env, OXP_VAULT: `git+file://${remote}` } as Record<string, string>;
    const opened = await runBin(home, ['open', 'app/a'], { env: variables });
    expect([opened.code, opened.text]).toEqual([0, 'value of a']);
    expect(await runBin(home, ['seal', 'app/pushed', '--kind', 'password', '--set', 'length=24'], { env: variables })).toMatchObject({ code: 0 });
    const told = readFileSync(seen, 'utf8');
    // The spy has seen git, with the variables of the job.
    expect(told).toMatch(/^git /m);
    expect(told).toContain(`OXP_VAULT=git+file://${remote}`);
    expect(told).not.toContain('OXP_VAULT_IDENTITY_DATA');
    expect(told).not.toContain('AGE-SECRET-KEY');
  }, 120_000);

  it('as the environment is handed to the command, no copy of it holds the identity', async () => {
    process.env['OXP_VAULT_IDENTITY_DATA'] = data;
    const { processIo } = await import('../../packages/cli/src/process-io.js');
    const { env } = processIo();
    expect(env['OXP_VAULT_IDENTITY_DATA']).toBe(data);
    expect({ ...env }).not.toHaveProperty('OXP_VAULT_IDENTITY_DATA');
    expect(process.env).not.toHaveProperty('OXP_VAULT_IDENTITY_DATA');
  });
});
