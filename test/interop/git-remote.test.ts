/** The server of a vault in Git at its worst: slow, silent, gone in the middle of anything, set back. Commands of people, over a stand-in for ssh. */
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { person, type VaultOwner } from '../cli/person.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { gitStore } from '../../packages/core/src/stores/git.js';
import { bareRemote, BRANCH, CHECKPOINT, commitsOn, entriesOn, filesOn, git, GIT_ENV, hook, plant } from '../unit/stores/git-support.js';

/**
 * Runs the server's half here. The file `fault` says what goes wrong: `slow BYTES` with each answer (so many, then a pause); `silent`
 * after the first bytes, `client BYTES` or `server BYTES`: of a push only so much gets through, then the server is gone.
 */
const SSH = `#!/bin/sh
for command; do :; done
[ -e "$FAULT" ] || exec sh -c "$command"
read -r kind size < "$FAULT"
case $kind in
  slow) sh -c "$command" | "$NODE" "$THROTTLE" "$size"; exit;;
  silent) sh -c "$command" | { dd bs=1 count=4 status=none; sleep 60; }; exit;;
esac
case "$command" in *receive-pack*) ;; *) exec sh -c "$command";; esac
case $kind in
  server) sh -c "$command" | { dd bs=1 count="$size" status=none; kill -9 $$; };;
  client) dd bs=1 count="$size" status=none | sh -c "$command";;
  measure) tee "$FAULT.client" | sh -c "$command" | tee "$FAULT.server";;
esac
`;

/** Passes on so many bytes five times a second. */
const THROTTLE = `
let waiting = Buffer.alloc(0);
let ended = false;
process.stdin.on('data', (chunk) => (waiting = Buffer.concat([waiting, chunk]))).on('end', () => (ended = true));
const size = Number(process.argv[2]);
const timer = setInterval(() => {
  process.stdout.write(waiting.subarray(0, size));
  waiting = waiting.subarray(size);
  if (ended && waiting.length === 0) clearInterval(timer);
}, 200);
`;

interface Line {
  readonly base: string;
  readonly remote: string;
  readonly fault: string;
  /** The same for everybody who reaches the server. */
  readonly env: Readonly<Record<string, string>>;
  readonly address: string;
}

function line(): Line {
  const base = tempDir('git-remote');
  const remote = bareRemote(base);
  const ssh = join(base, 'ssh');
  writeFileSync(ssh, SSH, { mode: 0o755 });
  const [fault, throttle] = [join(base, 'fault'), join(base, 'throttle.cjs')];
  writeFileSync(throttle, THROTTLE);
  return { base, remote, fault, env: { GIT_SSH_COMMAND: ssh, GIT_SSH_VARIANT: 'simple', FAULT: fault, NODE: process.execPath, THROTTLE: throttle }, address: `git+ssh://git@git.example.org${remote}` };
}

const seal = (name: string): string[] => ['seal', name, '--kind', 'document', '--from', '-'];

/** Alice with a vault at the server and one secret in it. */
async function withVault({ env, address }: Line): Promise<VaultOwner> {
  const alice = person('alice');
  await alice.must(['identity', 'create', '--device', 'laptop', '--no-passphrase']);
  await alice.must(['init', '--name', 'platform', '--vault', address], { env });
  await alice.must(seal('app/one'), { env, input: 'value of app/one' });
  return alice;
}

describeWith(['git'], 'a slow server', () => {
  it('is waited for as long as something comes, and what comes is told', { timeout: 120_000 }, async () => {
    const { base, remote, fault, env } = line();
    // Nothing of it can be packed any smaller.
    plant(remote, Array.from({ length: 120 }, (_, i) => ({ path: `objects/${i}`, content: Buffer.from(crypto.getRandomValues(new Uint8Array(1500))).toString('hex') })));
    writeFileSync(fault, 'slow 4096\n');
    const told: (string | undefined)[] = [];
    const options = { url: `ssh://git@git.example.org${remote}`, env: { ...GIT_ENV, ...env }, timeout: 4000 };
    const store = gitStore({ ...options, mirrorDir: join(base, 'mirrors'), onProgress: (text) => told.push(text) });
    const started = performance.now();
    expect(await store.list('objects/')).toHaveLength(120);
    // All of it took longer than anybody waits for a sign of life.
    expect(performance.now() - started).toBeGreaterThan(4000);
    expect(told).toContainEqual(expect.stringMatching(/^Receiving objects: +\d+%/));
    expect(told.at(-1)).toBeUndefined();
    expect(told.every((text) => text === undefined || /^[\x20-\x7e]{1,100}$/.test(text))).toBe(true);

    writeFileSync(fault, 'silent\n');
    const silent = gitStore({ ...options, mirrorDir: join(base, 'others'), timeout: 1500 });
    await expect(silent.get(CHECKPOINT)).rejects.toMatchObject({ code: 'STORE_REMOTE', message: `cannot fetch from ssh://git@git.example.org${remote}: no answer in time`, hint: expect.stringContaining('Look at the network') });
  });
});

describeWith(['git'], 'a server that is gone in the middle of a push', () => {
  let there: Line;
  let alice: VaultOwner;
  let n = 0;
  beforeAll(async () => {
    there = line();
    alice = await withVault(there);
  });

  async function lengthOf(side: 'client' | 'server'): Promise<number> {
    const { env, fault } = there;
    writeFileSync(fault, 'measure 0\n');
    await alice.must(seal('app/measured'), { env, input: `value ${(n += 1)}` });
    rmSync(fault);
    return statSync(`${fault}.${side}`).size;
  }

  it.each(['client', 'server'] as const)('at any place of what the %s says: told what to do; the same command again gets to its end, and nothing is there twice', { timeout: 300_000 }, async (side) => {
    const { env, fault, remote } = there;
    const total = await lengthOf(side);
    const codes = new Set<number>();
    for (let at = 0; at <= total; at += Math.ceil(total / 6)) {
      n += 1;
      const name = `app/s${n}`;
      writeFileSync(fault, `${side} ${at}\n`);
      const cut = await alice.ov(seal(name), { env, input: `value ${n}` });
      codes.add(cut.code);
      if (cut.code !== 0) {
        expect([cut.code, cut.text]).toEqual([8, '']);
        expect(cut.stderr).toMatch(/^error STORE_REMOTE: cannot push to ssh:.*: the connection failed\n/m);
        expect(cut.stderr).toContain('an entry is never appended twice');
        // What is here can still be read.
        expect((await alice.ov(['open', 'app/one', '--offline'], { env })).text).toBe('value of app/one');
      }
      rmSync(fault);
      const again = await alice.must(seal(name), { env, input: `value ${n}` });
      if (cut.code === 0) expect(again.text).toContain('1 unchanged');
      expect(JSON.parse((await alice.must(['show', name, '--json'], { env })).text).versions).toHaveLength(1);
    }
    expect([...codes]).toContain(8);
    expect((await alice.ov(['audit', 'verify'], { env })).code).toBe(0);
    expect(git(remote, ['fsck', '--strict', '--no-dangling'])).toBe('');
    expect(git(remote, ['rev-list', '--merges', BRANCH])).toBe('');
  });

  it('because a lock lies there that nobody will ever take away: it is named', async () => {
    const { env, remote } = there;
    const lock = join(remote, 'refs', 'heads', `${BRANCH}.lock`);
    writeFileSync(lock, '');
    const locked = await alice.ov(seal('app/locked'), { env, input: 'value' });
    expect([locked.code, locked.text]).toEqual([7, '']);
    expect(locked.stderr).toMatch(/^error LOCKED: cannot push to ssh:.*: its branch is locked\n(?:.*\n)*.*refs\/heads\/oxp-vault\.lock/);
    expect(locked.stderr).toContain('somebody at the server has to remove it');
    rmSync(lock);
    await alice.must(seal('app/locked'), { env, input: 'value' });
  });

  it('after it has accepted: the command that is typed again finds it done', async () => {
    const { env, remote } = there;
    const before = commitsOn(remote);
    // The server's half ends, with all that belongs to it, before it says a word.
    hook(remote, 'post-receive', 'rm "$0"; kill -9 $PPID');
    const done = await alice.ov(seal('app/accepted'), { env, input: 'value' });
    expect([done.code, existsSync(join(remote, 'hooks', 'post-receive'))]).toEqual([0, false]);
    expect((await alice.must(seal('app/accepted'), { env, input: 'value' })).text).toContain('unchanged');
    expect(commitsOn(remote)).toBe(before + 1);
  });
});

describeWith(['git'], 'a server that has lost its last 20 commits', () => {
  it('is put right by one command from any machine that is up to date, however it came to be', { timeout: 300_000 }, async () => {
    const there = line();
    const { env, remote, address } = there;
    const alice = await withVault(there);
    const expectLine = JSON.parse((await alice.must(['status', '--json'], { env })).text).expect as string;
    // Bruno has been there from the beginning; carol sees only what is there in the end.
    const [bruno, carol] = [person('bruno'), person('carol')];
    const read = ['status', '--vault', address, '--expect', expectLine, '--json', '--max-age', '0'];
    await bruno.must(read, { env });
    for (let i = 0; i < 20; i++) await alice.must(seal(`app/s${i}`), { env, input: `value ${i}` });
    const whole = { files: filesOn(remote), objects: entriesOn(remote), size: JSON.parse((await bruno.must(read, { env })).text).expect as string };
    await carol.must(read, { env });

    const set = git(remote, ['rev-parse', `${BRANCH}~20`]);
    for (const rescuer of [carol, bruno, alice]) {
      git(remote, ['update-ref', `refs/heads/${BRANCH}`, set]);
      // Nobody else keeps the lost commits alive there.
      git(remote, ['reflog', 'expire', '--expire=now', '--all']);
      git(remote, ['gc', '-q', '--prune=now']);
      const seen = await rescuer.ov(read, { env });
      expect([seen.code, seen.text]).toEqual([5, '']);
      expect(JSON.parse(seen.stderr).error).toMatchObject({ code: 'ROLLBACK', hint: 'If it was a backup, this machine has the missing 20 entries: oxp-vault sync --restore' });
      await rescuer.must(['sync', '--restore', '--vault', address], { env });
      expect(entriesOn(remote)).toEqual(whole.objects);
      expect(git(remote, ['rev-parse', `${BRANCH}^`])).toBe(set);
      for (const each of [alice, bruno, carol]) expect(JSON.parse((await each.must(read, { env })).text).expect).toBe(whole.size);
    }
    await alice.must(seal('app/after'), { env, input: 'value' });
    expect((await alice.must(['open', 'app/s19'], { env })).text).toBe('value 19');
  });
});
