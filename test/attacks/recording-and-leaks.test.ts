/** An opening that cannot be recorded shows nothing; and a value that nobody asked to see turns up nowhere. */
import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { enqueue, listQueued } from '../../packages/core/src/engine/queue.js';
import { createIdentity, formatIdentity, openSecrets, proposePolicy, sealBatch, Secret, turnRole, vaultStatus, VaultError, withoutMember, type Identity } from '../../packages/core/src/index.js';
import { codeOf, failure, makeVault, memoryLocal, openAs, people, pathOf, flip, rawStore, seal, type RawStore, type TestLocal, type World } from '../support/vaults.js';

let cast: Record<'alice' | 'bob', Identity>;
let store: RawStore;
let world: World;

beforeEach(async () => {
  cast = await people('alice', 'bob');
  store = rawStore();
  world = await makeVault({ people: [cast.alice, cast.bob], store });
});

const CANARY = 'CANARY-3fb1c9-do-not-print';

/** Local state whose disk is full. */
function fullLocal(local: TestLocal): TestLocal {
  return { ...local, write: async (path) => { throw new VaultError('STORE_IO', `no space left for ${path}`); } };
}

describe('an opening', () => {
  const request = { secrets: [{ name: 'app/password' }], purpose: 'test' };
  beforeEach(() => seal(world.vault, 'app/password', CANARY));

  it('that cannot be queued gives nothing', async () => {
    const local = memoryLocal();
    const bob = await openAs(store, cast.bob, { local });
    Object.assign(bob, { local: fullLocal(local) });
    const { size } = bob.point;
    expect(await codeOf(openSecrets(bob, request))).toBe('STORE_IO');
    expect(await codeOf(openSecrets(bob, { ...request, offline: true }))).toBe('STORE_IO');
    expect((await openAs(store, cast.alice)).point.size).toBe(size);
  });

  it('waits in the queue where the store cannot be written, and lands once with the next write', async () => {
    const local = memoryLocal();
    const bob = await openAs(store, cast.bob, { local });
    const { swapCheckpoint } = store;
    store.swapCheckpoint = async () => { throw new VaultError('STORE_IO', 'the remote is gone'); };
    const [opened] = await openSecrets(bob, request);
    expect(opened!.file.useText((t) => t)).toBe(CANARY);
    store.swapCheckpoint = swapCheckpoint;
    const [queued] = await listQueued(local, bob.id, 'queue');
    await bob.append({ entries: [queued!.entry], files: [] });
    await bob.append({ entries: [queued!.entry], files: [] });
    const reader = await openAs(store, cast.alice);
    expect(reader.state.voids.size).toBe(0);
    expect(reader.state.digests.has(queued!.digest)).toBe(true);
  });

  it('that the log refuses gives nothing', async () => {
    const bob = await openAs(store, cast.bob);
    const alice = await world.as(cast.alice);
    await proposePolicy(alice, withoutMember(alice.policy, 'bob'));
    // Bob's client does not know it yet: it decrypts, and has nothing to show for it.
    expect(await codeOf(openSecrets(bob, request))).toBe('NOT_ENROLLED');
  });

  it('offline is recorded as such, in the queue only', async () => {
    const local = memoryLocal();
    const bob = await openAs(store, cast.bob, { local });
    const { size } = bob.point;
    await openSecrets(bob, { ...request, offline: true });
    const [queued] = await listQueued(local, bob.id, 'queue');
    expect(new TextDecoder().decode(Buffer.from((JSON.parse(new TextDecoder().decode(queued!.entry.line)) as { payload: string }).payload, 'base64'))).toContain('"online":false');
    expect((await openAs(store, cast.alice)).point.size).toBe(size);
  });
});

describe('the queue', () => {
  it('keeps the order of signing, whatever the clock does and within one second', async () => {
    const local = memoryLocal();
    const signed: string[] = [];
    for (const now of [2_000_000_000, 1_000_000_000, 1_000_000_000, 1_000_000_000, 1_500_000_000]) {
      const bob = await openAs(store, cast.bob, { now });
      signed.push((await enqueue(local, bob.id, bob.sign('secret.open', { scope: ['/'], purpose: 'x', online: false }))).digest);
    }
    expect((await listQueued(local, world.vault.id, 'queue')).map((q) => q.digest)).toEqual(signed);
  });

  it('holds an entry once', async () => {
    const local = memoryLocal();
    const entry = world.vault.sign('secret.open', { scope: ['/'], purpose: 'x', online: false });
    await enqueue(local, world.vault.id, entry);
    await enqueue(local, world.vault.id, entry);
    expect(await listQueued(local, world.vault.id, 'queue')).toHaveLength(1);
  });
});

describe('a canary', () => {
  it('sealed, opened, resealed and refused is in no stored byte, no local state, no status and no error', async () => {
    const local = memoryLocal();
    const bob = await openAs(store, cast.bob, { local });
    const item = { name: 'app/canary', kind: 'password', file: Secret.fromText(CANARY), parameters: {}, public: {}, origin: 'imported' as const };
    const batch = await sealBatch(bob, [item]);
    await bob.append(batch);
    const opened = await openSecrets(bob, { secrets: [{ name: 'app/canary' }] });
    await bob.append(await turnRole(bob, 'team'));
    const errors: unknown[] = [];
    for (const work of [
      sealBatch(bob, [item, item]), sealBatch(bob, [{ ...item, name: '../x' }]), sealBatch(bob, [{ ...item, kind: CANARY.slice(0, 0) }]).then((b) => bob.append(b)),
      openSecrets(bob, { secrets: [{ name: 'app/nothing' }] }), openSecrets(bob, { secrets: [{ name: 'app/canary', version: 9 }] }),
    ]) errors.push(await failure(work));
    flip(store.files, pathOf(store, /^secrets\/app\/canary\/0001/));
    errors.push(await failure(openSecrets(bob, { secrets: [{ name: 'app/canary' }] })));
    const forms = [CANARY, Buffer.from(CANARY).toString('base64').slice(0, 20), Buffer.from(CANARY).toString('hex')];
    const places: [string, string][] = [
      ...[...store.files].map(([path, bytes]): [string, string] => [path, Buffer.from(bytes).toString('latin1')]),
      ...[...local.files].map(([path, bytes]): [string, string] => [path, Buffer.from(bytes).toString('latin1')]),
      ...errors.map((error, i): [string, string] => [`error ${i}`, `${inspect(error, { depth: 10 })} ${JSON.stringify(error)} ${String((error as Error).stack)}`]),
      ['status', JSON.stringify(await vaultStatus(bob))],
      ['opened', `${inspect(opened, { depth: 10, showHidden: true })} ${JSON.stringify(opened)} ${String(opened[0]!.file)}`],
      ['sealed', inspect(batch.sealed, { depth: 20 })],
      ['vault', inspect(bob, { depth: 10, showHidden: true })],
    ];
    expect(places.filter(([, text]) => forms.some((form) => text.includes(form))).map(([place]) => place)).toEqual([]);
    expect(opened[0]!.file.useText((t) => t)).toBe(CANARY);
  });

  it('of an identity: its private halves print nowhere', async () => {
    const identity = await createIdentity({ person: 'eve', device: 'laptop', kind: 'human', suite: 'x25519', now: 1 });
    const seed = identity.signingKey.seed.use((bytes) => Buffer.from(bytes).toString('base64'));
    const age = identity.age.useText((text) => text);
    const shown = `${inspect(identity, { depth: 10, showHidden: true })} ${JSON.stringify(identity)} ${inspect(formatIdentity(identity), { showHidden: true })}`;
    expect([seed, age].filter((secret) => shown.includes(secret))).toEqual([]);
  });
});
