import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import { mustRun, run, type RunResult } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { root } from './built.js';

// Installing takes as long as the network does.
vi.setConfig({ testTimeout: 300_000 });

// In order: each test finds the clone as the one before left it.
describeWith(['git'], 'scripts/setup.mjs, in a fresh clone whose path has spaces', ({ git }) => {
  const clone = join(tempDir('setup'), 'a fresh clone');
  const setup = (): Promise<RunResult> => run(process.execPath, [join(clone, 'scripts', 'setup.mjs')], { cwd: dirname(clone), timeout: 300_000 });

  beforeAll(async () => {
    const { text } = await mustRun(git, ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root });
    for (const path of text.split('\0').filter((each) => each !== '' && existsSync(join(root, each)))) cpSync(join(root, path), join(clone, path));
  });

  it('says which Node is needed, and does nothing, on one that is too old', async () => {
    const manifest = readFileSync(join(clone, 'package.json'), 'utf8');
    writeFileSync(join(clone, 'package.json'), manifest.replace('"node": ">=20.19"', '"node": ">=999.1"'));
    const result = await setup();
    writeFileSync(join(clone, 'package.json'), manifest);
    expect(result).toMatchObject({ code: 1, text: '' });
    expect(result.stderr).toMatch(/^oxp-vault needs Node\.js 999\.1 or newer; this is \d+\.\d+\.\d+ \(.*\)\.\n$/);
    expect(existsSync(join(clone, 'node_modules'))).toBe(false);
  });

  it('installs and builds, also when two start at the same time, and only once', async () => {
    const results = await Promise.all([setup(), setup()]);
    expect(results.map(({ code }) => code), results.map(({ stderr }) => stderr).join('\n')).toEqual([0, 0]);
    const said = results.map(({ stderr }) => stderr).join('');
    expect(said.match(/^setup: installing/gm)).toHaveLength(1);
    expect(said.match(/^setup: building/gm)).toHaveLength(1);
    expect(existsSync(join(clone, 'packages', 'core', 'dist', 'index.js'))).toBe(true);
    expect((await run(join(clone, 'packages', 'cli', 'dist', 'bin.js'), ['--version'])).code).toBe(0);
  });

  it('says nothing when there is nothing to do', async () => {
    expect(await setup()).toMatchObject({ code: 0, text: '', stderr: '' });
  });

  it('takes over the lock of a process that died', async () => {
    const pid = Number((await run('sh', ['-c', 'echo $$'])).text);
    writeFileSync(join(clone, '.stamp', 'setup.lock'), String(pid));
    expect(await setup()).toMatchObject({ code: 0, stderr: '' });
  });

  it('builds again when a source changed or what was built is gone, and drops what a deleted source once became', async () => {
    const source = join(clone, 'packages', 'core', 'src', 'primitives', 'passing.ts');
    const built = join(clone, 'packages', 'core', 'dist', 'primitives', 'passing.js');
    writeFileSync(source, 'export const passing = 1;\n');
    expect((await setup()).stderr).toBe('setup: building\n');
    expect(existsSync(built)).toBe(true);

    rmSync(source);
    expect((await setup()).stderr).toBe('setup: building\n');
    expect(existsSync(built)).toBe(false);

    rmSync(join(clone, 'packages', 'cli', 'dist'), { recursive: true });
    expect((await setup()).stderr).toBe('setup: building\n');
  });

  it('fails, with what the compiler says, on a source that does not compile', async () => {
    const source = join(clone, 'packages', 'core', 'src', 'index.ts');
    const text = readFileSync(source, 'utf8');
    appendFileSync(source, `export const wrong: string = 1;\n`);
    const result = await setup();
    writeFileSync(source, text);
    expect(result.code).toBe(1);
    expect(`${result.text}${result.stderr}`).toContain('TS2322');
    expect(result.stderr).toMatch(/setup: the build failed \(above\)\.\n$/);
    // What it left in dist is not taken for the last good build.
    expect((await setup()).stderr).toBe('setup: building\n');
  });

  it('installs again when the dependencies are gone', async () => {
    mkdirSync(join(clone, 'node_modules'), { recursive: true });
    rmSync(join(clone, 'node_modules'), { recursive: true });
    expect((await setup()).stderr).toContain('setup: installing');
  });
});
