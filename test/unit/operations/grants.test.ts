/** The newest grant of a person counts, and where it is worth nothing, the one before it. */
import { describe, expect, it } from 'vitest';
import { openSecrets } from '../../../packages/core/src/operations/opening/open.js';
import { grantRole } from '../../../packages/core/src/operations/people/role-turn.js';
import { roleKeys } from '../../../packages/core/src/operations/people/role-keys.js';
import { newestEpoch } from '../../../packages/core/src/policy/state.js';
import { grantPath } from '../../../packages/core/src/policy/roles.js';
import { ageEncrypt } from '../../../packages/core/src/primitives/age.js';
import { sha256Hex, utf8 } from '../../../packages/core/src/primitives/hash.js';
import type { Vault } from '../../../packages/core/src/vault.js';
import { foundTeam, type Team } from '../../support/team.js';

/** What a holder with a client of their own may put in the place of bruno's grant. */
async function replaceGrant(team: Team, bytes: Uint8Array, kept = true): Promise<void> {
  const alice = await team.as('alice');
  const { epoch, recipient } = newestEpoch(alice.policy, 'infra')!;
  const blob = { sha256: sha256Hex(bytes), size: bytes.length };
  const path = grantPath('infra', epoch, 'bruno', blob.sha256);
  await alice.append({ entries: [alice.sign('role.grant', { role: 'infra', epoch, recipient, person: 'bruno', blob })], files: [{ path, bytes }] });
  if (!kept) await team.store.remove(path);
}

async function keyOf(vault: Vault): Promise<boolean> {
  return (await roleKeys(vault, 'infra')).has(newestEpoch(vault.policy, 'infra')!.recipient);
}

describe('a grant that is worth nothing', () => {
  it.each([
    ['no age file', async () => utf8('nothing')],
    ['one for somebody else', async (team: Team) => ageEncrypt(utf8('nothing'), [team.cast.card('alice').recipient])],
    ['one without the key', async (team: Team) => ageEncrypt(utf8('# nothing\n'), [team.cast.card('bruno').recipient])],
  ])('takes nothing away: %s', async (_, forged) => {
    const team = await foundTeam();
    await replaceGrant(team, await forged(team));
    await replaceGrant(team, await ageEncrypt(utf8('# nothing again\n'), [team.cast.card('bruno').recipient]));
    expect(await keyOf(await team.as('bruno'))).toBe(true);
  });

  it('is told of where there was none before, by the name of its maker', async () => {
    const team = await foundTeam();
    const bruno = await team.as('bruno');
    const state = newestEpoch(bruno.policy, 'infra')!;
    await replaceGrant(team, utf8('nothing'));
    const before = state.grants.get('bruno')!.blob;
    await team.store.remove(grantPath('infra', state.epoch, 'bruno', before.sha256));
    await expect(roleKeys(await team.as('bruno'), 'infra')).rejects.toMatchObject({ code: 'SEALER_FAULT', message: expect.stringContaining('alice made the grant') });
  });

  it('leaves what it replaced among the files that the log names', async () => {
    const team = await foundTeam();
    await replaceGrant(team, utf8('nothing'));
    const bruno = await team.as('bruno');
    await bruno.append(await grantRole(bruno, 'infra', ['bruno']));
    expect(newestEpoch(bruno.policy, 'infra')!.grants.get('bruno')!.earlier.map(({ maker }) => maker)).toEqual(['alice', 'alice']);
    await expect(openSecrets(bruno, { secrets: [] })).resolves.toEqual([]);
  });
});
