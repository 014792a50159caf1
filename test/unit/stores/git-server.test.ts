import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { gitStore } from '../../../packages/core/src/stores/git.js';
import { describeWith } from '../../support/tools.js';
import { append, checkpoint, first, fresh, place } from './git-place.js';
import { BRANCH, CHECKPOINT, bareRemote, commitsOn, git, GIT_ENV, hook, plant, storeOn, urlOf } from './git-support.js';
import { bytes, failure, text } from './support.js';

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
