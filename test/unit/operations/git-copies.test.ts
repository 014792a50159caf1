/** Moving a vault into Git and out of it, and putting it back there after whatever push rights allow (attacks 12a). */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { verifyVault, Vault, type Identity, type VaultOptions } from '../../../packages/core/src/index.js';
import { cloneVault } from '../../../packages/core/src/operations/copies/clone.js';
import { restoreVault } from '../../../packages/core/src/operations/copies/restore.js';
import { directoryStore } from '../../../packages/core/src/stores/index.js';
import { sha256Hex } from '../../../packages/core/src/primitives/hash.js';
import type { Store } from '../../../packages/core/src/ports.js';
import { bareRemote, BRANCH, commitsOn, filesOn, git, plant, storeOn, tipOf, type Entry } from '../stores/git-support.js';
import { clock, codeOf, makeVault, memoryLocal, people, seal, type World } from '../../support/vaults.js';
import { describeWith } from '../../support/tools.js';
import { tempDir } from '../../support/tmp.js';

async function contents(store: Store): Promise<Record<string, string>> {
  const paths = await store.list('');
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, sha256Hex((await store.get(path))!)] as const)));
}

async function founded(): Promise<{ cast: Record<'alice' | 'bob', Identity>; world: World; base: string; directory: Store }> {
  const base = tempDir('git-copies');
  const cast = await people('alice', 'bob');
  const directory = directoryStore(join(base, 'vault'));
  const world = await makeVault({ people: [cast.alice, cast.bob], store: directory });
  await seal(world.vault, 'app/one');
  return { cast, world, base, directory };
}

describeWith(['git'], 'a vault that moves', () => {
  it('goes from a directory into Git in one commit, on in Git, and back into a directory, always the same', async () => {
    const { cast, world, base, directory } = await founded();
    const remote = bareRemote(base);
    const store = storeOn(remote, join(base, 'mirror'));
    await cloneVault(world.vault, store);
    expect(commitsOn(remote)).toBe(1);
    expect(git(remote, ['log', '-1', '--format=%s', BRANCH])).toBe(`copied: ${world.vault.point.size} entries`);
    expect(await contents(store)).toEqual(await contents(directory));

    const bob = storeOn(remote, join(base, 'mirror-of-bob'));
    const vault = await Vault.open({ store: bob, local: memoryLocal(), clock: clock(), identity: cast.bob, expect: world.vault.expectLine, maxAge: 0 });
    await seal(vault, 'app/two');
    await store.refresh(0);
    const back = directoryStore(join(base, 'back'));
    await cloneVault(vault, back);
    expect(await contents(back)).toEqual(await contents(bob));
    // And the directory from which it all came is brought up to date, page replaced.
    await cloneVault(vault, directory);
    expect(await contents(directory)).toEqual(await contents(bob));
    expect((await verifyVault(await Vault.open({ store: directory, local: memoryLocal(), clock: clock() }))).foreign).toEqual([]);
    // Again into Git: nothing to do is no commit.
    const before = tipOf(remote);
    await cloneVault(vault, store);
    expect(tipOf(remote)).toBe(before);
    store.close();
    bob.close();
  });

  it.each<[string, readonly Entry[]]>([
    ['code', [{ path: 'README.md' }, { path: 'src/index.ts' }]],
    ['only what no vault has', [{ path: 'README.md' }]],
    ['only files that a vault could have', [{ path: 'src/index.ts' }]],
  ])('does not go where people keep %s', async (_what, entries) => {
    const { world, base } = await founded();
    const remote = bareRemote(base);
    const tip = plant(remote, entries, { branch: 'main' });
    const store = storeOn(remote, join(base, 'mirror'), { branch: 'main' });
    expect(await codeOf(cloneVault(world.vault, store))).toBe('OUTPUT_EXISTS');
    expect(tipOf(remote, 'main')).toBe(tip);
    store.close();
  });
});

type Attack = (remote: string, seen: { readonly first: string; readonly tip: string }) => void;
const ATTACKS: readonly (readonly [string, Attack])[] = [
  ['an older tip, by force', (remote, { first }) => void git(remote, ['update-ref', `refs/heads/${BRANCH}`, first])],
  ['a deleted branch', (remote) => void git(remote, ['update-ref', '-d', `refs/heads/${BRANCH}`])],
  ['an empty tree on top', (remote, { tip }) => void plant(remote, [], { parent: tip })],
  ['garbage, unrelated', (remote) => void plant(remote, [{ path: 'log/checkpoint', content: 'garbage' }, { path: 'README.md' }])],
  ['a link where the checkpoint was', (remote, { tip }) => void plant(remote, [{ path: 'log/checkpoint', mode: '120000', content: '/etc/passwd' }], { parent: tip })],
  ['a submodule where the log was', (remote, { tip }) => void plant(remote, [{ path: 'log', mode: '160000' }], { parent: tip })],
  ['paths that are none', (remote) => void plant(remote, [{ path: '.git/config' }, { path: 'Log/checkpoint' }, { path: 'log/CHECKPOINT' }])],
];

describeWith(['git'], 'with push rights only', () => {
  it.each(ATTACKS)('%s: refused, and mended by one command, to exactly what it was', async (_what, attack) => {
    const { cast, world, base } = await founded();
    const remote = bareRemote(base);
    const store = storeOn(remote, join(base, 'mirror'));
    await cloneVault(world.vault, store);
    const first = tipOf(remote);
    const options: VaultOptions = { store, local: memoryLocal(), clock: clock(), identity: cast.bob, expect: world.vault.expectLine, maxAge: 0 };
    await seal(await Vault.open(options), 'app/two');
    const seen = await Vault.open(options);
    const files = filesOn(remote);
    attack(remote, { first, tip: tipOf(remote) });
    const bad = git(remote, ['for-each-ref', '--format=%(objectname)', `refs/heads/${BRANCH}`]);

    expect(['ROLLBACK', 'VAULT_NOT_FOUND', 'BAD_CHECKPOINT', 'STORE_INCOMPLETE', 'LINK_REFUSED']).toContain(await codeOf(Vault.open(options)));
    const restored = await restoreVault(options as VaultOptions & { clock: NonNullable<VaultOptions['clock']> });
    expect(restored).toMatchObject({ ...seen.point, missing: [] });
    expect(filesOn(remote)).toEqual(files);
    // On top of what was there, by no force.
    if (bad !== '') expect(git(remote, ['rev-parse', `${BRANCH}^`])).toBe(bad);
    const again = await Vault.open(options);
    expect(again.point).toEqual(seen.point);
    await seal(again, 'app/three');
    store.close();
  });

  it('a file taken away under newer entries comes back, and the entries stay', async () => {
    const { cast, world, base } = await founded();
    const remote = bareRemote(base);
    const store = storeOn(remote, join(base, 'mirror'));
    await cloneVault(world.vault, store);
    const options = { store, local: memoryLocal(), clock: clock(), identity: cast.bob, maxAge: 0 };
    const vault = await Vault.open({ ...options, expect: world.vault.expectLine });
    const [gone] = filesOn(remote).filter((line) => line.includes('secrets/app/one/')).map((line) => line.split(' ')[1]!);
    await store.commit({ old: vault.checkpointBytes, next: vault.checkpointBytes, files: [], replaced: [gone!] });
    await seal(await Vault.open(options), 'app/two');
    const restored = await restoreVault(options);
    expect(restored).toMatchObject({ source: 'store', files: 1, missing: [] });
    const report = await verifyVault(await Vault.open(options));
    expect(report.ok).toBe(true);
    expect(report.entries).toBe(restored.size);
    store.close();
  });
});
