/** `sync --from`: another copy, or a queue, is somebody's word; only what is signed and allowed here gets into the log. */
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeQueued, enqueue, listQueued, type Queued } from '../../../packages/core/src/engine/queue.js';
import { openSecrets, sealBatch, Secret, verifyVault, type Identity, type Vault } from '../../../packages/core/src/index.js';
import { drainQueue } from '../../../packages/core/src/operations/copies/drain.js';
import { parseQueueFile, takeOverCopy, takeOverQueue } from '../../../packages/core/src/operations/copies/take-over.js';
import { sha256Hex, utf8 } from '../../../packages/core/src/primitives/hash.js';
import { appendRaw, codeOf, copyOf, digestOf, entryBy, failure, flip, makeVault, memoryLocal, openAs, pathOf, people, proposalBy, rawStore, seal, successor, type RawStore, type World } from '../../support/vaults.js';

let cast: Record<'alice' | 'bob' | 'mallory', Identity>;
let store: RawStore;
let copy: RawStore;
let world: World;
let vault: Vault;

beforeEach(async () => {
  cast = await people('alice', 'bob', 'mallory');
  store = rawStore('here');
  world = await makeVault({ people: [cast.alice, cast.bob], store });
  vault = world.vault;
  await seal(vault, 'app/one');
  copy = copyOf(store, 'the-laptop');
});

const names = (): string[] => vault.state.secrets.versions.sortedKeys();
const rejected = (): Promise<Queued[]> => listQueued(vault.local, vault.id, 'rejected');

describe('a copy that was written to', () => {
  it('gives what is still valid, in its order, with its files; the rest waits with its files', async () => {
    const there = await openAs(copy, cast.bob);
    await seal(there, 'app/two', 'of bob');
    await seal(there, 'app/one', 'one, by bob');
    await seal(there, 'app/two', 'of bob, again');
    await seal(vault, 'app/one', 'one, by alice');
    const taken = await takeOverCopy(vault, copy);
    expect(taken).toMatchObject({ appended: ['secret.seal', 'secret.seal'], rejected: [{ op: 'secret.seal', person: 'bob', reason: expect.stringContaining('version 2') as string }], incomplete: [], extended: false });
    expect(names()).toEqual(['app/one', 'app/two']);
    expect(vault.state.secrets.versions.get('app/two')!.map((v) => v.sealer.person)).toEqual(['bob', 'bob']);
    const [opened] = await openSecrets(vault, { secrets: [{ name: 'app/two', version: 1 }] });
    expect(opened!.file.use((bytes) => new TextDecoder().decode(bytes))).toBe('of bob');
    const [waiting] = await rejected();
    expect(waiting).toMatchObject({ digest: taken.rejected[0]!.digest });
    expect(waiting!.files.map(({ path }) => path)).toEqual([[...copy.files.keys()].find((path) => path.startsWith('secrets/app/one/0002-'))]);
    expect(await verifyVault(vault)).toMatchObject({ ok: true, voids: [] });
  });

  it('twice is as once', async () => {
    const there = await openAs(copy, cast.bob);
    await seal(there, 'app/two');
    await seal(there, 'app/one');
    await seal(vault, 'app/one');
    await takeOverCopy(vault, copy);
    const { point } = vault;
    expect(await takeOverCopy(vault, copy)).toMatchObject({ appended: [], rejected: [{ op: 'secret.seal' }] });
    expect(vault.point).toEqual(point);
    expect(await rejected()).toHaveLength(1);
  });

  it('whose log holds another policy of the same number keeps that, and everything that hangs on it, out', async () => {
    const change = async (at: Vault, role: string): Promise<void> => {
      const { entry, file } = proposalBy(at, cast.alice, successor(at, { roles: { ...at.policy.policy.roles, [role]: { members: ['bob'] } } }));
      await at.append({ entries: [entry], files: [file] });
    };
    const there = await openAs(copy, cast.alice);
    await change(there, 'there');
    await seal(there, 'app/two');
    await change(vault, 'here');
    const taken = await takeOverCopy(vault, copy);
    expect(taken.appended).toEqual(['secret.seal']);
    expect(taken.rejected.map(({ op }) => op)).toEqual(['policy.propose']);
    expect(Object.keys(vault.policy.policy.roles)).toEqual(['here', 'team']);
    // Signed on the other history: the trace of it is there for everybody to see.
    expect(vault.log.strays.map(({ person }) => person)).toEqual(['alice']);
  });

  it('leaves what is void there, and lets nothing in that a stranger has made up', async () => {
    const lie = entryBy(vault, cast.alice, 'secret.open', { scope: ['/'], purpose: 'x', online: true });
    const forged = { line: utf8(new TextDecoder().decode(lie.line).replace(/"sig":"[^"]{6}/, '"sig":"AAAAAA')) };
    await appendRaw(copy, cast.bob, [forged, entryBy(vault, cast.mallory, 'secret.open', { scope: ['/'], purpose: 'y', online: true }), utf8('garbage')]);
    // The copy is this log, only longer, and void entries belong to it: so it must differ before them.
    await seal(vault, 'app/here');
    expect(await takeOverCopy(vault, copy)).toMatchObject({ appended: [], rejected: [] });
    expect(vault.state.voids.size).toBe(0);
  });

  it('whose tip is signed by nobody enrolled is not read', async () => {
    await appendRaw(copy, cast.mallory, []);
    expect(await codeOf(takeOverCopy(vault, copy))).toBe('BAD_CHECKPOINT');
  });

  it('of another vault is refused', async () => {
    const other = rawStore('other');
    await makeVault({ people: [cast.alice], store: other, salt: 'other' });
    expect(await codeOf(takeOverCopy(vault, other))).toBe('WRONG_VAULT');
  });

  it.each(['changed', 'gone'])('leaves out an entry whose file is %s, and says which', async (how) => {
    const there = await openAs(copy, cast.bob);
    await seal(there, 'app/two');
    await seal(there, 'app/three');
    await seal(vault, 'app/here');
    const path = pathOf(copy, /^secrets\/app\/two\//);
    if (how === 'gone') copy.files.delete(path);
    else flip(copy.files, path);
    expect(await takeOverCopy(vault, copy)).toMatchObject({ appended: ['secret.seal'], incomplete: [{ op: 'secret.seal', person: 'bob', path }] });
    expect(names()).toEqual(['app/here', 'app/one', 'app/three']);
    expect((await verifyVault(vault)).ok).toBe(true);
  });

  it('that only is longer is taken as it is, so that who has seen it sees no other history', async () => {
    await seal(await openAs(copy, cast.bob), 'app/two');
    await appendRaw(copy, cast.bob, [utf8('void, and part of it all the same')]);
    const colleague = memoryLocal();
    const seen = await openAs(copy, cast.bob, { local: colleague });
    const taken = await takeOverCopy(vault, copy);
    expect(taken).toMatchObject({ appended: ['secret.seal'], extended: true });
    expect(vault.point).toEqual(seen.point);
    expect(await openAs(store, cast.bob, { local: colleague, expect: seen.expectLine })).toMatchObject({ point: seen.point });
    expect((await verifyVault(vault)).ok).toBe(true);
  });

  it('goes nowhere while nobody has said which vault this is, and nobody who is not enrolled can take it over', async () => {
    await seal(await openAs(copy, cast.bob), 'app/two');
    const newcomer = await openAs(store, cast.bob, { confirmed: false });
    expect(await codeOf(takeOverCopy(newcomer, copy))).toBe('EXPECT_NEEDED');
    await seal(vault, 'app/here');
    const stranger = await openAs(store, cast.mallory);
    expect(await codeOf(takeOverCopy(stranger, copy))).toBe('NOT_ENROLLED');
    expect(names()).toEqual(['app/here', 'app/one']);
  });
});

describe('a queue', () => {
  const sealed = async (name: string): Promise<Queued> => {
    const bob = await openAs(store, cast.bob);
    const batch = bob.signed(await sealBatch(bob, [{ name, kind: 'password', file: Secret.fromText(`value of ${name}`), parameters: {}, public: {}, origin: 'generated' }]));
    return { digest: digestOf(batch.entries[0]!), entry: batch.entries[0]!, files: batch.files };
  };
  const carry = (...entries: Queued[]): readonly Queued[] => parseQueueFile(Buffer.concat(entries.flatMap((each) => [encodeQueued(each), utf8('\n')]))).entries;

  it('is appended by whoever is enrolled, once', async () => {
    const queued = carry(await sealed('app/two'));
    expect(await takeOverQueue(vault, queued, 'the file')).toMatchObject({ appended: ['secret.seal'], present: 0 });
    expect(await takeOverQueue(vault, queued, 'the file')).toMatchObject({ appended: [], rejected: [], present: 1 });
    expect(vault.state.secrets.versions.get('app/two')![0]!.sealer.person).toBe('bob');
    expect((await verifyVault(vault)).ok).toBe(true);
  });

  it('brings exactly the files that its entries name: nothing else, and nothing in the place of a good one', async () => {
    const queued = await sealed('app/two');
    const good = pathOf(store, /^secrets\/app\/one\//);
    const before = sha256Hex(store.files.get(good)!);
    const smuggled = [{ path: good, bytes: utf8('evil') }, { path: 'secrets/app/evil', bytes: utf8('evil') }, ...queued.files.map(({ bytes }) => ({ path: 'roles/elsewhere', bytes }))];
    await takeOverQueue(vault, carry({ ...queued, files: smuggled }), 'the file');
    expect(sha256Hex(store.files.get(good)!)).toBe(before);
    expect([...store.files.keys()].filter((path) => path.includes('evil') || path.includes('elsewhere'))).toEqual([]);
    expect(names()).toContain('app/two');
    expect((await verifyVault(vault)).ok).toBe(true);
  });

  it('whose file is not what was signed is left out', async () => {
    const queued = await sealed('app/two');
    expect(await takeOverQueue(vault, carry({ ...queued, files: queued.files.map(({ path }) => ({ path, bytes: utf8('evil') })) }), 'the file')).toMatchObject({ appended: [], incomplete: [{ person: 'bob' }] });
    expect(names()).toEqual(['app/one']);
  });

  it('of another vault is refused, all of it', async () => {
    const other = await makeVault({ people: [cast.alice, cast.bob], salt: 'other' });
    const theirs = entryBy(other.vault, cast.bob, 'secret.open', { scope: ['/'], purpose: 'x', online: false });
    const mixed = carry(await sealed('app/two'), { digest: digestOf(theirs), entry: theirs, files: [] });
    expect(await failure(takeOverQueue(vault, mixed, 'the file'))).toMatchObject({ code: 'WRONG_VAULT', message: expect.stringContaining('the file') as string });
    expect(names()).toEqual(['app/one']);
  });

  it('with what its signer may not do, or did not sign, is rejected', async () => {
    const stranger = entryBy(vault, cast.mallory, 'secret.open', { scope: ['/'], purpose: 'x', online: false });
    expect((await takeOverQueue(vault, carry({ digest: digestOf(stranger), entry: stranger, files: [] }), 'the file')).rejected).toMatchObject([{ person: 'mallory', op: 'secret.open' }]);
    expect(await rejected()).toHaveLength(1);
  });

  it('is read line by line: what is none is named', () => {
    const line = '{"line":"x"}';
    expect(parseQueueFile(utf8(`\n{\n${line}\nnull\n`))).toEqual({ entries: [], damaged: [2, 3, 4] });
    expect(parseQueueFile(utf8(''))).toEqual({ entries: [], damaged: [] });
  });
});

it('entries that wait go in one run, in the order of signing', async () => {
  const bob = await openAs(store, cast.bob, { local: memoryLocal() });
  const size = bob.point.size;
  let swaps = 0;
  const counting = { ...store, swapCheckpoint: async (old: Uint8Array | undefined, next: Uint8Array) => { swaps++; return store.swapCheckpoint(old, next); } };
  for (let i = 0; i < 5; i++) await enqueue(bob.local, bob.id, entryBy(bob, cast.bob, 'secret.open', { scope: ['/'], purpose: `${i}`, online: false }));
  const counted = await openAs(counting, cast.bob, { local: bob.local });
  expect((await drainQueue(counted)).appended).toHaveLength(5);
  expect([swaps, counted.point.size]).toEqual([1, size + 5]);
});

it('a queued entry takes along the files that it names, each at its own path, and nothing that lies beside them', async () => {
  const bob = await openAs(store, cast.bob, { local: memoryLocal() });
  const batch = bob.signed(await sealBatch(bob, [{ name: 'app/two', kind: 'password', file: Secret.fromText('x'), parameters: {}, public: {}, origin: 'generated' }]));
  const good = pathOf(store, /^secrets\/app\/one\//);
  const before = sha256Hex(store.files.get(good)!);
  const evil = utf8('evil');
  const entry = { ...batch.entries[0]!, object: { path: `objects/${sha256Hex(evil)}.json`, bytes: evil } };
  await enqueue(bob.local, bob.id, entry, [{ path: good, bytes: evil }, { path: 'secrets/app/evil', bytes: evil }, ...batch.files.map(({ bytes }) => ({ path: 'roles/elsewhere', bytes }))]);
  const there = new Set(store.files.keys());
  expect((await drainQueue(bob)).appended).toEqual(['secret.seal']);
  expect(sha256Hex(store.files.get(good)!)).toBe(before);
  expect([...store.files.keys()].filter((path) => !there.has(path) && !path.startsWith('log/'))).toEqual(batch.files.map(({ path }) => path));
  expect((await verifyVault(bob)).ok).toBe(true);
});

it('on a copy that nobody vouched for records of openings go into the log, and nothing that was sealed after them', async () => {
  const bob = await openAs(store, cast.bob, { local: memoryLocal(), confirmed: false });
  const { size } = bob.point;
  const opening = (purpose: string) => entryBy(bob, cast.bob, 'secret.open', { scope: ['/'], purpose, online: false });
  const batch = bob.signed(await sealBatch(bob, [{ name: 'app/two', kind: 'password', file: Secret.fromText('x'), parameters: {}, public: {}, origin: 'generated' }]));
  await enqueue(bob.local, bob.id, opening('one'));
  await enqueue(bob.local, bob.id, batch.entries[0]!, batch.files);
  expect(await codeOf(drainQueue(bob))).toBe('EXPECT_NEEDED');
  expect(bob.point.size).toBe(size + 1);
  expect(await listQueued(bob.local, bob.id, 'queue')).toHaveLength(1);
});
