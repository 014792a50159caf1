/** What a person's devices can do alone, and what goes with them. */
import { describe, expect, it } from 'vitest';
import { removeDevice } from '../../../packages/core/src/operations/people/devices.js';
import { doHousekeeping } from '../../../packages/core/src/operations/housekeeping.js';
import { vaultStatus } from '../../../packages/core/src/operations/status/status.js';
import { holders, newestEpoch } from '../../../packages/core/src/policy/state.js';
import { createIdentity, type Identity } from '../../../packages/core/src/policy/identity.js';
import { Vault } from '../../../packages/core/src/vault.js';
import { clock, foundTeam, memoryLocal, NOW, type Team } from '../../support/team.js';

const makePerson = (person: string, device: string): Promise<Identity> => createIdentity({ person, device, kind: 'human', suite: 'x25519', now: NOW });

/** Carol, alone in platform, has a second device that was never granted its key. */
async function withUngrantedLaptop(): Promise<{ team: Team; second: Vault }> {
  const team = await foundTeam();
  const carol = await team.as('carol');
  const identity = await makePerson('carol', 'laptop2');
  await carol.append({ entries: [carol.sign('device.add', { card: identity.card.line })], files: [] });
  const second = await Vault.open({ store: team.store, local: memoryLocal(), clock, identity, expect: team.id });
  return { team, second };
}

describe('the last device that can open a role key', () => {
  it('is not removed by a slip, and what to do is said', async () => {
    const { second } = await withUngrantedLaptop();
    const [old] = second.policy.people.get('carol')!.devices;
    await expect(removeDevice(second, old!)).rejects.toMatchObject({ code: 'WOULD_STRAND', message: expect.stringContaining('the key of role platform') });
    expect(second.policy.people.get('carol')!.devices).toHaveLength(2);
  });

  it('goes where it is lost: its key is gone with it, and the role begins anew', async () => {
    const { second } = await withUngrantedLaptop();
    const before = newestEpoch(second.policy, 'platform')!.epoch;
    const [old] = second.policy.people.get('carol')!.devices;
    expect((await removeDevice(second, old!, { lost: true })).turned).toEqual(['platform']);
    expect(newestEpoch(second.policy, 'platform')!.epoch).toBe(before + 1);
    expect(holders(second.policy, 'platform')).toEqual(['carol']);
    expect((await doHousekeeping(second)).faults).toEqual([]);
  });

  it('is no obstacle once it has granted the other one', async () => {
    const { team, second } = await withUngrantedLaptop();
    await doHousekeeping(await team.as('carol'));
    await second.refresh();
    const [old] = second.policy.people.get('carol')!.devices;
    expect((await removeDevice(second, old!)).turned).toEqual(['platform']);
  });
});

describe('status, for a device that is not enrolled', () => {
  const asked = async (team: Team, person: string, device: string): Promise<string[]> => {
    const { card } = await makePerson(person, device);
    return (await vaultStatus(await team.as('alice'), card)).items.filter(({ mine }) => mine).map(({ text, next }) => `${text} | ${next}`);
  };

  it('says who can add somebody new', async () => {
    expect(await asked(await foundTeam(), 'erin', 'laptop')).toEqual([expect.stringMatching(/^you \(erin, device laptop\) are not enrolled: send your card to .*alice.* \| oxp-vault identity show --card > erin\.card$/)]);
  });

  it('sends a further laptop to the one before it', async () => {
    expect(await asked(await foundTeam(), 'bruno', 'laptop2')).toEqual([expect.stringMatching(/bruno has other devices here.* \| oxp-vault device add bruno\.card$/)]);
  });
});
