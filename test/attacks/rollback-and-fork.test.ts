/** Older copies, other histories, other vaults: what a machine has seen, and what somebody was told, against what lies there now. */
import { beforeEach, describe, expect, it } from 'vitest';
import { signCheckpoint } from '../../packages/core/src/audit/checkpoint.js';
import { encodePage, pagePath } from '../../packages/core/src/audit/page.js';
import { writeStateCache } from '../../packages/core/src/engine/state-cache.js';
import { Vault, type Identity } from '../../packages/core/src/index.js';
import { sha256Hex, toHex, utf8 } from '../../packages/core/src/primitives/hash.js';
import { leafHash } from '../../packages/core/src/primitives/merkle-hash.js';
import { codeOf, copyOf, failure, forger, makeVault, memoryLocal, openAs, people, proposalBy, rawStore, readRawLog, seal, successor, writeRawLog, clock, type RawStore, type TestLocal, type World } from '../support/vaults.js';

type Cast = Record<'alice' | 'bob' | 'mallory', Identity>;
let cast: Cast;
let store: RawStore;
let world: World;
let old: RawStore;
let local: TestLocal;

/** Puts other files in the place of the vault's, at the same address. */
function replaceBy(other: RawStore): void {
  const files = [...other.files];
  store.files.clear();
  for (const [path, bytes] of files) store.files.set(path, bytes);
}

beforeEach(async () => {
  cast = await people('alice', 'bob', 'mallory');
  store = rawStore('the-address');
  world = await makeVault({ people: [cast.alice, cast.bob], store, admins: ['alice', 'bob'], threshold: 2 });
  await seal(world.vault, 'app/one');
  old = copyOf(store);
  await seal(world.vault, 'app/two');
  local = memoryLocal();
  await openAs(store, cast.bob, { local });
});

const again = (options: { expect?: string } = {}): Promise<Vault> => openAs(store, cast.bob, { local, ...options });
const cachePath = (): string => [...local.files.keys()].find((path) => path.endsWith('state.bin'))!;
const pinPath = (of = local): string => [...of.files.keys()].find((path) => path.includes('/pins/'))!;

describe('a whole older copy', () => {
  it('is refused by who has seen more, with and without a cache', async () => {
    replaceBy(old);
    expect(await failure(again())).toMatchObject({ code: 'ROLLBACK' });
    local.files.delete(cachePath());
    expect(await failure(again())).toMatchObject({ code: 'ROLLBACK' });
  });

  it('is refused in the middle of a session, even where the pin was taken away', async () => {
    const bob = await again();
    replaceBy(old);
    expect(await codeOf(bob.refresh())).toBe('ROLLBACK');
    local.files.clear();
    expect(await codeOf(bob.refresh())).toBe('ROLLBACK');
  });

  it('is refused by a newcomer who was given the newest point', async () => {
    const expectLine = world.vault.expectLine;
    replaceBy(old);
    expect(await codeOf(openAs(store, cast.bob, { expect: expectLine }))).toBe('ROLLBACK');
  });

  it('is read, with "freshness unknown", by a newcomer with nothing: their first write needs a word from somebody', async () => {
    replaceBy(old);
    const newcomer = await openAs(store, cast.bob, { confirmed: false });
    expect(newcomer.confirmed).toBe(false);
    expect(newcomer.state.secrets.versions.has('app/one')).toBe(true);
    expect(await codeOf(seal(newcomer, 'app/three'))).toBe('EXPECT_NEEDED');
  });

  it('is not seen where somebody on this machine writes while it is read', async () => {
    const writer = await again();
    let once = true;
    const raced: RawStore = {
      ...store,
      get: async (path) => {
        const bytes = await store.get(path);
        if (path === 'log/checkpoint' && once) {
          once = false;
          await seal(writer, 'app/three');
        }
        return bytes;
      },
    };
    expect((await openAs(raced, cast.bob, { local })).point).toEqual(writer.point);
    expect(once).toBe(false);
  });

  it('does not move the pin', async () => {
    const pin = local.files.get(pinPath())!;
    replaceBy(old);
    await failure(again());
    expect(local.files.get(pinPath())).toEqual(pin);
  });
});

describe('another history', () => {
  const forkWith = async (...names: string[]): Promise<RawStore> => {
    const other = copyOf(old, 'the-laptop');
    const alice = await openAs(other, cast.alice);
    for (const name of names) await seal(alice, name);
    return other;
  };

  it.each([['of the same size', ['app/other']], ['that is longer', ['app/other', 'app/more', 'app/still-more']]])('%s is a fork, with and without a cache', async (_, names) => {
    const other = await forkWith(...names);
    replaceBy(other);
    const { point } = world.vault;
    const details = [expect.stringContaining(point.root.slice(0, 8)), expect.stringContaining((await openAs(other, cast.alice)).point.root.slice(0, 8))] as string[];
    expect(await failure(again())).toMatchObject({ code: 'FORK', details });
    local.files.delete(cachePath());
    expect(await failure(again())).toMatchObject({ code: 'FORK', details });
  });

  it('over a page that was full', async () => {
    const big = rawStore('big');
    const { vault } = await makeVault({ people: [cast.alice, cast.bob], store: big });
    const entries = Array.from({ length: 300 }, () => vault.sign('secret.open', { scope: ['/'], purpose: 'x', online: true }));
    await vault.append({ entries: entries.slice(0, 250), files: [] });
    const before = copyOf(big);
    await vault.append({ entries: entries.slice(250), files: [] });
    const mine = memoryLocal();
    await openAs(big, cast.bob, { local: mine });
    const other = await openAs(before, cast.alice);
    await other.append({ entries: [...entries.slice(251, 290), ...entries.slice(250, 251), ...entries.slice(290)].concat(Array.from({ length: 20 }, () => other.sign('secret.open', { scope: ['/'], purpose: 'y', online: true }))), files: [] });
    big.files.clear();
    for (const [path, bytes] of before.files) big.files.set(path, bytes);
    expect(await codeOf(openAs(big, cast.bob, { local: mine }))).toBe('FORK');
  });

  it('with another valid policy of the same number', async () => {
    const other = copyOf(store, 'the-laptop');
    const change = async (at: RawStore, name: string): Promise<void> => {
      const alice = await openAs(at, cast.alice);
      const { entry, file, digest } = proposalBy(alice, cast.alice, successor(alice, { roles: { ...alice.policy.policy.roles, [name]: { members: [] } } }));
      const bob = await openAs(at, cast.bob);
      await alice.append({ entries: [entry], files: [file] });
      await bob.refresh();
      await bob.append({ entries: [bob.sign('policy.sign', { digest })], files: [] });
      expect(bob.policy.policy.number).toBe(2);
    };
    await change(store, 'here');
    await change(other, 'there');
    await again();
    replaceBy(other);
    expect(await codeOf(again())).toBe('FORK');
  });

  it('that keeps the end and rewrites an earlier leaf', async () => {
    const log = await readRawLog(store);
    const lines = log.lines.map((line, i) => (i === 1 ? utf8('rewritten') : line));
    await writeRawLog(store, log.vault, lines, forger(cast.alice));
    expect(await codeOf(again())).toBe('FORK');
    const bob = await openAs(store, cast.bob);
    expect(bob.state.voids.size).toBeGreaterThan(0);
  });

  it('is a fork for a newcomer who was told another root of that size, pinned or not', async () => {
    const { size } = world.vault.point;
    const line = `${world.vault.id}@${size}:${'ab'.repeat(32)}`;
    expect(await codeOf(openAs(store, cast.bob, { expect: line }))).toBe('FORK');
    // The pin says one thing about this size and the line another: both must hold, whether the cache reaches so far or not.
    expect(await codeOf(again({ expect: line }))).toBe('FORK');
    local.files.delete(cachePath());
    expect(await codeOf(again({ expect: line }))).toBe('FORK');
  });
});

it('a line that fits a fork does not overrule what this machine has seen', async () => {
  const other = copyOf(old, 'the-laptop');
  const alice = await openAs(other, cast.alice);
  await seal(alice, 'app/other');
  expect(alice.point.size).toBe(world.vault.point.size);
  replaceBy(other);
  local.files.delete(cachePath());
  expect(await codeOf(again({ expect: alice.expectLine }))).toBe('FORK');
});

describe('what somebody was told', () => {
  it('another vault than expected', async () => {
    expect(await codeOf(openAs(store, cast.bob, { expect: 'ab'.repeat(32) }))).toBe('EXPECT_MISMATCH');
  });

  it.each(['', 'x', 'ab'.repeat(31), `${'ab'.repeat(32)}@`, `${'ab'.repeat(32)}@5`, `${'ab'.repeat(32)}@-1:${'ab'.repeat(32)}`, 'AB'.repeat(32), `${'ab'.repeat(32)}@1:${'ab'.repeat(31)}`])('a line that is none: %j', async (line) => {
    expect(await codeOf(openAs(store, cast.bob, { expect: line }))).toBe('BAD_VALUE');
  });

  it('the right line makes the copy one that may be written', async () => {
    const newcomer = await openAs(store, cast.bob, { expect: world.vault.expectLine });
    expect(newcomer.confirmed).toBe(true);
    await seal(newcomer, 'app/three');
    const earlier = await openAs(store, cast.bob, { expect: world.vault.expectLine });
    expect(earlier.state.secrets.versions.has('app/three')).toBe(true);
  });
});

describe('an unconfirmed copy', () => {
  it('reads, records its openings, and writes nothing else', async () => {
    const mine = memoryLocal();
    const newcomer = await openAs(store, cast.bob, { confirmed: false, local: mine });
    const opening = newcomer.sign('secret.open', { scope: ['/'], purpose: 'x', online: true });
    await newcomer.append({ entries: [opening], files: [] }, { recordOnly: true });
    expect(await codeOf(newcomer.append({ entries: [newcomer.sign('secret.open', { scope: ['/'], purpose: 'x', online: true })], files: [] }))).toBe('EXPECT_NEEDED');
    // Having read it twice is no confirmation either.
    expect((await openAs(store, cast.bob, { confirmed: false, local: mine })).confirmed).toBe(false);
    await newcomer.confirm();
    expect((await openAs(store, cast.bob, { confirmed: false, local: mine })).confirmed).toBe(true);
  });

  it('stays confirmed where another process has seen more meanwhile', async () => {
    const mine = memoryLocal();
    const newcomer = await openAs(store, cast.bob, { confirmed: false, local: mine });
    await seal(world.vault, 'app/three');
    await openAs(store, cast.bob, { confirmed: false, local: mine });
    const seen = mine.files.get(pinPath(mine))!;
    await newcomer.confirm();
    // The pin never goes back, not even by a word of the person.
    expect(mine.files.get(pinPath(mine))).toEqual(seen);
    const later = await openAs(store, cast.bob, { confirmed: false, local: mine });
    expect(later.confirmed).toBe(true);
    expect(later.point.size).toBeGreaterThan(newcomer.point.size);
  });
});

describe('another vault at a known address', () => {
  it('made of the same people', async () => {
    const other = rawStore('elsewhere');
    await makeVault({ people: [cast.alice, cast.bob], store: other, salt: 'other' });
    replaceBy(other);
    expect(await codeOf(again())).toBe('WRONG_VAULT');
    expect((await openAs(store, cast.bob, { confirmed: false })).confirmed).toBe(false);
  });

  it('gone altogether', async () => {
    store.files.clear();
    expect(await codeOf(again())).toBe('VAULT_NOT_FOUND');
  });
});

describe('the pin', () => {
  it.each([['not JSON', 'x'], ['half', '{"size":3'], ['with a size that is none', '{"size":-1,"root":"","accepted":0}'], ['empty', '']])('that is damaged (%s) is no missing pin', async (_, text) => {
    local.files.set(pinPath(), utf8(text));
    expect(await codeOf(again())).toBe('STORE_IO');
  });

  it('that was deleted: the copy is as good as new', async () => {
    local.files.delete(pinPath());
    expect((await openAs(store, cast.bob, { local, confirmed: false })).confirmed).toBe(false);
  });
});

describe('another checkpoint over the same leaves', () => {
  it('without a signature is refused by who knows them, and with another last page too', async () => {
    const bob = await again();
    const { size, root } = bob.point;
    const log = await readRawLog(store);
    const bytes = encodePage({ previous: null, lines: log.lines.map((line, i) => (i === 2 ? utf8('not what was verified') : line)) });
    const page = sha256Hex(bytes);
    store.files.set(pagePath(0, page), bytes);
    for (const [by, name] of [[cast.mallory, log.page], [cast.mallory, page], [cast.alice, page]] as const) {
      store.files.set('log/checkpoint', signCheckpoint({ vault: log.vault, size, root, page: name }, forger(by), by.signingKey));
      expect(await codeOf(again())).toBe('BAD_CHECKPOINT');
      expect(await codeOf(bob.refresh())).toBe('BAD_CHECKPOINT');
    }
    // By somebody enrolled, over the right page: whoever it is.
    store.files.set('log/checkpoint', signCheckpoint({ vault: log.vault, size, root, page: log.page }, forger(cast.bob), cast.bob.signingKey));
    await again();
    await seal(bob, 'app/three');
  });

  it('that counts fewer leaves than its root has is refused', async () => {
    const { size, root } = world.vault.point;
    const log = await readRawLog(store);
    const bytes = encodePage({ previous: null, lines: log.lines.slice(0, size - 1) });
    const page = sha256Hex(bytes);
    store.files.set(pagePath(0, page), bytes);
    store.files.set('log/checkpoint', signCheckpoint({ vault: log.vault, size: size - 1, root, page }, forger(cast.alice), cast.alice.signingKey));
    // Not what the log was at that size, and no history that verifies either.
    expect(await codeOf(again())).toBe('BAD_CHECKPOINT');
    expect(await codeOf(openAs(store, cast.bob))).toBe('BAD_CHECKPOINT');
    // Where the pin is behind the cache.
    local.files.set(pinPath(), utf8(JSON.stringify({ ...(JSON.parse(new TextDecoder().decode(local.files.get(pinPath()))) as object), size: 1, root: firstRoot(log.lines) })));
    expect(await codeOf(again())).toBe('BAD_CHECKPOINT');
  });
});

/** The root over the first leaf. */
function firstRoot(lines: readonly Uint8Array[]): string {
  return toHex(leafHash(lines[0]!));
}

describe('the cache', () => {
  const load = async (): Promise<string[]> => (await again()).state.secrets.versions.sortedKeys();

  it('of another release, cut short, empty, or with a bit flipped is dropped', async () => {
    const good = local.files.get(cachePath())!;
    for (const bytes of [utf8('x'), new Uint8Array(0), good.subarray(0, 40), good.subarray(0, -1), utf8('x'.repeat(100)), Uint8Array.from(good, (b, i) => (i === good.length - 100 ? b ^ 1 : b))]) {
      local.files.set(cachePath(), bytes);
      expect(await load()).toEqual(['app/one', 'app/two']);
    }
  });

  it('with another name for a secret in it is dropped', async () => {
    const good = Buffer.from(local.files.get(cachePath())!).toString('latin1');
    expect(good).toContain('app/two');
    local.files.set(cachePath(), Buffer.from(good.replaceAll('app/two', 'app/too'), 'latin1'));
    expect(await load()).toEqual(['app/one', 'app/two']);
  });

  it('of another vault is dropped', async () => {
    const other = rawStore('elsewhere');
    await makeVault({ people: [cast.alice, cast.bob], store: other, salt: 'other' });
    const theirs = memoryLocal();
    await openAs(other, cast.bob, { local: theirs });
    local.files.set(cachePath(), theirs.files.get([...theirs.files.keys()].find((path) => path.endsWith('state.bin'))!)!);
    expect(await load()).toEqual(['app/one', 'app/two']);
  });

  it('of another history of this vault cannot make the true one a fork', async () => {
    const other = copyOf(old, 'the-laptop');
    await seal(await openAs(other, cast.alice), 'app/other');
    const theirs = memoryLocal();
    await openAs(other, cast.bob, { local: theirs });
    local.files.set(cachePath(), theirs.files.get(cachePath())!);
    expect(await load()).toEqual(['app/one', 'app/two']);
    await seal(world.vault, 'app/three');
    expect(await load()).toEqual(['app/one', 'app/three', 'app/two']);
  });

  it('without a pin proves nothing', async () => {
    local.files.delete(pinPath());
    replaceBy(old);
    expect(await load()).toEqual(['app/one']);
  });

  it('newer than the pin does no harm', async () => {
    const pin = local.files.get(pinPath())!;
    await seal(world.vault, 'app/three');
    await writeStateCache(local, world.vault.id, world.vault.log);
    local.files.set(pinPath(), pin);
    expect(await load()).toEqual(['app/one', 'app/three', 'app/two']);
  });
});

it('two laptops of one person that worked offline: both land, and nobody is accused', async () => {
  const one = await openAs(store, cast.bob);
  const two = await openAs(store, cast.bob);
  const entries = [one.sign('secret.open', { scope: ['/'], purpose: 'one', online: false }), two.sign('secret.open', { scope: ['/'], purpose: 'two', online: false })];
  await seal(world.vault, 'app/meanwhile');
  await one.append({ entries: entries.slice(0, 1), files: [] });
  await two.append({ entries: entries.slice(1), files: [] });
  const reader = await Vault.open({ store, local: memoryLocal(), clock: clock() });
  expect(reader.state.voids.size).toBe(0);
  expect(reader.log.strays).toEqual([]);
});
