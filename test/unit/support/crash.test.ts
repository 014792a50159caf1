import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countWrites, runCrashingAt, traceWrites } from '../../support/crash.js';

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'oxp-crash-test-'));
});
afterAll(() => rmSync(base, { recursive: true }));

function program(name: string, text: string): string[] {
  const file = join(base, `${name}.mjs`);
  writeFileSync(file, text);
  return [file];
}

const freshDir = (): string => mkdtempSync(join(base, 'work-'));
const node = process.execPath;

const promised = `
  import { mkdir, open, rename, readFile, writeFile } from 'node:fs/promises';
  await mkdir('d');
  const handle = await open('d/t', 'wx');
  await handle.writeFile('one');
  await handle.sync();
  await handle.close();
  await rename('d/t', 'd/f');
  if ((await readFile('d/f', 'utf8')) !== 'one') process.exit(3);
  await writeFile('d/g', 'two');
  process.stdout.write('done');
`;

const synchronous = `
  import fs, { closeSync, fsyncSync, openSync, writeSync, writeFileSync, appendFileSync, linkSync, unlinkSync, readFileSync } from 'node:fs';
  const descriptor = openSync('a', 'w');
  writeSync(descriptor, 'x');
  fsyncSync(descriptor);
  closeSync(descriptor);
  linkSync('a', 'b');
  unlinkSync('a');
  writeFileSync('c', 'y');
  appendFileSync('c', 'z', { mode: 0o600 });
  if (readFileSync('c', 'utf8') !== 'yz') process.exit(3);
  await new Promise((resolve, reject) => fs.writeFile('e', 'w', (error) => (error ? reject(error) : resolve())));
  await new Promise((resolve) => fs.createWriteStream('s').end('stream', resolve));
`;

describe('the effects of a program', () => {
  it('are those of fs/promises and FileHandle, reads are none', () => {
    const effects = traceWrites(node, program('promised', promised), { cwd: freshDir() });
    expect(effects).toEqual([
      { call: 'mkdir', path: 'd' },
      { call: 'open', path: 'd/t' },
      { call: 'write', path: 'd/t' },
      { call: 'fsync', path: 'd/t' },
      { call: 'rename', path: 'd/f' },
      { call: 'open', path: 'd/g' },
      { call: 'write', path: 'd/g' },
    ]);
  });

  it('are those of fs with callbacks, without, and of streams', () => {
    const effects = traceWrites(node, program('synchronous', synchronous), { cwd: freshDir() });
    expect(effects.map((each) => `${each.call} ${each.path}`)).toEqual([
      'open a', 'write a', 'fsync a', 'link b', 'unlink a', 'open c', 'write c', 'open c', 'write c', 'open e', 'write e', 'open s', 'write s',
    ]);
  });

  it('count other programs when asked, and those count for themselves only', () => {
    const args = program('spawning', `
      import { execFileSync, spawnSync } from 'node:child_process';
      spawnSync(process.execPath, ['-e', 'require("fs").writeFileSync("child", "")']);
      execFileSync('true');
    `);
    expect(countWrites(node, args, { cwd: freshDir() })).toBe(0);
    const cwd = freshDir();
    expect(countWrites(node, args, { cwd, countSpawns: true })).toBe(2);
    expect(readdirSync(cwd)).toEqual(['child']);
  });

  it('are not counted for a run that fails', () => {
    expect(() => countWrites(node, program('failing', 'process.exit(4)'))).toThrow('ended with 4');
    expect(countWrites(node, program('failing', 'process.exit(4)'), { allowedCodes: [4] })).toBe(0);
  });
});

describe('a crash', () => {
  it('happens before the effect, at each of them', () => {
    const args = program('promised', promised);
    const total = countWrites(node, args, { cwd: freshDir() });
    const states = Array.from({ length: total }, (_, i) => {
      const cwd = freshDir();
      expect(runCrashingAt(i + 1, node, args, { cwd })).toMatchObject({ crashed: true, code: null, stdout: '' });
      return stateOf(cwd);
    });
    expect(states).toEqual(['', 'd/', 'd/t=', 'd/t=one', 'd/t=one', 'd/f=one', 'd/f=one d/g=']);
  });

  it('does not happen after the last effect', () => {
    const args = program('promised', promised);
    const cwd = freshDir();
    expect(runCrashingAt(8, node, args, { cwd })).toMatchObject({ crashed: false, code: 0, stdout: 'done' });
    expect(stateOf(cwd)).toBe('d/f=one d/g=two');
  });
});

function stateOf(cwd: string): string {
  const [dir] = readdirSync(cwd);
  if (dir === undefined) return '';
  const files = readdirSync(join(cwd, dir)).sort().map((name) => `d/${name}=${readFileSync(join(cwd, dir, name), 'utf8')}`);
  return files.length === 0 ? 'd/' : files.join(' ');
}
