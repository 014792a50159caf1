/** `status --without`: what would be lost with whom, and nothing that is not. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Identity } from '../../../packages/core/src/index.js';
import { grantMissing } from '../../../packages/core/src/operations/people/members.js';
import { turnRole } from '../../../packages/core/src/operations/people/role-turn.js';
import { lossesInWords, lossesWithout, singlePoints } from '../../../packages/core/src/operations/status/without.js';
import type { Vault } from '../../../packages/core/src/vault.js';
import { failure, makeVault, people, person, rule, seal, type VaultSpec, type World } from '../../support/vaults.js';

let cast: Record<'alice' | 'bruno' | 'carol' | 'dora', Identity>;
let ci: Identity;
beforeAll(async () => {
  cast = await people('alice', 'bruno', 'carol', 'dora');
  ci = await person('ci', { kind: 'machine' });
});

async function vaultOf(spec: Partial<VaultSpec> = {}): Promise<World> {
  const world = await makeVault({ people: [cast.alice, cast.bruno, cast.carol, cast.dora, ci], admins: ['alice', 'bruno', 'carol'], threshold: 2, roles: { infra: ['alice', 'bruno'], platform: ['carol', 'dora'] }, ...spec });
  await grantMissing(world.vault);
  return world;
}
const lost = (vault: Vault, ...gone: string[]): string[] => lossesWithout(vault.state, gone).map(({ kind, subject }) => `${kind} ${subject}`.trim());

describe('what nobody could do without somebody', () => {
  it('nothing, where others can', async () => {
    const { vault } = await vaultOf();
    await seal(vault, 'app/a');
    for (const name of ['alice', 'bruno', 'carol', 'dora', 'ci']) expect(lost(vault, name)).toEqual([]);
    expect(lost(vault)).toEqual([]);
    expect(singlePoints(vault.state)).toEqual([]);
  });

  it('change the policy: the threshold of the admins', async () => {
    const { vault } = await vaultOf();
    expect(lost(vault, 'carol', 'dora')).not.toContain('policy');
    expect(lost(vault, 'alice', 'carol')).toContain('policy');
  });

  it('a role: its key, what is sealed to it, what it owns and writes', async () => {
    const { vault } = await vaultOf();
    await seal(vault, 'app/a');
    expect(lost(vault, 'alice', 'bruno')).toEqual(['policy', 'key infra', 'decide /', 'write /', 'open app/a']);
  });

  it('who holds only an older key opens only what is older', async () => {
    const { vault } = await vaultOf({ people: [cast.alice, cast.bruno], admins: ['alice'], roles: { infra: ['alice', 'bruno'] }, threshold: 1 });
    await seal(vault, 'app/old');
    const { entries, files } = await turnRole(vault, 'infra');
    // The next key, granted to alice alone.
    await vault.append({ entries: entries.slice(0, 2), files });
    await seal(vault, 'app/new');
    expect(lost(vault, 'alice')).toEqual(['policy', 'key infra', 'open app/new']);
    await grantMissing(vault);
    expect(lost(vault, 'alice')).toEqual(['policy']);
  });

  it('a machine reads and writes, and that is all', async () => {
    const { vault } = await vaultOf({ roles: { infra: ['alice', 'ci'], platform: ['carol', 'dora'] } });
    await seal(vault, 'app/a');
    const found = lossesWithout(vault.state, ['alice']);
    expect(found.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual(['key infra', 'decide /']);
    expect(found[0]?.why).toContain('only ci would hold it');
  });

  it('the consents of a rule', async () => {
    const { vault } = await vaultOf({ rules: [rule('/', 'infra'), rule('pki/', 'infra', { consents: 2 })] });
    expect(lost(vault, 'bruno')).toEqual(['decide pki/']);
  });

  it('who is in a managed role', async () => {
    const { vault } = await vaultOf({ roles: { infra: ['alice', 'bruno'], platform: { members: ['carol', 'dora'], managed: { need: 2, of: ['carol', 'dora'] } } } });
    expect(lost(vault, 'dora')).toEqual(['members platform']);
  });

  it('the first key of a role whose people have not come yet: its steward', async () => {
    const { vault } = await vaultOf({ roles: { infra: ['alice', 'bruno'], platform: { members: [], steward: 'carol' } } });
    expect(lost(vault, 'carol')).toEqual(['key platform']);
    expect(lost(vault, 'dora')).toEqual([]);
  });

  it('a provisional key: its steward, while nobody else has it', async () => {
    const world = await vaultOf({ roles: { infra: ['alice', 'bruno'], platform: { members: [], steward: 'carol' } }, rules: [rule('/', 'infra', { readers: ['infra'] }), rule('p/', 'infra', { readers: ['platform'] })] });
    const carol = await world.as(cast.carol);
    await carol.append(await turnRole(carol, 'platform'));
    await world.vault.refresh();
    await seal(world.vault, 'p/a');
    expect(lost(world.vault, 'carol')).toEqual(['key platform', 'open p/a']);
  });

  it('a custody group', async () => {
    const { vault } = await vaultOf({ custody: { root: { need: 2, of: ['alice', { need: 1, of: ['carol', 'dora'] }] } } });
    expect(lost(vault, 'carol')).toEqual([]);
    expect(lost(vault, 'alice')).toEqual(['custody root']);
    expect(lost(vault, 'carol', 'dora')).toContain('custody root');
  });

  it('does not count what is lost already', async () => {
    const { vault } = await vaultOf({ roles: { infra: ['alice', 'bruno'], platform: { members: [] } } });
    expect(lost(vault, 'dora')).toEqual([]);
    expect(lost(vault, 'alice', 'bruno')).not.toContain('key platform');
  });

  it('refuses who is not there, without repeating what is no name', async () => {
    const { vault } = await vaultOf();
    const typo = await failure(() => lossesWithout(vault.state, ['carole']));
    expect([typo.code, typo.hint]).toEqual(['PERSON_NOT_FOUND', 'Did you mean: carol?']);
    expect((await failure(() => lossesWithout(vault.state, ['S3cret!']))).message).not.toContain('S3cret');
  });
});

it('says one reason in one line', async () => {
  const { vault } = await vaultOf({ people: [cast.alice, cast.carol], admins: ['alice'], roles: { infra: ['alice'], platform: ['carol'] }, threshold: 1, rules: [rule('/', 'infra', { owners: ['infra', 'platform'], writers: ['infra', 'platform'] })] });
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await seal(vault, `app/${name}`);
  expect(lossesInWords(lossesWithout(vault.state, ['alice']))).toEqual([
    'change the policy: it takes 1 of the admins alice, and none would be left',
    'grant or turn the key of infra: nobody else holds it',
    'open app/a, app/b, app/c, app/d, app/e and 2 more: nobody else holds the key of infra',
  ]);
});

describe('single points', () => {
  it('are persons without whom something is lost', async () => {
    const { vault } = await vaultOf({ roles: { infra: ['alice', 'bruno'], platform: ['carol'] } });
    expect(singlePoints(vault.state)).toEqual([]);
    const world = await makeVault({ people: [cast.alice, cast.carol], admins: ['alice'], roles: { infra: ['alice'], platform: ['carol'] } });
    const carol = await world.as(cast.carol);
    await carol.append(await turnRole(carol, 'platform'));
    expect(singlePoints(carol.state).map(({ person: name }) => name)).toEqual(['alice', 'carol']);
  });

  it('are not told of somebody who is alone', async () => {
    const { vault } = await vaultOf({ people: [cast.alice, ci], admins: ['alice'], roles: { infra: ['alice', 'ci'] }, threshold: 1 });
    await seal(vault, 'app/a');
    expect(singlePoints(vault.state)).toEqual([]);
  });
});
