/** `sync --restore` and `--repin`: what may be put back over what, and what this machine must know for it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Vault, verifyVault, type Identity } from '../../../packages/core/src/index.js';
import { planRepin, repin } from '../../../packages/core/src/operations/copies/repin.js';
import { restoreVault, type Restored } from '../../../packages/core/src/operations/copies/restore.js';
import type { Store } from '../../../packages/core/src/ports.js';
import { sha256Hex, utf8 } from '../../../packages/core/src/primitives/hash.js';
import { appendRaw, clock, codeOf, copyOf, failure, flip, forger, makeVault, memoryLocal, openAs, pathOf, people, rawStore, readRawLog, seal, writeRawLog, type RawStore, type TestLocal, type World } from '../../support/vaults.js';

let cast: Record<'alice' | 'bob' | 'mallory', Identity>;
let store: RawStore;
let world: World;
let local: TestLocal;
let old: RawStore;
let good: RawStore;

beforeEach(async () => {
  cast = await people('alice', 'bob', 'mallory');
  store = rawStore('the-address');
  world = await makeVault({ people: [cast.alice, cast.bob], store });
  await seal(world.vault, 'app/one');
  old = copyOf(store);
  await seal(world.vault, 'app/two');
  await seal(world.vault, 'app/three');
  good = copyOf(store);
  local = memoryLocal();
  await openAs(store, cast.bob, { local });
});

const at = (from: RawStore): string[] => [...from.files].map(([path, bytes]) => `${path} ${sha256Hex(bytes)}`).sort();
const replaceBy = (other: Map<string, Uint8Array>): void => {
  store.files.clear();
  for (const [path, bytes] of other) store.files.set(path, bytes);
};
const restore = (more: { copy?: Store; store?: Store; expect?: string } = {}): Promise<Restored> => restoreVault({ store, local, clock: clock(), ...more });
const stateFile = (): string => [...local.files.keys()].find((path) => path.endsWith('state.bin'))!;
const forkOf = async (...names: string[]): Promise<RawStore> => {
  const other = copyOf(old, 'fork');
  const alice = await openAs(other, cast.alice);
  for (const name of names) await seal(alice, name);
  return other;
};

/** A store that has seen these states, as one in Git does. */
function withPast(...states: RawStore[]): Store {
  return {
    ...store,
    earlier: async function* (accepts) {
      for (const state of states) if (accepts((await state.get('log/checkpoint')) ?? new Uint8Array())) yield state;
    },
    commit: async ({ old: before, next, files, replaced }) => {
      for (const path of replaced) store.files.delete(path);
      for (const { path, bytes } of files) store.files.set(path, bytes);
      return store.swapCheckpoint(before, next);
    },
  };
}

type Damage = [string, string, () => Promise<void> | void];
const damages: Damage[] = [
  ['older', 'ROLLBACK', () => replaceBy(old.files)],
  ['absent', 'VAULT_NOT_FOUND', () => store.files.clear()],
  ['garbage', 'BAD_CHECKPOINT', () => void store.files.set('log/checkpoint', utf8('garbage'))],
  ['without a page', 'STORE_INCOMPLETE', () => void store.files.delete(pathOf(store, /^log\/0/))],
  ['with a changed page', 'STORE_INCOMPLETE', () => flip(store.files, pathOf(store, /^log\/0/))],
  ['without a policy', 'STORE_INCOMPLETE', () => void store.files.delete(pathOf(store, /^policy/))],
  ['made up by a stranger', 'BAD_CHECKPOINT', async () => {
    const log = await readRawLog(store);
    await writeRawLog(store, log.vault, [...log.lines, utf8('more')], forger(cast.mallory));
  }],
  ['made up by a stranger, shorter', 'BAD_CHECKPOINT', async () => {
    const log = await readRawLog(store);
    await writeRawLog(store, log.vault, [...log.lines].reverse().slice(1), forger(cast.mallory));
  }],
  ['another vault, with the same people', 'WRONG_VAULT', async () => {
    const other = rawStore();
    await makeVault({ people: [cast.alice, cast.bob], store: other, salt: 'other' });
    replaceBy(other.files);
  }],
];

describe.each(damages)('a store that is %s', (how, code, damage) => {
  it('is mended from a copy, wherever the machine got it from', async () => {
    await damage();
    // What is known already is not read again by a load: a file that was changed is found by who reads it.
    if (how !== 'with a changed page') expect(await codeOf(openAs(store, cast.bob, { local }))).toBe(code);
    expect(await restore({ copy: good })).toMatchObject({ source: 'copy', fault: { code }, missing: [], size: world.vault.point.size });
    expect(at(store)).toEqual(expect.arrayContaining(at(good)));
    expect((await verifyVault(await openAs(store, cast.bob, { local }))).ok).toBe(true);
  });

  it('is mended by one command where this machine has its past, to exactly what it was', async () => {
    await damage();
    const bad = copyOf(store);
    const restored = await restore({ store: withPast(bad, good, old) });
    expect(restored).toMatchObject({ source: code === 'BAD_CHECKPOINT' ? 'checkpoint' : 'past', fault: { code }, missing: [] });
    expect(at(store)).toEqual(at(good));
  });

  it('is left as it is where nobody here has the rest, and it is said what it takes', async () => {
    await damage();
    const before = at(store);
    if (code === 'BAD_CHECKPOINT') {
      // All pages are still there: this machine remembers the checkpoint over them.
      expect(await restore()).toMatchObject({ source: 'checkpoint', files: 0 });
      expect((await verifyVault(await openAs(store, cast.bob, { local }))).ok).toBe(true);
      return;
    }
    expect(await failure(restore())).toMatchObject({ code, hint: expect.stringContaining('--from COPY') as string });
    expect(at(store)).toEqual(before);
  });
});

describe('never', () => {
  it.each([['longer', ['a', 'b', 'c', 'd']], ['as long', ['a', 'b']], ['shorter', ['a']]])('over another history that verifies: %s', async (how, names) => {
    const fork = await forkOf(...names);
    replaceBy(fork.files);
    const before = at(store);
    for (const more of [{}, { copy: good }, { store: withPast(good) }]) {
      const error = await failure(restore(more));
      expect(error).toMatchObject({ code: 'FORK' });
      expect(error.details.join(' ')).toContain((await openAs(fork, cast.alice)).point.root.slice(0, 8));
      expect(error.details.join(' ')).toContain(world.vault.point.root.slice(0, 8));
    }
    expect(at(store)).toEqual(before);
    expect(await codeOf(openAs(store, cast.bob, { local })), how).toBe('FORK');
  });

  it('from a copy that is older, another history, another vault, or damaged', async () => {
    replaceBy(old.files);
    const before = at(store);
    const other = rawStore('other');
    await makeVault({ people: [cast.alice], store: other, salt: 'other' });
    const damaged = copyOf(good, 'damaged');
    flip(damaged.files, pathOf(damaged, /^policy/));
    expect(await codeOf(restore({ copy: copyOf(old, 'older') }))).toBe('ROLLBACK');
    expect(await codeOf(restore({ copy: await forkOf('a', 'b', 'c') }))).toBe('FORK');
    expect(await codeOf(restore({ copy: other }))).toBe('WRONG_VAULT');
    expect(await codeOf(restore({ copy: damaged }))).toBe('STORE_INCOMPLETE');
    expect(await codeOf(restore({ store: withPast(await forkOf('a', 'b', 'c'), old) }))).toBe('ROLLBACK');
    expect(at(store)).toEqual(before);
  });

  it('a vault that this machine has never met, unless somebody names it with its point', async () => {
    store.files.clear();
    const fresh = { store, local: memoryLocal(), clock: clock(), copy: good };
    expect(await codeOf(restoreVault(fresh))).toBe('VAULT_NOT_FOUND');
    expect(await codeOf(restoreVault({ ...fresh, expect: world.vault.id }))).toBe('EXPECT_NEEDED');
    expect(await codeOf(restoreVault({ ...fresh, copy: old, expect: world.vault.expectLine }))).toBe('ROLLBACK');
    await restoreVault({ ...fresh, expect: world.vault.expectLine });
    expect(at(store)).toEqual(at(good));
  });
});

it('a store that is as it should be is left alone; a newer state in it is no fault', async () => {
  const before = at(store);
  expect(await restore()).toMatchObject({ source: 'store', files: 0, missing: [] });
  expect(at(store)).toEqual(before);
  await seal(world.vault, 'app/four');
  expect(await restore({ copy: old })).toMatchObject({ source: 'store', files: 0, size: world.vault.point.size });
});

it('is read back: a store that only says that it has taken it is found out', async () => {
  replaceBy(old.files);
  const lying: Store = { ...store, swapCheckpoint: async () => true };
  expect(await codeOf(restore({ store: lying, copy: good }))).toBe('ROLLBACK');
});

it('files that are missing or changed come back one by one from wherever they are', async () => {
  const [one, two, three] = ['one', 'two', 'three'].map((name) => pathOf(store, new RegExp(`^secrets/app/${name}/`))) as [string, string, string];
  store.files.delete(one);
  flip(store.files, two);
  const part = copyOf(good, 'part');
  part.files.delete(two);
  expect(await restore({ copy: part })).toMatchObject({ source: 'store', files: 1, missing: [{ path: two, what: 'app/two v1' }] });
  // A newer tip hides the loss; an earlier state still has the file.
  await seal(await openAs(store, cast.alice), 'app/four');
  store.files.delete(three);
  expect(await restore({ store: withPast(good) })).toMatchObject({ source: 'store', files: 2, missing: [] });
  expect((await verifyVault(await openAs(store, cast.bob, { local }))).ok).toBe(true);
  expect((await openAs(store, cast.bob, { local })).state.secrets.versions.has('app/four')).toBe(true);
});

it('a checkpoint that was set back under the newest pages is put back from memory', async () => {
  store.files.set(pathOf(old, /^log\/0/), old.files.get(pathOf(old, /^log\/0/))!);
  store.files.set('log/checkpoint', old.files.get('log/checkpoint')!);
  expect(await codeOf(openAs(store, cast.bob, { local }))).toBe('ROLLBACK');
  expect(await restore()).toMatchObject({ source: 'checkpoint', fault: { code: 'ROLLBACK' } });
  expect((await openAs(store, cast.bob, { local })).point).toEqual(world.vault.point);
});

describe('repin', () => {
  const options = () => ({ store, local, clock: clock() });

  it('goes to the history that people agreed on, and names what is given up', async () => {
    const fork = await forkOf('app/other');
    const there = (await openAs(fork, cast.alice)).point;
    replaceBy(fork.files);
    const plan = await planRepin(options(), `${there.size}:${there.root}`);
    expect(plan).toMatchObject({ point: there, present: there, before: world.vault.point, common: 5, atLeast: false, givenUp: ['app/three v1', 'app/two v1'] });
    expect(await codeOf(openAs(store, cast.bob, { local })), 'looking changes nothing').toBe('FORK');
    await repin(options(), plan);
    const bob = await openAs(store, cast.bob, { local });
    expect(bob.point).toEqual(there);
    const agreed = copyOf(store);
    await seal(bob, 'app/on');
    replaceBy(good.files);
    expect(await codeOf(openAs(store, cast.bob, { local }))).toBe('FORK');
    // What was remembered of the other history is forgotten: an older state of this one is no fork.
    replaceBy(agreed.files);
    expect(await codeOf(openAs(store, cast.bob, { local }))).toBe('ROLLBACK');
  });

  it('goes back to an older state, and on from there', async () => {
    const { point } = await openAs(old, cast.alice);
    replaceBy(old.files);
    await repin(options(), await planRepin(options(), `${world.vault.id}@${point.size}:${point.root}`));
    const bob = await openAs(store, cast.bob, { local });
    expect(bob.point).toEqual(point);
    await seal(bob, 'app/on');
  });

  it('takes exactly the point: not another root, not one beyond the log, not one of another history or vault', async () => {
    const { size, root } = world.vault.point;
    const fork = (await openAs(await forkOf('x', 'y'), cast.alice)).point;
    for (const wrong of [`${size}:${'ab'.repeat(32)}`, `${size + 1}:${root}`, `${size - 1}:${root}`, `${fork.size}:${fork.root}`]) expect(await codeOf(planRepin(options(), wrong)), wrong).toBe('FORK');
    for (const none of ['', `${size}`, `${size}:${root.slice(0, 12)}`, `0:${root}`, root]) expect(await codeOf(planRepin(options(), none)), none).toBe('BAD_VALUE');
    expect(await codeOf(planRepin(options(), `${'ab'.repeat(32)}@${size}:${root}`))).toBe('WRONG_VAULT');
    const other = rawStore();
    const stranger = await makeVault({ people: [cast.alice, cast.bob], store: other, salt: 'other' });
    replaceBy(other.files);
    const line = `${stranger.vault.point.size}:${stranger.vault.point.root}`;
    expect(await codeOf(planRepin(options(), line))).toBe('WRONG_VAULT');
  });

  it('accepts no log that does not verify by itself', async () => {
    await appendRaw(store, cast.mallory, [utf8('more')]);
    const { size, root } = world.vault.point;
    expect(await codeOf(planRepin(options(), `${size}:${root}`))).toBe('BAD_CHECKPOINT');
  });

  it('of a log that holds all that was seen gives nothing up, however little is remembered', async () => {
    local.files.delete(stateFile());
    const { size, root } = world.vault.point;
    await seal(world.vault, 'app/four');
    expect(await planRepin(options(), `${size}:${root}`)).toMatchObject({ common: size, atLeast: false, givenUp: [] });
  });
});

describe('a shorter copy', () => {
  it('is older where it is what the log was, and another history where it is not', async () => {
    replaceBy(old.files);
    expect(await codeOf(openAs(store, cast.bob, { local }))).toBe('ROLLBACK');
    replaceBy((await forkOf('app/other')).files);
    expect(await failure(openAs(store, cast.bob, { local }))).toMatchObject({ code: 'FORK', hint: expect.stringContaining('--repin') as string });
    // In the middle of a session, from what the process itself has seen.
    replaceBy(good.files);
    const bob = await openAs(store, cast.bob);
    replaceBy((await forkOf('app/other')).files);
    expect(await codeOf(bob.refresh())).toBe('FORK');
  });

  it('says who has the rest', async () => {
    replaceBy(old.files);
    expect((await failure(openAs(store, cast.bob, { local }))).hint).toBe('If it was a backup, put the missing 2 entries back from a newer copy: oxp-vault sync --restore --from COPY');
    expect((await failure(Vault.open({ store: withPast(), local, clock: clock() }))).hint).toBe('If it was a backup, this machine has the missing 2 entries: oxp-vault sync --restore');
    expect((await failure(Vault.open({ store: withPast(), local: memoryLocal(), clock: clock(), expect: world.vault.expectLine }))).hint).toContain('--from COPY');
  });
});
