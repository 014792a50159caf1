/** Releasing: nothing leaves before enough have agreed (docs/format.md, "Handover"). */
import { beforeEach, describe, expect, it } from 'vitest';
import { blob, type HandoverLog, UNTIL } from '../../../support/handover-log.js';
import { handoverPeople, recipientIn } from '../../../support/handover-people.js';

const people = handoverPeople();
let log: HandoverLog;
beforeEach(() => {
  log = people.newLog();
});
const AB = 'ab'.repeat(32);

describe('handover.release', () => {
  it('only after consents that are enough, named, of this request, and living', () => {
    const id = log.requested();
    const other = log.requested();
    log.must(log.consent('alice', id));
    expect(log.release('alice', id)).toBe('NEEDS_CONSENT');
    log.must(log.consent('bob', id));
    expect(log.release('alice', id)).toBe('NEEDS_CONSENT');
    log.must(log.consent('frank', other));
    expect(log.release('alice', id, [], { consents: [...log.consents(id), ...log.consents(other)].sort() })).toBe('CONSENT_STALE');
    log.must(log.consent('frank', id));
    expect(log.release('alice', id, [], { consents: log.consents(id).slice(0, 2) })).toBe('NEEDS_CONSENT');
    expect(log.release('alice', id)).toBeUndefined();
  });

  it('not for a handover that nobody has asked for', () => {
    expect(log.act('alice', 'handover.release', { request: AB, consents: [AB], shares: [], keys: [] })).toBe('ENTRY_NOT_FOUND');
  });

  it('rests on no consent that has died: each has to be given again', () => {
    const id = log.agreed(log.requested());
    log.must(log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, members: ['carol', 'dora', 'grace'] } } })));
    const dead = log.consents(id);
    expect(log.release('alice', id)).toBe('CONSENT_STALE');
    log.agreed(id);
    expect(log.release('alice', id)).toBe('CONSENT_STALE');
    expect(log.release('alice', id, [], { consents: log.consents(id).filter((c) => !dead.includes(c)) })).toBeUndefined();
  });

  it('counts as owners only those who still are', () => {
    const id = log.requested(['dns/key']);
    log.must(log.consent('bob', id));
    log.must(log.policy((base) => ({ roles: { ...base.roles, infra: { members: ['alice', 'ci'] } } })));
    expect(log.release('alice', id, ['dns/key'])).toBe('NEEDS_CONSENT');
    log.must(log.consent('alice', id));
    expect(log.release('alice', id, ['dns/key'])).toBeUndefined();
  });

  it('counts as many owners as the rule asks, each person once', () => {
    log.must(log.policy((base) => ({ rules: base.rules.map((r) => (r.path === 'dns/' ? { ...r, consents: 2 } : r)) })));
    const id = log.requested(['dns/key']);
    log.must(log.consent('alice', id));
    expect(log.release('alice', id, ['dns/key'])).toBe('NEEDS_CONSENT');
    log.must(log.consent('bob', id));
    expect(log.release('alice', id, ['dns/key'])).toBeUndefined();
  });

  it('a custodian gives its own share, for which it has consented, sealed to the one-time recipient', () => {
    const id = log.requested();
    const root = log.newest('pki/root');
    for (const who of ['alice', 'bob', 'frank'] as const) log.must(log.consent(who, id));
    const share = (who: string, change: object = {}): object => {
      const leaf = (log.state.secrets.versions.get('pki/root')![0]!.statement as { custody: { leaves: { person: string; path: string; commitment: string }[] } }).custody.leaves.find((l) => l.person === who)!;
      return { shares: [{ statement: root, path: leaf.path, commitment: leaf.commitment, recipient: recipientIn(log, id), blob: blob('x'), ...change }] };
    };
    expect(log.release('alice', id, [], share('bob'))).toBe('NOT_ALLOWED');
    expect(log.release('erin', id, [], share('erin'))).toBe('NEEDS_CONSENT');
    expect(log.release('alice', id, [], share('alice', { commitment: AB }))).toBe('WRONG_STATEMENT');
    expect(log.release('alice', id, [], share('alice', { recipient: AB }))).toBe('WRONG_STATEMENT');
    expect(log.release('alice', id, [], { shares: [] })).toBe('BAD_ENTRY');
    const [once] = (share('alice') as { shares: object[] }).shares;
    expect(log.release('alice', id, [], { shares: [once, once] })).toBe('BAD_ENTRY');
    expect(log.release('alice', id)).toBeUndefined();
    expect(log.release('alice', id)).toBe('ALREADY_DONE');
  });

  it('a file key comes from somebody who reads the version, and is of what is not under custody', () => {
    const id = log.agreed(log.requested());
    const to = recipientIn(log, id);
    const key = (name: string): object => ({ shares: [], keys: [{ statement: log.newest(name), recipient: to, blob: blob('key') }] });
    expect(log.release('frank', id, [], key('dns/key'))).toBe('NOT_ALLOWED');
    expect(log.release('alice', id, [], key('pki/root'))).toBe('NOT_ALLOWED');
    expect(log.release('alice', id, [], key('kube/root'))).toBe('NOT_ALLOWED');
    // The receivers read it already: any reader will do, once its owners have agreed.
    expect(log.release('dora', id, [], key('dns/key'))).toBeUndefined();
  });

  it('not after the end, nor of what was rotated or aborted', () => {
    const id = log.agreed(log.requested(['dns/key']));
    expect(log.release('alice', id, ['dns/key'], {}, UNTIL + 1)).toBe('EXPIRED');
    log.must(log.seal('alice', 'dns/key'));
    expect(log.release('alice', id, ['dns/key'])).toBe('RACE_LOST');
    const next = log.agreed(log.requested(['dns/key']));
    log.must(log.abort('bob', next));
    expect(log.release('alice', next, ['dns/key'])).toBe('ALREADY_DONE');
  });
});
