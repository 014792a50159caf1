/** Several copies, laptops and writers of one vault in directories: what lands, what waits, what is another history (cases 4, 11, 14, 15). */
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { enqueue, listQueued } from '../../packages/core/src/engine/queue.js';
import { fsLocalState, sealBatch, Secret, Vault, verifyVault, type Identity, type LocalState } from '../../packages/core/src/index.js';
import { drainQueue } from '../../packages/core/src/operations/copies/drain.js';
import { restoreVault } from '../../packages/core/src/operations/copies/restore.js';
import { takeOverCopy } from '../../packages/core/src/operations/copies/take-over.js';
import { directoryStore } from '../../packages/core/src/stores/index.js';
import { tempDir } from '../support/tmp.js';
import { clock, codeOf, failure, makeVault, people, proposalBy, seal, successor } from '../support/vaults.js';

let cast: Record<'alice' | 'bob', Identity>;
let base: string;
let expectLine: string;

const place = (name = 'vault'): string => join(base, name);
const local = (machine: string): LocalState => fsLocalState(join(base, `state-${machine}`));
const on = (machine: string, identity: Identity, at = 'vault'): Promise<Vault> => Vault.open({ store: directoryStore(place(at)), local: local(machine), clock: clock(), identity, expect: expectLine });

async function queueSeal(vault: Vault, name: string): Promise<string> {
  const batch = vault.signed(await sealBatch(vault, [{ name, kind: 'password', file: Secret.fromText(`value of ${name}`), parameters: {}, public: {}, origin: 'generated' }]));
  return (await enqueue(vault.local, vault.id, batch.entries[0]!, batch.files)).digest;
}

beforeEach(async () => {
  cast = await people('alice', 'bob');
  base = tempDir('copies');
  const world = await makeVault({ people: [cast.alice, cast.bob], store: directoryStore(place()), local: local('first') });
  await seal(world.vault, 'app/one');
  expectLine = world.vault.expectLine;
});

describe('two laptops of one person, offline', () => {
  it('both entries land, whoever syncs first, and nobody is alarmed', async () => {
    const [desk, train] = [await on('desk', cast.alice), await on('train', cast.alice)];
    await queueSeal(desk, 'app/desk');
    await queueSeal(train, 'app/train');
    for (const machine of ['train', 'desk']) expect((await drainQueue(await on(machine, cast.alice))).appended).toEqual(['secret.seal']);
    const vault = await on('desk', cast.alice);
    expect(vault.state.secrets.versions.sortedKeys()).toEqual(['app/desk', 'app/one', 'app/train']);
    expect(vault.log.strays).toEqual([]);
    expect((await verifyVault(vault)).ok).toBe(true);
  });

  it('of two that exclude each other one lands; the other waits with its files and is not lost by another sync', async () => {
    const [desk, train] = [await on('desk', cast.alice), await on('train', cast.alice)];
    await queueSeal(desk, 'app/one');
    const loser = await queueSeal(train, 'app/one');
    await drainQueue(await on('desk', cast.alice));
    expect((await drainQueue(await on('train', cast.alice))).rejected).toMatchObject([{ digest: loser, op: 'secret.seal', person: 'alice' }]);
    expect(await drainQueue(await on('train', cast.alice))).toEqual({ appended: [], rejected: [], present: 0 });
    const [waiting] = await listQueued(local('train'), train.id, 'rejected');
    expect(waiting).toMatchObject({ digest: loser, reason: expect.stringContaining('version 2') as string });
    expect(waiting!.files).toHaveLength(1);
    expect((await verifyVault(await on('desk', cast.alice)))).toMatchObject({ ok: true, voids: [] });
  });

  it('at the same moment: each entry once, however the race goes', async () => {
    const machines = ['one', 'two', 'three', 'four'];
    for (const machine of machines) {
      const vault = await on(machine, cast.alice);
      await queueSeal(vault, `app/of-${machine}`);
      await queueSeal(vault, 'app/one');
    }
    const done = await Promise.all(machines.map(async (machine) => drainQueue(await on(machine, cast.alice))));
    expect(done.flatMap((d) => d.appended)).toHaveLength(5);
    expect(done.flatMap((d) => d.rejected)).toHaveLength(3);
    const vault = await on('first', cast.alice);
    expect(vault.state.secrets.versions.sortedKeys()).toEqual(['app/of-four', 'app/of-one', 'app/of-three', 'app/of-two', 'app/one']);
    expect(vault.state.secrets.versions.get('app/one')).toHaveLength(2);
    expect(await verifyVault(vault)).toMatchObject({ ok: true, voids: [] });
  });
});

it('two seals of the same secret at once: one wins, the other is told, and nothing is half done', async () => {
  const [alice, bob] = [await on('a', cast.alice), await on('b', cast.bob)];
  const outcomes = await Promise.allSettled([seal(alice, 'app/one', 'of alice'), seal(bob, 'app/one', 'of bob')]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const [lost] = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason as Error] : []));
  expect(lost!.message).toContain('version 2');
  const vault = await on('c', cast.alice);
  expect(vault.state.secrets.versions.get('app/one')).toHaveLength(2);
  expect(await verifyVault(vault)).toMatchObject({ ok: true, voids: [] });
});

describe('two copies whose logs hold different valid policies of the same number', () => {
  const change = async (vault: Vault, role: string): Promise<void> => {
    const { entry, file } = proposalBy(vault, cast.alice, successor(vault, { roles: { ...vault.policy.policy.roles, [role]: { members: ['bob'] } } }));
    await vault.append({ entries: [entry], files: [file] });
  };

  it('are a fork that names both; what is still valid of the other is taken over, its policy is not', async () => {
    cpSync(place(), place('copy'), { recursive: true });
    await change(await on('a', cast.alice), 'here');
    const there = await on('b', cast.alice, 'copy');
    await change(there, 'there');
    await seal(there, 'app/there');

    const error = await failure(on('b', cast.alice));
    expect(error).toMatchObject({ code: 'FORK' });
    const mine = await on('a', cast.alice);
    for (const { point } of [mine, there]) expect(error.details.join(' ')).toContain(point.root.slice(0, 8));

    const taken = await takeOverCopy(mine, directoryStore(place('copy')));
    expect(taken).toMatchObject({ appended: ['secret.seal'], rejected: [{ op: 'policy.propose', person: 'alice' }] });
    expect(mine.policy.policy.roles).toHaveProperty('here');
    expect(mine.policy.policy.roles).not.toHaveProperty('there');
    expect(mine.state.secrets.versions.has('app/there')).toBe(true);
    expect(mine.log.strays).toMatchObject([{ person: 'alice' }]);
    expect(await verifyVault(mine)).toMatchObject({ ok: true, voids: [] });
  });
});

it('a whole older copy is refused, and mended from a machine that has the rest; a fork made on it is not gone over', async () => {
  cpSync(place(), place('old'), { recursive: true });
  await seal(await on('a', cast.alice), 'app/two');
  const seen = (await on('b', cast.bob)).point;
  renameSync(place(), place('newest'));
  cpSync(place('old'), place(), { recursive: true });
  expect(await codeOf(on('b', cast.bob))).toBe('ROLLBACK');
  const mend = (): ReturnType<typeof restoreVault> => restoreVault({ store: directoryStore(place()), local: local('b'), clock: clock(), copy: directoryStore(place('newest')) });
  expect(await mend()).toMatchObject({ ...seen, fault: { code: 'ROLLBACK' }, missing: [] });
  expect((await on('b', cast.bob)).point).toEqual(seen);

  rmSync(place(), { recursive: true });
  cpSync(place('old'), place(), { recursive: true });
  // A newcomer has seen nothing newer, and goes on from there.
  await seal(await on('newcomer', cast.alice), 'app/fork');
  expect(await codeOf(mend())).toBe('FORK');
  const fork = await on('newcomer', cast.alice);
  expect(fork.state.secrets.versions.has('app/fork')).toBe(true);
});
