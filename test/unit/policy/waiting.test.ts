import { describe, expect, it } from 'vitest';
import { policyOutcome, proposePolicy, signPolicy, findProposal } from '../../../packages/core/src/operations/people/policy-change.js';
import { PUT_BACK } from '../../../packages/core/src/errors.js';
import { withMember } from '../../../packages/core/src/operations/people/members.js';
import { failure, flip, makeVault, pathOf, people, person, rawStore, rule, successor } from '../../support/vaults.js';

describe('what an open policy waits for', () => {
  it('is the admins of both policies, less those who have signed', async () => {
    const { alice, bruno, carol } = await people('alice', 'bruno', 'carol');
    const world = await makeVault({ people: [alice, bruno, carol], admins: ['alice', 'bruno', 'carol'], threshold: 2 });
    const change = successor(world.vault, { admins: { need: 2, of: ['bruno', 'carol'] } });
    const proposed = await proposePolicy(world.vault, change);
    expect(proposed).toMatchObject({ inEffect: false, waiting: { need: 2, of: ['bruno', 'carol'] } });
    const asBruno = await world.as(bruno);
    expect(await signPolicy(asBruno, findProposal(asBruno))).toMatchObject({ inEffect: false, waiting: { need: 1, of: ['carol'] } });
    const asCarol = await world.as(carol);
    expect(await signPolicy(asCarol, findProposal(asCarol))).toMatchObject({ inEffect: true, waiting: { need: 0, of: [] } });
  });

  it('is the managers, where only the membership of their role changes', async () => {
    const { alice, carol, dora } = await people('alice', 'carol', 'dora');
    const managed = { members: ['carol', 'dora'], managed: { need: 2, of: ['carol', 'dora'] } };
    const world = await makeVault({ people: [alice, carol, dora], admins: ['alice'], roles: { team: { members: ['alice'] }, platform: managed }, rules: [rule('/', 'team')] });
    const asCarol = await world.as(carol);
    const erin = await person('erin');
    const proposed = await proposePolicy(asCarol, withMember(asCarol.policy, erin.card, { roles: ['platform'] }));
    // One admin would be enough as well; the managers need no more.
    expect(proposed).toMatchObject({ inEffect: false, waiting: { need: 1, of: ['dora'] } });
    const asDora = await world.as(dora);
    await signPolicy(asDora, findProposal(asDora));
    expect(policyOutcome(asDora, proposed.number, proposed.digest)).toMatchObject({ inEffect: true });
    expect(asDora.policy.people.has('erin')).toBe(true);
  });

  it('is not signed when its file is gone or another: one says how to put it back', async () => {
    const { alice, bruno } = await people('alice', 'bruno');
    const store = rawStore();
    const world = await makeVault({ people: [alice, bruno], admins: ['alice', 'bruno'], threshold: 2, store });
    await proposePolicy(world.vault, successor(world.vault, { admins: { need: 1, of: ['alice'] } }));
    const asBruno = await world.as(bruno);
    const path = pathOf(store, /^policy\/0002/);
    const bytes = store.files.get(path)!;
    flip(store.files, path);
    expect(await failure(signPolicy(asBruno, findProposal(asBruno)))).toMatchObject({ code: 'STORE_INCOMPLETE', hint: PUT_BACK });
    store.files.delete(path);
    expect(await failure(signPolicy(asBruno, findProposal(asBruno)))).toMatchObject({ code: 'STORE_INCOMPLETE', hint: PUT_BACK });
    store.files.set(path, bytes);
    expect(await signPolicy(asBruno, findProposal(asBruno))).toMatchObject({ inEffect: true });
  });
});
