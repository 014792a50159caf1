/** The receipt: what was received, checked and sealed anew (docs/format.md, "Handover"). */
import { beforeEach, describe, expect, it } from 'vitest';
import { standInFor } from '../../../../packages/core/src/handover/stand-in.js';
import { looseReleases, stageOf } from '../../../../packages/core/src/handover/state.js';
import { type HandoverLog, UNTIL } from '../../../support/handover-log.js';
import { handoverPeople } from '../../../support/handover-people.js';

const people = handoverPeople();
let log: HandoverLog;
beforeEach(() => {
  log = people.newLog();
});
const AB = 'ab'.repeat(32);

describe('handover.complete', () => {
  it('the requester, once, with releases of its own that open everything', () => {
    const id = log.ready(log.requested());
    expect(log.complete(id, {}, undefined, 'dora')).toBe('NOT_ALLOWED');
    const all = log.handover(id).releases.map((r) => r.digest).sort();
    expect(log.complete(id, { releases: [...all, AB].sort() })).toBe('NEEDS_CONSENT');
    for (const left of all) expect(log.complete(id, { releases: all.filter((r) => r !== left) })).toBe('NEEDS_CONSENT');
    expect(log.complete(id, {}, undefined, 'carol', UNTIL + 1)).toBe('EXPIRED');
    expect(log.complete(id)).toBeUndefined();
    expect(log.complete(id)).toBe('ALREADY_DONE');
    expect(stageOf(log.handover(id))).toBe('completed');
    expect(log.newest('dns/key')).toBe(log.state.secrets.versions.get('dns/key')![1]!.digest);
    expect(log.state.secrets.versions.get('pki/root')!.map((v) => v.pending)).toEqual([false, true]);
  });

  it('not a handover that nobody has asked for, nor where the key of one target was never released', () => {
    const id = log.agreed(log.requested(['dns/key', 'kube/root']));
    log.must(log.release('alice', id, ['dns/key']));
    expect(log.act('carol', 'handover.complete', { ...log.receipt(id), request: AB })).toBe('ENTRY_NOT_FOUND');
    expect(log.complete(id)).toBe('NEEDS_CONSENT');
    log.must(log.release('bob', id, ['kube/root']));
    expect(log.complete(id)).toBeUndefined();
  });

  it('is refused for what was rotated meanwhile, and reverts nothing', () => {
    const id = log.ready(log.requested(['dns/key']));
    log.must(log.seal('bob', 'dns/key'));
    expect(log.complete(id)).toBe('RACE_LOST');
  });

  it('what waits for its custodians meanwhile never comes into effect: neither rotation nor handover reverts the other', () => {
    const id = log.ready(log.requested());
    log.must(log.seal('alice', 'pki/root'));
    const rotated = log.state.secrets.versions.get('pki/root')!.at(-1)!.digest;
    const path = log.path(rotated, 'alice');
    log.must(log.ack('bob', 'pki/root'));
    log.must(log.complete(id));
    expect(log.act('alice', 'custody.ack', { statement: rotated, path })).toBe('VERSION_NOT_FOUND');
    for (const who of ['carol', 'dora'] as const) log.must(log.ack(who, 'pki/root'));
    expect(log.state.secrets.versions.get('pki/root')!.map((ver) => ver.pending)).toEqual([false, true, false]);
  });

  it('hands over nothing a second time while it is on its way', () => {
    const [first, second] = [log.ready(log.requested(['pki/root'])), log.ready(log.requested(['pki/root'], {}, 'dora'))];
    log.must(log.complete(first));
    expect(log.complete(second, {}, undefined, 'dora')).toBe('PENDING');
    expect(log.request('dora', ['pki/root'])).toBe('PENDING');
    // Another use of what the custodians still have, if they agree, is another matter.
    expect(log.use('dora', ['pki/root'])).toBeUndefined();
    log.must(log.abort('carol', first));
    expect(log.complete(second, {}, undefined, 'dora')).toBeUndefined();
  });

  it('and what was received beside it is on its way no more', () => {
    log.must(log.complete(log.ready(log.requested())));
    log.must(log.epoch('erin', 'security'));
    expect(log.request('dora', ['pki/root'])).toBe('PENDING');
    expect(log.request('erin', ['dns/key'], { role: 'security', rules: [{ path: 'dns/key', owners: ['security'], writers: ['security'], readers: ['security'], consents: 1 }] })).toBeUndefined();
  });

  it('only to a custody group and kept readers that are still there', () => {
    const root = log.ready(log.requested(['pki/root']));
    const receipt = log.receipt(root);
    log.must(log.policy((base) => ({ custody: { 'pki-root': base.custody['pki-root']! } })));
    expect(log.act('carol', 'handover.complete', receipt)).toBe('ROLE_NOT_FOUND');

    log.must(log.epoch('erin', 'security'));
    log.must(log.policy((base) => ({ rules: base.rules.map((r) => (r.path === 'dns/' ? { ...r, readers: ['infra', 'platform', 'security'] } : r)) })));
    const dns = log.ready(log.requested(['dns/key'], { keepReaders: ['security'], rules: [{ path: 'dns/key', owners: ['platform'], writers: ['platform'], readers: ['platform', 'security'], consents: 1 }] }));
    const statement = log.statement('dns/key', ['platform', 'security'], { origin: { how: 'reseal', of: log.newest('dns/key') } });
    const { security: _gone, ...roles } = log.state.policy!.policy.roles;
    log.must(log.policy((base) => ({ roles, rules: base.rules.map((r) => (r.path === 'dns/' ? { ...r, readers: ['infra', 'platform'] } : r)), abandon: { secrets: [], roles: ['security'] } })));
    expect(log.complete(dns, {}, () => ({ new: statement }))).toBe('ROLE_NOT_FOUND');
  });

  it('not by somebody who has left the destination', () => {
    const id = log.ready(log.requested(['dns/key']));
    log.must(log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, members: ['dora'] } }, abandon: { secrets: [], roles: ['platform'] } })));
    expect(log.complete(id)).toBe('NOT_ALLOWED');
  });

  it('seals the same secret again, exactly to its destination, by the rules of sealing', () => {
    const id = log.ready(log.requested());
    const dns = log.newest('dns/key');
    const origin = { origin: { how: 'reseal', of: dns } };
    const instead = (statement: object | null): string | undefined => log.complete(id, {}, (name) => (name === 'dns/key' ? { new: statement } : {}));
    expect(instead(log.statement('dns/key', ['infra'], origin))).toBe('READERS_MISMATCH');
    expect(instead(log.statement('dns/key', ['infra', 'platform'], origin))).toBe('READERS_MISMATCH');
    expect(instead(log.statement('dns/key', { group: 'platform-root' }, origin))).toBe('READERS_MISMATCH');
    expect(instead(log.statement('dns/key', ['platform'], { ...origin, version: 3 }))).toBe('RACE_LOST');
    expect(instead(log.statement('dns/key', ['platform'], { ...origin, previous: AB }))).toBe('RACE_LOST');
    expect(instead(log.statement('dns/key', ['platform']))).toBe('WRONG_STATEMENT');
    expect(instead(log.statement('dns/key', ['platform'], { ...origin, public: { other: 1 } }))).toBe('WRONG_STATEMENT');
    expect(instead(log.statement('dns/key', ['platform'], { ...origin, parameters: { other: 1 } }))).toBe('WRONG_STATEMENT');
    expect(instead(log.statement('dns/key', ['platform'], { ...origin, kind: 'document' }))).toBe('WRONG_STATEMENT');
    expect(instead(log.statement('kube/root', ['platform'], origin))).toBe('WRONG_STATEMENT');
    expect(instead({ name: 'dns/key' })).toBe('BAD_ENTRY');
    expect(log.complete(id, {}, (name) => (name === 'pki/root' ? { new: log.statement('pki/root', { group: 'pki-root' }, { origin: { how: 'reseal', of: log.newest('pki/root') } }) } : {}))).toBe('READERS_MISMATCH');
    expect(log.complete(id, {}, (name) => (name === 'pki/root' ? { new: log.statement('pki/root', ['platform'], { origin: { how: 'reseal', of: log.newest('pki/root') } }) } : {}))).toBe('READERS_MISMATCH');
    expect(log.complete(id)).toBeUndefined();
  });

  it('the version that was asked for, not an earlier one of another kind', () => {
    log.must(log.seal('alice', 'dns/key', undefined, { kind: 'document' }));
    const id = log.ready(log.requested(['dns/key']));
    const as = (kind: string): object => ({ new: log.statement('dns/key', ['platform'], { origin: { how: 'reseal', of: log.newest('dns/key') }, kind }) });
    expect(log.complete(id, {}, () => as('password'))).toBe('WRONG_STATEMENT');
    expect(log.complete(id, {}, () => as('document'))).toBeUndefined();
  });

  it('names every target once, in order, and how it was checked', () => {
    const id = log.ready(log.requested());
    const { targets } = log.receipt(id) as { targets: object[] };
    expect(log.complete(id, { targets: targets.slice(0, 1) })).toBe('BAD_ENTRY');
    expect(log.complete(id, { targets: [...targets].reverse() })).toBe('BAD_ENTRY');
    expect(log.complete(id, { targets: [...targets, targets[0]] })).toBe('BAD_ENTRY');
    expect(log.complete(id, {}, () => ({ checks: [] }))).toBe('BAD_ENTRY');
    expect(log.complete(id, {}, () => ({ new: null }))).toBe('BAD_ENTRY');
  });

  it('hands over nothing that fails its self-check, and keeps that on the record', () => {
    const id = log.ready(log.requested());
    const bad = [{ check: 'key matches certificate', ok: false }];
    expect(log.complete(id, {}, (name) => (name === 'pki/root' ? { checks: bad } : {}))).toBe('SELF_CHECK_FAILED');
    expect(log.complete(id, {}, (name) => (name === 'pki/root' ? { checks: bad, new: null } : {}))).toBeUndefined();
    expect(log.handover(id).receipt!.targets.find((t) => t.old === log.newest('pki/root'))).toEqual({ old: log.newest('pki/root'), new: null, checks: bad });
    expect(log.state.secrets.versions.get('pki/root')).toHaveLength(1);
    expect(standInFor(log.state.handovers, 'pki/root')).toBeUndefined();
    expect(standInFor(log.state.handovers, 'dns/key')).toBeDefined();
    // It has left its custodians all the same.
    expect(looseReleases(log.state.handovers).get(log.newest('pki/root'))!.map((h) => h.digest)).toEqual([id]);
  });

  it('nothing at all delivered: the handover has failed, and is over', () => {
    const id = log.ready(log.requested(['dns/key']));
    expect(log.complete(id, {}, () => ({ checks: [{ check: 'parses', ok: false }], new: null }))).toBeUndefined();
    expect(stageOf(log.handover(id))).toBe('failed');
    expect(log.finalize(id)).toBe('ALREADY_DONE');
    expect(log.request('carol', ['dns/key'])).toBeUndefined();
  });

  it('use: no new version, and the old one is tainted until it is made anew', () => {
    log.must(log.use('bob', ['pki/root']));
    const id = log.last;
    for (const who of ['alice', 'bob', 'frank'] as const) log.must(log.consent(who, id));
    // Bob's own consent is taken and does not count.
    expect(log.release('alice', id)).toBe('NEEDS_CONSENT');
    log.must(log.consent('erin', id));
    for (const who of ['alice', 'erin', 'frank'] as const) log.must(log.release(who, id));
    const statement = log.statement('pki/root', { group: 'platform-root' });
    expect(log.complete(id, {}, () => ({ new: statement }), 'bob')).toBe('BAD_ENTRY');
    expect(log.complete(id, {}, undefined, 'bob')).toBeUndefined();
    expect(stageOf(log.handover(id))).toBe('done');
    expect(looseReleases(log.state.handovers).get(log.newest('pki/root'))!.map((h) => h.digest)).toEqual([id]);
    expect(log.finalize(id)).toBe('ALREADY_DONE');
  });
});
