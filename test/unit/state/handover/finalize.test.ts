/** Finishing: the policy says it, and nothing waits any more (docs/format.md, "Handover"). */
import { beforeEach, describe, expect, it } from 'vitest';
import { stageOf } from '../../../../packages/core/src/handover/state.js';
import { sealAuthority } from '../../../../packages/core/src/seal-authority.js';
import type { HandoverLog } from '../../../support/handover-log.js';
import { handoverPeople } from '../../../support/handover-people.js';

const people = handoverPeople();
let log: HandoverLog;
beforeEach(() => {
  log = people.newLog();
});
const AB = 'ab'.repeat(32);

describe('handover.finalize', () => {
  const completed = (names?: string[], change: object = {}): string => {
    const id = log.ready(log.requested(names, change));
    log.must(log.complete(id));
    return id;
  };

  it('a member of the destination, of the policy in effect, once the policy says it', () => {
    const id = completed(['dns/key']);
    expect(log.finalize(AB)).toBe('ENTRY_NOT_FOUND');
    expect(log.finalize(id, {}, 'alice')).toBe('NOT_ALLOWED');
    expect(log.finalize(id)).toBe('NEEDS_SIGNATURES');
    log.must(log.moved(id));
    expect(log.finalize(id, { policy: AB })).toBe('STALE_DRAFT');
    expect(log.finalize(id, { unrotated: [AB] })).toBe('VERSION_NOT_FOUND');
    expect(log.finalize(id, { unrotated: [log.newest('dns/key')] }, 'dora')).toBeUndefined();
    expect(log.finalize(id)).toBe('ALREADY_DONE');
    expect(stageOf(log.handover(id))).toBe('done');
  });

  it('not before the receipt, nor while a new version waits for its custodians', () => {
    const open = log.requested(['dns/key']);
    expect(log.finalize(open)).toBe('PENDING');
    const id = completed();
    log.must(log.moved(id));
    expect(log.finalize(id)).toBe('PENDING');
    log.must(log.ack('carol', 'pki/root'));
    expect(log.finalize(id)).toBe('PENDING');
    log.must(log.ack('dora', 'pki/root'));
    expect(log.finalize(id)).toBeUndefined();
  });

  it('also where the admins have changed the policy again since it said so', () => {
    const id = completed(['dns/key']);
    log.must(log.moved(id));
    log.must(log.policy((base) => ({ rules: base.rules.filter((r) => r.path !== 'dns/key') })));
    expect(log.finalize(id)).toBeUndefined();
  });

  it('not while other admins are in effect than it asked for', () => {
    const id = completed(['dns/key'], { admins: { need: 2, of: ['carol', 'dora'] } });
    log.must(log.policy((base) => ({ rules: [...base.rules, { path: 'dns/key', owners: ['platform'], writers: ['platform'], consents: 1, readers: ['platform'] }].sort((a, b) => (a.path < b.path ? -1 : 1)) })));
    expect(log.finalize(id)).toBe('NEEDS_SIGNATURES');
  });

  it('not where the policy has a rule of its own for a target', () => {
    const id = completed(['dns/key'], { rules: [{ path: 'dns/', owners: ['platform'], writers: ['platform'], consents: 1, readers: ['platform'] }] });
    log.must(log.policy((base) => ({ rules: [...base.rules.map((r) => (r.path === 'dns/' ? { path: 'dns/', owners: ['platform'], writers: ['platform'], consents: 1, readers: ['platform'] } : r)), { path: 'dns/key', owners: ['infra'], writers: ['infra'], consents: 1, readers: ['infra'] }].sort((a, b) => (a.path < b.path ? -1 : 1)) })));
    expect(log.finalize(id)).toBe('NEEDS_SIGNATURES');
  });

  it('a path takes the rules below it along, those too that decide for nothing yet; another path that says the same will do', () => {
    const zone = { path: 'dns/zone/', owners: ['infra'], writers: ['infra'], consents: 1, readers: ['infra'] };
    log.must(log.policy((base) => ({ rules: [...base.rules, zone].sort((a, b) => (a.path < b.path ? -1 : 1)) })));
    const [whole, part] = ['dns/', 'dns/zone/'].map((path) => ({ path, owners: ['platform'], writers: ['platform'], consents: 1, readers: ['platform'] }));
    const id = completed(['dns/key'], { rules: [whole, part] });
    log.must(log.policy((base) => ({ rules: base.rules.map((r) => (r.path === 'dns/' ? { ...whole!, path: 'dns/' } : r)) })));
    expect(log.finalize(id)).toBe('NEEDS_SIGNATURES');
    log.must(log.policy((base) => ({ rules: base.rules.filter((r) => r.path !== 'dns/zone/') })));
    expect(log.finalize(id)).toBeUndefined();
  });

  it('what was handed on since is no longer its concern: nobody has to take it back to be done', () => {
    log.must(log.seal('alice', 'dns/two'));
    const first = log.ready(log.requested(['dns/key', 'dns/two'], { rules: [{ path: 'dns/', owners: ['platform'], writers: ['platform'], readers: ['platform'], consents: 1 }] }));
    log.must(log.complete(first));
    log.must(log.epoch('erin', 'security'));
    const security = { role: 'security', rules: [{ path: 'dns/key', owners: ['security'], writers: ['security'], readers: ['security'], consents: 1 }] };
    const second = log.requested(['dns/key'], security, 'erin');
    log.must(log.consent('dora', second));
    log.must(log.release('dora', second, ['dns/key']));
    log.must(log.complete(second, {}, () => ({ new: log.statement('dns/key', ['security'], { origin: { how: 'reseal', of: log.newest('dns/key') } }) }), 'erin'));
    log.must(log.moved(second));
    log.must(log.finalize(second, {}, 'erin'));
    expect(log.finalize(first)).toBe('NEEDS_SIGNATURES');
    log.must(log.moved(first));
    expect(log.finalize(first)).toBeUndefined();
    expect(['dns/key', 'dns/two'].map((name) => sealAuthority(log.founded()).rule(name)?.owners)).toEqual([['security'], ['platform']]);
  });

  it('a path waits for everything below it', () => {
    log.must(log.seal('alice', 'dns/other'));
    const id = completed(['dns/key'], { rules: [{ path: 'dns/', owners: ['platform'], writers: ['platform'], consents: 1, readers: ['platform'] }] });
    log.must(log.moved(id));
    expect(log.finalize(id)).toBe('PENDING');
    // Sealed anew by its new owners, or handed over as well.
    log.must(log.seal('carol', 'dns/other', ['platform']));
    expect(log.finalize(id)).toBeUndefined();
  });

  const platform = (path: string): object => ({ path, owners: ['platform'], writers: ['platform'], readers: ['platform'], consents: 1 });

  it('what its own people sealed below a path after the receipt is not handed over: it went to other readers', () => {
    const id = completed(['dns/key'], { rules: [platform('dns/')] });
    log.must(log.seal('alice', 'dns/late'));
    log.must(log.moved(id));
    expect(log.finalize(id)).toBe('PENDING');
  });

  it('nor what was sealed to the same readers before the receipt', () => {
    log.must(log.policy((base) => ({ rules: base.rules.map((r) => (r.path === 'dns/' ? { ...r, readers: ['platform'] } : r)) })));
    log.must(log.seal('alice', 'dns/early'));
    const id = completed(['dns/key'], { rules: [platform('dns/')] });
    log.must(log.moved(id));
    expect(log.finalize(id)).toBe('PENDING');
  });

  it('nor what was handed over to another role', () => {
    log.must(log.epoch('erin', 'security'));
    const away = log.requested(['dns/key'], { role: 'security', rules: [{ path: 'dns/key', owners: ['security'], writers: ['security'], readers: ['security'], consents: 1 }] }, 'erin');
    log.must(log.release('alice', log.agreed(away), ['dns/key']));
    log.must(log.complete(away, {}, () => ({ new: log.statement('dns/key', ['security'], { origin: { how: 'reseal', of: log.newest('dns/key') } }) }), 'erin'));
    log.must(log.moved(away));
    log.must(log.seal('alice', 'dns/other'));
    const id = completed(['dns/other'], { rules: [platform('dns/'), platform('dns/key')] });
    log.must(log.moved(id));
    expect(log.finalize(id)).toBe('PENDING');
  });

  it('a policy that took effect before the receipt does not count as having said it', () => {
    const id = log.ready(log.requested(['dns/key']));
    log.must(log.policy(() => ({})));
    log.must(log.complete(id));
    expect(log.finalize(id)).toBe('NEEDS_SIGNATURES');
  });

  it('once the admins are those that it asked for', () => {
    const id = completed(['dns/key'], { admins: { need: 1, of: ['carol'] } });
    log.must(log.moved(id));
    expect(log.act('carol', 'policy.sign', { digest: log.state.policy!.proposals[0]!.digest })).toBeUndefined();
    expect(log.finalize(id)).toBeUndefined();
  });

  it('a path that one target arrived under moves, and does not wait for what failed its check', () => {
    log.must(log.seal('alice', 'dns/other'));
    const id = log.ready(log.requested(['dns/key', 'dns/other'], { rules: [platform('dns/')] }));
    log.must(log.complete(id, {}, (name) => (name === 'dns/other' ? { checks: [{ check: 'parses', ok: false }], new: null } : {})));
    expect(log.finalize(id)).toBe('NEEDS_SIGNATURES');
    log.must(log.seal('alice', 'dns/third'));
    log.must(log.moved(id));
    // But for what nobody has asked for yet.
    expect(log.finalize(id)).toBe('PENDING');
    log.must(log.seal('carol', 'dns/third', ['platform']));
    expect(log.finalize(id)).toBeUndefined();
  });

  it('nor for what an abort has taken back', () => {
    log.must(log.seal('alice', 'pki/web'));
    const id = completed(['pki/root', 'pki/web'], { rules: [platform('pki/'), { path: 'pki/root', owners: ['platform'], writers: ['platform'], custody: 'platform-root', consents: 1 }] });
    log.must(log.abort('carol', id));
    log.must(log.policy((base) => ({ rules: [...base.rules, { path: 'pki/', owners: ['platform'], writers: ['platform'], readers: ['platform'], consents: 1 }].sort((a, b) => (a.path < b.path ? -1 : 1)) })));
    expect(log.finalize(id)).toBeUndefined();
  });
});
