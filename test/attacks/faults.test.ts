/** Disks that are full or read-only, at the vault, at the server, in the cache and where a machine keeps its state: the old state or the new one. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { BIN, buildCli } from '../cli/harness.js';
import { person, type VaultOwner } from '../cli/person.js';
import { tempDir } from '../support/tmp.js';
import { missingTools, tool } from '../support/tools.js';
import type { RunResult } from '../support/run.js';
import { bareRemote, urlOf } from '../unit/stores/git-support.js';

/** A name space of its own, in which anybody may mount; not on every system. */
const ENTER = ['unshare', '--user', '--map-root-user', '--mount'] as const;
const mayMount = spawnSync(ENTER[0], [...ENTER.slice(1), 'sh', '-c', 'mount -t tmpfs none /mnt'], { stdio: 'ignore' }).status === 0;
const reason = !mayMount ? 'needs a system on which anybody may mount in a name space of their own (`unshare --user`)' : tool('git') ? undefined : missingTools(['git']);
if (reason !== undefined) process.stderr.write(`skipped: full and read-only disks: ${reason}\n`);

interface World {
  readonly alice: VaultOwner;
  /** What lies on a disk of its own. */
  readonly at: string;
}

async function sealed(alice: VaultOwner): Promise<VaultOwner> {
  await alice.must(['seal', 'app/one', '--kind', 'document', '--from', '-'], { input: 'value of app/one' });
  return alice;
}

async function somebody(): Promise<VaultOwner> {
  const alice = person('alice');
  await alice.must(['identity', 'create', '--device', 'laptop', '--no-passphrase']);
  return alice;
}

async function inDirectory(): Promise<World> {
  const alice = await somebody();
  await alice.must(['init', '--name', 'platform']);
  return { alice: await sealed(alice), at: join(alice.work, 'vault') };
}

async function atRemote(): Promise<World & { remote: string }> {
  const remote = bareRemote(tempDir('faults'));
  const alice = await somebody();
  await alice.must(['init', '--name', 'platform', '--vault', `git+${urlOf(remote)}`]);
  return { alice: await sealed(alice), remote, at: remote };
}

interface Disk {
  readonly what: string;
  make(): Promise<World>;
  /** KiB left, for one try each. At least the first one fails. */
  readonly rooms: readonly number[];
  readonly said: RegExp;
  /** What a person is told where it is read-only. */
  readonly closed: RegExp;
  /** True: what cannot be recorded is not shown. */
  readonly silent?: true;
}

const DISKS: readonly Disk[] = [
  { what: 'of a vault in a directory', make: inDirectory, rooms: [0, 4, 24], said: /^error STORE_IO: cannot write .*: ENOSPC\n {2}Make room there/, closed: /EROFS\n(?: {2}.*\n)* {2}Check that you may write there/ },
  { what: 'of the server that has the repository', make: atRemote, rooms: [0, 24], said: /error STORE_REMOTE: cannot push to .*: there is no room left\n(?:.*\n)* {2}Make room/, closed: /error STORE_REMOTE: cannot push to .*: it cannot be written to there\n/ },
  { what: 'of the cache, in which the mirror lies', make: async () => { const world = await atRemote(); return { ...world, at: world.alice.at('.cache') }; }, rooms: [0, 12, 40], said: /error STORE_IO: cannot write (?:.*: ENOSPC|the commit in .*: there is no room left)\n(?:.*\n)* {2}Make room/, closed: /EROFS\n(?: {2}.*\n)* {2}Check that you may write there/ },
  { what: 'on which the machine keeps what it has seen', make: async () => { const world = await inDirectory(); return { ...world, at: world.alice.at('.local', 'state') }; }, rooms: [0], said: /^error STORE_IO: cannot write .*: ENOSPC\n {2}Make room there/, closed: /EROFS\n(?: {2}.*\n)* {2}Check that you may write there/, silent: true },
];

const NAMED = DISKS.map((disk) => [disk.what, disk] as const);

/** Runs a command while `at` is a disk of its own: with so many KiB left, or read-only. Afterwards what it left there lies at `at`. */
async function onDisk({ alice, at }: World, state: number | 'read-only', argv: readonly string[], input = ''): Promise<RunResult> {
  const scratch = tempDir('disk');
  const [saved, result] = [join(scratch, 'saved'), join(scratch, 'result')];
  cpSync(at, saved, { recursive: true });
  mkdirSync(result);
  const script = `
set -e
mount -t tmpfs -o size=16m,mode=700 none "$AT"
cp -a "$SAVED/." "$AT/"
if [ "$STATE" = read-only ]; then mount -o remount,ro "$AT"
else head -c 32m /dev/zero > "$AT/fill" 2> /dev/null || :; truncate -s "-\${STATE}K" "$AT/fill"; fi
code=0; "$@" || code=$?
[ "$STATE" = read-only ] || rm "$AT/fill"
cp -a "$AT/." "$RESULT/"
exit $code`;
  const ran = await alice.run(ENTER[0], [...ENTER.slice(1), 'sh', '-c', script, 'sh', process.execPath, BIN, ...argv], {
    env: { AT: at, SAVED: saved, RESULT: result, STATE: String(state) }, input,
  });
  rmSync(at, { recursive: true });
  renameSync(result, at);
  return ran;
}

const SEAL = ['seal', 'app/two', '--kind', 'document', '--from', '-'];

describe.skipIf(reason !== undefined)('a disk', () => {
  beforeAll(buildCli);

  it.each(NAMED)('%s that fills up: the old state or the new one, and once there is room the same command gets to its end', { timeout: 300_000 }, async (_, { make, rooms, said }) => {
    const world = await make();
    const { alice } = world;
    for (const [i, room] of rooms.entries()) {
      const ran = await onDisk(world, room, SEAL, `value ${room}`);
      if (ran.code === 0) expect(i).toBeGreaterThan(0);
      else expect([ran.code, ran.text, ran.stderr]).toEqual([8, '', expect.stringMatching(said)]);
      expect((await alice.ov(['audit', 'verify'])).code).toBe(0);
      // Nothing twice: what had got in is not sealed again.
      await alice.must(SEAL, { input: `value ${room}` });
      expect((await alice.must(['open', 'app/two'])).text).toBe(`value ${room}`);
      expect(JSON.parse((await alice.must(['show', 'app/two', '--json'])).text).versions).toHaveLength(i + 1);
    }
    expect(leftovers(world.at)).toEqual([]);
  });

  it.each(NAMED)('%s that is read-only: what can be read is shown once its record is safe, and nothing is written', async (_, { make, closed, silent }) => {
    const world = await make();
    const opened = await onDisk(world, 'read-only', ['open', 'app/one']);
    expect([opened.code, opened.text]).toEqual(silent ? [8, ''] : [0, 'value of app/one']);
    const ran = await onDisk(world, 'read-only', SEAL, 'value');
    expect([ran.code, ran.text, ran.stderr]).toEqual([8, '', expect.stringMatching(closed)]);
    expect((await world.alice.ov(['audit', 'verify'])).code).toBe(0);
    await world.alice.must(SEAL, { input: 'value' });
  });
});

/** What a failed write should have taken away. */
function leftovers(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) => /fast_import_crash|\.lock$|\.tmp-/.test(path));
}
