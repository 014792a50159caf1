/** What people read before they sign a policy. */
import { beforeAll, describe, expect, it } from 'vitest';
import { signCard } from '../../../packages/core/src/policy/card.js';
import { deviceOf } from '../../../packages/core/src/policy/people.js';
import type { Policy } from '../../../packages/core/src/policy/policy.js';
import { policyDifference } from '../../../packages/core/src/policy/words.js';
import { makeCast, peopleOf, policyOf, type Cast } from '../../support/policies.js';

let cast: Cast;
let before: Policy;
beforeAll(async () => {
  cast = await makeCast();
  before = policyOf([cast.card('alice'), cast.card('bruno'), cast.card('carol')]);
});

const key = (person: string, device = 0): string => `(key ${cast.card(person, device).id.slice(0, 8)})`;
const said = (...args: Parameters<typeof policyDifference>): string[] => policyDifference(...args).map(({ mark, text }) => `${mark} ${text}`);
const after = (change: Partial<Policy>): Policy => ({ ...before, number: 2, previous: 'b7'.repeat(32), ...change });

describe('policyDifference', () => {
  it('says nothing where nothing changes', () => {
    expect(said(before, after({}))).toEqual([]);
  });

  it('says all of a first policy', () => {
    expect(said(undefined, before)).toEqual([
      `+ alice joins with laptop ${key('alice')}`,
      `+ bruno joins with laptop ${key('bruno')}`,
      `+ carol joins with laptop ${key('carol')}`,
      '+ admins: 1 of alice must sign a policy',
      '+ role infra: alice, bruno',
      '+ role platform: carol',
      '+ / (everything else): infra reads; infra writes; infra owns',
    ]);
  });

  it('says who joins and who leaves, and that their keys never return', () => {
    const { bruno: _, ...rest } = before.persons;
    const persons = { ...rest, dora: { cards: [cast.card('dora').line, cast.card('dora', 1).line] }, ci: { cards: [cast.card('ci').line] } };
    const roles = { ...before.roles, infra: { members: ['alice', 'ci', 'dora'] } };
    expect(said(before, after({ persons, roles }))).toEqual([
      `- bruno leaves; the keys of laptop ${key('bruno')} never return`,
      `+ ci, a machine, joins with laptop ${key('ci')}`,
      `+ dora joins with laptop ${key('dora')}, phone ${key('dora', 1)}`,
      '+ ci becomes a member of infra',
      '+ dora becomes a member of infra',
      '- bruno is no longer a member of infra, but keeps what was sealed to it so far',
    ]);
  });

  it('says new and removed devices', () => {
    const persons = { ...before.persons, alice: { cards: [cast.card('alice', 1).line] } };
    const lines = [
      `+ alice: new device phone ${key('alice', 1)}`,
      `~ alice: the card of laptop ${key('alice')} is left out; unless removed, the device stays`,
      `- alice: device laptop ${key('alice')} is removed; its key never returns`,
      '- the device with key 3f9a2c1b is removed; its key never returns',
      '~ only the admins add and remove devices now, through the policy',
    ];
    expect(said(before, after({ persons, removedDevices: [cast.card('alice').id, '3f9a2c1b'.repeat(8)], devices: 'admins' }))).toEqual(lines);
  });

  it('compares devices with those of the log where it is given', () => {
    const people = peopleOf(before);
    people.set('alice', { kind: 'human', devices: [deviceOf(cast.card('alice', 1), 9)] });
    const phone = { ...before.persons, alice: { cards: [cast.card('alice', 1).line] } };
    expect(said(before, after({ persons: phone }), people)).toEqual([]);
    expect(said(before, after({}), people)).toEqual([
      `+ alice: new device laptop ${key('alice')}`,
      `~ alice: the card of phone ${key('alice', 1)} is left out; unless removed, the device stays`,
    ]);
    expect(said(before, after({ removedDevices: [cast.card('alice', 1).id], persons: phone }), people)).toEqual([
      `- alice: device phone ${key('alice', 1)} is removed; its key never returns`,
    ]);
  });

  it('says that another card for a known key has no effect', () => {
    const { signingKey, card } = cast.identities.get('alice')![0]!;
    const { person, kind, recipient } = card;
    const renamed = signCard({ person, device: 'desk', kind, recipient, created: 1 }, signingKey);
    expect(said(before, after({ persons: { ...before.persons, alice: { cards: [renamed.line] } } }))).toEqual([
      `~ alice: another card for laptop ${key('alice')}, without effect: the enrolled one stays`,
    ]);
    const two = [cast.card('alice').line, cast.card('alice', 1).line];
    const both = { ...before, persons: { ...before.persons, alice: { cards: two } } };
    expect(said(both, { ...both, persons: { ...both.persons, alice: { cards: [...two].reverse() } } })).toEqual(['~ alice: the same cards in another order, without effect']);
  });

  it('says roles, managers and stewards', () => {
    const roles: Policy['roles'] = {
      infra: { members: ['alice', 'bruno'], managed: { need: 2, of: ['alice', 'bruno'] }, steward: 'alice' },
      ops: { members: [], steward: 'carol' },
    };
    const changed = after({ roles });
    expect(said(before, changed)).toEqual([
      '~ 2 of alice bruno may change the members of infra without the admins',
      '~ alice is steward of infra and may make its first key',
      '+ role ops: nobody yet',
      '~ carol is steward of ops and may make its first key',
      '- role platform is gone',
    ]);
    expect(said(changed, { ...changed, roles: { ...roles, infra: { members: ['alice', 'bruno'] } } })).toEqual([
      '~ only the admins may change the members of infra, before 2 of alice bruno',
      '~ infra has no steward any more, before alice',
    ]);
  });

  it('says admins and their threshold', () => {
    expect(said(before, after({ admins: { need: 2, of: ['bruno', 'carol'] } }))).toEqual([
      '+ bruno becomes an admin',
      '+ carol becomes an admin',
      '- alice is no longer an admin',
      '~ a policy needs 2 of 2 admins, before 1 of 1',
    ]);
    expect(said(after({ admins: { need: 2, of: ['alice', 'bruno'] } }), after({ admins: { need: 2, of: ['alice', 'bruno', 'carol'] } }))).toEqual([
      '+ carol becomes an admin',
      '~ a policy needs 2 of 3 admins, before 2 of 2',
    ]);
    expect(said(after({ admins: { need: 1, of: ['bruno'] } }), before)).toEqual(['+ alice becomes an admin', '- bruno is no longer an admin']);
  });

  it('says rules by path', () => {
    const all = before.rules[0]!;
    const dns = { path: 'dns/', owners: ['infra'], writers: ['infra'], readers: ['infra', 'platform'], consents: 2 };
    const wide = after({ rules: [all, dns] });
    expect(said(before, wide)).toEqual([
      '+ dns/: infra, platform read; infra writes; infra owns; 2 owners must consent to a handover (until now / (everything else) decided: infra reads; infra writes; infra owns)',
    ]);
    expect(said(wide, before)).toEqual(['- dns/ has no rule of its own any more: / (everything else) decides: infra reads; infra writes; infra owns']);
    expect(said(wide, { ...wide, rules: [dns] })).toEqual(['- / (everything else) has no rule of its own any more: nobody may write or read it']);
    expect(said(wide, { ...wide, rules: [all, { ...dns, owners: ['platform'], writers: ['infra', 'platform'], readers: ['platform'], consents: 1 }] })).toEqual([
      '- dns/: infra may no longer read',
      '+ dns/: platform may now write',
      '+ dns/: platform may now own',
      '- dns/: infra may no longer own',
      '~ dns/: 1 owner must consent to a handover, before 2',
    ]);
  });

  it('says custody in words', () => {
    const pki = { need: 2, of: [{ need: 2, of: ['alice', 'bruno', 'erin'] }, { need: 1, of: ['frank', 'grace'] }] };
    const root = { path: 'pki/root', owners: ['infra'], writers: ['infra'], readers: ['infra'], consents: 1 };
    const { readers: _, ...kept } = { ...root, custody: 'pki' };
    const read = after({ rules: [root] });
    const held = after({ rules: [kept], custody: { pki } });
    const words = '2 of alice bruno erin AND 1 of frank grace';
    expect(said(read, held)).toEqual([
      `+ custody group pki: ${words}`,
      '- pki/root: infra may no longer read',
      `~ pki/root: under custody of pki (${words}) from its next version on`,
    ]);
    expect(said(held, read)).toEqual(['- custody group pki is gone', '+ pki/root: infra may now read', '~ pki/root: no longer under custody of pki']);
    const other = { ...held, custody: { pki: { need: 1, of: ['alice', 'bruno'] }, ca: pki }, rules: [{ ...kept, custody: 'ca' }] };
    expect(said(held, other)).toEqual([
      `+ custody group ca: ${words}`,
      `~ custody group pki: 1 of alice bruno, before ${words}`,
      `~ pki/root: under custody of ca (${words}) from its next version on, before of pki`,
    ]);
  });

  it('warns of what cannot be undone, first and every time', () => {
    const abandon = { secrets: ['pki/root'], roles: ['platform'] };
    const lines = [
      '! abandons pki/root: those who are left of its custodians may never be able to open it again',
      '! abandons role platform: it may be left without anybody who holds its key, and what only it can read is then lost',
    ];
    expect(said(before, after({ abandon, devices: 'admins' }))).toEqual([...lines, '~ only the admins add and remove devices now, through the policy']);
    expect(said(after({ abandon }), after({ abandon, number: 3 }))).toEqual(lines);
    // What was abandoned or removed before is done: not doing it again is no change.
    expect(said(after({ abandon, removedDevices: ['3f'.repeat(32)] }), before)).toEqual([]);
  });

  it('says what no vault would accept, and a new format', () => {
    expect(said(before, after({ name: 'staging', suite: 'hybrid', nonce: '00'.repeat(32), format: 2 }))).toEqual([
      '! the name of the vault would change from platform to staging, which no vault accepts',
      `! the nonce of the vault would change from ${'5a'.repeat(32)} to ${'00'.repeat(32)}, which no vault accepts`,
      '! the kind of recipients would change from x25519 to hybrid, which no vault accepts',
      '~ policy format 2, before 1: a release that does not know it will stop and ask for an upgrade',
    ]);
  });
});
