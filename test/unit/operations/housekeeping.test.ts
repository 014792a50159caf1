import { describe, expect, it } from 'vitest';
import { enqueue, listQueued } from '../../../packages/core/src/engine/queue.js';
import { VaultError } from '../../../packages/core/src/errors.js';
import { appendOrQueue } from '../../../packages/core/src/operations/copies/append-or-queue.js';
import { doHousekeeping } from '../../../packages/core/src/operations/housekeeping.js';
import { retireVersions } from '../../../packages/core/src/operations/sealing/retire.js';
import { sealBatch, type Sealable } from '../../../packages/core/src/operations/sealing/seal.js';
import { newestEpoch } from '../../../packages/core/src/policy/state.js';
import { Secret } from '../../../packages/core/src/secret.js';
import { Vault } from '../../../packages/core/src/vault.js';
import { clock, foundTeam, memoryLocal, type Team } from '../../support/team.js';

const item = (name: string, text = 'value'): Sealable => ({ name, kind: 'document', file: Secret.fromText(text), parameters: {}, public: { size: text.length }, origin: 'imported' });

async function queueSeal(team: Team, person: string, name: string): Promise<Vault> {
  const vault = await team.as(person);
  const batch = vault.signed(await sealBatch(vault, [item(name)]));
  await enqueue(vault.local, vault.id, batch.entries[0]!, batch.files);
  return vault;
}

const waiting = (vault: Vault, where: 'queue' | 'rejected' = 'queue') => listQueued(vault.local, vault.id, where);

describe('housekeeping', () => {
  it('does nothing where nothing is owed', async () => {
    const team = await foundTeam();
    for (const person of ['alice', 'bruno', 'carol', 'ci']) {
      const vault = await team.as(person);
      const before = vault.point;
      expect(await doHousekeeping(vault)).toEqual({ appended: [], rejected: [], made: [], turned: [], granted: [], shares: [], released: [], left: [], faults: [] });
      expect(vault.point).toEqual(before);
    }
  });

  it('appends what waits in the queue, with its files', async () => {
    const team = await foundTeam();
    const vault = await queueSeal(team, 'bruno', 'a');
    expect((await doHousekeeping(vault)).appended).toEqual(['secret.seal']);
    expect(await waiting(vault)).toEqual([]);
    const [version] = vault.state.secrets.versions.get('a')!;
    expect(await team.store.list('secrets/a/')).toHaveLength(1);
    expect(version!.sealer.person).toBe('bruno');
  });

  it('takes an entry that is in the log already for done', async () => {
    const team = await foundTeam();
    const vault = await team.as('bruno');
    const batch = vault.signed(await sealBatch(vault, [item('a')]));
    await vault.append(batch);
    await enqueue(vault.local, vault.id, batch.entries[0]!, batch.files);
    const { size } = vault.point;
    const done = await doHousekeeping(vault);
    expect(done.rejected).toEqual([]);
    expect(vault.point.size).toBe(size);
    expect(await waiting(vault)).toEqual([]);
  });

  it('keeps what the log refuses, with its files and the reason', async () => {
    const team = await foundTeam();
    const vault = await queueSeal(team, 'bruno', 'a');
    const alice = await team.as('alice');
    await alice.append(await sealBatch(alice, [item('a')]));
    await vault.refresh();
    const done = await doHousekeeping(vault);
    expect(done.rejected).toMatchObject([{ op: 'secret.seal', reason: 'a has version 1 already, sealed by alice' }]);
    expect(await waiting(vault)).toEqual([]);
    const [kept] = await waiting(vault, 'rejected');
    expect(kept!.files).toHaveLength(1);
    expect(kept!.reason).toContain('version 1 already');
    expect(vault.state.voids.size).toBe(0);
  });

  it('rejects nothing because the store is in trouble', async () => {
    const team = await foundTeam();
    const vault = await queueSeal(team, 'bruno', 'a');
    const swap = team.store.swapCheckpoint.bind(team.store);
    team.store.swapCheckpoint = () => Promise.reject(new VaultError('STORE_IO', 'disk full'));
    await expect(doHousekeeping(vault)).rejects.toMatchObject({ code: 'STORE_IO' });
    expect(await waiting(vault)).toHaveLength(1);
    expect(await waiting(vault, 'rejected')).toHaveLength(0);
    team.store.swapCheckpoint = swap;
    expect((await doHousekeeping(vault)).appended).toEqual(['secret.seal']);
  });

  it('turns a stale key that this person may turn, and grants it', async () => {
    const team = await foundTeam();
    await team.policy((p) => ({ roles: { ...p.roles, infra: { members: ['alice', 'ci'] } } }));
    // bruno has left, a machine turns nothing, carol is in another team.
    for (const person of ['bruno', 'ci', 'carol']) expect((await doHousekeeping(await team.as(person))).turned).toEqual([]);
    const vault = await team.as('alice');
    expect((await doHousekeeping(vault)).turned).toEqual(['infra']);
    expect(newestEpoch(vault.policy, 'infra')).toMatchObject({ epoch: 2 });
    expect([...newestEpoch(vault.policy, 'infra')!.grants.keys()].sort()).toEqual(['alice', 'ci']);
  });

  it('grants a role key to new members, from a human that holds it', async () => {
    const team = await foundTeam();
    await team.policy((p) => ({ roles: { ...p.roles, infra: { members: ['alice', 'bruno', 'carol', 'ci'] } } }));
    // A machine holds the key and grants it to nobody; it does not even try.
    expect(await doHousekeeping(await team.as('ci'))).toMatchObject({ granted: [], shares: [], released: [], left: [], faults: [] });
    expect((await doHousekeeping(await team.as('bruno'))).granted).toEqual([{ role: 'infra', person: 'carol' }]);
    expect((await doHousekeeping(await team.as('alice'))).granted).toEqual([]);
  });

  it('makes the first key of a role of this person', async () => {
    const team = await foundTeam();
    await team.policy((p) => ({ roles: { ...p.roles, dba: { members: ['bruno'] } } }));
    expect((await doHousekeeping(await team.as('carol'))).made).toEqual([]);
    expect((await doHousekeeping(await team.as('bruno'))).made).toEqual(['dba']);
  });

  it('goes on where one chore cannot be done, and says which', async () => {
    const team = await foundTeam();
    await team.policy((p) => ({ roles: { ...p.roles, infra: { members: ['alice', 'bruno', 'carol', 'ci'] }, dba: { members: ['bruno'] } } }));
    // Somebody with access to the store has broken bruno's grant of infra.
    for (const path of await team.store.list('roles/infra/0001/')) {
      if (path.includes('/bruno-')) await team.store.putNew(path, Buffer.from('broken'));
    }
    const done = await doHousekeeping(await team.as('bruno'));
    expect(done.made).toEqual(['dba']);
    expect(done.faults.map((fault) => fault.code)).toEqual(['HASH_MISMATCH']);
  });

  it('asks for the vault that is meant before it writes to a copy that nobody vouched for', async () => {
    const team = await foundTeam();
    await team.policy((p) => ({ roles: { ...p.roles, dba: { members: ['bruno'] } } }));
    const fresh = await Vault.open({ store: team.store, local: memoryLocal(), clock, identity: team.cast.identities.get('bruno')![0]! });
    await expect(doHousekeeping(fresh)).rejects.toMatchObject({ code: 'EXPECT_NEEDED' });
  });
});

describe('what cannot be typed again', () => {
  it('waits in the queue where the store cannot be written', async () => {
    const team = await foundTeam();
    const vault = await team.as('alice');
    const put = team.store.putNew.bind(team.store);
    team.store.putNew = () => Promise.reject(new VaultError('STORE_IO', 'read-only'));
    expect(await appendOrQueue(vault, await sealBatch(vault, [item('a')]))).toMatchObject({ code: 'STORE_IO' });
    team.store.putNew = put;
    expect((await doHousekeeping(vault)).appended).toEqual(['secret.seal']);
  });

  it('does not wait where the log refuses it', async () => {
    const team = await foundTeam();
    const vault = await team.as('alice');
    const batch = await sealBatch(vault, [item('a')]);
    await vault.append(await sealBatch(vault, [item('a')]));
    await expect(appendOrQueue(vault, batch)).rejects.toMatchObject({ code: 'RACE_LOST' });
    expect(await waiting(vault)).toEqual([]);
  });
});

describe('retiring', () => {
  it('is all or nothing', async () => {
    const team = await foundTeam();
    const vault = await team.as('alice');
    await vault.append(await sealBatch(vault, [item('a', 'one')]));
    await vault.append(await sealBatch(vault, [item('a', 'two')]));
    await expect(retireVersions(vault, [{ name: 'a', version: 1 }, { name: 'a', version: 2 }])).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    expect(vault.state.secrets.versions.get('a')!.some((version) => version.retired)).toBe(false);
    const carol = await team.as('carol');
    await expect(retireVersions(carol, [{ name: 'a', version: 1 }])).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
  });
});
