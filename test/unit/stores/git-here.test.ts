/** `git+.`: the repository one stands in, with the user's own work in it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { gitStoreHere, type GitStore, type GitStoreOptions } from '../../../packages/core/src/stores/git.js';
import { describeWith } from '../../support/tools.js';
import { BRANCH, CHECKPOINT, bareRemote, commitsOn, filesOn, git, GIT_ENV, gitCode, storeOn, tipOf, urlOf } from './git-support.js';
import { bytes, failure, scratch, text } from './support.js';

const fresh = scratch();

/** A repository with some work in it, committed, staged and neither. */
function workRepository(): string {
  const dir = join(fresh(), 'infra');
  git('.', ['init', '-q', '-b', 'main', dir]);
  writeFileSync(join(dir, 'main.tf'), 'resource {}\n');
  git(dir, ['add', '.']);
  git(dir, ['commit', '-q', '-m', 'mine']);
  return dir;
}

function here(directory: string, options: Partial<GitStoreOptions> & { branch?: string } = {}): Promise<GitStore> {
  return gitStoreHere({ directory, mirrorDir: join(directory, '..', '..', 'mirrors'), env: GIT_ENV, ...options });
}

async function append(store: GitStore, n: number): Promise<boolean> {
  return store.commit({ old: n === 1 ? undefined : bytes(`checkpoint ${n - 1}`), next: bytes(`checkpoint ${n}`), files: [{ path: `objects/${n}`, bytes: bytes(String(n)) }], replaced: [] });
}

const porcelain = (dir: string): string => git(dir, ['status', '--porcelain']);

describeWith(['git'], 'a repository without a remote', () => {
  it('holds the vault in its own branch, which no work of its people meets', async () => {
    const dir = workRepository();
    mkdirSync(join(dir, 'modules', 'dns'), { recursive: true });
    writeFileSync(join(dir, 'untracked'), 'x');
    writeFileSync(join(dir, 'staged'), 'x');
    git(dir, ['add', 'staged']);
    const before = porcelain(dir);
    const head = git(dir, ['rev-parse', 'HEAD']);
    const store = await here(join(dir, 'modules', 'dns'));
    expect(store.address).toBe(`git+${urlOf(join(dir, '.git'))}`);
    for (let n = 1; n <= 3; n++) {
      expect(await append(store, n)).toBe(true);
      expect(porcelain(dir)).toBe(before);
    }
    expect(git(dir, ['rev-parse', 'HEAD'])).toBe(head);
    expect(commitsOn(dir)).toBe(3);
    expect(filesOn(dir)).toEqual([`100644 ${CHECKPOINT}`, '100644 objects/1', '100644 objects/2', '100644 objects/3']);
    // Nothing else is left in the repository of the user.
    expect(git(dir, ['for-each-ref', '--format=%(refname)'])).toBe(`refs/heads/main\nrefs/heads/${BRANCH}`);
    expect(text(await (await here(dir)).get(CHECKPOINT))).toBe('checkpoint 3');
    expect(await store.refresh(0)).toEqual({ fetched: expect.any(Number) });
  });

  it('lets one of several writers win', async () => {
    const dir = workRepository();
    const stores = await Promise.all(Array.from({ length: 4 }, () => here(dir)));
    const won = await Promise.all(stores.map((store, i) => store.commit({ old: undefined, next: bytes(`by ${i}`), files: [], replaced: [] })));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(text(await stores[0]!.get(CHECKPOINT))).toBe(`by ${won.indexOf(true)}`);
    expect(commitsOn(dir)).toBe(1);
  });

  it('while people switch branches, stash, rebase and merge', async () => {
    const dir = workRepository();
    const store = await here(dir);
    let n = 0;
    const end = new AbortController();
    const appending = (async () => {
      while (!end.signal.aborted) expect(await append(store, ++n)).toBe(true);
    })();
    for (let round = 0; round < 4; round++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      git(dir, ['switch', '-q', '-c', `topic-${round}`, 'main~0']);
      writeFileSync(join(dir, `file-${round}`), 'x');
      git(dir, ['add', '.']);
      git(dir, ['commit', '-q', '-m', `topic ${round}`]);
      writeFileSync(join(dir, 'main.tf'), `changed ${round}\n`);
      git(dir, ['stash', '-q']);
      git(dir, ['switch', '-q', 'main']);
      git(dir, ['merge', '-q', '--no-ff', '-m', 'merge', `topic-${round}`]);
      git(dir, ['rebase', '-q', 'HEAD~1', `topic-${round}`]);
      git(dir, ['switch', '-q', 'main']);
      git(dir, ['stash', 'pop', '-q']);
      git(dir, ['checkout', '-q', '--', 'main.tf']);
      expect(porcelain(dir)).toBe('');
    }
    end.abort();
    await appending;
    expect(commitsOn(dir)).toBe(n);
    expect(git(dir, ['fsck', '--strict', '--no-dangling'])).toBe('');
  });

  it('refuses to write a branch that somebody has checked out', async () => {
    const dir = workRepository();
    await append(await here(dir), 1);
    git(dir, ['switch', '-q', BRANCH]);
    const error = await failure(append(await here(dir), 2));
    expect(error).toMatchObject({ code: 'STORE_IO', message: expect.stringContaining(`is checked out in ${dir}`) });
    expect(porcelain(dir)).toBe('');
    git(dir, ['switch', '-q', 'main']);
    const tree = join(dir, '..', 'second');
    git(dir, ['worktree', 'add', '-q', tree, BRANCH]);
    expect((await failure(append(await here(dir), 2))).message).toContain(`is checked out in ${tree}`);
    git(dir, ['worktree', 'remove', tree]);
    expect(await append(await here(dir), 2)).toBe(true);
  });

  it('is found from a work tree of it, and from a bare one', async () => {
    const dir = workRepository();
    const tree = join(dir, '..', 'second');
    git(dir, ['worktree', 'add', '-q', '-b', 'other', tree]);
    const store = await here(tree);
    expect(store.address).toBe(`git+${urlOf(join(dir, '.git'))}`);
    await append(store, 1);
    expect(text(await (await here(dir)).get(CHECKPOINT))).toBe('checkpoint 1');
    const bare = bareRemote(fresh());
    expect(await append(await here(bare), 1)).toBe(true);
    expect(commitsOn(bare)).toBe(1);
  });

  it('runs none of its hooks', async () => {
    const dir = workRepository();
    for (const name of ['reference-transaction', 'post-update', 'pre-commit', 'commit-msg']) writeFileSync(join(dir, '.git', 'hooks', name), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    expect(await append(await here(dir), 1)).toBe(true);
  });

  it('is somewhere', async () => {
    expect(await failure(here(fresh()))).toMatchObject({ code: 'BAD_ADDRESS', exitCode: 2, message: expect.stringContaining('is in none') });
  });
});

describeWith(['git'], 'a repository with an origin', () => {
  function cloned(): { remote: string; dir: string } {
    const dir = workRepository();
    const remote = bareRemote(join(dir, '..'));
    git(dir, ['remote', 'add', 'origin', remote]);
    git(dir, ['push', '-q', '-u', 'origin', 'main']);
    return { remote, dir };
  }

  it('has its vault there, and nothing of it here', async () => {
    const { remote, dir } = cloned();
    const refs = git(dir, ['for-each-ref']);
    const store = await here(dir);
    expect(store.address).toBe(`git+${urlOf(remote)}`);
    expect([await append(store, 1), await append(store, 2)]).toEqual([true, true]);
    expect(commitsOn(remote)).toBe(2);
    expect(git(dir, ['for-each-ref'])).toBe(refs);
    expect(porcelain(dir)).toBe('');
    // Somebody who names it by its address has the same one.
    expect(text(await storeOn(remote, join(fresh(), 'mirrors')).get(CHECKPOINT))).toBe('checkpoint 2');
  });

  it.each([['relative', '../remote.git'], ['absolute', undefined]])('however it is named: %s', async (_, name) => {
    const { remote, dir } = cloned();
    mkdirSync(join(dir, 'sub'));
    git(dir, ['remote', 'set-url', 'origin', name ?? remote]);
    expect((await here(join(dir, 'sub'))).address).toBe(`git+${urlOf(remote)}`);
  });

  it('pushes where that pushes, if that is the same place', async () => {
    const { remote, dir } = cloned();
    git(dir, ['remote', 'set-url', '--push', 'origin', `${remote}/`]);
    expect(await append(await here(dir), 1)).toBe(true);
    expect(commitsOn(remote)).toBe(1);
    const second = bareRemote(join(dir, '..'), 'second.git');
    git(dir, ['remote', 'set-url', '--push', 'origin', second]);
    expect(await failure(here(dir))).toMatchObject({ code: 'BAD_ADDRESS', message: expect.stringContaining('two places') });
    expect(gitCode(second, 'rev-parse', '--verify', '-q', BRANCH)).not.toBe(0);
  });

  it('that came after the vault is not followed silently', async () => {
    const dir = workRepository();
    await append(await here(dir), 1);
    const remote = bareRemote(join(dir, '..'));
    git(dir, ['remote', 'add', 'origin', remote]);
    const error = await failure(here(dir));
    expect(error).toMatchObject({ code: 'REMOTE_ADDED', exitCode: 7 });
    expect(error.hint).toContain(`oxp-vault clone git+${urlOf(join(dir, '.git'))} git+${urlOf(remote)}`);
    // By its own address it is still there.
    expect(text(await storeOn(join(dir, '.git'), join(fresh(), 'mirrors')).get(CHECKPOINT))).toBe('checkpoint 1');
    // Somebody has pushed it by hand: the remote has all of it.
    git(dir, ['push', '-q', 'origin', BRANCH]);
    git(dir, ['fetch', '-q', 'origin']);
    expect(text(await (await here(dir)).get(CHECKPOINT))).toBe('checkpoint 1');
    // Behind the back of that, more was written here.
    await storeOn(join(dir, '.git'), join(fresh(), 'mirrors')).commit({ old: bytes('checkpoint 1'), next: bytes('checkpoint 2'), files: [], replaced: [] });
    expect((await failure(here(dir))).code).toBe('REMOTE_ADDED');
    git(dir, ['branch', '-q', '-D', BRANCH]);
    expect(text(await (await here(dir)).get(CHECKPOINT))).toBe('checkpoint 1');
    expect(tipOf(remote)).toHaveLength(40);
  });

  it('of which somebody has checked out the vault to look at it is one all the same', async () => {
    const { dir } = cloned();
    await append(await here(dir), 1);
    git(dir, ['fetch', '-q', 'origin']);
    git(dir, ['switch', '-q', BRANCH]);
    expect(readFileSync(join(dir, CHECKPOINT), 'utf8')).toBe('checkpoint 1');
    const store = await here(dir);
    expect(await append(store, 2)).toBe(true);
    expect(porcelain(dir)).toBe('');
  });

  it('whose address holds a token is used, and the token never shown', async () => {
    const { dir } = cloned();
    git(dir, ['remote', 'set-url', 'origin', 'https://gitlab-ci-token:hunter2@git.invalid/a.git']);
    const store = await here(dir);
    expect(store.address).toBe('git+https://git.invalid/a.git');
    const error = await failure(store.get(CHECKPOINT));
    expect(error.code).toBe('STORE_REMOTE');
    expect(JSON.stringify([error, error.stack])).not.toContain('hunter2');
  });

  it('is reached with its own settings, which the list of processes does not show', async () => {
    const { dir } = cloned();
    git(dir, ['remote', 'set-url', 'origin', 'ssh://git@git.example.org/a.git']);
    const log = join(dir, '..', 'asked');
    const ssh = join(dir, '..', 'ssh');
    writeFileSync(ssh, `#!/bin/sh\necho "$@" >> ${log}\ntr '\\0' ' ' < /proc/$PPID/cmdline >> ${log}\nexit 1\n`, { mode: 0o755 });
    git(dir, ['config', 'core.sshCommand', ssh]);
    git(dir, ['config', 'http.https://git.example.org/.extraHeader', 'Authorization: hunter2']);
    expect((await failure((await here(dir)).get(CHECKPOINT))).code).toBe('STORE_REMOTE');
    const asked = readFileSync(log, 'utf8');
    expect(asked).toContain("git@git.example.org git-upload-pack '/a.git'");
    expect(asked).not.toContain('hunter2');
  });
});
