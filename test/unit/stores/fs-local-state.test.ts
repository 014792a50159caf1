import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fsLocalState } from '../../../packages/core/src/stores/index.js';
import { countWrites, runCrashingAt, traceWrites } from '../../support/crash.js';
import { buildWorker } from './processes.js';
import { bytes, failure, scratch, text } from './support.js';

const fresh = scratch();
let worker: string;
beforeAll(async () => {
  worker = await buildWorker(fresh());
});

/** Every verb, on one path. */
const verbs = (dir: string, path = 'pins/one.json'): (() => Promise<unknown>)[] => {
  const state = fsLocalState(dir);
  return [() => state.read(path), () => state.write(path, bytes('x')), () => state.remove(path), () => state.list('pins/')];
};

describe('local state', () => {
  it('reads back what was written last, and forgets what was removed', async () => {
    const state = fsLocalState(join(fresh(), 'state', 'oxp-vault'));
    expect(await state.read('pins/one.json')).toBeUndefined();
    expect(await state.list('')).toEqual([]);
    await state.remove('pins/one.json');
    await state.write('pins/one.json', bytes('first'));
    await state.write('pins/one.json', bytes('2'));
    await state.write('queue/lock', bytes('no reserved names here'));
    expect(text(await state.read('pins/one.json'))).toBe('2');
    expect(await state.list('')).toEqual(['pins/one.json', 'queue/lock']);
    expect(await state.list('pins/')).toEqual(['pins/one.json']);
    await state.remove('pins/one.json');
    expect(await state.read('pins/one.json')).toBeUndefined();
  });

  it('is closed to others whatever the umask', () => {
    const dir = join(fresh(), 'state');
    expect(spawnSync('sh', ['-c', 'umask 000; exec "$0" "$1" state "$2" x', process.execPath, worker, dir], { encoding: 'utf8' }).stderr).toBe('');
    const mode = (path: string): number => statSync(join(dir, path)).mode & 0o777;
    expect([mode('.'), mode('pins'), mode('pins/one.json')]).toEqual([0o700, 0o700, 0o600]);
  });

  it.each(['..', '/etc/passwd', 'a/../b', '.git/config', 'A', 'a\\b', ''])('refuses the path %j', async (path) => {
    for (const verb of verbs(fresh(), path).slice(0, 3)) expect((await failure(verb())).code).toBe('BAD_NAME');
  });

  it.each([
    ['the directory', '.', 0o770],
    ['the directory', '.', 0o702],
    ['a directory in it', 'pins', 0o720],
  ])('refuses %s when others may write there (%s, %o)', async (_, which, mode) => {
    const dir = fresh();
    mkdirSync(join(dir, 'pins'));
    chmodSync(join(dir, which), mode);
    for (const verb of verbs(dir)) {
      expect(await failure(verb())).toMatchObject({ code: 'STORE_IO', hint: `chmod 700 ${join(dir, which)}` });
    }
    expect(readdirSync(join(dir, 'pins'))).toEqual([]);
    chmodSync(join(dir, which), 0o755);
    for (const verb of verbs(dir)) await verb();
  });

  const root = process.geteuid?.() === 0;
  if (!root) process.stderr.write('skipped: a directory of somebody else, which only root can make\n');

  it.skipIf(!root)('refuses a directory that belongs to somebody else', async () => {
    const dir = fresh();
    chownSync(dir, 12345, 12345);
    for (const verb of verbs(dir)) {
      expect(await failure(verb())).toMatchObject({ code: 'STORE_IO', message: expect.stringContaining('belongs to user 12345') });
    }
  });

  it('follows no link', async () => {
    const target = fresh();
    mkdirSync(join(target, 'pins'), { mode: 0o700 });
    writeFileSync(join(target, 'pins/one.json'), 'theirs');
    const [whole, inner, file] = [join(fresh(), 'link'), fresh(), fresh()];
    symlinkSync(target, whole);
    symlinkSync(join(target, 'pins'), join(inner, 'pins'));
    mkdirSync(join(file, 'pins'), { mode: 0o700 });
    symlinkSync(join(target, 'pins/one.json'), join(file, 'pins/one.json'));
    for (const dir of [whole, inner]) {
      for (const verb of verbs(dir)) expect((await failure(verb())).code).toBe('LINK_REFUSED');
    }
    for (const verb of verbs(file).slice(0, 3)) expect((await failure(verb())).code).toBe('LINK_REFUSED');
    expect(readFileSync(join(target, 'pins/one.json'), 'utf8')).toBe('theirs');
  });

  it('has the old content or the new one after a crash at any write', async () => {
    const args = (dir: string): string[] => [worker, 'state', dir, 'new'];
    const prepared = async (): Promise<string> => {
      const dir = fresh();
      await fsLocalState(dir).write('pins/one.json', bytes('old'));
      return dir;
    };
    const total = countWrites(process.execPath, args(await prepared()));
    const contents: string[] = [];
    for (let n = 1; n <= total; n++) {
      const dir = await prepared();
      expect(runCrashingAt(n, process.execPath, args(dir)).crashed).toBe(true);
      contents.push(text(await fsLocalState(dir).read('pins/one.json'))!);
      expect(await fsLocalState(dir).list('')).toEqual(['pins/one.json']);
    }
    // open, write, fsync, rename; then the directories.
    expect(contents.slice(0, 5)).toEqual(['old', 'old', 'old', 'old', 'new']);
  });

  it('is on the disk when write returns: content before name, then every directory above it', () => {
    const parent = fresh();
    const dir = join(parent, 'state');
    const effects = traceWrites(process.execPath, [worker, 'state', dir, 'x']).map(({ call, path }) => `${call} ${path?.replace(/\.tmp-.*/, '.tmp')}`);
    const temporary = join(dir, 'pins/.tmp');
    expect(effects).toEqual([
      `mkdir ${dir}`, `mkdir ${join(dir, 'pins')}`, `open ${temporary}`, `write ${temporary}`, `fsync ${temporary}`,
      `rename ${join(dir, 'pins/one.json')}`, `fsync ${parent}`, `fsync ${dir}`, `fsync ${join(dir, 'pins')}`,
    ]);
  });
});
