/** Asking: who may, for what, to which destination (docs/format.md, "Handover"). */
import { beforeEach, describe, expect, it } from 'vitest';
import { type HandoverLog, NOW } from '../../../support/handover-log.js';
import { handoverPeople } from '../../../support/handover-people.js';
import { person, recipientOf, rule } from '../../../support/vaults.js';

const people = handoverPeople();
let log: HandoverLog;
beforeEach(() => {
  log = people.newLog();
});
const AB = 'ab'.repeat(32);

describe('handover.request', () => {
  it('a member of the destination role, who is no machine', () => {
    expect(log.request('bob', ['dns/key'])).toBe('NOT_ALLOWED');
    expect(log.act('ci', 'handover.request', log.requestBody())).toBe('MACHINE_NOT_ALLOWED');
    expect(log.request('carol', undefined, { role: 'nobody' })).toBe('ROLE_NOT_FOUND');
    expect(log.request('carol')).toBeUndefined();
    expect(log.handover(log.last)).toMatchObject({ by: { person: 'carol' }, targets: [{}, {}], consents: [], releases: [] });
  });

  it('of newest versions that are acknowledged', () => {
    const old = log.newest('dns/key');
    log.must(log.seal('alice', 'dns/key'));
    log.must(log.seal('alice', 'pki/root'));
    const pending = log.state.secrets.versions.get('pki/root')![1]!.digest;
    expect(log.request('carol', ['dns/key'], { targets: [old] })).toBe('RACE_LOST');
    expect(log.request('carol', ['pki/root'], { targets: [pending] })).toBe('RACE_LOST');
    expect(log.request('carol', ['dns/key'], { targets: [AB] })).toBe('VERSION_NOT_FOUND');
    // The acknowledged version before it can still be asked for.
    expect(log.request('carol', ['pki/root'])).toBeUndefined();
  });

  it('what waits for its custodians cannot be retired: nobody uses it yet, and all will', () => {
    const retire = (version: number): string | undefined => log.act('alice', 'secret.retire', { statement: log.state.secrets.versions.get('pki/root')![version - 1]!.digest });
    log.must(log.seal('alice', 'pki/root'));
    expect(retire(2)).toBe('PENDING');
    log.must(log.seal('alice', 'pki/root'));
    for (const who of ['alice', 'bob', 'frank'] as const) log.must(log.ack(who, 'pki/root'));
    expect(retire(3)).toBe('NOT_ALLOWED');
    // It has been passed over.
    expect(retire(2)).toBeUndefined();
  });

  it('not by a custodian of a target', () => {
    log.must(log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, members: ['carol', 'dora', 'frank'] } } })));
    expect(log.request('frank')).toBe('NOT_ALLOWED');
    expect(log.request('frank', ['dns/key'])).toBeUndefined();
    expect(log.request('carol')).toBeUndefined();
  });

  it('while the key of the destination is its own: not missing, provisional or stale', () => {
    expect(log.request('erin', ['dns/key'], { role: 'security', rules: [{ path: 'dns/key', owners: ['security'], writers: ['security'], consents: 1, readers: ['security'] }] })).toBe('EPOCH_MISSING');
    log.must(log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, members: ['dora'] } }, abandon: { secrets: [], roles: ['platform'] } })));
    expect(log.request('dora', ['dns/key'])).toBe('EPOCH_STALE');
    log = people.newLog(people.cast, { roles: { infra: { members: ['alice', 'bob', 'ci'] }, platform: { members: ['carol', 'dora'], steward: 'alice' }, security: { members: ['erin'], steward: 'alice' } } });
    log.must(log.epoch('alice', 'security', true));
    const rules = [{ path: 'dns/key', owners: ['security'], writers: ['security'], consents: 1, readers: ['security'] }];
    expect(log.request('erin', ['dns/key'], { role: 'security', rules })).toBe('EPOCH_STALE');
    log.must(log.epoch('erin', 'security'));
    expect(log.request('erin', ['dns/key'], { role: 'security', rules })).toBeUndefined();
  });

  it('ends after it begins', () => {
    expect(log.request('carol', undefined, { notAfter: NOW })).toBe('EXPIRED');
    expect(log.request('carol', undefined, { notAfter: NOW + 1 })).toBeUndefined();
  });

  it('names a one-time recipient that is usable, of the suite of the vault, and never anybody\'s before', async () => {
    const hybrid = await person('hybrid', { suite: 'hybrid' });
    const mine = log.recipient();
    expect(log.request('carol', undefined, { recipient: people.cast.carol.card.recipient })).toBe('KEY_TAKEN');
    expect(log.request('carol', undefined, { recipient: hybrid.card.recipient })).toBe('MIXED_RECIPIENTS');
    expect(log.request('carol', undefined, { recipient: recipientOf(new Uint8Array(32)) })).toBe('WEAK_KEY');
    expect(log.request('carol', undefined, { recipient: mine })).toBeUndefined();
    expect(log.request('carol', undefined, { recipient: mine })).toBe('KEY_TAKEN');
    expect(log.act('carol', 'role.epoch', { role: 'platform', epoch: 2, recipient: mine, provisional: false })).toBe('KEY_TAKEN');

    // But for a newcomer's card: nobody can know that whoever asked has the private half, and a newcomer is not to be kept out by that.
    const newcomer = await person('newcomer');
    expect(log.request('carol', undefined, { recipient: newcomer.card.recipient })).toBeUndefined();
    expect(log.policy((base) => ({ persons: { ...base.persons, newcomer: { cards: [newcomer.card.line] } } }))).toBeUndefined();
    expect(log.request('carol', undefined, { recipient: newcomer.card.recipient })).toBe('KEY_TAKEN');
  });

  it('asks no more consents of the receivers than they could give; what it has named can be said whoever has left since', () => {
    const rules = (consents: number): object => ({ rules: [{ path: 'dns/key', owners: ['platform'], writers: ['platform'], consents, readers: ['platform'] }] });
    expect(log.request('carol', ['dns/key'], rules(3))).toBe('BAD_VALUE');
    const id = log.ready(log.requested(['dns/key'], rules(2)));
    expect(log.complete(id)).toBeUndefined();
    expect(log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, members: ['carol'] } } }))).toBeUndefined();
    expect(log.policy((base) => ({ rules: base.rules.map((r) => (r.path === 'dns/' ? rule('dns/', 'platform', { consents: 3 }) : r)) }))).toBe('BAD_POLICY');
    expect(log.moved(id)).toBeUndefined();
  });

  it('what is under custody needs a custody group, which there is; and only what is', () => {
    expect(log.request('carol', ['pki/root'], { custody: null })).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['pki/root'], { custody: null, rules: [{ path: 'pki/root', owners: ['platform'], writers: ['platform'], consents: 1, readers: ['platform'] }] })).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['pki/root'], { rules: [{ path: 'pki/root', owners: ['platform'], writers: ['platform'], consents: 1, readers: ['platform'] }] })).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['pki/root'], { custody: 'nowhere' })).toBe('ROLE_NOT_FOUND');
    expect(log.request('carol', ['dns/key'], { custody: 'platform-root' })).toBe('BAD_VALUE');
    expect(log.request('carol', ['dns/key'], { custody: 'platform-root', rules: [{ path: 'dns/key', owners: ['platform'], writers: ['platform'], consents: 1, custody: 'platform-root' }] })).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['pki/root'], { keepReaders: ['infra'] })).toBe('NOT_ALLOWED');
  });

  it('what a rule has put under custody needs it too, though its version was sealed before', () => {
    log.must(log.policy((base) => ({ rules: [...base.rules, { path: 'kube/root', owners: ['infra'], writers: ['infra'], consents: 1, custody: 'pki-root' }].sort((a, b) => (a.path < b.path ? -1 : 1)) })));
    expect(log.request('carol', ['kube/root'])).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['kube/root'], { custody: 'platform-root', rules: [{ path: 'kube/root', owners: ['platform'], writers: ['platform'], consents: 1, custody: 'platform-root' }] })).toBeUndefined();
  });

  it('and so does what was sealed under custody, though its rule names readers by now', () => {
    log.must(log.policy((base) => ({ rules: base.rules.map((r) => (r.path === 'pki/root' ? rule('pki/root', 'infra') : r)) })));
    const plain = { custody: null, rules: [{ path: 'pki/root', owners: ['platform'], writers: ['platform'], consents: 1, readers: ['platform'] }] };
    expect(log.request('carol', ['pki/root'], plain)).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['pki/root'])).toBeUndefined();
  });

  it('keeps readers, and makes none', () => {
    const rules = (path: string, ...readers: string[]): object => ({ rules: [{ path, owners: ['platform'], writers: ['platform'], consents: 1, readers }] });
    expect(log.request('carol', ['dns/key'], { keepReaders: ['nobody'], ...rules('dns/key', 'platform') })).toBe('ROLE_NOT_FOUND');
    expect(log.request('carol', ['dns/key'], { keepReaders: ['security'], ...rules('dns/key', 'platform', 'security') })).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['dns/key'], { keepReaders: ['security'], ...rules('dns/key', 'platform') })).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['dns/key'], { keepReaders: ['infra'], ...rules('dns/key', 'platform') })).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['dns/key'], rules('dns/key', 'infra', 'platform'))).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['dns/key'], { keepReaders: ['infra'], ...rules('dns/key', 'infra', 'platform') })).toBeUndefined();
  });

  it('names the rules of exactly what it asks for', () => {
    const to = (path: string, change: object = {}): object => ({ path, owners: ['platform'], writers: ['platform'], consents: 1, readers: ['platform'], ...change });
    const ask = (names: string[], rules: object[]): string | undefined => log.request('carol', names, { rules, custody: rules.some((r) => 'custody' in r) ? 'platform-root' : null });
    expect(ask(['dns/key'], [to('dns/key'), to('kube/root')])).toBe('NOT_ALLOWED');
    expect(ask(['dns/key', 'kube/root'], [to('dns/key')])).toBe('BAD_VALUE');
    expect(ask(['dns/key', 'kube/root'], [to('kube/root'), to('dns/key')])).toBe('BAD_VALUE');
    expect(ask(['dns/key'], [to('dns/key'), to('dns/key')])).toBe('BAD_VALUE');
    expect(ask(['dns/key'], [to('dns/key', { owners: ['infra', 'platform'] })])).toBe('NOT_ALLOWED');
    expect(ask(['dns/key'], [to('dns/key', { writers: ['infra'] })])).toBe('NOT_ALLOWED');
    // A path takes all rules at and below it along.
    expect(ask(['dns/key', 'kube/root', 'pki/root'], [to('/'), to('dns/')])).toBe('BAD_VALUE');
    const root = { path: 'pki/root', owners: ['platform'], writers: ['platform'], consents: 1, custody: 'platform-root' };
    expect(ask(['dns/key', 'kube/root', 'pki/root'], [to('/'), to('dns/'), root])).toBeUndefined();
    expect(ask(['dns/key'], [to('dns/')])).toBeUndefined();
  });

  it('takes no rule of the policy along that it asks for nothing of, nor makes one below a path', () => {
    const to = (path: string): object => ({ path, owners: ['platform'], writers: ['platform'], consents: 1, readers: ['platform'] });
    log.must(log.policy((base) => ({ rules: [...base.rules, rule('kube/', 'infra'), rule('kube/root', 'infra')].sort((a, b) => (a.path < b.path ? -1 : 1)) })));
    expect(log.request('carol', ['dns/key'], { rules: [to('dns/key'), to('kube/')] })).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['dns/key'], { rules: [to('dns/key'), to('kube/root')] })).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['dns/key'], { rules: [to('dns/'), to('dns/zone/')] })).toBe('NOT_ALLOWED');
    expect(log.request('carol', ['dns/key'], { rules: [to('dns/')] })).toBeUndefined();
  });

  it('asks no more consents of its new owners than their managers', () => {
    log.must(log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, managed: { need: 1, of: ['carol'] } } } })));
    const rules = (consents: number): object => ({ rules: [{ path: 'dns/key', owners: ['platform'], writers: ['platform'], consents, readers: ['platform'] }] });
    expect(log.request('carol', ['dns/key'], rules(2))).toBe('BAD_VALUE');
    expect(log.request('carol', ['dns/key'], rules(1))).toBeUndefined();
  });

  it('nor than it has people: machines give none', () => {
    log.must(log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, members: ['carol', 'ci', 'dora'].sort() } } })));
    expect(log.request('carol', ['dns/key'], { rules: [{ path: 'dns/key', owners: ['platform'], writers: ['platform'], consents: 3, readers: ['platform'] }] })).toBe('BAD_VALUE');
  });

  it('moves admins only to enrolled humans, above half', () => {
    expect(log.request('carol', undefined, { admins: { need: 1, of: ['ci'] } })).toBe('NOT_ALLOWED');
    expect(log.request('carol', undefined, { admins: { need: 1, of: ['zoe'] } })).toBe('NOT_ALLOWED');
    expect(log.request('carol', undefined, { admins: { need: 1, of: ['carol', 'dora'] } })).toBe('THRESHOLD_TOO_LOW');
    expect(log.request('carol', undefined, { admins: { need: 3, of: ['carol', 'dora'] } })).toBe('THRESHOLD_TOO_LOW');
    expect(log.request('carol', undefined, { admins: { need: 2, of: ['carol', 'dora'] } })).toBeUndefined();
  });

  it('use: an owner of every target', () => {
    expect(log.use('carol', ['pki/root'])).toBe('NOT_ALLOWED');
    expect(log.use('bob', ['pki/root'])).toBeUndefined();
  });
});
