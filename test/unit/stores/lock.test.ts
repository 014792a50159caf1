import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { breakLock, describeLock, directoryStore, type LockHolder, removeLeftovers } from '../../../packages/core/src/stores/index.js';
import { withLock } from '../../../packages/core/src/stores/lock.js';
import { type ProcessIdentity, thisProcess } from '../../../packages/core/src/stores/process-identity.js';
import { countWrites, runCrashingAt } from '../../support/crash.js';
import { buildWorker, Helper, holdLock, kill } from './processes.js';
import { bytes, failure, scratch, text } from './support.js';

const hardLinks = vi.hoisted(() => ({ fail: '', afterwards: (): void => undefined }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const link: typeof real.link = async (from, to) => {
    if (hardLinks.fail !== '') throw Object.assign(new Error('link'), { code: hardLinks.fail });
    await real.link(from, to);
    hardLinks.afterwards();
  };
  return { ...real, link };
});

const fresh = scratch();
let worker: string;
/** Of a process that has run here and is gone. */
let dead: ProcessIdentity;

beforeAll(async () => {
  worker = await buildWorker(fresh());
  const { pid } = spawnSync('true');
  dead = { ...thisProcess(), pid, started: 1 };
});

const linux = process.platform === 'linux';
if (!linux) process.stderr.write('skipped: tests of dead lock holders, which can be proven dead on Linux only\n');

let nonces = 0;
function plant(dir: string, holder: ProcessIdentity): LockHolder {
  const lock = { ...holder, since: 1_700_000_000, nonce: String(nonces++).padStart(32, '0') };
  writeFileSync(join(dir, 'lock'), `${JSON.stringify(lock)}\n`);
  return lock;
}

/** The name of the right to replace the lock file `file`. */
function claimOn(file: string): string {
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
  return join(dirname(file), `.tmp-claim-${digest.slice(0, 32)}`);
}

const swap = (dir: string, next = 'new', lockPatience = 50): Promise<boolean> => directoryStore(dir, { lockPatience }).swapCheckpoint(undefined, bytes(next));

describe('a lock', () => {
  it('names host, process, start and time while it is held, and is gone afterwards', async () => {
    const dir = fresh();
    await withLock(dir, async () => {
      const described = await describeLock(dir);
      expect(described?.holder).toMatchObject({ ...thisProcess(), since: expect.closeTo(Date.now() / 1000, -1) });
      if (linux) expect(described?.liveness).toBe('alive');
      expect(readdirSync(dir)).toEqual(['lock']);
    });
    expect(readdirSync(dir)).toEqual([]);
    expect(await describeLock(dir)).toBeUndefined();
  });

  it('is released when the work fails', async () => {
    const dir = fresh();
    await expect(withLock(dir, () => Promise.reject(new Error('work')))).rejects.toThrow('work');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('makes others wait', async () => {
    const dir = fresh();
    let free = false;
    const first = withLock(dir, async () => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      free = true;
    });
    await vi.waitFor(() => expect(existsSync(join(dir, 'lock'))).toBe(true));
    await withLock(dir, async () => expect(free).toBe(true));
    await first;
  });

  it('is not removed by a holder from whom it was taken, and that holder learns it', async () => {
    const dir = fresh();
    const stolen = withLock(dir, async (stillMine) => {
      plant(dir, dead);
      await stillMine();
    });
    expect((await failure(stolen)).code).toBe('LOCKED');
    expect((await describeLock(dir))?.holder?.pid).toBe(dead.pid);
  });

  it('that is broken in the middle of a swap stops it, and nothing is left of it', async () => {
    const dir = fresh();
    hardLinks.afterwards = () => plant(dir, { ...dead, host: 'elsewhere' });
    try {
      expect(await failure(swap(dir))).toMatchObject({ code: 'LOCKED', message: expect.stringContaining('was broken') });
    } finally {
      hardLinks.afterwards = () => undefined;
    }
    expect(readdirSync(dir).sort()).toEqual(['lock', 'log']);
    expect(readdirSync(join(dir, 'log'))).toEqual([]);
  });

  it.each(['EPERM', 'ENOTSUP'])('works where link(2) says %s', async (errno) => {
    const dir = fresh();
    hardLinks.fail = errno;
    try {
      expect(await swap(dir)).toBe(true);
      plant(dir, { ...thisProcess(), host: 'elsewhere' });
      expect((await failure(withLock(dir, async () => 1, 20))).code).toBe('LOCKED');
      if (linux) plant(dir, dead);
      else unlinkSync(join(dir, 'lock'));
      await withLock(dir, async () => expect((await describeLock(dir))?.holder?.pid).toBe(process.pid));
    } finally {
      hardLinks.fail = '';
    }
    expect(readdirSync(dir)).toEqual(['log']);
  });

  it('tells any other trouble with making it', async () => {
    hardLinks.fail = 'EIO';
    try {
      expect(await failure(swap(fresh()))).toMatchObject({ code: 'STORE_IO', message: expect.stringContaining('EIO') });
    } finally {
      hardLinks.fail = '';
    }
  });
});

describe('a lock of somebody who may be at work', () => {
  it('of another host is refused, in words that help', async () => {
    const dir = fresh();
    const lock = plant(dir, { ...dead, host: 'build-7' });
    expect((await describeLock(dir))?.liveness).toBe('unknown');
    const error = await failure(swap(dir));
    expect(error.code).toBe('LOCKED');
    expect(error.exitCode).toBe(7);
    expect(error.message).toContain(`process ${lock.pid} on build-7 since 2023-11-14T22:13:20Z`);
    expect(error.hint).toBe('oxp-vault gc --break-lock');
    expect(readdirSync(dir).sort()).toEqual(['lock', 'log']);
    expect(readdirSync(join(dir, 'log'))).toEqual([]);
  });

  it.each([
    ['boot', { boot: 'another-boot' }],
    ['process namespace', { namespace: 'pid:[1]' }],
    ['host without a boot id', { boot: undefined }],
  ])('of another %s is refused, although its process number is free here', async (_, change) => {
    const dir = fresh();
    const { boot, ...rest } = { ...dead, ...change };
    plant(dir, boot === undefined ? rest : { ...rest, boot });
    expect((await describeLock(dir))?.liveness).toBe('unknown');
    expect((await failure(swap(dir))).code).toBe('LOCKED');
  });

  it.each(['', 'null', '{"host":"a"}', 'garbage \u001b[31m', '\u0000\u0000'])('that reads %j is refused, and can be broken', async (content) => {
    const dir = fresh();
    writeFileSync(join(dir, 'lock'), content);
    expect(await describeLock(dir)).toEqual({ holder: undefined, liveness: 'unknown' });
    const error = await failure(swap(dir));
    expect(error.code).toBe('LOCKED');
    expect(error.hint).toContain('gc --break-lock');
    expect(error.message).not.toContain('garbage');
    await breakLock(dir);
    expect(await swap(dir)).toBe(true);
  });

  it('never puts control characters of a lock file on a terminal', async () => {
    const dir = fresh();
    plant(dir, { ...dead, host: 'a\u001b]0;b' });
    expect((await failure(swap(dir))).message).not.toContain('\u001b');
  });

  it('that is a link is refused', async () => {
    const dir = fresh();
    symlinkSync('/etc/hostname', join(dir, 'lock'));
    expect((await failure(swap(dir))).code).toBe('LINK_REFUSED');
    expect((await failure(breakLock(dir))).code).toBe('LINK_REFUSED');
  });

  it('is not needed to learn that one has lost', async () => {
    const dir = fresh();
    await swap(dir);
    plant(dir, { ...dead, host: 'elsewhere' });
    expect(await swap(dir)).toBe(false);
  });
});

describe.skipIf(!linux)('a lock of a dead process', () => {
  it('is taken over', async () => {
    const dir = fresh();
    plant(dir, dead);
    expect((await describeLock(dir))?.liveness).toBe('dead');
    expect(await swap(dir)).toBe(true);
    expect(readdirSync(dir)).toEqual(['log']);
  });

  it('is taken over although its number belongs to another process now', async () => {
    const dir = fresh();
    plant(dir, { ...thisProcess(), started: 1 });
    expect(await swap(dir)).toBe(true);
  });

  it('is not taken over while that process runs', async () => {
    const dir = fresh();
    const holder = await holdLock(worker, dir);
    expect((await describeLock(dir))?.liveness).toBe('alive');
    expect(await failure(swap(dir))).toMatchObject({ code: 'LOCKED', message: expect.stringContaining(`process ${holder.pid} `) });
    expect((await failure(breakLock(dir))).code).toBe('LOCKED');
    await kill(holder);
    expect((await describeLock(dir))?.liveness).toBe('dead');
    expect(await swap(dir)).toBe(true);
  });

  it('counts as dead once it has ended, though nobody has collected it', async () => {
    const dir = fresh();
    // The shell becomes a sleeper that never waits for the child it started before.
    const script = `"$0" "$1" swap "$2" "" one >/dev/null & echo $!; exec sleep 60`;
    const shell = spawn('sh', ['-c', script, process.execPath, worker, fresh()], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = Number(await new Promise((resolve) => shell.stdout.once('data', resolve)));
    const stat = (): string[] => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
    await vi.waitFor(() => expect(stat()[0]).toBe('Z'), 10_000);
    plant(dir, { ...thisProcess(), pid, started: Number(stat()[19]) });
    expect((await describeLock(dir))?.liveness).toBe('dead');
    await kill(shell);
  });

  it('is taken over by one only, however many try, in forty rounds', async () => {
    const dir = fresh();
    const helpers = Array.from({ length: 4 }, () => new Helper(worker));
    try {
      for (let round = 0; round < 40; round++) {
        plant(dir, dead);
        const results = await Promise.all(helpers.map((helper) => helper.obey({ do: 'exclude', dir })));
        expect(results).toEqual(['alone', 'alone', 'alone', 'alone']);
        expect(readdirSync(dir)).toEqual([]);
      }
    } finally {
      await Promise.all(helpers.map((helper) => helper.end()));
    }
  });

  it('is taken over also when a taker was killed at any of its writes, and the next one too', async () => {
    const args = (dir: string): string[] => [worker, 'swap', dir, '', 'new'];
    const prepared = (): string => {
      const dir = fresh();
      mkdirSync(join(dir, 'log'));
      plant(dir, dead);
      return dir;
    };
    const total = countWrites(process.execPath, args(prepared()));
    expect(total).toBeGreaterThan(8);
    for (let n = 1; n <= total; n++) {
      const dir = prepared();
      expect(runCrashingAt(n, process.execPath, args(dir)).crashed).toBe(true);
      runCrashingAt(4, process.execPath, args(dir));
      await swap(dir, 'new', 2000);
      // A swap that was complete already needs no lock: the dead one's stays until somebody does.
      await withLock(dir, async () => undefined);
      expect(text(await directoryStore(dir).get('log/checkpoint'))).toBe('new');
      expect(existsSync(join(dir, 'lock'))).toBe(false);
    }
  });

  it('is taken over from a taker that died too, and no claim is left', async () => {
    const dir = fresh();
    const lock = plant(dir, dead);
    writeFileSync(claimOn(join(dir, 'lock')), JSON.stringify({ ...lock, nonce: 'a'.repeat(32) }));
    expect(await swap(dir)).toBe(true);
    expect(readdirSync(dir)).toEqual(['log']);
  });

  it('is left alone by a taker who finds another claim on it in force', async () => {
    const dir = fresh();
    const lock = plant(dir, dead);
    const claim = claimOn(join(dir, 'lock'));
    writeFileSync(claim, JSON.stringify({ ...lock, ...thisProcess() }));
    expect((await failure(swap(dir))).code).toBe('LOCKED');
    expect((await failure(breakLock(dir))).code).toBe('LOCKED');
    expect(existsSync(join(dir, 'lock'))).toBe(true);
    unlinkSync(claim);
    expect(await swap(dir)).toBe(true);
  });
});

describe('breakLock', () => {
  it('says that there is none', async () => {
    expect(await breakLock(fresh())).toBeUndefined();
    expect(await breakLock(join(fresh(), 'nowhere'))).toBeUndefined();
  });

  it('removes the lock of another host and says whose it was', async () => {
    const dir = fresh();
    plant(dir, { ...dead, host: 'build-7' });
    expect(await breakLock(dir)).toMatchObject({ holder: { host: 'build-7' }, liveness: 'unknown' });
    expect(readdirSync(dir)).toEqual([]);
    expect(await swap(dir)).toBe(true);
  });
});

describe('removeLeftovers', () => {
  it('removes old temporary files at any depth, and nothing else', async () => {
    const dir = fresh();
    const outside = join(fresh(), '.tmp-outside');
    const old = [join(dir, '.tmp-1'), join(dir, 'log', '.tmp-2'), join(dir, 'log', 'page'), outside];
    mkdirSync(join(dir, 'log'));
    for (const file of old) {
      writeFileSync(file, '');
      utimesSync(file, 1000, 1000);
    }
    writeFileSync(join(dir, '.tmp-young'), '');
    symlinkSync(outside, join(dir, '.tmp-link'));
    symlinkSync(dirname(outside), join(dir, 'linked'));
    linkSync(join(dir, '.tmp-1'), join(dir, 'kept'));
    expect(await removeLeftovers(dir)).toBe(2);
    expect(readdirSync(dir).sort()).toEqual(['.tmp-link', '.tmp-young', 'kept', 'linked', 'log']);
    expect(readdirSync(join(dir, 'log'))).toEqual(['page']);
    expect(existsSync(outside)).toBe(true);
    expect(await removeLeftovers(join(dir, 'nowhere'))).toBe(0);
  });

  it('waits for the lock', async () => {
    const dir = fresh();
    plant(dir, { ...dead, host: 'elsewhere' });
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const refused = failure(removeLeftovers(dir));
      await new Promise((resolve) => setTimeout(resolve, 20));
      vi.advanceTimersByTime(6000);
      expect((await refused).code).toBe('LOCKED');
    } finally {
      vi.useRealTimers();
    }
  });
});
