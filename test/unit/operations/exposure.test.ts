/** Exposure of vaults that people work in: grants and devices over time, names that come back, openings, and what replaces a value. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  addDevice, exposureOf, grantMissing, openSecrets, ownDevice, proposePolicy, removeDevice, sealBatch, Secret, summariseExposure, turnDueKeys, withMember, withoutMember,
  type ExposureQuery, type Identity, type Knowledge, type Vault,
} from '../../../packages/core/src/index.js';
import { parseEntry } from '../../../packages/core/src/audit/entry.js';
import { turnRole } from '../../../packages/core/src/operations/people/role-turn.js';
import { codeOf, failure, makeVault, NOW, people, person, rule, seal, type World } from '../../support/vaults.js';

let alice: Identity;
let carol: Identity;
beforeAll(async () => {
  ({ alice, carol } = await people('alice', 'carol'));
});

const known = async (vault: Vault, query: ExposureQuery = {}): Promise<readonly Knowledge[]> => (await exposureOf(vault, query)).knowledge;
const lines = async (vault: Vault, query: ExposureQuery = {}): Promise<string[]> =>
  (await known(vault, query)).map(({ person: who, name, versions, how, replaced, entitled }) => `${who}${entitled ? '' : '!'} ${name} ${versions.join()}: ${how.map(({ words }) => words).join('; ')} | ${replaced.status}`);

async function retire(vault: Vault, name: string, version: number): Promise<void> {
  const found = vault.state.secrets.versions.get(name)!.find((each) => each.statement.version === version)!;
  await vault.append({ entries: [vault.sign('secret.retire', { statement: found.digest })], files: [] });
}

async function reseal(vault: Vault, name: string): Promise<void> {
  const { digest } = vault.state.secrets.versions.get(name)!.at(-1)!;
  await vault.append(await sealBatch(vault, [{ name, kind: 'password', file: Secret.fromText('same'), parameters: {}, public: {}, origin: { resealOf: digest } }]));
}

async function twoTeams(): Promise<{ world: World; vault: Vault; asCarol: Vault }> {
  const world = await makeVault({ people: [alice, carol], roles: { infra: ['alice'], platform: ['carol'] }, rules: [rule('/', 'infra'), rule('dns/', 'infra', { readers: ['platform'] })] });
  const asCarol = await world.as(carol);
  await asCarol.append(await turnRole(asCarol, 'platform'));
  await world.vault.refresh();
  return { world, vault: world.vault, asCarol };
}

describe('who could have seen it', () => {
  it('those whose keys open it, by grants and not by policy, and those who sealed it', async () => {
    const { vault } = await twoTeams();
    await seal(vault, 'app/db');
    await seal(vault, 'dns/key');
    expect(await lines(vault)).toEqual([
      'alice app/db 1: generated it; member of infra | same',
      'alice dns/key 1: generated it | same',
      'carol dns/key 1: member of platform | same',
    ]);
    // Dora is a member by the policy. Nobody has granted her anything yet.
    const dora = await person('dora');
    await proposePolicy(vault, withMember(vault.policy, dora.card, { roles: ['platform'] }));
    expect(await lines(vault, { persons: ['dora'] })).toEqual([]);
    const granting = await asOther(vault, carol);
    await grantMissing(granting);
    await vault.refresh();
    expect(await lines(vault, { persons: ['dora'] })).toEqual(['dora dns/key 1: member of platform | same']);
  });

  it('how a value came is told: taken in, or sealed again', async () => {
    const { vault } = await twoTeams();
    await vault.append(await sealBatch(vault, [{ name: 'dns/key', kind: 'password', file: Secret.fromText('x'), parameters: {}, public: {}, origin: 'imported' }]));
    await reseal(vault, 'dns/key');
    expect((await known(vault, { persons: ['alice'] }))[0]!.how.map(({ how, versions }) => [how, versions])).toEqual([['imported', [1]], ['resealed', [2]]]);
  });

  it('a leaver opens nothing that is sealed to the next epoch, and keeps what was sealed before', async () => {
    const { vault } = await makeVault({ people: [alice] });
    const dora = await person('dora');
    await seal(vault, 'app/db');
    await proposePolicy(vault, withMember(vault.policy, dora.card, { roles: ['team'] }));
    await grantMissing(vault);
    await proposePolicy(vault, withoutMember(vault.policy, 'dora'));
    expect(await turnDueKeys(vault)).toEqual(['team']);
    await seal(vault, 'app/db', 'the next one');
    await seal(vault, 'app/new');
    // Sealed before she came, too: her grant was of that epoch.
    expect(await lines(vault, { persons: ['dora'] })).toEqual(['dora! app/db 1: member of team | overlap']);
    expect(await known(vault, { persons: ['dora'] })).toMatchObject([{ left: expect.any(Number), rotation: { how: 'generate' }, replaced: { newest: 2, by: 2, inUse: [1] } }]);
  });

  it('a newcomer is granted the earlier keys as well', async () => {
    const { vault } = await makeVault({ people: [alice] });
    await seal(vault, 'app/db');
    await vault.append(await turnRole(vault, 'team'));
    const dora = await person('dora');
    await proposePolicy(vault, withMember(vault.policy, dora.card, { roles: ['team'] }));
    await grantMissing(vault);
    expect(await lines(vault, { persons: ['dora'] })).toEqual(['dora app/db 1: member of team | same']);
  });

  it('whoever comes back under a name is told from whoever had it before', async () => {
    const { vault } = await makeVault({ people: [alice] });
    await seal(vault, 'app/db');
    for (const salt of ['first', 'second']) {
      await proposePolicy(vault, withMember(vault.policy, (await person('dora', { salt })).card, { roles: ['team'] }));
      await grantMissing(vault);
      if (salt === 'second') break;
      await proposePolicy(vault, withoutMember(vault.policy, 'dora'));
      await turnDueKeys(vault);
    }
    await seal(vault, 'app/db', 'new');
    expect(await lines(vault, { persons: ['dora'] })).toEqual(['dora! app/db 1: member of team | overlap', 'dora app/db 1,2: member of team | same']);
    expect((await known(vault, { persons: ['dora'] })).map(({ left }) => left !== undefined)).toEqual([true, false]);
  });

  it('a removed device is named, and what was sealed after it is not its', async () => {
    const { vault } = await makeVault({ people: [alice] });
    await addDevice(vault, (await person('alice', { device: 'phone' })).card);
    await seal(vault, 'app/db');
    await removeDevice(vault, ownDevice(vault, 'phone'));
    await turnDueKeys(vault);
    await seal(vault, 'app/db', 'new');
    const how = (await known(vault))[0]!.how.filter(({ how: each }) => each === 'member');
    expect(how).toMatchObject([
      { versions: [1], devices: [{ device: 'laptop', removed: false }, { device: 'phone', removed: true }] },
      { versions: [2], devices: [{ device: 'laptop', removed: false }] },
    ]);
  });

  it('whoever has no key is not counted, an admin included', async () => {
    const dora = await person('dora');
    const { vault } = await makeVault({ people: [alice, dora], admins: ['alice', 'dora'], roles: { team: { members: ['alice'], managed: { need: 1, of: ['dora'] } } } });
    await seal(vault, 'app/db');
    expect(await lines(vault, { persons: ['dora'] })).toEqual([]);
  });
});

/** The vault of `vault` as somebody else meets it. */
async function asOther(vault: Vault, identity: Identity): Promise<Vault> {
  await vault.refresh();
  return vault.as(identity);
}

describe('openings', () => {
  it('are listed in addition, with who opened what, when and by which device', async () => {
    const { vault, asCarol } = await twoTeams();
    await seal(vault, 'dns/key');
    await asCarol.refresh();
    await openSecrets(asCarol, { secrets: [{ name: 'dns/key' }], purpose: 'nsupdate' });
    await vault.refresh();
    expect(await known(vault, { persons: ['carol'] })).toMatchObject([{
      how: [{ how: 'member' }],
      openings: [{ version: 1, how: 'opened', time: NOW, device: 'laptop', purpose: 'nsupdate', online: true }],
    }]);
    expect((await known(vault, { persons: ['alice'] }))[0]!.openings).toEqual([]);
  });

  it('somebody who says that they opened it has seen it, however they came by it', async () => {
    const { vault, asCarol } = await twoTeams();
    await seal(vault, 'app/db');
    await asCarol.refresh();
    const { digest } = vault.state.secrets.versions.get('app/db')![0]!;
    await asCarol.append({ entries: [asCarol.sign('secret.open', { statements: [digest], purpose: 'open', online: true })], files: [] });
    await vault.refresh();
    expect(await lines(vault, { persons: ['carol'] })).toEqual(['carol! app/db 1: opened it | same']);
  });

  it('a session counts its scope until it says what it opened, and a drill what it opened', async () => {
    const { vault, asCarol } = await twoTeams();
    await seal(vault, 'app/db');
    await seal(vault, 'app/other');
    const [db, other] = ['app/db', 'app/other'].map((name) => vault.state.secrets.versions.get(name)![0]!.digest);
    const begin = vault.sign('secret.open', { scope: ['app/'], purpose: 'exec', online: true });
    await vault.append({ entries: [begin], files: [] });
    const opened = async (): Promise<string[]> => (await known(vault, { persons: ['alice'] })).flatMap(({ name, openings }) => openings.map(({ how }) => `${name} ${how}`));
    expect(await opened()).toEqual(['app/db session', 'app/other session']);
    // Nobody ends it for somebody else.
    await asCarol.refresh();
    await asCarol.append({ entries: [asCarol.sign('secret.open', { session: parseEntry(begin.line).digest, statements: [], purpose: 'exec', online: true })], files: [] });
    await vault.refresh();
    expect(await opened()).toEqual(['app/db session', 'app/other session']);
    await vault.append({ entries: [vault.sign('secret.open', { session: parseEntry(begin.line).digest, statements: [db], purpose: 'exec', online: true })], files: [] });
    expect(await opened()).toEqual(['app/db opened']);
    await vault.append({ entries: [vault.sign('vault.drill', { statements: [other], failed: [] })], files: [] });
    expect(await opened()).toEqual(['app/db opened', 'app/other drill']);
  });
});

describe('what replaces a value', () => {
  it('a new value once the old one is retired; the same value sealed again is no new one', async () => {
    const { vault } = await makeVault({ people: [alice] });
    const status = async () => (await known(vault))[0]!.replaced;
    await seal(vault, 'app/db');
    await reseal(vault, 'app/db');
    expect(await status()).toEqual({ status: 'same', newest: 2, inUse: [1, 2] });
    // Alice sees them all. Dora, who had only the first two, does not.
    const dora = await person('dora');
    await proposePolicy(vault, withMember(vault.policy, dora.card, { roles: ['team'] }));
    await grantMissing(vault);
    await proposePolicy(vault, withoutMember(vault.policy, 'dora'));
    await turnDueKeys(vault);
    await reseal(vault, 'app/db');
    const hers = async () => (await known(vault, { persons: ['dora'] }))[0]!;
    expect(await hers()).toMatchObject({ versions: [1, 2], replaced: { status: 'same', newest: 3, inUse: [1, 2, 3] } });
    await seal(vault, 'app/db', 'new');
    expect(await hers()).toMatchObject({ replaced: { status: 'overlap', newest: 4, by: 4, inUse: [1, 2, 3] } });
    await retire(vault, 'app/db', 1);
    await retire(vault, 'app/db', 2);
    // Version 3 was sealed after she left, and holds what she knows.
    expect(await hers()).toMatchObject({ replaced: { status: 'overlap', inUse: [3] } });
    await retire(vault, 'app/db', 3);
    expect(await hers()).toMatchObject({ replaced: { status: 'replaced', newest: 4, by: 4, inUse: [] } });
  });

  it('is counted by secret', async () => {
    const { vault } = await makeVault({ people: [alice] });
    for (const name of ['a', 'b', 'c']) await seal(vault, name);
    const { knowledge } = await exposureOf(vault);
    const as = (name: string, status: 'same' | 'overlap' | 'replaced', alone = true): Knowledge => ({ ...knowledge.find((k) => k.name === name)!, alone, replaced: { status, inUse: [] } });
    expect(summariseExposure([as('a', 'replaced'), as('a', 'overlap'), as('b', 'same'), as('b', 'replaced'), as('c', 'same', false)])).toEqual({ known: 2, same: 1, overlap: 1, replaced: 0, shares: 1 });
  });
});

describe('what is asked for', () => {
  it('secrets by name or below a path, persons also when they have left; what never was is an error', async () => {
    const { vault } = await twoTeams();
    await seal(vault, 'app/db');
    await seal(vault, 'dns/key');
    expect(await lines(vault, { names: ['dns/'], persons: ['carol'] })).toEqual(['carol dns/key 1: member of platform | same']);
    expect(await lines(vault, { names: ['/'] })).toHaveLength(3);
    expect(await codeOf(exposureOf(vault, { names: ['app/dbb'] }))).toBe('SECRET_NOT_FOUND');
    expect(await codeOf(exposureOf(vault, { names: ['nothing/'] }))).toBe('SECRET_NOT_FOUND');
    const error = await failure(exposureOf(vault, { persons: ['dora'] }));
    expect([error.code, error.hint]).toEqual(['PERSON_NOT_FOUND', 'Who was: alice, carol']);
  });
});
