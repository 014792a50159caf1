/** The Git store against real git: races, crashes, connections that break at every place, size. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { gitStore, type GitStore } from '../../packages/core/src/stores/git.js';
import { bundle } from '../support/bundle.js';
import { countWrites, runCrashingAt } from '../support/crash.js';
import { mustRun, run, type RunResult } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { makeVault, memoryLocal, openAs, people, seal } from '../support/vaults.js';
import { BRANCH, CHECKPOINT, bareRemote, commitsOn, filesOn, git, GIT_ENV, hook, storeOn, tipOf, urlOf } from '../unit/stores/git-support.js';

const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : new TextDecoder().decode(bytes));
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

let worker = '';
beforeAll(async () => {
  worker = await bundle(new URL('../unit/stores/git-worker.ts', import.meta.url), join(tempDir('git-worker'), 'worker.mjs'));
});

interface Where {
  readonly url: string;
  readonly mirrors: string;
}

const env = (more: Record<string, string> = {}): Record<string, string> => ({ ...(GIT_ENV as Record<string, string>), ...more });
const append = ({ url, mirrors }: Where, who: string, count = 1, more: Record<string, string> = {}): Promise<RunResult> =>
  run(process.execPath, [worker, 'append', url, mirrors, who, String(count)], { env: env(more), timeout: 300_000 });

/** The entries on the branch; and that every commit of it holds together. */
function entriesOn(remote: string): string[] {
  const shown = git(remote, ['show', `${BRANCH}:${CHECKPOINT}`]).split('\n');
  expect(git(remote, ['fsck', '--strict', '--no-dangling', '--connectivity-only'])).toBe('');
  expect(new Set(shown).size).toBe(shown.length);
  // Each append one commit, its page and its file there, the replaced page gone.
  expect(commitsOn(remote)).toBe(shown.length);
  const page = `log/0000000000-${String(shown.length).padStart(16, '0')}-0000000000.jsonl`;
  expect(filesOn(remote)).toEqual([page, CHECKPOINT, ...shown.map((entry) => `objects/${entry}`)].sort().map((path) => `100644 ${path}`));
  return shown;
}

describeWith(['git'], 'several processes', () => {
  it.each([
    ['each with a clone of its own', (base: string, who: string) => join(base, `mirrors-${who}`)],
    ['of one user, who share a mirror', (base: string) => join(base, 'mirrors')],
  ])('%s: every entry is there exactly once', async (_, mirrorsOf) => {
    const base = tempDir('git-race');
    const remote = bareRemote(base);
    const [writers, each] = [['a', 'b', 'c', 'd'], 6];
    const results = await Promise.all(writers.map((who) => append({ url: urlOf(remote), mirrors: mirrorsOf(base, who) }, who, each)));
    expect(results.map(({ code, stderr, text: said }) => [code, stderr, code === 0 ? '' : said])).toEqual(writers.map(() => [0, '', '']));
    const entries = entriesOn(remote);
    expect([...entries].sort()).toEqual(writers.flatMap((who) => Array.from({ length: each }, (_, i) => `${who}-${i + 1}`)).sort());
    // Of one writer, in the order of writing.
    for (const who of writers) expect(entries.filter((entry) => entry.startsWith(who))).toEqual(Array.from({ length: each }, (_, i) => `${who}-${i + 1}`));
  });

  it('that make the first entry at once, on a mirror that is not there yet', async () => {
    for (let round = 0; round < 3; round++) {
      const base = tempDir('git-first');
      const remote = bareRemote(base);
      const results = await Promise.all(['a', 'b', 'c', 'd'].map((who) => append({ url: urlOf(remote), mirrors: join(base, 'mirrors') }, who)));
      expect(results.map(({ code, stderr }) => [code, stderr])).toEqual([0, 0, 0, 0].map((code) => [code, '']));
      expect([...entriesOn(remote)].sort()).toEqual(['a-1', 'b-1', 'c-1', 'd-1']);
    }
  });
});

describeWith(['git'], 'a writer that is killed', () => {
  /** What the killed one had started ends by itself. */
  async function quiet(dir: string): Promise<void> {
    for (let i = 0; i < 3000 && busyIn(dir); i++) await sleep(10);
  }

  /** Linux: whether any process names the directory on its command line, or stands in it, as what a server has started does. Elsewhere nobody knows. */
  function busyIn(dir: string): boolean {
    if (!existsSync('/proc/self/cmdline')) return false;
    return readdirSync('/proc').some((pid) => {
      if (!/^\d+$/.test(pid)) return false;
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dir) || readlinkSync(`/proc/${pid}/cwd`).startsWith(dir);
      } catch {
        return false; // it has ended
      }
    });
  }

  interface Prepared {
    readonly base: string;
    readonly remote: string;
    readonly where: Where;
    /** Everything as it was prepared. */
    reset(): void;
  }

  /** A remote with one entry, which this machine has made or (not `known`) never seen. */
  async function prepared(known: boolean): Promise<Prepared> {
    const base = tempDir('git-crash');
    const [live, pristine] = [join(base, 'live'), join(base, 'pristine')];
    mkdirSync(live);
    const remote = bareRemote(live);
    const where = { url: urlOf(remote), mirrors: join(live, 'mirrors') };
    expect((await append(known ? where : { ...where, mirrors: join(live, 'other') }, 'first')).code).toBe(0);
    cpSync(live, pristine, { recursive: true });
    const reset = (): void => {
      rmSync(live, { recursive: true });
      cpSync(pristine, live, { recursive: true });
    };
    return { base, remote, where, reset };
  }

  it.each([['the first one of a machine', false], ['a later one', true]])('before any of its writes and processes leaves the old state or the new one: %s', { timeout: 600_000 }, async (_, known) => {
    const { base, remote, where, reset } = await prepared(known);
    const command: [string, string[]] = [process.execPath, [worker, 'append', where.url, where.mirrors, 'mine', '1']];
    const total = countWrites(...command, { env: env(), countSpawns: true });
    expect(total).toBeGreaterThan(8);
    const seen = new Set<string>();
    for (let n = 1; n <= total; n++) {
      reset();
      expect(runCrashingAt(n, ...command, { env: env(), countSpawns: true }).crashed).toBe(true);
      await quiet(base);
      seen.add(entriesOn(remote).join());
      // The same machine goes on, and a signed entry that was in already is not there twice.
      expect(await append(where, 'mine')).toMatchObject({ code: 0, stderr: '' });
      expect(entriesOn(remote)).toEqual(['first-1', 'mine-1']);
    }
    expect([...seen].sort()).toEqual(['first-1', 'first-1,mine-1']);
  });

  it('together with its git, in the middle of any command, leaves the old state or the new one', { timeout: 600_000 }, async () => {
    // Stands in for git: the Nth one is killed a moment after it has begun, with the one who started it.
    const wrapper = join(tempDir('git-wrapper'), 'git');
    const real = (await mustRun('sh', ['-c', 'command -v git'])).text.trim();
    writeFileSync(wrapper, `#!/bin/sh
n=$(( $(cat "$COUNTER" 2>/dev/null || echo 0) + 1 )); echo $n > "$COUNTER"
[ "$n" = "$FATAL" ] || exec ${real} "$@"
${real} "$@" & sleep "$DELAY"; kill -9 $! $PPID
`, { mode: 0o755 });
    const { base, remote, where, reset } = await prepared(true);
    const counter = join(base, 'counter');
    let killed = 0;
    for (const delay of ['0', '0.01']) {
      for (let fatal = 1; fatal <= 9; fatal++) {
        reset();
        rmSync(counter, { force: true });
        const { signal } = await append(where, 'mine', 1, { PATH: `${dirname(wrapper)}:${process.env['PATH']}`, COUNTER: counter, FATAL: String(fatal), DELAY: delay });
        if (signal === 'SIGKILL') killed += 1;
        await quiet(base);
        expect([['first-1'], ['first-1', 'mine-1']]).toContainEqual(entriesOn(remote));
        expect(await append(where, 'mine')).toMatchObject({ code: 0, stderr: '' });
        expect(entriesOn(remote)).toEqual(['first-1', 'mine-1']);
      }
    }
    expect(killed).toBeGreaterThan(8);
  });
});

describeWith(['git'], 'a connection', () => {
  /** Stands in for ssh: runs the server's half here, and breaks it as the file `fault` says, for one push. */
  const SSH = `#!/bin/sh
for command; do :; done
case "$command" in *receive-pack*) ;; *) exec sh -c "$command";; esac
[ -e "$FAULT" ] || exec sh -c "$command"
read -r kind size < "$FAULT"
[ -n "$KEEP" ] || rm "$FAULT"
case $kind in
  refuse) echo "ssh: connect to host git.example.org port 22: Connection refused" >&2; exit 255;;
  denied) echo "git@git.example.org: Permission denied (publickey)." >&2; exit 255;;
  server) sh -c "$command" | { dd bs=1 count="$size" status=none; kill -9 $$; };;
  client) dd bs=1 count="$size" status=none | sh -c "$command";;
  measure) tee "$FAULT.client" | sh -c "$command" | tee "$FAULT.server";;
esac
`;

  interface Line {
    readonly remote: string;
    readonly fault: string;
    readonly store: GitStore;
    break(fault: string): void;
    mend(): void;
  }

  async function line(keep: boolean): Promise<Line> {
    const base = tempDir('git-line');
    const remote = bareRemote(base);
    const ssh = join(base, 'ssh');
    writeFileSync(ssh, SSH, { mode: 0o755 });
    const fault = join(base, 'fault');
    const more = { GIT_SSH_COMMAND: ssh, GIT_SSH_VARIANT: 'simple', FAULT: fault, ...(keep ? { KEEP: '1' } : {}) };
    const store = gitStore({ url: `ssh://git@git.example.org${remote}`, mirrorDir: join(base, 'mirrors'), env: env(more), timeout: 20_000 });
    expect(await write(store, 1)).toBe(true);
    return { remote, fault, store, break: (what) => writeFileSync(fault, `${what}\n`), mend: () => rmSync(fault, { force: true }) };
  }

  function write(store: GitStore, n: number): Promise<boolean> {
    const files = [{ path: `objects/${n}`, bytes: bytes(`object ${n} `.repeat(40)) }];
    return store.commit({ old: n === 1 ? undefined : bytes(`checkpoint ${n - 1}`), next: bytes(`checkpoint ${n}`), files, replaced: [] });
  }

  async function lengths(): Promise<{ client: number; server: number }> {
    const { fault, store, break: breakIt } = await line(false);
    breakIt('measure 0');
    expect(await write(store, 2)).toBe(true);
    return { client: statSync(`${fault}.client`).size, server: statSync(`${fault}.server`).size };
  }

  it.each(['client', 'server'] as const)('that breaks once, at any place of what the %s says: the entry is there exactly once', { timeout: 300_000 }, async (side) => {
    const { [side]: total } = await lengths();
    const outcomes = new Set<string>();
    const { remote, store, break: breakIt } = await line(false);
    let n = 1;
    for (let at = 0; at <= total; at += Math.max(1, Math.floor(total / 16))) {
      breakIt(`${side} ${at}`);
      n += 1;
      expect(await write(store, n)).toBe(true);
      outcomes.add(git(remote, ['log', '-1', '--format=%H', BRANCH]));
      expect(commitsOn(remote)).toBe(n);
      expect(git(remote, ['show', `${BRANCH}:${CHECKPOINT}`])).toBe(`checkpoint ${n}`);
    }
    expect(outcomes.size).toBe(n - 1);
  });

  it.each(['client', 'server'] as const)('that breaks every time, at any place of what the %s says: an error, and the entry is there once or not at all', { timeout: 300_000 }, async (side) => {
    const { [side]: total } = await lengths();
    const { remote, store, break: breakIt, mend } = await line(true);
    const outcomes = new Set<string>();
    let n = 1;
    for (let at = 0; at <= total; at += Math.max(1, Math.floor(total / 8))) {
      breakIt(`${side} ${at}`);
      const result = await write(store, n + 1).catch((error: unknown) => error);
      const there = git(remote, ['show', `${BRANCH}:${CHECKPOINT}`]) === `checkpoint ${n + 1}`;
      if (result === true) expect(there).toBe(true);
      else expect(result).toMatchObject({ code: 'STORE_REMOTE', exitCode: 8, hint: expect.stringContaining('never appended twice') });
      outcomes.add(`${result === true ? 'done' : 'error'} ${there}`);
      mend();
      if (!there) {
        expect(text(await store.get(CHECKPOINT))).toBe(`checkpoint ${n}`);
        expect(await write(store, n + 1)).toBe(true);
      }
      n += 1;
      expect(commitsOn(remote)).toBe(n);
    }
    expect([...outcomes]).toContain('error false');
  });

  it.each([
    ['refuse 0', 'the connection failed'],
    ['denied 0', 'access was denied'],
  ])('that is refused says so: %s', async (fault, why) => {
    const { remote, store, break: breakIt } = await line(true);
    breakIt(fault);
    const error: unknown = await write(store, 2).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'STORE_REMOTE', message: `cannot push to ssh://git@git.example.org${remote}: ${why}` });
    expect(commitsOn(remote)).toBe(1);
  });

  it.each(['pre-receive', 'update', 'post-receive', 'post-update'])('to a server that dies in %s, once: the entry is there exactly once', async (name) => {
    const { remote, store } = await line(false);
    const once = join(remote, 'once');
    writeFileSync(once, '');
    hook(remote, name, `[ -e ${once} ] || exit 0; rm ${once}; kill -9 $PPID; sleep 0.2; exit 1`);
    const before = tipOf(remote);
    expect(await write(store, 2)).toBe(true);
    expect(existsSync(once)).toBe(false);
    expect(git(remote, ['rev-parse', `${BRANCH}^`])).toBe(before);
    expect(commitsOn(remote)).toBe(2);
  });

  it('to a server that dies after accepting, and where somebody has gone on from there since: the entry is there exactly once', async () => {
    const { remote, store } = await line(false);
    hook(remote, 'post-receive', `rm $0; git update-ref refs/heads/${BRANCH} $(git -c user.name=b -c user.email=b@example.org commit-tree -p ${BRANCH} -m other ${BRANCH}^{tree}); kill -9 $PPID`);
    expect(await write(store, 2)).toBe(true);
    expect(commitsOn(remote)).toBe(3);
    expect(await write(store, 3)).toBe(true);
  });

  it('to a server that has accepted and never answers: no second entry, no error', async () => {
    const base = tempDir('git-slow');
    const remote = bareRemote(base);
    const where = { url: urlOf(remote), mirrors: join(base, 'mirrors') };
    expect((await append(where, 'first')).code).toBe(0);
    hook(remote, 'post-receive', 'exec sleep 600');
    const result = await append(where, 'mine', 1, { OXP_TEST_TIMEOUT: '1500' });
    expect([result.code, result.text]).toEqual([0, '{"lost":0}\n']);
    rmSync(join(remote, 'hooks', 'post-receive'));
    expect(entriesOn(remote)).toEqual(['first-1', 'mine-1']);
  });

  it('that is only slow loses nothing', async () => {
    const base = tempDir('git-late');
    const remote = bareRemote(base);
    hook(remote, 'pre-receive', 'sleep 0.3');
    const results = await Promise.all(['a', 'b', 'c'].map((who) => append({ url: urlOf(remote), mirrors: join(base, who) }, who, 2)));
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(entriesOn(remote)).toHaveLength(6);
  });
});

describeWith(['git', 'openssl'], 'a server over https', ({ openssl }) => {
  it.each([
    [401, 'access was denied'],
    [403, 'access was denied'],
    [404, 'there is no such repository, or you may not see it'],
    [502, 'the connection failed'],
  ])('that answers %i: %s', async (status, why) => {
    const dir = tempDir('git-https');
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    await mustRun(openssl, ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert, '-days', '1']);
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
      response.writeHead(status, { 'www-authenticate': 'Basic realm="git"' }).end('<html>no</html>');
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const url = `https://localhost:${port}/infra/vault.git`;
      // No proxy of this machine, and this certificate.
      const config = [['http.sslCAInfo', cert], ['http.proxy', ''], ['credential.helper', '']] as const;
      const clean = Object.fromEntries(Object.entries(env()).filter(([name]) => !/proxy|GIT_SSL/i.test(name)));
      const store = gitStore({ url, mirrorDir: join(dir, 'mirrors'), env: clean, config });
      const error: unknown = await store.get(CHECKPOINT).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'STORE_REMOTE', exitCode: 8, message: `cannot fetch from ${url}: ${why}` });
    } finally {
      server.close();
    }
  });
});

describeWith(['git'], 'a vault', () => {
  it('is made, shared and written by people on machines of their own', async () => {
    const base = tempDir('git-vault');
    const remote = bareRemote(base);
    const machine = (name: string): GitStore => storeOn(remote, join(base, name));
    const { alice, bruno } = await people('alice', 'bruno');
    const world = await makeVault({ people: [alice, bruno], store: machine('alice') });
    const second = await openAs(machine('bruno'), bruno, { local: memoryLocal() });
    await seal(world.vault, 'dns/one');
    // Bruno has not seen it: his first try loses, and the second goes on from it.
    await seal(second, 'dns/two');
    await world.vault.store.refresh!(0);
    await world.vault.refresh();
    expect(world.vault.point).toEqual(second.point);
    const fresh = await openAs(machine('carol'), undefined, { local: memoryLocal() });
    expect(fresh.point).toEqual(second.point);
    expect(git(remote, ['log', '--format=%p', BRANCH]).split('\n').every((parents) => !parents.includes(' '))).toBe(true);
  });
});

describeWith(['git'], 'after many appends', () => {
  it('the repository is small, and so is what a new machine fetches', { timeout: 1_200_000 }, async () => {
    const appends = Number(process.env['OXP_TEST_APPENDS'] ?? 200);
    const base = tempDir('git-size');
    const remote = bareRemote(base);
    const store = storeOn(remote, join(base, 'mirrors'));
    const line = (n: number): string => JSON.stringify({ n, payload: Buffer.from(crypto.getRandomValues(new Uint8Array(750))).toString('base64'), sig: Buffer.from(crypto.getRandomValues(new Uint8Array(64))).toString('base64') });
    let old: { checkpoint: Uint8Array | undefined; page: string | undefined } = { checkpoint: undefined, page: undefined };
    let lines: string[] = [];
    const started = performance.now();
    for (let n = 0; n < appends; n++) {
      if (n % 256 === 0) [lines, old] = [[], { ...old, page: undefined }];
      lines.push(line(n));
      const index = String(n - (n % 256)).padStart(10, '0');
      const page = `log/${index}-${Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex')}-${index}.jsonl`;
      const next = bytes(`checkpoint ${n} ${lines.at(-1)!.slice(0, 200)}\n`);
      expect(await store.commit({ old: old.checkpoint, next, files: [{ path: page, bytes: bytes(`${lines.join('\n')}\n`) }], replaced: old.page === undefined ? [] : [old.page] })).toBe(true);
      old = { checkpoint: next, page };
    }
    const average = (performance.now() - started) / appends;
    const nothing = performance.now();
    for (let i = 0; i < 10; i++) await store.refresh(0);
    const refresh = (performance.now() - nothing) / 10;
    await mustRun('git', ['-C', remote, 'gc', '--quiet', '--prune=now'], { env: env() });
    const kilobytes = async (dir: string): Promise<number> => Number((await mustRun('du', ['-sk', dir])).text.split('\t')[0]);
    const [whole, clone] = [await kilobytes(remote), join(base, 'new')];
    expect(text(await storeOn(remote, clone).get(CHECKPOINT))).toContain(`checkpoint ${appends - 1}`);
    process.stderr.write(`git store: ${appends} appends of 1.1 KB, ${average.toFixed(0)} ms each; a refresh with nothing new ${refresh.toFixed(0)} ms; remote after gc ${whole} KB; a new mirror ${await kilobytes(clone)} KB\n`);
    expect(commitsOn(remote)).toBe(appends);
  });
});
