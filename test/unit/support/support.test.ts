import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mustRun, run } from '../../support/run.js';
import { sandbox } from '../../support/sandbox.js';
import { tempDir } from '../../support/tmp.js';
import { describeWith, missingTools, tool } from '../../support/tools.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

describeWith(['bash', 'git'], 'describeWith, where the tools are there', (paths) => {
  it('hands their paths over', () => {
    expect(basename(paths.bash)).toBe('bash');
    expect(basename(paths.git)).toBe('git');
  });

  it('gives each by its absolute path, and misses none', () => {
    expect(tool('bash')).toMatch(/^\/.*\/bash$/);
    expect(missingTools(['bash', 'git'])).toBeUndefined();
  });
});

// The two outcomes are seen from outside: a Vitest of its own, with a PATH on which `age` is missing.
describe('describeWith, where a tool is missing', () => {
  const home = tempDir('no-tools');
  const file = join(root, 'test', 'unit', 'support', `generated-${process.pid}.fixture.ts`);
  const vitest = (env: Record<string, string>): ReturnType<typeof run> =>
    run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', root, '--config', join(home, 'vitest.config.mjs'), '--reporter=json'], {
      env: { PATH: home, HOME: home, ...env },
    });

  beforeAll(() => {
    writeFileSync(join(home, 'vitest.config.mjs'), `export default { test: { include: [${JSON.stringify(`test/unit/support/${basename(file)}`)}] } };`);
    writeFileSync(
      file,
      `import { expect, it } from 'vitest';
       import { describeWith } from '../../support/tools.js';
       describeWith(['age-plugin-batchpass'], 'required', () => it('never runs', () => expect.fail('ran')));
       describeWith(['tofu'], 'optional', () => it('never runs', () => expect.fail('ran')));`,
    );
  });
  afterAll(() => rmSync(file, { force: true }));

  it('skips with the reason', async () => {
    const result = await vitest({});
    expect(result.code).toBe(0);
    expect(JSON.parse(result.text)).toMatchObject({ numPassedTests: 0, numFailedTests: 0, numPendingTests: 2 });
    expect(result.text).toContain('needs `age-plugin-batchpass` (go install filippo.io/age/cmd/...@v1.3.2)');
  });

  it('fails under OXP_TEST_REQUIRE=1, but for what cannot be installed by name', async () => {
    const result = await vitest({ OXP_TEST_REQUIRE: '1' });
    expect(result.code).toBe(1);
    expect(JSON.parse(result.text)).toMatchObject({ numFailedTests: 1, numPendingTests: 1 });
  });
});

describe('run', () => {
  it('gives exit code, both outputs, and bytes as they are', async () => {
    const result = await run('sh', ['-c', 'cat; printf oops >&2; exit 3'], { input: new Uint8Array([0, 255, 10]) });
    expect(result).toMatchObject({ code: 3, stderr: 'oops', timedOut: false });
    expect([...result.stdout]).toEqual([0, 255, 10]);
  });

  it('does not mind a child that ignores its input', async () => {
    expect((await run('true', [], { input: Buffer.alloc(1 << 20) })).code).toBe(0);
  });

  it('kills the child and its children at the time-out', async () => {
    const result = await run('sh', ['-c', 'sleep 30 & sleep 30'], { timeout: 100 });
    expect(result).toMatchObject({ timedOut: true, signal: 'SIGKILL', code: 137 });
  });

  it('rejects for a program that is not there, and mustRun for one that fails', async () => {
    await expect(run('/nonexistent/program')).rejects.toThrow('ENOENT');
    await expect(mustRun('sh', ['-c', 'echo why >&2; exit 4'])).rejects.toThrow(/exited with 4\nwhy/);
  });
});

describe('tempDir', () => {
  const ofFile = tempDir();
  let ofTest = '';

  it('is private', () => {
    ofTest = tempDir();
    expect(statSync(ofTest).mode & 0o777).toBe(0o700);
    writeFileSync(join(ofTest, 'file'), 'x');
  });

  it('is gone after its test, or stays for the file', () => {
    expect(ofTest).not.toBe('');
    expect(existsSync(ofTest)).toBe(false);
    expect(existsSync(ofFile)).toBe(true);
  });
});

describe('sandbox', () => {
  it('shows the child nothing of the real user', async () => {
    const alice = sandbox('alice', { env: { EXTRA: 'yes', TZ: undefined } });
    const { text } = await alice.run('env');
    const env = Object.fromEntries(text.trim().split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)) as [string, string][]);
    expect(env).toMatchObject({ HOME: alice.home, USER: 'alice', EXTRA: 'yes', GIT_CONFIG_GLOBAL: '/dev/null' });
    expect(env).not.toHaveProperty('TZ');
    expect(Object.keys(env).filter((name) => name.startsWith('npm_') || name.startsWith('VITEST'))).toEqual([]);
  });

  it('gives two persons two homes', () => {
    const [alice, bruno] = [sandbox('alice'), sandbox('bruno')];
    writeFileSync(alice.at('mine'), 'a');
    expect(readFileSync(alice.at('mine'), 'utf8')).toBe('a');
    expect(existsSync(bruno.at('mine'))).toBe(false);
  });
});
