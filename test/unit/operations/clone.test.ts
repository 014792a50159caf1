import { beforeEach, describe, expect, it } from 'vitest';
import { cloneVault } from '../../../packages/core/src/operations/copies/clone.js';
import { readLog, Vault, verifyVault, type Identity } from '../../../packages/core/src/index.js';
import type { StoreChange } from '../../../packages/core/src/ports.js';
import { sha256Hex, utf8 } from '../../../packages/core/src/primitives/hash.js';
import { appendRaw, codeOf, copyOf, entryBy, failure, flip, forger, makeVault, memoryLocal, openAs, pathOf, people, rawStore, readRawLog, seal, writeRawLog, type RawStore, type World } from '../../support/vaults.js';

let cast: Record<'alice' | 'bob' | 'mallory', Identity>;
let store: RawStore;
let world: World;
let vault: Vault;

beforeEach(async () => {
  cast = await people('alice', 'bob', 'mallory');
  store = rawStore('here');
  world = await makeVault({ people: [cast.alice, cast.bob], store });
  vault = world.vault;
  await seal(vault, 'app/one');
});

const at = (from: RawStore): string[] => [...from.files].map(([path, bytes]) => `${path} ${sha256Hex(bytes)}`).sort();

describe('to an empty place', () => {
  it('copies exactly what the log names, and the copy is as good as the vault', async () => {
    store.files.set('secrets/app/one/0009-00000000.age', utf8('what a killed writer left'));
    store.files.set('notes/mine', utf8('not of the vault'));
    const to = rawStore('there');
    expect(await cloneVault(vault, to)).toMatchObject({ size: vault.point.size, before: 'nothing', files: to.files.size - 1, copied: to.files.size - 1 });
    const report = await verifyVault(await openAs(to, cast.bob));
    expect(report).toMatchObject({ ok: true, foreign: [], entries: vault.point.size, root: vault.point.root });
    expect([...to.files.keys()].sort()).toEqual([...store.files.keys()].filter((path) => path !== 'notes/mine' && !path.includes('0009-')).sort());
  });

  it('writes the checkpoint last', async () => {
    const to = rawStore('there');
    const order: string[] = [];
    await cloneVault(vault, { ...to, putNew: async (path, bytes) => { order.push(path); await to.putNew(path, bytes); }, swapCheckpoint: async (old, next) => { order.push('log/checkpoint'); return to.swapCheckpoint(old, next); } });
    expect(order.at(-1)).toBe('log/checkpoint');
    expect(order.length).toBe(to.files.size);
  });

  it('is one act where the store can do that', async () => {
    const to = rawStore('there');
    const changes: StoreChange[] = [];
    const committing = { ...to, commit: async (change: StoreChange) => { changes.push(change); for (const { path, bytes } of change.files) to.files.set(path, bytes); return to.swapCheckpoint(change.old, change.next); } };
    await cloneVault(vault, committing);
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({ old: undefined, replaced: [], about: expect.stringContaining(`${vault.point.size} entries`) as string });
    await seal(vault, 'app/two');
    await cloneVault(vault, committing);
    // The last page is another one now, and two files are new.
    expect(changes[1]!.files.map(({ path }) => path.slice(0, path.indexOf('/'))).sort()).toEqual(['log', 'secrets']);
    expect(changes[1]!.replaced).toHaveLength(1);
  });

  it.each(['mine', 'secrets/app/one/0001-0000.age.mine', 'roles/x'])('that holds %s is refused', async (path) => {
    const to = rawStore('there', new Map([[path, utf8('x')]]));
    expect(await failure(cloneVault(vault, to))).toMatchObject({ code: 'OUTPUT_EXISTS', details: [`for example ${path}`] });
    expect([...to.files.keys()]).toEqual([path]);
  });

  it('that holds what no vault has and the next commit would drop is refused', async () => {
    const to = { ...rawStore('there'), foreign: async () => new Map([['README.md', 'name']]) };
    expect(await codeOf(cloneVault(vault, to))).toBe('OUTPUT_EXISTS');
    expect(to.files.size).toBe(0);
  });

  it('goes on after an interruption: what is there is not written again', async () => {
    const to = rawStore('there', new Map([...store.files].filter(([path]) => path.startsWith('secrets/') || path.startsWith('policy/'))));
    flip(to.files, pathOf(to, /^policy/));
    const report = await cloneVault(vault, to);
    expect(report.files - report.copied).toBe(1);
    expect(at(to)).toEqual(at(store));
  });
});

describe('a vault that is not whole', () => {
  it.each([['secrets/', 'BLOB_MISSING'], ['roles/', 'BLOB_MISSING'], ['policy/', 'STORE_INCOMPLETE'], ['log/0', 'STORE_INCOMPLETE']])('is not copied: %s', async (start, code) => {
    const path = [...store.files.keys()].find((each) => each.startsWith(start))!;
    const good = store.files.get(path)!;
    flip(store.files, path);
    const to = rawStore('there');
    expect(await codeOf(cloneVault(vault, to))).toBe(code);
    store.files.delete(path);
    expect(await codeOf(cloneVault(vault, to))).toBe(code);
    expect(to.files.has('log/checkpoint')).toBe(false);
    store.files.set(path, good);
    await cloneVault(vault, to);
    expect(at(to)).toEqual(at(store));
  });

  it('in what only a void entry names is copied without that', async () => {
    const entry = entryBy(vault, cast.mallory, 'role.grant', { role: 'team', epoch: 1, recipient: cast.bob.card.recipient, person: 'bob', blob: { sha256: 'ab'.repeat(32), size: 3 } });
    await appendRaw(store, cast.alice, [entry]);
    expect(await readLog(await openAs(store, cast.bob))).toContainEqual(expect.objectContaining({ op: 'role.grant', void: expect.anything() as unknown }));
    const to = rawStore('there');
    await cloneVault(vault, to);
    expect((await openAs(to, cast.bob)).state.voids.size).toBe(1);
  });

  it('with ops of a newer release takes along what those may name, if its name fits', async () => {
    await appendRaw(store, cast.alice, [entryBy(vault, cast.alice, 'future.op', { a: 1 })]);
    const bytes = utf8('named by the future');
    const named = `secrets/app/one/0007-${sha256Hex(bytes).slice(0, 8)}.age`;
    store.files.set(named, bytes);
    store.files.set('secrets/app/one/0007-00000000.age', bytes);
    const to = rawStore('there');
    await cloneVault(vault, to);
    expect(to.files.has(named)).toBe(true);
    expect(to.files.has('secrets/app/one/0007-00000000.age')).toBe(false);
  });
});

describe('over a copy', () => {
  it('that is older brings it up to date and removes the page that it replaces', async () => {
    const to = copyOf(store, 'there');
    await seal(vault, 'app/two');
    expect(await cloneVault(vault, to)).toMatchObject({ before: 'older', copied: 2 });
    expect(at(to)).toEqual(at(store));
    expect(await cloneVault(vault, to)).toMatchObject({ before: 'same', copied: 0 });
  });

  it('of the same state puts back what it lacks', async () => {
    const to = copyOf(store, 'there');
    to.files.delete(pathOf(to, /^secrets/));
    expect(await cloneVault(vault, to)).toMatchObject({ before: 'same', copied: 1 });
    expect(at(to)).toEqual(at(store));
  });

  it('that is newer, another history or another vault is refused and left as it is', async () => {
    const newer = copyOf(store, 'newer');
    await seal(await openAs(newer, cast.bob), 'app/three');
    const fork = copyOf(store, 'fork');
    await seal(await openAs(fork, cast.bob), 'app/four');
    const longer = copyOf(fork, 'longer');
    await seal(await openAs(longer, cast.bob), 'app/five');
    const other = rawStore('other');
    await makeVault({ people: [cast.mallory, cast.alice], store: other, salt: 'other' });
    const before = [newer, fork, other].map(at);
    expect(await codeOf(cloneVault(vault, newer))).toBe('VAULT_EXISTS');
    expect(await codeOf(cloneVault(vault, other))).toBe('VAULT_EXISTS');
    await seal(vault, 'app/two');
    for (const each of [newer, fork, longer]) expect(await codeOf(cloneVault(vault, each)), each.address).toBe('FORK');
    expect([newer, fork, other].map(at)).toEqual(before);
  });

  it('whose tip anybody could have made up is no fork: it is said what it is', async () => {
    const to = copyOf(store, 'there');
    const log = await readRawLog(to);
    await writeRawLog(to, log.vault, log.lines.slice(0, 2).reverse(), forger(cast.mallory));
    expect(await codeOf(cloneVault(vault, to))).toBe('BAD_CHECKPOINT');
    to.files.set('log/checkpoint', utf8('garbage'));
    expect(await codeOf(cloneVault(vault, to))).toBe('OUTPUT_EXISTS');
  });
});

it('a writer at either end in the middle of it: the copy is of a state that there was, and nothing is lost', async () => {
  const to = rawStore('there');
  let meanwhile: (() => Promise<void>) | undefined = async () => seal(await openAs(store, cast.bob), 'app/meanwhile');
  const busy = { ...store, get: async (path: string) => { const work = path.startsWith('secrets/') ? meanwhile : undefined; if (work) { meanwhile = undefined; await work(); } return store.get(path); } };
  const reading = await Vault.open({ store: busy, local: memoryLocal(), expect: vault.id });
  await cloneVault(reading, to);
  expect((await verifyVault(await openAs(to, cast.bob))).ok).toBe(true);
  await cloneVault(reading, to);
  expect(at(to)).toEqual(at(store));

  let lose = true;
  const other = rawStore('race');
  await cloneVault(vault, { ...other, swapCheckpoint: async (old, next) => { if (lose) { lose = false; return false; } return other.swapCheckpoint(old, next); } });
  expect(at(other)).toEqual(at(store));
});
