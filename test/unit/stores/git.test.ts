import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/tools.js';
import { append, checkpoint, fresh, page, place } from './git-place.js';
import { BRANCH, CHECKPOINT, commitsOn, filesOn, git, GIT_ENV, storeOn, tipOf, urlOf } from './git-support.js';
import { bytes, failure, text } from './support.js';

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
    const { remote, store, other } = place('--object-format=sha256');
    expect([await append(store, 1), await append(store, 2)]).toEqual([true, true]);
    expect(await checkpoint(other())).toBe('checkpoint 2');
    expect(tipOf(remote)).toHaveLength(64);
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
