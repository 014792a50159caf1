import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Store } from '../../../packages/core/src/ports.js';
import type { GitStore } from '../../../packages/core/src/stores/git.js';
import { MAX_FILE } from '../../../packages/core/src/stores/git-tree.js';
import { describeWith } from '../../support/tools.js';
import { append, checkpoint, first, page, type Place, place } from './git-place.js';
import { BRANCH, CHECKPOINT, commitsOn, filesOn, git, plant, tipOf } from './git-support.js';
import { bytes, failure, text } from './support.js';

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

  /** What `sync --restore` replaces: the checkpoint that lies there, where it is a file. */
  async function judged(store: GitStore): Promise<Uint8Array | undefined> {
    return store.get(CHECKPOINT).catch(() => undefined);
  }

  /** As `sync --restore` does it (operations/copies/files.ts): every file of the good state, and nothing else. */
  async function putBack(store: GitStore, state: Store, old: Uint8Array | undefined): Promise<boolean> {
    const paths = (await state.list('')).filter((path) => path !== CHECKPOINT);
    const files = await Promise.all(paths.map(async (path) => ({ path, bytes: (await state.get(path))! })));
    const replaced = (await store.list('')).filter((path) => path !== CHECKPOINT && !paths.includes(path));
    return store.commit({ old, next: (await state.get(CHECKPOINT))!, files, replaced });
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
    const over = git(remote, ['for-each-ref', '--format=%(objectname)', `refs/heads/${BRANCH}`]);
    expect(await putBack(store, state, await judged(store))).toBe(true);
    expect(filesOn(remote)).toEqual(before);
    if (over !== '') expect(git(remote, ['rev-parse', `${BRANCH}^`])).toBe(over);
    expect(await checkpoint(store)).toBe('checkpoint 3');
    expect(await checkpoint(other())).toBe('checkpoint 3');
    expect(await append(store, 4)).toBe(true);
  });

  it('is not put back over what nobody has judged', async () => {
    const { remote, store, other } = await threeAppends();
    plant(remote, [{ path: 'x' }], { parent: tipOf(remote) });
    await store.refresh(-1);
    const old = await judged(store);
    const state = (await first(store.earlier(good)))!;
    const next = other();
    await next.commit({ old: undefined, next: bytes('checkpoint 4'), files: [], replaced: [] });
    expect(await putBack(store, state, old)).toBe(false);
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
