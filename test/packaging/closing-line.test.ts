import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run, type RunResult } from '../support/run.js';
import { tempDir } from '../support/tmp.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs scripts/test.mjs over one test file in a directory of its own. */
function runTests(source: string, ...args: string[]): Promise<RunResult> {
  const dir = tempDir('closing');
  writeFileSync(join(dir, 'some.test.js'), source);
  const config = { test: { globals: true, reporters: ['default', join(root, 'test/support/reporter.ts')] } };
  writeFileSync(join(dir, 'vitest.config.mjs'), `export default ${JSON.stringify(config)};`);
  return run(process.execPath, [join(root, 'scripts/test.mjs'), '--root', dir, '--config', join(dir, 'vitest.config.mjs'), ...args], {
    env: { PATH: process.env['PATH'], HOME: dir, NO_COLOR: '1' },
  });
}

const closingLine = ({ text }: RunResult): string | undefined => text.trimEnd().split('\n').at(-1);

describe('npm test', () => {
  it('ends with the counts alone on a line, and the reasons of what was skipped before them', async () => {
    const result = await runTests(`
      it('passes', () => {});
      it('skips', (context) => context.skip('skipped: needs a moon'));
      it('skips again', (context) => context.skip('skipped: needs a moon'));`);
    expect(closingLine(result)).toBe('1 passed, 0 failed, 2 skipped');
    expect(result.text).toContain('\nskipped: needs a moon (2 times)\n');
    expect(result.code).toBe(0);
  });

  it.each([
    ['a test', `it('a', () => { throw new Error('x'); }); it('b', () => {});`, '1 passed, 1 failed, 0 skipped'],
    ['a file that does not load', `throw new Error('x');`, '0 passed, 1 failed, 0 skipped'],
    ['a hook', `describe('s', () => { beforeAll(() => { throw new Error('x'); }); it('a', () => {}); });`, '0 passed, 1 failed, 1 skipped'],
    ['an error nobody awaited', `it('a', () => { Promise.reject(new Error('x')); });`, '1 passed, 1 failed, 0 skipped'],
  ])('counts %s that fails, and exits with 1', async (_, source, line) => {
    const result = await runTests(source);
    expect(closingLine(result)).toBe(line);
    expect(result.code).toBe(1);
  });

  it('names what passed only at the second try', async () => {
    const result = await runTests(`let tries = 0; it('wavers', () => { if (++tries === 1) throw new Error('x'); });`, '--retry=1');
    expect(result.text).toContain('\npassed only at the second try: some.test.js: wavers\n');
    expect(closingLine(result)).toBe('1 passed, 0 failed, 0 skipped');
  });

  it('counts with another reporter, too', async () => {
    expect(closingLine(await runTests(`it('passes', () => {});`, '--reporter=tap'))).toBe('1 passed, 0 failed, 0 skipped');
  });

  it('says so when the run does not get to its end', async () => {
    const result = await runTests(`it('passes', () => {});`, '--no-such-option');
    expect(closingLine(result)).toBe('0 passed, 1 failed, 0 skipped');
    expect(result.stderr).toContain('did not get to its end');
    expect(result.code).not.toBe(0);
  });
});
