/** Consenting: whose counts, for what, and how long it lives (docs/format.md, "Handover"). */
import { beforeEach, describe, expect, it } from 'vitest';
import { type HandoverLog, PLATFORM_ROOT, UNTIL } from '../../../support/handover-log.js';
import { handoverPeople } from '../../../support/handover-people.js';

const people = handoverPeople();
let log: HandoverLog;
beforeEach(() => {
  log = people.newLog();
});
const AB = 'ab'.repeat(32);

describe('handover.consent', () => {
  it('custodians for their own leaf, owners for what is not under custody, nobody else', () => {
    const id = log.requested();
    const [root, dns] = [log.newest('pki/root'), log.newest('dns/key')];
    expect(log.consent('alice', AB, { binds: log.binds(id), ownership: [dns] })).toBe('ENTRY_NOT_FOUND');
    expect(log.consent('dora', id, { ownership: [dns] })).toBe('NOT_ALLOWED');
    expect(log.consent('ci', id, { ownership: [dns] })).toBe('MACHINE_NOT_ALLOWED');
    expect(log.consent('erin', id, { ownership: [dns] })).toBe('NOT_ALLOWED');
    expect(log.consent('alice', id, { ownership: [root], leaves: [] })).toBe('NOT_ALLOWED');
    expect(log.consent('alice', id, { ownership: [log.newest('kube/root')] })).toBe('NOT_ALLOWED');
    expect(log.consent('alice', id, { leaves: [{ statement: root, path: log.path(root, 'bob') }] })).toBe('NOT_ALLOWED');
    expect(log.consent('alice', id, { leaves: [{ statement: dns, path: '0' }] })).toBe('NOT_ALLOWED');
    expect(log.consent('alice', id, { leaves: [], ownership: [] })).toBe('BAD_ENTRY');
    const leaf = { statement: root, path: log.path(root, 'alice') };
    expect(log.consent('alice', id, { leaves: [leaf, leaf] })).toBe('BAD_ENTRY');
    expect(log.consent('alice', id)).toBeUndefined();
    expect(log.consent('alice', id)).toBe('ALREADY_DONE');
    expect(log.consent('grace', id)).toBeUndefined();
  });

  it('never who asks for a transfer, though they own it', () => {
    log.must(log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, members: ['bob', 'carol', 'dora'] } } })));
    log.must(log.epoch('carol', 'platform'));
    const id = log.requested(['dns/key'], {}, 'bob');
    expect(log.consent('bob', id)).toBe('NOT_ALLOWED');
    expect(log.consent('alice', id)).toBeUndefined();
  });

  it('not to what is over, too late, or rotated', () => {
    const id = log.requested(['dns/key']);
    expect(log.consent('alice', id, {}, UNTIL + 1)).toBe('EXPIRED');
    expect(log.consent('alice', id, {}, UNTIL)).toBeUndefined();
    log.must(log.seal('alice', 'dns/key'));
    expect(log.consent('bob', id)).toBe('RACE_LOST');
    const next = log.requested(['dns/key']);
    log.must(log.abort('carol', next));
    expect(log.consent('bob', next)).toBe('ALREADY_DONE');
  });

  it('binds what was looked at: rules, tree, kept roles and the persons of the destination, and this very request', () => {
    const id = log.requested();
    const other = log.requested();
    const binds = log.binds(id);
    expect(log.consent('alice', id, { binds: AB })).toBe('CONSENT_STALE');
    expect(log.consent('alice', id, { binds: log.binds(other) })).toBe('CONSENT_STALE');
    log.must(log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, members: ['carol', 'dora', 'grace'] } } })));
    expect(log.consent('alice', id, { binds })).toBe('CONSENT_STALE');
    expect(log.consent('alice', id)).toBeUndefined();
  });

  it('dies when that changes, and only then', () => {
    const id = log.requested();
    const binds = log.binds(id);
    const same = (code: string | undefined): void => {
      log.must(code);
      expect(log.binds(id)).toBe(binds);
    };
    const differs = (code: string | undefined): void => {
      log.must(code);
      expect(log.binds(id)).not.toBe(binds);
    };
    // Neither a turned key, nor a rule elsewhere, nor the givers' own people.
    same(log.epoch('carol', 'platform'));
    same(log.policy((base) => ({ rules: [...base.rules, { path: 'web/', owners: ['infra'], writers: ['infra'], readers: ['infra'], consents: 1 }] })));
    same(log.policy((base) => ({ roles: { ...base.roles, infra: { members: ['alice', 'bob'] } } })));
    // The same rule under another path is the same rule.
    same(log.policy((base) => ({ rules: [...base.rules, { ...base.rules.find((r) => r.path === 'dns/')!, path: 'dns/key' }].sort((a, b) => (a.path < b.path ? -1 : 1)) })));
    differs(log.policy((base) => ({ rules: base.rules.map((r) => (r.path === 'dns/key' ? { ...r, consents: 2 } : r)) })));
    log.must(log.policy((base) => ({ rules: base.rules.map((r) => (r.path === 'dns/key' ? { ...r, consents: 1 } : r)) })));
    expect(log.binds(id)).toBe(binds);
    differs(log.policy((base) => ({ custody: { ...base.custody, 'platform-root': { ...PLATFORM_ROOT, need: 3 } } })));
    log.must(log.policy((base) => ({ custody: { ...base.custody, 'platform-root': PLATFORM_ROOT } })));
    expect(log.binds(id)).toBe(binds);
    differs(log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, members: ['carol', 'dora', 'grace'] } } })));
  });
});
