import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Store } from '../../../packages/core/src/ports.js';
import { gitStore, type GitStore } from '../../../packages/core/src/stores/git.js';
import { MAX_FILE } from '../../../packages/core/src/stores/git-tree.js';
import { describeWith } from '../../support/tools.js';
import { BRANCH, CHECKPOINT, bareRemote, commitsOn, filesOn, git, GIT_ENV, hook, plant, storeOn, tipOf, urlOf } from './git-support.js';
import { bytes, failure, scratch, text } from './support.js';

const fresh = scratch();

interface Place {
  readonly remote: string;
  readonly mirrors: string;
  readonly store: GitStore;
  /** Another machine. */
  other(): GitStore;
}

function place(...options: string[]): Place {
  const base = fresh();
  const remote = bareRemote(base, 'remote.git', ...options);
  let machines = 0;
  const other = (): GitStore => storeOn(remote, join(base, `mirrors-${++machines}`));
  return { remote, mirrors: join(base, 'mirrors-1'), store: other(), other };
}

const page = (n: number, content = `page ${n}\n`) => ({ path: `log/0000000000-${String(n).padStart(16, '0')}-0000000000.jsonl`, bytes: bytes(content) });

/** What the engine does: the new page, the checkpoint, and the page before it gone. */
async function append(store: Store, n: number): Promise<boolean> {
  return store.commit!({ old: n === 1 ? undefined : bytes(`checkpoint ${n - 1}`), next: bytes(`checkpoint ${n}`), files: [page(n)], replaced: n === 1 ? [] : [page(n - 1).path] });
}

async function first<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}

async function checkpoint(store: Store): Promise<string | undefined> {
  return text(await store.get(CHECKPOINT));
}

describeWith(['git'], 'the branch', () => {
  it('is linear, one commit an append, of plain files only', async () => {
    const { remote, store } = place();
    for (let n = 1; n <= 4; n++) expect(await append(store, n)).toBe(true);
    expect(commitsOn(remote)).toBe(4);
    expect(git(remote, ['rev-list', '--merges', BRANCH])).toBe('');
    expect(filesOn(remote)).toEqual([`100644 ${page(4).path}`, `100644 ${CHECKPOINT}`].sort());
    expect(git(remote, ['for-each-ref', '--format=%(refname)'])).toBe(`refs/heads/${BRANCH}`);
    expect(git(remote, ['fsck', '--strict'])).toBe('');
  });

  it('takes what was put and removed with the next swap, and nothing before', async () => {
    const { remote, store, other } = place();
    await append(store, 1);
    await store.putNew('secrets/a/0001-00.age', bytes('a'));
    await store.remove(page(1).path);
    expect(await store.list('')).toEqual([CHECKPOINT, 'secrets/a/0001-00.age']);
    expect(commitsOn(remote)).toBe(1);
    // Garbage is removed without a new entry.
    expect(await store.swapCheckpoint(bytes('checkpoint 1'), bytes('checkpoint 1'))).toBe(true);
    expect(commitsOn(remote)).toBe(2);
    expect(await other().list('')).toEqual([CHECKPOINT, 'secrets/a/0001-00.age']);
    // Nothing to write: no commit.
    expect(await store.swapCheckpoint(bytes('checkpoint 1'), bytes('checkpoint 1'))).toBe(true);
    expect(commitsOn(remote)).toBe(2);
  });

  it('keeps nothing of a lost race', async () => {
    const { remote, store, other } = place();
    await append(store, 1);
    const late = other();
    expect(await checkpoint(late)).toBe('checkpoint 1');
    await append(store, 2);
    const change = { old: bytes('checkpoint 1'), next: bytes('mine'), files: [{ path: 'objects/mine', bytes: bytes('mine') }], replaced: [] };
    expect(await late.commit(change)).toBe(false);
    // The loser sees the winner's state, for its next try.
    expect(await checkpoint(late)).toBe('checkpoint 2');
    expect(await late.commit({ ...change, old: bytes('checkpoint 2'), files: [] })).toBe(true);
    expect(filesOn(remote)).toEqual([`100644 ${page(2).path}`, `100644 ${CHECKPOINT}`].sort());
  });

  it('has the name that the address gives it', async () => {
    const { remote, mirrors } = place();
    const [one, two] = [storeOn(remote, mirrors, { branch: 'team/one' }), storeOn(remote, mirrors, { branch: 'team/two' })];
    expect(one.address).toBe(`git+${urlOf(remote)}#team/one`);
    expect([await append(one, 1), await append(two, 1), await append(two, 2)]).toEqual([true, true, true]);
    expect([await checkpoint(one), await checkpoint(two)]).toEqual(['checkpoint 1', 'checkpoint 2']);
    expect(git(remote, ['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/team/one\nrefs/heads/team/two');
  });

  it('bears the name of whom git knows, the message given, and no control characters', async () => {
    const { remote, mirrors } = place();
    const store = storeOn(remote, mirrors);
    await store.commit({ old: undefined, next: bytes('checkpoint 1'), files: [], replaced: [], about: 'seal dns/key\u001b[31m\n\nby carol\0' });
    expect(git(remote, ['log', '-1', '--format=%an <%ae>|%cn <%ce>|%B', BRANCH])).toBe('carol <carol@example.org>|carol <carol@example.org>|seal dns/key [31m\n\nby carol');
  });

  it('can be written where nobody has told git a name', async () => {
    const { remote, mirrors } = place();
    const nameless = Object.fromEntries(Object.entries(GIT_ENV).filter(([name]) => !/^(GIT_(AUTHOR|COMMITTER)|EMAIL)/.test(name)));
    const store = storeOn(remote, mirrors, { env: { ...nameless, GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.useConfigOnly', GIT_CONFIG_VALUE_0: 'true' } });
    expect(await append(store, 1)).toBe(true);
    expect(git(remote, ['log', '-1', '--format=%an|%cn', BRANCH])).toBe('oxp-vault|oxp-vault');
  });

  it('works with a repository of SHA-256 objects', async () => {
    const { store, other } = place('--object-format=sha256');
    expect([await append(store, 1), await append(store, 2)]).toEqual([true, true]);
    expect(await checkpoint(other())).toBe('checkpoint 2');
    expect((await store.tip())?.length).toBe(64);
  });
});

describeWith(['git', 'ssh-keygen'], 'a user who signs commits', (paths) => {
  it('signs these too, and hears why when that fails', async () => {
    const { remote, mirrors } = place();
    const key = join(fresh(), 'key');
    execFileSync(paths['ssh-keygen'], ['-q', '-t', 'ed25519', '-N', '', '-C', 'carol@example.org', '-f', key]);
    const config = (signingKey: string) => [['commit.gpgsign', 'true'], ['gpg.format', 'ssh'], ['user.signingkey', signingKey]] as const;
    const store = storeOn(remote, mirrors, { config: config(key) });
    expect([await append(store, 1), await append(store, 2)]).toEqual([true, true]);
    expect(git(remote, ['cat-file', 'commit', BRANCH])).toMatch(/^tree .*\nparent .*\nauthor carol .*\ncommitter carol .*\ngpgsig -----BEGIN SSH SIGNATURE-----/);
    expect(commitsOn(remote)).toBe(2);
    const error = await failure(append(storeOn(remote, mirrors, { config: config('/nowhere/key') }), 3));
    expect(error).toMatchObject({ code: 'STORE_IO', message: 'git cannot sign the commit, as commit.gpgsign wants it' });
    expect(error.details.join()).toContain('/nowhere/key');
    expect(commitsOn(remote)).toBe(2);
  });
});

describeWith(['git'], 'the mirror', () => {
  it('is read without the network, and says how old it is', async () => {
    const { remote, mirrors, store, other } = place();
    await append(store, 1);
    let now = 1000;
    const mine = storeOn(remote, join(mirrors, '..', 'reader'), { clock: { now: () => now } });
    expect(await mine.refresh(Infinity)).toEqual({});
    expect(await mine.refresh(60)).toEqual({ fetched: 1000 });
    await append(other(), 2);
    now = 1059;
    expect(await mine.refresh(60)).toEqual({ fetched: 1000 });
    expect(await checkpoint(mine)).toBe('checkpoint 1');
    now = 1060;
    expect(await mine.refresh(60)).toEqual({ fetched: 1060 });
    expect(await checkpoint(mine)).toBe('checkpoint 2');
    // A clock that was set back: nobody knows how old it is.
    now = 1000;
    expect(await mine.refresh(3600)).toEqual({ fetched: 1000 });

    rmSync(remote, { recursive: true });
    const offline = storeOn(remote, join(mirrors, '..', 'reader'), { offline: true, clock: { now: () => 9999 } });
    expect(await offline.refresh(0)).toEqual({ fetched: 1000 });
    expect(await checkpoint(offline)).toBe('checkpoint 2');
    expect(text(await offline.get(page(2).path))).toBe('page 2\n');
    expect(await failure(append(offline, 3))).toMatchObject({ code: 'STORE_REMOTE', exitCode: 8 });
    expect(await failure(mine.refresh(0))).toMatchObject({ code: 'STORE_REMOTE', exitCode: 8 });
    expect(await checkpoint(mine)).toBe('checkpoint 2');
  });

  it('that is not there yet is no empty vault when offline', async () => {
    const { remote, mirrors } = place();
    const error = await failure(storeOn(remote, mirrors, { offline: true }).get(CHECKPOINT));
    expect(error).toMatchObject({ code: 'STORE_REMOTE', message: expect.stringContaining('has no copy') });
  });

  it('holds one state for a reader until it looks at the checkpoint again', async () => {
    const { store, mirrors, remote } = place();
    await append(store, 1);
    const reader = storeOn(remote, mirrors);
    expect(await checkpoint(reader)).toBe('checkpoint 1');
    // Another process of the same user.
    await append(store, 2);
    expect(text(await reader.get(page(1).path))).toBe('page 1\n');
    expect(await checkpoint(reader)).toBe('checkpoint 2');
    expect(await reader.get(page(1).path)).toBeUndefined();
    expect(text(await reader.get(page(2).path))).toBe('page 2\n');
  });

  it('is fetched at depth 1, then in steps, whatever the depth of the history', async () => {
    const { store, mirrors, other } = place();
    for (let n = 1; n <= 3; n++) await append(store, n);
    const late = other();
    await late.refresh(0);
    const own = join(mirrors, '..', 'mirrors-2');
    const mirror = join(own, readdirSync(own)[0]!, 'repository.git');
    expect(git(mirror, ['rev-list', '--count', 'refs/oxp-vault/tip'])).toBe('1');
    for (let n = 4; n <= 6; n++) await append(store, n);
    await late.refresh(-1);
    expect(git(mirror, ['rev-list', '--count', 'refs/oxp-vault/tip'])).toBe('4');
    expect(readFileSync(join(mirror, 'shallow'), 'utf8').trim().split('\n')).toHaveLength(1);
    expect(await append(late, 7)).toBe(true);
  });

  it('belongs to its user alone', async () => {
    const { store, mirrors, remote } = place();
    await append(store, 1);
    expect(statSync(join(mirrors)).mode & 0o077).toBe(0);
    const [name] = readdirSync(mirrors);
    chmodSync(join(mirrors, name!), 0o777);
    expect(await failure(storeOn(remote, mirrors).get(CHECKPOINT))).toMatchObject({ code: 'STORE_IO', message: expect.stringContaining('others may write') });
  });

  it('that is damaged says that it is only a copy', async () => {
    const { store, mirrors, remote } = place();
    await append(store, 1);
    store.close();
    const [name] = readdirSync(mirrors);
    const objects = join(mirrors, name!, 'repository.git', 'objects');
    for (const each of readdirSync(objects).filter((dir) => /^[0-9a-f]{2}$/.test(dir))) rmSync(join(objects, each), { recursive: true });
    expect((await failure(storeOn(remote, mirrors).get(CHECKPOINT))).exitCode).toBe(8);
    rmSync(join(mirrors, name!), { recursive: true });
    expect(await checkpoint(storeOn(remote, mirrors))).toBe('checkpoint 1');
  });

  it('gets rid of the lock that a killed git left, once it is certainly old', async () => {
    const { store, mirrors, remote, other } = place();
    await append(store, 1);
    await append(other(), 2);
    const [name] = readdirSync(mirrors);
    const lock = join(mirrors, name!, 'repository.git', 'refs', 'oxp-vault', 'tip.lock');
    writeFileSync(lock, '');
    utimesSync(lock, 1, 1);
    const mine = storeOn(remote, mirrors, { timeout: 10_000 });
    await mine.refresh(-1);
    expect(existsSync(lock)).toBe(false);
    expect(await checkpoint(mine)).toBe('checkpoint 2');
  });
});

describeWith(['git'], 'what somebody with push rights puts on the branch', () => {
  const path = 'secrets/a/0001-00.age';

  it.each([
    ['a link', [{ mode: '120000', path, content: '/etc/passwd' }], path, 'LINK_REFUSED'],
    ['a submodule', [{ mode: '160000', path }], path, 'LINK_REFUSED'],
    ['a link in the place of a directory', [{ mode: '120000', path: 'secrets', content: '/etc' }], path, 'LINK_REFUSED'],
    ['a submodule in the place of a directory', [{ mode: '160000', path: 'secrets/a' }], path, 'LINK_REFUSED'],
    ['an executable file', [{ mode: '100755', path }], path, 'STORE_REMOTE'],
  ] as const)('%s is refused, listed nowhere and gone with the next commit', async (_, planted, asked, code) => {
    const { remote, store, other } = place();
    await append(store, 1);
    plant(remote, [{ path: CHECKPOINT, content: 'checkpoint 1' }, { path: page(1).path, content: 'page 1\n' }, ...planted], { parent: tipOf(remote) });
    for (const each of [store, other()]) {
      await each.refresh(-1);
      expect(await checkpoint(each)).toBe('checkpoint 1');
      expect(await failure(each.get(asked))).toMatchObject({ code, hint: expect.stringContaining('sync --restore') });
      expect(await each.list('')).toEqual([page(1).path, CHECKPOINT].sort());
      expect([...(await each.foreign()).keys()]).toEqual([planted[0].path]);
    }
    expect(await append(store, 2)).toBe(true);
    expect(filesOn(remote)).toEqual([`100644 ${page(2).path}`, `100644 ${CHECKPOINT}`].sort());
    expect(commitsOn(remote)).toBe(3);
  });

  it.each(['.git/config', 'a/.git/hooks/pre-commit', 'Log/checkpoint', 'LOG/CHECKPOINT', 'log/checkpoinT', '.gitattributes', '.gitmodules', 'a b', 'git~1/x', 'a\\b', '-x', 'a\nb', 'log/..x', 'é'])(
    'the path %j is no part of the vault',
    async (planted) => {
      const { remote, store, other } = place();
      await append(store, 1);
      plant(remote, [{ path: CHECKPOINT, content: 'checkpoint 1' }, { path: planted, content: 'evil' }, { path: 'objects/fine', content: 'fine' }], { parent: tipOf(remote) });
      const mine = other();
      expect(await mine.list('')).toEqual([CHECKPOINT, 'objects/fine']);
      expect(await mine.commit({ old: bytes('checkpoint 1'), next: bytes('checkpoint 2'), files: [], replaced: [] })).toBe(true);
      expect(filesOn(remote)).toEqual([`100644 ${CHECKPOINT}`, '100644 objects/fine']);
    },
  );

  it('a tree with a name twice, and dots for names, is mended by the next commit', async () => {
    const { remote, store, other } = place();
    await append(store, 1);
    plant(remote, [
      { path: CHECKPOINT, content: 'checkpoint 1' }, { path: CHECKPOINT, content: 'other' }, { path: '.', content: 'x' }, { path: '..', content: 'x' }, { path: 'objects/fine' }, { mode: '120000', path: 'objects/fine', content: 'x' },
    ], { parent: tipOf(remote) });
    const mine = other();
    expect((await failure(mine.get(CHECKPOINT))).code).toBe('STORE_REMOTE');
    expect(await mine.list('')).toEqual([]);
    expect(await mine.commit({ old: undefined, next: bytes('checkpoint 2'), files: [page(2)], replaced: [] })).toBe(true);
    expect(filesOn(remote)).toEqual([`100644 ${page(2).path}`, `100644 ${CHECKPOINT}`].sort());
  });

  it('a file where a directory belongs, and the other way round, gives way to what is written', async () => {
    const { remote, store, other } = place();
    await append(store, 1);
    plant(remote, [{ path: 'log', content: 'x' }, { path: 'objects/a/b', content: 'x' }], { parent: tipOf(remote) });
    const mine = other();
    expect(await checkpoint(mine)).toBeUndefined();
    expect(await mine.commit({ old: undefined, next: bytes('checkpoint 1'), files: [page(1), { path: 'objects/a', bytes: bytes('a') }], replaced: [] })).toBe(true);
    expect(await mine.list('')).toEqual([page(1).path, CHECKPOINT, 'objects/a'].sort());
  });

  it('a huge file is not read, and none is written', async () => {
    const { remote, store, other } = place();
    await append(store, 1);
    const huge = Buffer.alloc(MAX_FILE + 1);
    const oid = git(remote, ['hash-object', '-w', '--stdin'], huge);
    const log = git(remote, ['rev-parse', `${BRANCH}:log`]);
    const objects = git(remote, ['mktree'], `100644 blob ${oid}\thuge\n`);
    const tree = git(remote, ['mktree'], `040000 tree ${log}\tlog\n040000 tree ${objects}\tobjects\n`);
    git(remote, ['update-ref', `refs/heads/${BRANCH}`, git(remote, ['commit-tree', '-m', 'x', '-p', tipOf(remote), tree])]);
    const mine = other();
    expect(await failure(mine.get('objects/huge'))).toMatchObject({ code: 'STORE_REMOTE', message: expect.stringContaining('larger than') });
    expect(await append(mine, 2)).toBe(true);
    expect(filesOn(remote)).toEqual([`100644 ${page(2).path}`, `100644 ${CHECKPOINT}`].sort());
    expect((await failure(store.putNew('objects/huge', huge))).code).toBe('BAD_VALUE');
    expect((await failure(mine.commit({ old: undefined, next: bytes('x'), files: [{ path: 'objects/huge', bytes: huge }], replaced: [] }))).code).toBe('BAD_VALUE');
  });

  it('a link, a submodule or an executable file in the place of the checkpoint counts as none when it is written over', async () => {
    for (const mode of ['120000', '160000', '100755'] as const) {
      const { remote, store, other } = place();
      await append(store, 1);
      plant(remote, [{ mode, path: CHECKPOINT, content: 'checkpoint 1' }], { parent: tipOf(remote) });
      const mine = other();
      expect((await failure(mine.get(CHECKPOINT))).code).toBe(mode === '100755' ? 'STORE_REMOTE' : 'LINK_REFUSED');
      expect(await mine.commit({ old: bytes('checkpoint 1'), next: bytes('x'), files: [], replaced: [] })).toBe(false);
      expect(await mine.commit({ old: undefined, next: bytes('checkpoint 2'), files: [], replaced: [] })).toBe(true);
      expect(filesOn(remote)).toEqual([`100644 ${CHECKPOINT}`]);
    }
  });
});

describeWith(['git'], 'the last good state', () => {
  const good = (checkpointBytes: Uint8Array): boolean => text(checkpointBytes) === 'checkpoint 3';

  async function threeAppends(): Promise<Place> {
    const made = place();
    for (let n = 1; n <= 3; n++) await append(made.store, n);
    return made;
  }

  it.each([
    ['a garbage tip', (remote: string) => plant(remote, [{ path: 'README.md', content: 'hello' }], { parent: tipOf(remote) })],
    ['a garbage tip of another history', (remote: string) => plant(remote, [{ path: 'README.md', content: 'hello' }])],
    ['a tip of links', (remote: string) => plant(remote, [{ mode: '120000', path: 'log', content: '/etc' }])],
    ['an older tip, forced', (remote: string) => git(remote, ['update-ref', `refs/heads/${BRANCH}`, `${BRANCH}~2`])],
    ['a deleted branch', (remote: string) => git(remote, ['update-ref', '-d', `refs/heads/${BRANCH}`])],
    ['another vault', (remote: string) => plant(remote, [{ path: CHECKPOINT, content: 'of another vault' }])],
    ['a tree of evil names', (remote: string) => plant(remote, [{ path: '.git/config' }, { path: CHECKPOINT, content: 'x' }, { path: CHECKPOINT, content: 'y' }])],
  ])('is put back over %s by one commit', async (_, vandalise) => {
    const { remote, store, other } = await threeAppends();
    const before = filesOn(remote);
    vandalise(remote);
    await store.refresh(-1);
    const state = (await first(store.earlier(good)))!;
    expect(text(await state.get(CHECKPOINT))).toBe('checkpoint 3');
    expect(text(await state.get(page(3).path))).toBe('page 3\n');
    expect(await state.list('')).toEqual([page(3).path, CHECKPOINT].sort());
    const over = await store.tip();
    expect(await store.restore(state, over)).toBe(true);
    expect(filesOn(remote)).toEqual(before);
    if (over !== undefined) expect(git(remote, ['rev-parse', `${BRANCH}^`])).toBe(over);
    expect(await checkpoint(store)).toBe('checkpoint 3');
    expect(await checkpoint(other())).toBe('checkpoint 3');
    expect(await append(store, 4)).toBe(true);
  });

  it('is not put back over what nobody has judged', async () => {
    const { remote, store, other } = await threeAppends();
    const bad = plant(remote, [{ path: 'x' }], { parent: tipOf(remote) });
    await store.refresh(-1);
    const state = (await first(store.earlier(good)))!;
    const next = other();
    await next.commit({ old: undefined, next: bytes('checkpoint 4'), files: [], replaced: [] });
    expect(await store.restore(state, bad)).toBe(false);
    expect(await checkpoint(store)).toBe('checkpoint 4');
  });

  it('is the newest that is accepted, and survives a garbage collection of the mirror', async () => {
    const { remote, mirrors, store } = await threeAppends();
    git(remote, ['update-ref', `refs/heads/${BRANCH}`, plant(remote, [{ path: CHECKPOINT, content: 'checkpoint 3' }, { path: 'objects/newer' }], { parent: tipOf(remote) })]);
    await store.refresh(-1);
    plant(remote, [{ path: 'x' }]);
    await store.refresh(-1);
    plant(remote, [{ path: 'y' }]);
    await store.refresh(-1);
    const [name] = readdirSync(mirrors);
    git(join(mirrors, name!, 'repository.git'), ['gc', '-q', '--prune=now']);
    expect(await (await first(store.earlier(good)))!.list('objects/')).toEqual(['objects/newer']);
    expect(text(await (await first(store.earlier((each) => text(each) === 'checkpoint 1')))!.get(page(1).path))).toBe('page 1\n');
    expect(await first(store.earlier(() => false))).toBeUndefined();
  });
});

describeWith(['git'], 'a server that does not take a push', () => {
  it.each(['pre-receive', 'update'])('with a %s hook is quoted, cleaned', async (name) => {
    const { remote, store } = place();
    await append(store, 1);
    hook(remote, name, `printf 'GL-HOOK-ERR: only \\033[31mreleases\\033[0m on Friday\\007\\n' >&2; exit 1`);
    const error = await failure(append(store, 2));
    expect(error).toMatchObject({ code: 'STORE_REMOTE', exitCode: 8, message: `cannot push to ${urlOf(remote)}: the server declined the push` });
    expect(error.details.join('\n')).toContain('GL-HOOK-ERR: only releases on Friday');
    expect(JSON.stringify(error)).not.toMatch(/\\u001b|\\u0007/);
    expect(commitsOn(remote)).toBe(1);
    expect(await checkpoint(store)).toBe('checkpoint 1');
    rmSync(join(remote, 'hooks', name));
    expect(await append(store, 2)).toBe(true);
  });

  it('because the branch is checked out there', async () => {
    const base = fresh();
    git(base, ['init', '-q', '-b', BRANCH, 'work']);
    git(join(base, 'work'), ['commit', '-q', '--allow-empty', '-m', 'mine']);
    const error = await failure(storeOn(join(base, 'work'), join(base, 'mirrors')).commit({ old: undefined, next: bytes('x'), files: [], replaced: [] }));
    expect(error).toMatchObject({ code: 'STORE_REMOTE', message: expect.stringContaining('declined') });
  });

  it('because there is no such repository', async () => {
    const base = fresh();
    const store = storeOn(join(base, 'nothing.git'), join(base, 'mirrors'));
    for (const error of [await failure(store.get(CHECKPOINT)), await failure(append(store, 1)), await failure(store.refresh(0))]) {
      expect(error).toMatchObject({ code: 'STORE_REMOTE', message: expect.stringContaining('there is no such repository') });
    }
  });

  it('because there is no git', async () => {
    const base = fresh();
    const error = await failure(storeOn(bareRemote(base), join(base, 'mirrors'), { program: '/nowhere/git' }).get(CHECKPOINT));
    expect(error).toMatchObject({ code: 'STORE_IO', message: 'git (/nowhere/git) cannot be started: ENOENT', hint: expect.stringContaining('Install git') });
  });

  it('because an answer never comes, or somebody has had enough', async () => {
    const { remote, mirrors, store } = place();
    await append(store, 1);
    const began = join(remote, 'began');
    hook(remote, 'pre-receive', `touch ${began}; sleep 600`);
    const slow = storeOn(remote, mirrors, { timeout: 3000 });
    expect(await failure(append(slow, 2))).toMatchObject({ code: 'STORE_REMOTE', message: expect.stringContaining('no answer in time') });
    const controller = new AbortController();
    const waiting = failure(append(storeOn(remote, mirrors, { signal: controller.signal }), 2));
    rmSync(began, { force: true });
    while (!existsSync(began)) await sleep(20);
    controller.abort();
    expect(await waiting).toMatchObject({ code: 'STORE_REMOTE', message: expect.stringContaining('interrupted') });
    rmSync(join(remote, 'hooks', 'pre-receive'));
    expect(await append(store, 2)).toBe(true);
    expect(commitsOn(remote)).toBe(2);
  });

  it('because another program is to be run in its place', async () => {
    const base = fresh();
    const remote = bareRemote(base);
    const trace = join(base, 'ran');
    // As a setting of the user could make of an innocent address.
    const config = [[`url.ext::sh -c touch% ${trace}%  .insteadOf`, 'https://git.example.org/'], ['protocol.ext.allow', 'always']] as const;
    const store = gitStore({ url: 'https://git.example.org/vault.git', mirrorDir: join(base, 'mirrors'), env: GIT_ENV, config });
    expect((await failure(store.get(CHECKPOINT))).code).toBe('STORE_REMOTE');
    expect(existsSync(trace)).toBe(false);
    expect(commitsOnOrNone(remote)).toBe(0);
  });
});

function commitsOnOrNone(remote: string): number {
  return Number(git(remote, ['rev-list', '--count', '--all']));
}

describeWith(['git'], 'a process that git, a hook or a script has started', () => {
  it('reaches the same vault whatever repository its environment names', async () => {
    const { remote, mirrors, store } = place();
    await append(store, 1);
    const decoy = join(fresh(), 'decoy');
    git('.', ['init', '-q', decoy]);
    const env = {
      ...GIT_ENV, GIT_DIR: join(decoy, '.git'), GIT_WORK_TREE: decoy, GIT_INDEX_FILE: join(decoy, 'index'), GIT_OBJECT_DIRECTORY: join(decoy, 'objects'), GIT_COMMON_DIR: join(decoy, '.git'),
      GIT_NAMESPACE: 'decoy', GIT_PREFIX: 'sub/', GIT_QUARANTINE_PATH: decoy, GIT_ALTERNATE_OBJECT_DIRECTORIES: join(decoy, 'alt'), GIT_SHALLOW_FILE: join(decoy, 'shallow'), GIT_DEFAULT_HASH: 'sha256',
      GIT_LITERAL_PATHSPECS: '1', GIT_COMMITTER_DATE: '2001-01-01T00:00:00Z', GIT_AUTHOR_DATE: '2001-01-01T00:00:00Z', LC_ALL: 'de_DE.UTF-8', LANGUAGE: 'de',
    };
    const before = readdirSync(decoy, { recursive: true }).map(String).sort();
    for (const dir of [mirrors, join(mirrors, '..', 'second')]) {
      const mine = storeOn(remote, dir, { env });
      const n = commitsOn(remote);
      expect(await append(mine, n + 1)).toBe(true);
      expect(await checkpoint(mine)).toBe(`checkpoint ${n + 1}`);
    }
    expect(readdirSync(decoy, { recursive: true }).map(String).sort()).toEqual(before);
    expect(git(remote, ['for-each-ref', '--format=%(refname)'])).toBe(`refs/heads/${BRANCH}`);
    expect(git(remote, ['log', '--format=%cs', BRANCH])).not.toContain('2001');
  });

  it('runs no hook and no check of the user\'s own', async () => {
    const { remote, mirrors } = place();
    const hooks = fresh();
    for (const name of ['pre-push', 'reference-transaction', 'post-commit', 'pre-auto-gc']) writeFileSync(join(hooks, name), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const config = [['core.hooksPath', hooks], ['fetch.fsckObjects', 'true'], ['fetch.prune', 'true'], ['push.followTags', 'true'], ['fetch.showForcedUpdates', 'false'], ['init.defaultBranch', 'x']] as const;
    const store = storeOn(remote, mirrors, { config });
    expect([await append(store, 1), await append(store, 2)]).toEqual([true, true]);
    plant(remote, [{ path: '.git/x' }, { path: CHECKPOINT, content: 'z' }]);
    await store.refresh(-1);
    expect(await checkpoint(store)).toBe('z');
    expect(await first(store.earlier((each) => text(each) === 'checkpoint 2'))).toBeDefined();
  });
});
