import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { directoryStore } from '../../../packages/core/src/stores/index.js';
import { countWrites, runCrashingAt, traceWrites } from '../../support/crash.js';
import { buildWorker, Helper } from './processes.js';
import { bytes, failure, failures, scratch, text } from './support.js';

const fresh = scratch();
let worker: string;
beforeAll(async () => {
  worker = await buildWorker(fresh());
});

/** Everything below `dir`. The `recursive` of readdir would follow links. */
function filesIn(dir: string, prefix = ''): string[] {
  const entries = readdirSync(join(dir, prefix), { withFileTypes: true });
  return entries.flatMap((entry) => [`${prefix}${entry.name}`, ...(entry.isDirectory() ? filesIn(dir, `${prefix}${entry.name}/`) : [])]).sort();
}

it('a file that is put again looks new, so that gc spares it until its entry is there', async () => {
  const dir = fresh();
  const store = directoryStore(dir);
  await store.putNew('secrets/a/0001-00.age', bytes('x'));
  const file = join(dir, 'secrets/a/0001-00.age');
  utimesSync(file, 1000, 1000);
  await store.putNew('secrets/a/0001-00.age', bytes('x'));
  expect(statSync(file).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
});

it('files that come with a checkpoint come with it or not at all', async () => {
  const dir = fresh();
  const store = directoryStore(dir);
  const [mine, other] = [{ path: 'handovers/ab/a-00.age', bytes: bytes('share') }, { path: 'handovers/ab/b-00.age', bytes: bytes('share') }];
  expect(await store.swapCheckpointWith!(bytes('no'), bytes('one'), [mine])).toBe(false);
  mkdirSync(join(dir, other.path), { recursive: true });
  expect((await failure(store.swapCheckpointWith!(undefined, bytes('one'), [mine, other]))).code).toBe('STORE_IO');
  expect((await failure(store.swapCheckpointWith!(undefined, bytes('one'), [mine, { path: 'lock', bytes: bytes('x') }]))).code).toBe('BAD_NAME');
  expect([await store.get('log/checkpoint'), await store.list('handovers/')]).toEqual([undefined, []]);
  expect(await store.swapCheckpointWith!(undefined, bytes('one'), [mine])).toBe(true);
  expect([text(await store.get('log/checkpoint')), await store.list('handovers/')]).toEqual(['one', [mine.path]]);
});

describe('links', () => {
  const path = 'secrets/a/0001-00.age';

  async function refusesAll(dir: string, linked: string): Promise<void> {
    const store = directoryStore(dir, { lockPatience: 50 });
    for (const error of await failures([store.get(path), store.putNew(path, bytes('mine')), store.remove(path)])) {
      expect(error.code).toBe('LINK_REFUSED');
      expect(error.message).toBe(`${linked} is a link`);
    }
  }

  it('above the vault are followed', async () => {
    const real = fresh();
    const link = join(fresh(), 'link');
    symlinkSync(real, link);
    const store = directoryStore(join(link, 'vault'));
    await store.putNew(path, bytes('x'));
    expect(await store.swapCheckpoint(undefined, bytes('c'))).toBe(true);
    expect(readFileSync(join(real, 'vault', path), 'utf8')).toBe('x');
  });

  it.each(['', '/'])('in the place of the vault are refused, and the real name is told (%j)', async (end) => {
    const real = fresh();
    const link = join(fresh(), 'link');
    symlinkSync(real, link);
    await refusesAll(`${link}${end}`, link);
    const store = directoryStore(`${link}${end}`);
    expect((await failure(store.list(''))).hint).toContain(realpathSync(real));
    expect((await failure(store.swapCheckpoint(undefined, bytes('c')))).code).toBe('LINK_REFUSED');
    expect(readdirSync(real)).toEqual([]);
  });

  it('in the place of the vault that lead nowhere are refused', async () => {
    const link = join(fresh(), 'link');
    symlinkSync('/nowhere/at/all', link);
    await refusesAll(link, link);
    expect((await failure(directoryStore(link).list(''))).hint).toContain('leads nowhere');
  });

  it.each(['secrets', 'secrets/a'])('in the place of the directory %s are refused', async (component) => {
    const [dir, elsewhere] = [fresh(), fresh()];
    mkdirSync(join(elsewhere, 'a'));
    writeFileSync(join(elsewhere, 'a', '0001-00.age'), 'theirs');
    writeFileSync(join(elsewhere, '0001-00.age'), 'theirs');
    mkdirSync(join(dir, dirname(component)), { recursive: true });
    symlinkSync(elsewhere, join(dir, component));
    const before = filesIn(elsewhere);
    await refusesAll(dir, join(dir, component));
    expect((await failure(directoryStore(dir).list('secrets/a/'))).code).toBe('LINK_REFUSED');
    expect(await directoryStore(dir).list('')).toEqual([]);
    expect(filesIn(elsewhere)).toEqual(before);
  });

  it('in the place of the file are refused, wherever they lead', async () => {
    const elsewhere = join(fresh(), 'file');
    writeFileSync(elsewhere, 'theirs');
    for (const target of [elsewhere, '/nowhere/at/all', '.']) {
      const dir = fresh();
      mkdirSync(join(dir, 'secrets/a'), { recursive: true });
      symlinkSync(target, join(dir, path));
      await refusesAll(dir, join(dir, path));
      expect(await directoryStore(dir).list('')).toEqual([]);
      expect(filesIn(dir)).toEqual(['secrets', 'secrets/a', path]);
    }
    expect(readFileSync(elsewhere, 'utf8')).toBe('theirs');
  });

  it('in the place of the checkpoint or its directory are refused', async () => {
    const elsewhere = fresh();
    writeFileSync(join(elsewhere, 'checkpoint'), 'theirs');
    const [first, second] = [fresh(), fresh()];
    symlinkSync(elsewhere, join(first, 'log'));
    mkdirSync(join(second, 'log'));
    symlinkSync(join(elsewhere, 'checkpoint'), join(second, 'log/checkpoint'));
    for (const dir of [first, second]) {
      for (const old of [undefined, bytes('theirs')]) {
        expect((await failure(directoryStore(dir).swapCheckpoint(old, bytes('mine')))).code).toBe('LINK_REFUSED');
      }
      expect((await failure(directoryStore(dir).get('log/checkpoint'))).code).toBe('LINK_REFUSED');
    }
    expect(filesIn(elsewhere)).toEqual(['checkpoint']);
    expect(readFileSync(join(elsewhere, 'checkpoint'), 'utf8')).toBe('theirs');
  });
});

describe('what is no plain file', () => {
  it('is refused at once, a FIFO without waiting for its other end', async () => {
    const dir = fresh();
    mkdirSync(join(dir, 'objects'));
    expect(spawnSync('mkfifo', [join(dir, 'objects/fifo')]).status).toBe(0);
    mkdirSync(join(dir, 'objects/directory'));
    const store = directoryStore(dir);
    for (const path of ['objects/fifo', 'objects/directory']) {
      for (const error of await failures([store.get(path), store.putNew(path, bytes('x')), store.remove(path)])) {
        expect(error).toMatchObject({ code: 'STORE_IO', message: `${join(dir, path)} is not a plain file` });
      }
    }
    expect(await store.list('')).toEqual([]);
    expect(filesIn(dir)).toEqual(['objects', 'objects/directory', 'objects/fifo']);
  });

  it('is not listed, nor is a name that no vault has', async () => {
    const dir = fresh();
    const store = directoryStore(dir);
    await store.putNew('objects/a', bytes('a'));
    for (const foreign of ['README.TXT', '.DS_Store', '.tmp-0123', 'objects/.tmp-0123', 'a b']) writeFileSync(join(dir, foreign), '');
    mkdirSync(join(dir, '.git'));
    writeFileSync(join(dir, '.git/config'), '');
    writeFileSync(join(dir, 'lock'), '');
    expect(await store.list('')).toEqual(['objects/a']);
  });
});

describe('trouble with the file system', () => {
  const old = 'the old state';

  /** Nothing but what was there, unchanged, and no unfinished file. */
  function untouched(dir: string): void {
    expect(readFileSync(join(dir, 'log/checkpoint'), 'utf8')).toBe(old);
    expect(filesIn(dir).filter((name) => name.includes('.tmp-') || name === 'lock')).toEqual([]);
  }

  async function prepared(): Promise<string> {
    const dir = fresh();
    await directoryStore(dir).swapCheckpoint(undefined, bytes(old));
    await directoryStore(dir).putNew('objects/kept', bytes('kept'));
    return dir;
  }

  const run = (shell: string, ...args: string[]): { status: number | null; answer: { code: string; message: string; hint: string } } => {
    const done = spawnSync('sh', ['-c', shell, process.execPath, worker, ...args], { encoding: 'utf8' });
    if (done.stderr !== '') throw new Error(done.stderr);
    return { status: done.status, answer: JSON.parse(done.stdout) as { code: string; message: string; hint: string } };
  };

  it('a write that is cut short is STORE_IO, says where and why, and leaves nothing', async () => {
    const dir = await prepared();
    const { status, answer } = run('ulimit -f 8; exec "$0" "$@"', 'put', dir, 'objects/large', '65536');
    expect(status).toBe(8);
    expect(answer).toMatchObject({ code: 'STORE_IO', message: `cannot write ${join(dir, 'objects/large')}: EFBIG`, hint: expect.stringContaining('ulimit -f') });
    expect(existsSync(join(dir, 'objects/large'))).toBe(false);
    untouched(dir);
    expect(await directoryStore(dir).list('')).toEqual(['log/checkpoint', 'objects/kept']);
  });

  it('a checkpoint that cannot be written leaves the old one and no lock', async () => {
    const dir = await prepared();
    // Room for a lock, not for this checkpoint.
    const { status, answer } = run('ulimit -f 8; exec "$0" "$@"', 'swap', dir, old, 'x'.repeat(65536));
    expect(status).toBe(8);
    expect(answer).toMatchObject({ code: 'STORE_IO', message: `cannot write ${join(dir, 'log/checkpoint')}: EFBIG` });
    untouched(dir);
  });

  const canMount = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt']).status === 0;
  if (!canMount) process.stderr.write('skipped: a full disk and a read-only mount, which need the right to mount (unshare -m)\n');

  it.skipIf(!canMount)('a full disk is STORE_IO, says so, and keeps the old state', async () => {
    const dir = fresh();
    const script = `unshare -m sh -c 'mount -t tmpfs -o size=64k none "$3" || exit 99
      "$0" "$1" swap "$3" "" old >/dev/null; "$0" "$1" "$2" "$3" objects/large 200000; code=$?
      [ "$(cat "$3/log/checkpoint")" = old ] && [ "$(find "$3" -name ".tmp-*")" = "" ] || exit 98; exit $code' "$0" "$1" "$2" "$3"`;
    const { status, answer } = run(script, 'put', dir);
    expect(status).toBe(8);
    expect(answer).toMatchObject({ code: 'STORE_IO', message: `cannot write ${join(dir, 'objects/large')}: ENOSPC`, hint: expect.stringContaining('room') });
  });

  it.skipIf(!canMount)('a read-only mount can be read, and says why it takes nothing', async () => {
    const dir = await prepared();
    const script = `unshare -m sh -c 'mount --bind "$3" "$3" && mount -o remount,ro,bind "$3" || exit 99; exec "$0" "$1" "$2" "$3" objects/new 1' "$0" "$1" "$2" "$3"`;
    const { status, answer } = run(script, 'put', dir);
    expect(status).toBe(8);
    expect(answer).toMatchObject({ code: 'STORE_IO', message: `cannot write ${join(dir, 'objects/new')}: EROFS`, hint: expect.stringContaining('read-only') });
    const swap = run(script.replace('objects/new 1', `"${old}" new`), 'swap', dir);
    expect(swap.answer).toMatchObject({ code: 'STORE_IO', message: expect.stringContaining('EROFS') });
    untouched(dir);
  });

  const root = process.geteuid?.() === 0;
  if (root) process.stderr.write('skipped: a directory without permission to write, which does not bind root\n');

  it.skipIf(root)('a directory without permission is STORE_IO with EACCES', async () => {
    const dir = await prepared();
    spawnSync('chmod', ['555', join(dir, 'objects')]);
    expect(await failure(directoryStore(dir).putNew('objects/new', bytes('x')))).toMatchObject({ code: 'STORE_IO', message: expect.stringContaining('EACCES') });
    untouched(dir);
  });

  it('a file where a directory belongs is STORE_IO for every verb', async () => {
    const dir = await prepared();
    const store = directoryStore(dir);
    const path = 'objects/kept/below';
    for (const error of await failures([store.get(path), store.putNew(path, bytes('x')), store.remove(path), store.list('objects/kept/')])) {
      expect(error).toMatchObject({ code: 'STORE_IO', message: expect.stringContaining(join(dir, 'objects/kept')) });
    }
    untouched(dir);
  });

  it('a file in the place of the vault is STORE_IO', async () => {
    const file = join(fresh(), 'file');
    writeFileSync(file, 'theirs');
    const store = directoryStore(file);
    for (const error of await failures([store.get('a'), store.list(''), store.putNew('a', bytes('x')), store.swapCheckpoint(undefined, bytes('x'))])) {
      expect(error.code).toBe('STORE_IO');
    }
    for (const error of await failures([directoryStore(join(file, 'below')).get('a'), directoryStore(join(file, 'below')).putNew('a', bytes('x'))])) {
      expect(error).toMatchObject({ code: 'STORE_IO', message: expect.stringContaining('ENOTDIR') });
    }
    expect(readFileSync(file, 'utf8')).toBe('theirs');
  });
});

describe('files', () => {
  it('have mode 0644 and directories 0755, less the umask', async () => {
    for (const [umask, file, directory] of [['022', 0o644, 0o755], ['077', 0o600, 0o700]] as const) {
      const dir = join(fresh(), 'vault');
      const script = `umask ${umask}; "$0" "$1" append "$2"`;
      expect(spawnSync('sh', ['-c', script, process.execPath, worker, dir], { encoding: 'utf8' }).stderr).toBe('');
      const mode = (path: string): number => statSync(join(dir, path)).mode & 0o777;
      expect([mode('log/checkpoint'), mode('secrets/a/b/1.age')]).toEqual([file, file]);
      expect([mode('.'), mode('secrets/a')]).toEqual([directory, directory]);
    }
  });

  it('are where they were when the working directory changes', async () => {
    const [dir, before] = [fresh(), process.cwd()];
    process.chdir(dir);
    try {
      const store = directoryStore('vault');
      expect(store.address).toBe('vault');
      process.chdir('/');
      await store.putNew('objects/a', bytes('a'));
      expect(existsSync(join(dir, 'vault/objects/a'))).toBe(true);
    } finally {
      process.chdir(before);
    }
  });
});

describe('durability', () => {
  it('everything is synced before the checkpoint gets its name, each directory once, and its own directory after', () => {
    const parent = fresh();
    const dir = join(parent, 'made', 'vault');
    const effects = traceWrites(process.execPath, [worker, 'fill', dir, '40', 'one']).map(({ call, path }) => ({ call, path: path ?? '' }));
    const commit = effects.findIndex(({ call, path }) => call === 'rename' && path === join(dir, 'log/checkpoint'));
    const [before, after] = [effects.slice(0, commit), effects.slice(commit + 1)];

    const synced = (path: string, where = before): number => where.filter((each) => each.call === 'fsync' && each.path === path).length;
    const directories = [parent, dirname(dir), dir, join(dir, 'secrets'), ...Array.from({ length: 40 }, (_, i) => join(dir, `secrets/s${i}`))];
    expect(directories.map((each) => synced(each))).toEqual(directories.map(() => 1));
    // No directory is synced before the last name in it was given.
    const lastName = before.findLastIndex(({ call }) => call === 'rename');
    expect(directories.every((each) => before.findIndex(({ call, path }) => call === 'fsync' && path === each) > lastName)).toBe(true);

    const temporaries = before.filter(({ call, path }) => call === 'open' && /\/(s\d+|log)\/\.tmp-/.test(path));
    expect(temporaries).toHaveLength(41);
    expect(temporaries.every(({ path }) => synced(path) === 1)).toBe(true);
    expect(after.map(({ call, path }) => `${call} ${path}`)).toEqual([`fsync ${join(dir, 'log')}`, `unlink ${join(dir, 'lock')}`]);
  });

  it('a file that a killed writer or a plain copy left is synced before a checkpoint may name it', () => {
    const dir = join(fresh(), 'vault');
    mkdirSync(join(dir, 'secrets/s0'), { recursive: true });
    writeFileSync(join(dir, 'secrets/s0/0001-00.age'), 'secrets/s0/0001-00.age');
    const effects = traceWrites(process.execPath, [worker, 'fill', dir, '1', 'one']);
    const synced = effects.filter(({ call }) => call === 'fsync').map(({ path }) => path);
    expect(synced).toEqual(expect.arrayContaining([join(dir, 'secrets/s0/0001-00.age'), join(dir, 'secrets/s0'), join(dir, 'secrets'), dir]));
    expect(effects.some(({ call, path }) => call === 'rename' && path?.includes('secrets'))).toBe(false);
  });
});

describe('a writer that is killed', () => {
  it('at any of its writes leaves the old state or the new one, and the next writer goes on', async () => {
    const command = (dir: string): [string, string[]] => [process.execPath, [worker, 'append', dir]];
    const prepared = (): string => {
      const dir = fresh();
      spawnSync(...command(dir));
      return dir;
    };
    const total = countWrites(...command(prepared()));
    expect(total).toBeGreaterThan(15);
    const seen = new Set<string>();
    for (let n = 1; n <= total; n++) {
      const dir = prepared();
      expect(runCrashingAt(n, ...command(dir)).crashed).toBe(true);
      const store = directoryStore(dir);
      const checkpoint = text(await store.get('log/checkpoint'))!;
      seen.add(checkpoint);
      for (let each = 1; each <= Number(checkpoint); each++) {
        expect(text(await store.get(`secrets/a/b/${each}.age`))).toBe(`content ${each}`);
      }
      expect(text(await store.get(`log/${checkpoint}.jsonl`))).toBe(`page ${checkpoint}`);

      expect(spawnSync(...command(dir), { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
      const next = String(Number(checkpoint) + 1);
      expect(text(await store.get('log/checkpoint'))).toBe(next);
      expect(text(await store.get(`secrets/a/b/${next}.age`))).toBe(`content ${next}`);
      expect(existsSync(join(dir, 'lock'))).toBe(false);
    }
    expect([...seen].sort()).toEqual(['1', '2']);
  });
});

describe('two processes', () => {
  it('that swap from the same checkpoint: exactly one wins, in each of fifty rounds', async () => {
    const dir = fresh();
    const helpers = [new Helper(worker), new Helper(worker)];
    let old: string | undefined;
    try {
      for (let round = 0; round < 50; round++) {
        const nexts = helpers.map((_, i) => `round ${round} by ${i}`);
        const won = await Promise.all(helpers.map((helper, i) => helper.obey({ do: 'swap', dir, old, next: nexts[i]! })));
        expect(won.filter((each) => each === true)).toHaveLength(1);
        old = nexts[won.indexOf(true)];
        expect(readFileSync(join(dir, 'log/checkpoint'), 'utf8')).toBe(old);
      }
    } finally {
      await Promise.all(helpers.map((helper) => helper.end()));
    }
    expect(filesIn(dir)).toEqual(['log', 'log/checkpoint']);
  });
});
