/** A drill: what opens, what does not and why, what is signed of it, and what `status` says later. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { proposePolicy, recordDrill, runDrill, sealBatch, Secret, vaultStatus, withMember, type Identity, type Vault } from '../../../packages/core/src/index.js';
import { codeOf, flip, makeVault, memoryLocal, NOW, openAs, pathOf, people, person, rawStore, rule, type RawStore } from '../../support/vaults.js';

const DAY = 86_400;
let alice: Identity;
let carol: Identity;
let store: RawStore;
let vault: Vault;
beforeAll(async () => {
  ({ alice, carol } = await people('alice', 'carol'));
});
beforeEach(async () => {
  store = rawStore();
  ({ vault } = await makeVault({ people: [alice, carol], store, roles: { infra: ['alice'], platform: ['carol'] }, rules: [rule('/', 'infra'), rule('other/', 'platform')] }));
});

/** As a machine meets it that knows nothing. */
const scratch = (who = alice): Promise<Vault> => openAs(store, who, { local: memoryLocal(), expect: vault.expectLine });
const outcomes = async (who = alice): Promise<string[]> => (await runDrill(await scratch(who))).map(({ name, version, opened, fault }) => `${name} v${version} ${opened} ${fault?.code ?? 'sound'}`);
/** A password as `generate` makes it: its public parts are those of its value. */
async function seal(of: Vault, name: string): Promise<void> {
  const file = Secret.fromText(`value of ${name} and ${of.point.size}`);
  await of.append(await sealBatch(of, [{ name, kind: 'password', file, parameters: {}, public: { size: file.length }, origin: 'generated' }]));
}
/** What says of itself that it is a key pair, and is not. */
const sealWrong = async (name: string): Promise<unknown> =>
  vault.append(await sealBatch(vault, [{ name, kind: 'tsig', file: Secret.fromText('no clause at all'), parameters: {}, public: { keyname: 'x.', algorithm: 'hmac-sha256' }, origin: 'imported' }]));

describe('runDrill', () => {
  it('opens what is in use and one may read, and nothing else, and records no opening', async () => {
    for (const name of ['app/a', 'app/b', 'app/b', 'app/c', 'app/c']) await seal(vault, name);
    await vault.append({ entries: [vault.sign('secret.retire', { statement: vault.state.secrets.versions.get('app/c')![0]!.digest })], files: [] });
    const before = vault.point.size;
    expect(await outcomes()).toEqual(['app/a v1 true sound', 'app/b v1 true sound', 'app/b v2 true sound', 'app/c v2 true sound']);
    expect(await outcomes(carol)).toEqual([]);
    await vault.refresh();
    expect(vault.point.size).toBe(before);
  });

  it('names each failure by its code and goes on', async () => {
    for (const name of ['app/a', 'app/b', 'app/c']) await seal(vault, name);
    await sealWrong('dns/key');
    flip(store.files, pathOf(store, /^secrets\/app\/b\//));
    store.files.delete(pathOf(store, /^secrets\/app\/c\//));
    expect(await outcomes()).toEqual(['app/a v1 true sound', 'app/b v1 false HASH_MISMATCH', 'app/c v1 false BLOB_MISSING', 'dns/key v1 true SELF_CHECK_FAILED']);
    const seen: [number, number][] = [];
    await runDrill(await scratch(), (done, total) => seen.push([done, total]));
    expect(seen).toEqual([[1, 4], [2, 4], [3, 4], [4, 4]]);
  });

  it('a member whom nobody has granted the key hears that, and a machine holds none', async () => {
    await seal(vault, 'app/a');
    const [dora, ci] = [await person('dora'), await person('ci', { kind: 'machine' })];
    await proposePolicy(vault, withMember(vault.policy, dora.card, { roles: ['infra'] }));
    await proposePolicy(vault, withMember(vault.policy, ci.card, { roles: ['infra'] }));
    expect(await outcomes(dora)).toEqual(['app/a v1 false NEEDS_GRANT']);
    expect(await codeOf(outcomes(ci))).toBe('MACHINE_NOT_ALLOWED');
  });
});

describe('what is left of a drill', () => {
  const items = async (now = NOW, who = alice): Promise<string[]> =>
    (await vaultStatus(await openAs(store, who, { now }), who.card)).items.filter(({ next }) => next === 'oxp-vault drill').map(({ mark, mine, text }) => `${mark}${mine ? ' mine' : ''} ${text}`);

  it('the newest drill of anybody, and what failed in it until that is retired', async () => {
    for (const name of ['app/a', 'app/b']) await seal(vault, name);
    await sealWrong('dns/key');
    await recordDrill(vault, await runDrill(await scratch()));
    const [digest] = vault.state.secrets.versions.get('dns/key')!.map((version) => version.digest);
    expect(vault.state.handovers.drills.get('alice')).toMatchObject({ statements: vault.state.secrets.versions.sortedKeys().map((name) => vault.state.secrets.versions.get(name)![0]!.digest).sort(), failed: [digest] });
    expect((await vaultStatus(vault)).drill).toEqual({ person: 'alice', time: NOW, opened: 3, failed: 1 });
    expect(await items()).toEqual(['! mine the last drill of alice failed for dns/key v1']);
    expect(await items(NOW, carol)).toEqual(['! the last drill of alice failed for dns/key v1']);
    await seal(vault, 'dns/key');
    await vault.append({ entries: [vault.sign('secret.retire', { statement: digest })], files: [] });
    expect(await items()).toEqual([]);
    const asCarol = await openAs(store, carol);
    await recordDrill(asCarol, []);
    expect((await vaultStatus(asCarol)).drill).toMatchObject({ person: 'carol', opened: 0, failed: 0 });
  });

  it('after 90 days it is time for the next, and for the first where there is something to lose', async () => {
    for (const name of ['app/a', 'app/b']) await seal(vault, name);
    expect(await items(NOW + 100 * DAY)).toEqual([]);
    await seal(vault, 'app/c');
    expect(await items(NOW + 90 * DAY - 1)).toEqual([]);
    expect(await items(NOW + 90 * DAY)).toEqual(['- mine nobody has ever held a drill, and the first secret is 90 days old: whether all of this could be rebuilt from is not known']);
    const later = await openAs(store, alice, { now: NOW + 50 * DAY });
    await recordDrill(later, await runDrill(later));
    expect(await items(NOW + 100 * DAY)).toEqual([]);
    expect(await items(NOW + 141 * DAY)).toEqual(['- mine the last drill was 91 days ago, by alice: whether all of this could be rebuilt from is not known']);
  });
});
