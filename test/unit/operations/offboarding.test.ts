/** What is left to do when somebody goes, by who can do it, and a run that a failing store stops in the middle. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  exposureOf, grantMissing, planOffboarding, proposePolicy, rotateAll, sealBatch, Secret, turnDueKeys, VaultError, withMember, withoutMember,
  type Identity, type OffboardingPlan, type Store, type Vault,
} from '../../../packages/core/src/index.js';
import { makeVault, people, person, rawStore, rule, seal, successor, type VaultSpec } from '../../support/vaults.js';

let alice: Identity;
let carol: Identity;
beforeAll(async () => {
  ({ alice, carol } = await people('alice', 'carol'));
});

/** A vault that dora has read all of, and has left. */
async function left(spec: Partial<VaultSpec>, fill: (vault: Vault) => Promise<void>): Promise<Vault> {
  const { vault } = await makeVault({ people: [alice], ...spec });
  const dora = await person('dora');
  await proposePolicy(vault, withMember(vault.policy, dora.card, { roles: [Object.keys(vault.policy.policy.roles)[0]!] }));
  await grantMissing(vault);
  await fill(vault);
  await proposePolicy(vault, withoutMember(vault.policy, 'dora'));
  await turnDueKeys(vault);
  return vault;
}

const planOf = async (vault: Vault): Promise<OffboardingPlan> => planOffboarding(vault, (await exposureOf(vault, { persons: ['dora'] })).knowledge);
const GROUPS = ['rotate', 'others', 'byHand', 'plans', 'retire'] as const;
const names = (plan: OffboardingPlan): Record<string, string[]> => Object.fromEntries(GROUPS.map((group) => [group, plan[group].map((task) => task.name)]));
const take = (vault: Vault, name: string, kind: string, publicParts = {}): Promise<unknown> =>
  sealBatch(vault, [{ name, kind, file: Secret.fromText('x'), parameters: {}, public: publicParts, origin: 'imported' }]).then((batch) => vault.append(batch));

describe('planOffboarding', () => {
  it('sorts by who can do it', async () => {
    const vault = await left({}, async (v) => {
      await seal(v, 'app/db');
      await seal(v, 'app/old');
      await take(v, 'api/key', 'api-key', { provider: 'scaleway' });
      await take(v, 'pki/root', 'pki-root');
      await take(v, 'strange', 'of-a-later-release');
    });
    expect(names(await planOf(vault))).toEqual({ rotate: ['app/db', 'app/old'], others: [], byHand: ['api/key', 'strange'], plans: ['pki/root'], retire: [] });
    const { byHand, plans } = await planOf(vault);
    expect(byHand[0]).toMatchObject({ words: expect.stringContaining('at Scaleway'), owners: ['team'], inUse: [1] });
    expect(plans[0]!.words).toContain('docs/pki-root-succession.md');

    const run = await rotateAll(vault, ['app/db', 'app/old']);
    expect(run).toMatchObject({ left: [], lines: [{ name: 'app/db', version: 2 }, { name: 'app/old', version: 2 }] });
    expect(names(await planOf(vault))).toMatchObject({ rotate: [], retire: ['app/db', 'app/old'] });
    const first = vault.state.secrets.versions.get('app/old')![0]!;
    await vault.append({ entries: [vault.sign('secret.retire', { statement: first.digest })], files: [] });
    expect(names(await planOf(vault)).retire).toEqual(['app/db']);
    expect((await planOf(vault)).retire[0]!.words).toBe('deploy v2, then retire v1');
  });

  it('names who decides over what one may not rotate oneself', async () => {
    const vault = await left({
      people: [alice, carol], roles: { infra: ['alice'], platform: ['carol'] },
      rules: [rule('/', 'infra'), rule('app/', 'platform', { readers: ['infra'], writers: ['infra', 'platform'] })],
    }, async (v) => {
      await seal(v, 'app/db');
    });
    expect(names(await planOf(vault)).rotate).toEqual(['app/db']);
    await proposePolicy(vault, { ...successor(vault), rules: [rule('/', 'infra'), rule('app/', 'platform')] });
    expect(names(await planOf(vault))).toMatchObject({ rotate: [], others: ['app/db'] });
    expect((await planOf(vault)).others[0]).toMatchObject({ owners: ['platform'], why: { code: 'NOT_ALLOWED' } });
  });
});

describe('rotateAll', () => {
  it('says what is left when the store goes away, and goes on from there', async () => {
    const raw = rawStore();
    let swaps = Infinity;
    const store: Store = { ...raw, swapCheckpoint: (old, next) => (swaps-- > 0 ? raw.swapCheckpoint(old, next) : Promise.reject(new VaultError('STORE_IO', 'the disk is full'))) };
    const all = Array.from({ length: 45 }, (_, i) => `s${String(i).padStart(2, '0')}`);
    const vault = await left({ store }, async (v) => {
      await v.append(await sealBatch(v, all.map((name) => ({ name, kind: 'password', file: Secret.fromText('x'), parameters: {}, public: {}, origin: 'generated' as const }))));
    });
    swaps = 1;
    const seen: number[] = [];
    const run = await rotateAll(vault, all, (done) => seen.push(done));
    expect(run.stopped?.code).toBe('STORE_IO');
    expect(run.lines.map(({ name }) => name)).toEqual(all.slice(0, 20));
    expect(run.left).toEqual(all.slice(20));
    expect(seen).toEqual([0, 20]);
    swaps = Infinity;
    // What is done is not done again.
    expect((await planOf(vault)).rotate.map(({ name }) => name)).toEqual(run.left);
    const rest = await rotateAll(vault, run.left);
    expect([rest.left, rest.lines.map(({ name }) => name), rest.stopped]).toEqual([[], run.left, undefined]);
    expect(all.map((name) => vault.state.secrets.versions.get(name)!.length)).toEqual(all.map(() => 2));
  });
});
