/** One person on two machines, and several at once on one secret, wherever the vault is: nothing is lost, nothing is there twice, nobody is accused. */
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseEntry } from '../../packages/core/src/audit/entry.js';
import { enqueue, listQueued } from '../../packages/core/src/engine/queue.js';
import { findGarbage, fsLocalState, openSecrets, sealBatch, Secret, Vault, type Identity, type Store } from '../../packages/core/src/index.js';
import { doHousekeeping } from '../../packages/core/src/operations/housekeeping.js';
import { sha256Hex } from '../../packages/core/src/primitives/hash.js';
import { PLACES, type Place } from '../support/places.js';
import { clock, failure, makeVault, openAs, person, readRawLog, type World } from '../support/vaults.js';

const item = (name: string, value: string) => ({ name, kind: 'password', file: Secret.fromText(value), parameters: {}, public: {}, origin: 'generated' }) as const;
const valueOf = async (vault: Vault, name: string, version?: number): Promise<string> => {
  const [opened] = await openSecrets(vault, { secrets: [{ name, ...(version === undefined ? {} : { version }) }] });
  return opened!.file.useText((text) => text);
};

describe.each(PLACES)('in %s', (_, makePlace) => {
  let place: Place;
  let world: World;
  let laptop: Identity;
  let desk: Identity;
  let bruno: Identity;

  beforeEach(async () => {
    place = makePlace();
    [laptop, desk, bruno] = await Promise.all([person('alice'), person('alice', { device: 'desk' }), person('bruno')]);
    world = await makeVault({ people: [laptop, desk, bruno], store: await place.machine('founder') });
  });

  /** A machine with local state on its disk. */
  async function machine(name: string, identity: Identity, wrap: (store: Store) => Store = (store) => store): Promise<Vault> {
    return Vault.open({ store: wrap(await place.machine(name)), local: fsLocalState(join(place.base, `state-${name}`)), clock: clock(), identity, expect: world.vault.id });
  }

  /** Signed without touching the store. */
  async function offline(vault: Vault, name: string, value: string): Promise<string> {
    const { entries, files } = vault.signed(await sealBatch(vault, [item(name, value)]));
    await enqueue(vault.local, vault.id, entries[0]!, files);
    return parseEntry(entries[0]!.line).digest;
  }

  /** A newcomer who verifies everything: every entry there once, none void, no trace of a second history. */
  async function soundLog(): Promise<Vault> {
    const store = await place.machine('newcomer');
    const vault = await openAs(store, bruno);
    const { lines } = await readRawLog(store);
    const digests = lines.map((line) => sha256Hex(line));
    expect(new Set(digests).size).toBe(digests.length);
    expect([vault.state.voids.size, vault.log.strays]).toEqual([0, []]);
    return vault;
  }

  it('one person on two laptops that were offline: both land; of two that exclude each other one lands, and the other waits with its file', async () => {
    const first = await machine('laptop', laptop);
    const second = await machine('desk', desk);
    await offline(first, 'app/on-laptop', 'laptop');
    await offline(first, 'app/both', 'laptop');
    await openSecrets(first, { secrets: [], offline: true });
    const [lost] = [await offline(second, 'app/both', 'desk'), await offline(second, 'app/on-desk', 'desk')];

    expect(await doHousekeeping(first)).toMatchObject({ appended: ['secret.seal', 'secret.seal'], rejected: [], faults: [] });
    expect(await doHousekeeping(second)).toMatchObject({ appended: ['secret.seal'], rejected: [{ digest: lost, op: 'secret.seal', reason: 'app/both has version 1 already, sealed by alice' }], faults: [] });

    const vault = await soundLog();
    expect(vault.state.secrets.versions.sortedKeys()).toEqual(['app/both', 'app/on-desk', 'app/on-laptop']);
    expect([await valueOf(vault, 'app/both'), await valueOf(vault, 'app/on-desk'), await valueOf(vault, 'app/on-laptop')]).toEqual(['laptop', 'desk', 'laptop']);
    for (const each of [first, second]) expect(await listQueued(each.local, each.id, 'queue')).toEqual([]);
    expect(await listQueued(first.local, first.id, 'rejected')).toEqual([]);
    const [waiting, ...more] = await listQueued(second.local, second.id, 'rejected');
    expect([waiting?.digest, waiting?.files.length, more]).toEqual([lost, 1, []]);
    // Again, on both: nothing more happens, and nobody sees a fork.
    for (const each of [first, second]) {
      await each.refresh();
      expect(await doHousekeeping(each)).toMatchObject({ appended: [], rejected: [], faults: [] });
    }
  });

  it('two laptops that sync at the very same time', async () => {
    const machines = [await machine('laptop', laptop), await machine('desk', desk), await machine('bruno', bruno)];
    const signed = await Promise.all(machines.map(async (vault, i) => [await offline(vault, `own/s${i}`, 'own'), await offline(vault, 'app/both', String(i)), await offline(vault, `own/t${i}`, 'own')]));
    const done = await Promise.all(machines.map((vault) => doHousekeeping(vault)));
    expect(done.flatMap(({ appended }) => appended)).toHaveLength(2 * machines.length + 1);
    expect(done.flatMap(({ rejected }) => rejected.map(({ digest }) => digest)).every((digest) => signed.flat().includes(digest))).toBe(true);
    expect(done.flatMap(({ rejected }) => rejected)).toHaveLength(machines.length - 1);
    const vault = await soundLog();
    expect(vault.state.secrets.versions.sortedKeys()).toEqual(['app/both', 'own/s0', 'own/s1', 'own/s2', 'own/t0', 'own/t1', 'own/t2']);
    for (const each of machines) expect(await listQueued(each.local, each.id, 'queue')).toEqual([]);
  });

  it('two seals of the same secret at once: one wins, the other is told, and nothing is half done', async () => {
    const both = [await machine('laptop', laptop), await machine('bruno', bruno)];
    const batches = await Promise.all(both.map((vault, i) => sealBatch(vault, [item('app/one', `by ${i}`), item(`app/with-${i}`, 'x')])));
    const results = await Promise.allSettled(both.map((vault, i) => vault.append(batches[i]!)));
    const winner = results.findIndex(({ status }) => status === 'fulfilled');
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results[1 - winner]).toMatchObject({ reason: { code: 'RACE_LOST', exitCode: 7, message: `app/one has version 1 already, sealed by ${winner === 0 ? 'alice' : 'bruno'}` } });

    const vault = await soundLog();
    expect(await valueOf(vault, 'app/one')).toBe(`by ${winner}`);
    // Not even the part of the loser's batch that nobody excludes.
    expect(vault.state.secrets.versions.sortedKeys()).toEqual(['app/one', `app/with-${winner}`].sort());
    const loser = both[1 - winner]!;
    // A commit takes all or nothing along; in a directory the loser's files and page are garbage beside the truth, as docs/format.md says.
    const { paths } = await findGarbage(loser);
    expect(paths.every((path) => path.startsWith('log/') || batches[1 - winner]!.files.some((file) => file.path === path))).toBe(true);
    if (loser.store.commit) expect(paths).toEqual([]);
    // What the loser does next: the same again, on what is there now.
    await loser.append(await sealBatch(loser, [item('app/one', 'again')]));
    expect(await valueOf(await soundLog(), 'app/one', 2)).toBe('again');
  });

  it('an answer that is lost after the write was accepted: no second entry at the retry', async () => {
    let lose = true;
    const lossy = (store: Store): Store => {
      const lost = async (write: Promise<boolean>): Promise<boolean> => {
        const done = await write;
        if (!lose) return done;
        lose = false;
        throw new Error('the connection broke');
      };
      return new Proxy(store, {
        get: (target, name) => {
          if (name === 'commit' && target.commit) return (...args: Parameters<NonNullable<Store['commit']>>) => lost(target.commit!(...args));
          if (name === 'swapCheckpoint') return (...args: Parameters<Store['swapCheckpoint']>) => lost(target.swapCheckpoint(...args));
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? (value as (...args: never[]) => unknown).bind(target) : value;
        },
      });
    };
    const vault = await machine('laptop', laptop, lossy);
    const digest = await offline(vault, 'app/one', 'once');
    await expect(doHousekeeping(vault)).rejects.toThrow('the connection broke');
    expect(await listQueued(vault.local, vault.id, 'queue')).toHaveLength(1);
    // The same process, and another one of this machine, go on.
    for (const again of [vault, await machine('laptop', laptop)]) {
      expect(await doHousekeeping(again)).toMatchObject({ rejected: [], faults: [] });
      expect(await listQueued(again.local, again.id, 'queue')).toEqual([]);
    }
    const sound = await soundLog();
    expect(sound.state.digests.has(digest)).toBe(true);
    expect(sound.state.secrets.versions.get('app/one')).toHaveLength(1);
  });

  it('a vault made twice at the same place at once: one is made, the other maker is told', async () => {
    const empty = makePlace();
    const results = await Promise.allSettled([laptop, bruno].map(async (identity, i) => makeVault({ people: [identity], store: await empty.machine(`m${i}`), salt: String(i) })));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const { reason } = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(await failure(Promise.reject(reason as Error))).toMatchObject({ code: 'VAULT_EXISTS' });
    expect((await openAs(await empty.machine('newcomer'), bruno)).state.voids.size).toBe(0);
  });
});
