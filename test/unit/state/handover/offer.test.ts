/** The giver starts: who may, and that it binds nobody (docs/format.md, "Handover"). */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Cast, HandoverLog } from '../../../support/handover-log.js';
import { handoverPeople } from '../../../support/handover-people.js';

const people = handoverPeople();
let log: HandoverLog;
beforeEach(() => {
  log = people.newLog();
});
const AB = 'ab'.repeat(32);

describe('handover.offer', () => {
  const offer = (by: keyof Cast, change: object = {}): string | undefined => log.act(by, 'handover.offer', { targets: [log.newest('dns/key')], paths: ['dns/key'], role: 'platform', reason: 'go-live', ...change });

  it('an owner of every target, of newest versions, to a role that there is', () => {
    expect(offer('carol')).toBe('NOT_ALLOWED');
    expect(offer('ci')).toBe('MACHINE_NOT_ALLOWED');
    expect(offer('alice', { role: 'constructor' })).toBe('BAD_ENTRY');
    expect(offer('alice', { role: 'nobody' })).toBe('ROLE_NOT_FOUND');
    expect(offer('alice', { targets: [AB] })).toBe('VERSION_NOT_FOUND');
    const old = log.newest('dns/key');
    log.seal('alice', 'dns/key');
    expect(offer('alice', { targets: [old] })).toBe('RACE_LOST');
    expect(offer('alice')).toBeUndefined();
    expect([...log.state.handovers.offers.values()]).toMatchObject([{ role: 'platform', by: { person: 'alice' } }]);
  });

  it('lends no right: a request may name it, of that role only', () => {
    offer('alice');
    const id = log.last;
    expect(log.request('carol', ['dns/key'], { offer: AB })).toBe('ENTRY_NOT_FOUND');
    expect(log.use('alice', ['dns/key'], { offer: id })).toBe('BAD_VALUE');
    expect(log.request('carol', ['dns/key'], { offer: id })).toBeUndefined();
    offer('alice', { role: 'security' });
    expect(log.request('carol', ['dns/key'], { offer: log.last })).toBe('ENTRY_NOT_FOUND');
  });
});
