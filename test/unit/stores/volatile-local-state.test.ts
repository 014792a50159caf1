import { describe, expect, it } from 'vitest';
import { listQueued } from '../../../packages/core/src/engine/queue.js';
import { appendOrQueue } from '../../../packages/core/src/operations/copies/append-or-queue.js';
import { openSecrets } from '../../../packages/core/src/operations/opening/open.js';
import { volatileLocalState } from '../../../packages/core/src/stores/index.js';
import { VaultError } from '../../../packages/core/src/errors.js';
import type { Store } from '../../../packages/core/src/ports.js';
import { Vault } from '../../../packages/core/src/vault.js';
import { memoryLocal } from '../../support/team.js';
import { codeOf, entryBy, failure, makeVault, people, seal } from '../../support/vaults.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('local state where nothing lasts', () => {
  it('reads what an earlier run left, and keeps its own over it, in memory', async () => {
    const base = memoryLocal();
    await base.write('vaults/a/pin.json', bytes('old'));
    await base.write('vaults/a/queue/1.json', bytes('one'));
    const local = volatileLocalState(base);
    expect(Buffer.from((await local.read('vaults/a/pin.json'))!).toString()).toBe('old');
    await local.write('vaults/a/pin.json', bytes('new'));
    await local.write('vaults/a/queue/2.json', bytes('two'));
    await local.remove('vaults/a/queue/1.json');
    expect(Buffer.from((await local.read('vaults/a/pin.json'))!).toString()).toBe('new');
    expect(await local.read('vaults/a/queue/1.json')).toBeUndefined();
    expect(await local.list('vaults/a/')).toEqual(['vaults/a/pin.json', 'vaults/a/queue/2.json']);
    expect(Buffer.from((await base.read('vaults/a/pin.json'))!).toString()).toBe('old');
    expect(await base.list('')).toEqual(['vaults/a/pin.json', 'vaults/a/queue/1.json']);
    expect(await volatileLocalState().list('vaults/')).toEqual([]);
    await expect(local.write('../x', bytes(''))).rejects.toBeInstanceOf(VaultError);
  });
});

describe('a vault on a machine where nothing lasts', () => {
  const broken = (store: Store): Store => ({ ...store, address: store.address, get: (path) => store.get(path), list: (prefix) => store.list(prefix), remove: (path) => store.remove(path),
    putNew: () => Promise.reject(new VaultError('STORE_IO', 'the disk is full')), swapCheckpoint: () => Promise.reject(new VaultError('STORE_IO', 'the disk is full')) });

  it('records an opening in the log, and shows nothing that it cannot record', async () => {
    const { alice } = await people('alice');
    const world = await makeVault({ people: [alice] });
    await seal(world.vault, 'app/a');
    const open = async (vault: Vault, offline = false): Promise<unknown> => openSecrets(vault, { secrets: [{ name: 'app/a' }], offline });
    const vault = await world.as(alice, { local: volatileLocalState() });
    const before = vault.point.size;
    await open(vault);
    expect(vault.point.size).toBe(before + 1);
    expect(await listQueued(vault.local, vault.id, 'queue')).toEqual([]);
    expect((await failure(open(vault, true))).code).toBe('STORE_IO');
    const readOnly = await Vault.open({ store: broken(world.store), local: volatileLocalState(), identity: alice, clock: vault.clock, expect: vault.id });
    expect(await codeOf(open(readOnly))).toBe('STORE_IO');
    // What somebody typed is not said to be kept: the fault of the store is the answer.
    const batch = { entries: [entryBy(readOnly, alice, 'secret.open', { scope: ['/'], purpose: 'x', online: true })], files: [] };
    expect((await failure(appendOrQueue(readOnly, batch))).message).toBe('the disk is full');
  });

  it('a remote store, too, is written at once', async () => {
    const { alice } = await people('alice');
    const world = await makeVault({ people: [alice] });
    await seal(world.vault, 'app/a');
    const { store } = world;
    const remote: Store = { address: store.address, get: (p) => store.get(p), putNew: (p, b) => store.putNew(p, b), list: (p) => store.list(p), remove: (p) => store.remove(p), swapCheckpoint: (a, b) => store.swapCheckpoint(a, b), refresh: () => Promise.resolve({}) };
    const vault = await Vault.open({ store: remote, local: volatileLocalState(), identity: alice, clock: world.vault.clock, expect: world.vault.id });
    const before = vault.point.size;
    await openSecrets(vault, { secrets: [{ name: 'app/a' }] });
    expect(vault.point.size).toBe(before + 1);
  });
});
