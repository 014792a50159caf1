import { describe, expect, it } from 'vitest';
import { Session } from '../../../packages/core/src/operations/opening/session.js';
import { readLog } from '../../../packages/core/src/operations/log/view.js';
import { endStanding, giveStanding } from '../../../packages/core/src/operations/opening/standing.js';
import type { Vault } from '../../../packages/core/src/vault.js';
import { codeOf, makeVault, memoryLocal, NOW, openAs, people, person, rule, seal } from '../../support/vaults.js';

const words = async (vault: Vault): Promise<string[]> => {
  await vault.refresh();
  return (await readLog(vault)).filter((line) => line.op === 'secret.open').map((line) => line.words);
};

async function world(): Promise<{ alice: Vault; robot: Vault }> {
  const { alice } = await people('alice');
  const ci = await person('ci', { kind: 'machine' });
  const { store, vault } = await makeVault({ people: [alice, ci], roles: { team: ['alice', 'ci'] }, rules: [rule('/', 'team')] });
  for (const name of ['app/one', 'app/two', 'dns/key']) await seal(vault, name);
  return { alice: vault, robot: await openAs(store, ci) };
}

describe('a session', () => {
  it('records its scope before it serves, nothing in between, and what it opened at the end', async () => {
    const { alice } = await world();
    const session = await Session.begin(alice, { scope: ['app/'], purpose: 'agent' });
    expect(await words(alice)).toEqual(['began a session that may open app/ (agent)']);
    for (let i = 0; i < 3; i++) expect((await session.open('app/one')).file.useText((text) => text)).toBe('value of app/one');
    await session.open('app/two', 1);
    expect(await words(alice)).toHaveLength(1);
    expect(session.opened).toEqual(['app/one', 'app/two']);
    await session.end();
    await session.end();
    expect(await words(alice)).toEqual(['began a session that may open app/ (agent)', expect.stringMatching(/^ended a session that opened (app\/one v1, app\/two v1|app\/two v1, app\/one v1) \(agent\)$/)]);
    expect(await codeOf(session.open('app/one'))).toBe('NOT_ALLOWED');
  });

  it('opens nothing outside of its scope', async () => {
    const { alice } = await world();
    const session = await Session.begin(alice, { scope: ['app/one'], purpose: 'agent' });
    expect(await codeOf(session.open('app/two'))).toBe('NOT_ALLOWED');
    expect(await codeOf(session.open('dns/key'))).toBe('NOT_ALLOWED');
    expect(session.opened).toEqual([]);
  });

  it.each([[[]], [['']], [['../x']], [['App']]])('refuses the scope %j', async (scope) => {
    const { alice } = await world();
    expect(await codeOf(Session.begin(alice, { scope, purpose: 'agent' }))).toBe('BAD_NAME');
    expect(await words(alice)).toEqual([]);
  });

  it('does not begin where its record cannot be kept', async () => {
    const { alice } = await world();
    const { store, identity } = alice;
    const vault = await openAs(store, identity, { local: { ...memoryLocal(), write: (path) => (path.includes('/queue/') ? Promise.reject(new Error('disk full')) : Promise.resolve()) } });
    await expect(Session.begin(vault, { scope: ['/'], purpose: 'agent' })).rejects.toThrow('disk full');
  });

  it('of a machine writes nothing where all of it stands, and one by one what does not', async () => {
    const { alice, robot } = await world();
    await giveStanding(alice, 'ci', ['/'], NOW + 1000);
    await robot.refresh();
    const session = await Session.begin(robot, { scope: ['/'], purpose: 'exec' });
    expect(session.id).toBeUndefined();
    await session.open('app/one');
    await giveStanding(alice, 'ci', ['app/'], NOW + 2000);
    await endStanding(alice, 'ci', ['dns/key']);
    await robot.refresh();
    await session.open('dns/key');
    await session.end();
    expect(await words(robot)).toEqual(['opened dns/key v1 (exec)']);
  });
});
