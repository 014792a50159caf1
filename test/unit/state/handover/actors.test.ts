/** Devices and people change while a handover goes on: each act is judged by who is there at its leaf (docs/format.md, "Handover"). */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Cast, HandoverLog, Human } from '../../../support/handover-log.js';
import { handoverPeople } from '../../../support/handover-people.js';
import { person, rule } from '../../../support/vaults.js';

const people = handoverPeople();
let own: Cast;
let log: HandoverLog;
beforeEach(() => {
  own = { ...people.cast };
  log = people.newLog(own);
});

describe('who acts, looked at again at every leaf', () => {
  /** The same people, of whom one acts with a second device from here on; the first is removed, perhaps because it was stolen. */
  async function replaced(who: Human): Promise<void> {
    const phone = await person(who, { device: 'phone' });
    log.must(log.act(who, 'device.add', { card: phone.card.line }));
    const stolen = own[who].card.id;
    own[who] = phone;
    log.must(log.act(who, 'device.remove', { key: stolen }));
  }
  /** Somebody else under the same name: the first leaves, and another one comes. */
  async function succeeded(who: Human): Promise<void> {
    const other = await person(who, { salt: 'another' });
    const { [who]: _gone, ...rest } = log.state.policy!.policy.persons;
    const without = (names: readonly string[]): string[] => names.filter((name) => name !== who);
    const before = log.state.policy!.policy.roles;
    log.must(log.policy(() => ({ persons: rest, roles: Object.fromEntries(Object.entries(before).map(([role, def]) => [role, { ...def, members: without(def.members) }])), custody: {}, rules: [rule('/', 'infra'), rule('dns/', 'infra')] })));
    own[who] = other;
    log.must(log.policy((base) => ({ persons: { ...base.persons, [who]: { cards: [other.card.line] } }, roles: before })));
  }
  it('a consent of a device that was removed does not count; its owner gives it again', async () => {
    const id = log.requested();
    for (const who of ['alice', 'bob', 'frank'] as const) log.must(log.consent(who, id));
    await replaced('frank');
    expect(log.release('alice', id)).toBe('CONSENT_STALE');
    expect(log.release('alice', id, [], { consents: log.consents(id).filter((digest) => log.handover(id).consents.find((c) => c.digest === digest)!.by.person !== 'frank') })).toBe('NEEDS_CONSENT');
    // Nor does Frank count with a device that his share was never sealed to: he could release nothing.
    expect(log.consent('frank', id)).toBe('NOT_ALLOWED');
    log.must(log.consent('grace', id));
    const living = log.handover(id).consents.filter((c) => c.by.person !== 'frank').map((c) => c.digest).sort();
    expect(log.release('alice', id, [], { consents: living })).toBeUndefined();
  });

  it('a custodian counts only while a device of theirs can open the share', async () => {
    const id = log.requested();
    const phone = await person('frank', { device: 'phone' });
    log.must(log.act('frank', 'device.add', { card: phone.card.line }));
    const lost = own.frank.card.id;
    own.frank = phone;
    for (const who of ['alice', 'bob', 'frank'] as const) log.must(log.consent(who, id));
    expect(log.release('alice', id)).toBeUndefined();
    log.must(log.act('frank', 'device.remove', { key: lost }));
    expect(log.release('bob', id)).toBe('NEEDS_CONSENT');
  });

  it('an owner consents again with the device that is left', async () => {
    const id = log.requested(['dns/key']);
    log.must(log.consent('bob', id));
    await replaced('bob');
    expect(log.release('alice', id, ['dns/key'])).toBe('CONSENT_STALE');
    const [dead] = log.consents(id);
    log.must(log.consent('bob', id));
    expect(log.release('alice', id, ['dns/key'], { consents: log.consents(id).filter((digest) => digest !== dead) })).toBeUndefined();
  });

  it('a newcomer under the name of a custodian is no custodian', async () => {
    await succeeded('frank');
    log.must(log.use('bob', ['pki/root']));
    const id = log.last;
    expect(log.consent('frank', id)).toBe('NOT_ALLOWED');
    expect(log.consent('grace', id)).toBeUndefined();
  });

  it('nothing leaves for a device that asked and was removed since', async () => {
    const id = log.agreed(log.requested());
    await replaced('carol');
    expect(log.consent('erin', id)).toBe('NOT_ALLOWED');
    expect(log.release('alice', id)).toBe('NOT_ALLOWED');
    expect(log.abort('carol', id)).toBeUndefined();
  });

  it('nothing leaves for who has left the destination, whoever consents afterwards', () => {
    const id = log.requested(['dns/key']);
    log.must(log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, members: ['dora'] } }, abandon: { secrets: [], roles: ['platform'] } })));
    expect(log.consent('alice', id)).toBe('NOT_ALLOWED');
  });

  it('nothing leaves for a use by who owns it no more, or is gone altogether', () => {
    log.must(log.use('bob', ['dns/key']));
    const id = log.last;
    log.must(log.consent('alice', id));
    log.must(log.policy((base) => ({ roles: { ...base.roles, infra: { members: ['alice', 'ci'] } } })));
    expect(log.release('alice', id, ['dns/key'])).toBe('NOT_ALLOWED');
    log.must(log.policy((base) => ({ roles: { ...base.roles, infra: { members: ['alice', 'bob', 'ci'] } } })));
    expect(log.release('alice', id, ['dns/key'])).toBeUndefined();
  });
});
