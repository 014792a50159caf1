import { describe, expect, it } from 'vitest';
import { knownTo } from '../../../packages/core/src/operations/known-secrets.js';
import { grantMissing, turnDueKeys, withMember, withoutMember } from '../../../packages/core/src/operations/members.js';
import { turnRole } from '../../../packages/core/src/operations/role-turn.js';
import { proposePolicy } from '../../../packages/core/src/operations/policy-change.js';
import { makeVault, people, person, rule, seal } from '../../support/vaults.js';

const names = async (vault: Parameters<typeof knownTo>[0], who: string): Promise<string[]> =>
  (await knownTo(vault, who)).map((secret) => `${secret.name} ${secret.versions.join(',')}: ${secret.how}`);

describe('knownTo', () => {
  it('counts what the granted keys open, the earlier epochs included, and what somebody sealed', async () => {
    const { alice, carol } = await people('alice', 'carol');
    const world = await makeVault({ people: [alice, carol], roles: { infra: ['alice'], platform: ['carol'] }, rules: [rule('/', 'infra'), rule('dns/', 'infra', { readers: ['platform'] })] });
    const { vault } = world;
    const asCarol = await world.as(carol);
    await asCarol.append(await turnRole(asCarol, 'platform'));
    await vault.refresh();
    await seal(vault, 'app/db');
    await seal(vault, 'dns/key');
    expect(await names(vault, 'carol')).toEqual(['dns/key 1: member of platform']);
    expect(await names(vault, 'alice')).toEqual(['app/db 1: member of infra', 'dns/key 1: sealed it']);
    expect(await names(vault, 'nobody')).toEqual([]);
  });

  it('does not count what was sealed after somebody left', async () => {
    const { alice } = await people('alice');
    const world = await makeVault({ people: [alice] });
    const { vault } = world;
    const dora = await person('dora');
    await proposePolicy(vault, withMember(vault.policy, dora.card, { roles: ['team'] }));
    await grantMissing(vault);
    await seal(vault, 'app/db');
    await proposePolicy(vault, withoutMember(vault.policy, 'dora'));
    expect(await turnDueKeys(vault)).toEqual(['team']);
    await seal(vault, 'app/db', 'the next one');
    await seal(vault, 'app/new');
    expect(await names(vault, 'dora')).toEqual(['app/db 1: member of team']);
    expect(await knownTo(vault, 'dora')).toMatchObject([{ inUse: true, rotation: { how: 'generate' } }]);

    // The new version alone replaces nothing: the old one answers until it is deployed nowhere.
    const [first] = vault.state.secrets.secrets.get('app/db')!;
    await vault.append({ entries: [vault.sign('secret.retire', { statement: first!.digest })], files: [] });
    expect(await knownTo(vault, 'dora')).toMatchObject([{ inUse: false }]);
  });
});
