import { describe, expect, it } from 'vitest';
import { Vault } from '../../../packages/core/src/vault.js';
import { clock, codeOf, copyOf, makeVault, memoryLocal, people, rawStore, type RawStore, seal } from '../../support/vaults.js';

/** A remote store: what is read of it is as old as the last look at `remote` that was further away than `maxAge` allowed. */
function mirrored(remote: RawStore): { store: RawStore; looks: () => number } {
  const mirror = copyOf(remote);
  let looks = 0;
  const store: RawStore = {
    ...mirror,
    refresh: (maxAge) => {
      if (maxAge < 60) {
        looks++;
        mirror.files.clear();
        for (const [path, bytes] of remote.files) mirror.files.set(path, bytes);
      }
      return Promise.resolve({ fetched: 0 });
    },
  };
  return { store, looks: () => looks };
}

describe('a copy that was new enough to be read', () => {
  it('is asked for news before what it shows is called a rollback', async () => {
    const { alice } = await people('alice');
    const remote = rawStore('git+https://example.org/v.git');
    const { vault } = await makeVault({ people: [alice], store: remote });
    const { store, looks } = mirrored(remote);
    await seal(vault, 'app/one');
    const options = { store, local: memoryLocal(), clock: clock(), expect: vault.expectLine };
    // Never with --offline.
    expect(await codeOf(Vault.open({ ...options, maxAge: Infinity }))).toBe('ROLLBACK');
    expect(looks()).toBe(0);
    const here = await Vault.open({ ...options, maxAge: 60 });
    expect([here.point, looks()]).toEqual([vault.point, 1]);
  });

  it('is still refused where the newest is older too', async () => {
    const { alice } = await people('alice');
    const remote = rawStore('git+https://example.org/v.git');
    const { vault } = await makeVault({ people: [alice], store: remote });
    const before = copyOf(remote);
    await seal(vault, 'app/one');
    const { store, looks } = mirrored(before);
    expect(await codeOf(Vault.open({ store, local: memoryLocal(), clock: clock(), expect: vault.expectLine, maxAge: 60 }))).toBe('ROLLBACK');
    expect(looks()).toBe(1);
  });
});
