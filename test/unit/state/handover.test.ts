/** Every act of a handover: who may, and each reason for which it is refused (docs/format.md, "Handover"). */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { looseReleases, stageOf } from '../../../packages/core/src/handover/state.js';
import { standInFor } from '../../../packages/core/src/handover/stand-in.js';
import { authorityOf } from '../../../packages/core/src/ops.js';
import { recipientDigest } from '../../../packages/core/src/handover/release.js';
import { blob, handoverCast, HandoverLog, NOW, PLATFORM_ROOT, UNTIL, type Cast, type Human } from '../../support/handover-log.js';
import { person, recipientOf, rule } from '../../support/vaults.js';

let cast: Cast;
let fresh: string[];
let log: HandoverLog;
beforeAll(async () => {
  ({ cast, fresh } = await handoverCast());
});
beforeEach(() => {
  log = new HandoverLog(cast, fresh);
});

const AB = 'ab'.repeat(32);
const recipient = (id: string): string => recipientDigest(log.handover(id).request.recipient);

describe('handover.offer', () => {
  const offer = (by: keyof Cast, change: object = {}): string | undefined => log.act(by, 'handover.offer', { targets: [log.newest('dns/key')], role: 'platform', reason: 'go-live', ...change });

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
    const other = new HandoverLog(cast, fresh, { roles: { infra: { members: ['alice', 'bob', 'ci'] }, platform: { members: ['carol', 'dora'], steward: 'alice' }, security: { members: ['erin'], steward: 'alice' } } });
    log = other;
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

  it('names a one-time recipient that is usable, of the suite of the vault, and never anybody\'s, before or after', async () => {
    const hybrid = await person('hybrid', { suite: 'hybrid' });
    const mine = log.recipient();
    expect(log.request('carol', undefined, { recipient: cast.carol.card.recipient })).toBe('KEY_TAKEN');
    expect(log.request('carol', undefined, { recipient: hybrid.card.recipient })).toBe('MIXED_RECIPIENTS');
    expect(log.request('carol', undefined, { recipient: recipientOf(new Uint8Array(32)) })).toBe('WEAK_KEY');
    expect(log.request('carol', undefined, { recipient: mine })).toBeUndefined();
    expect(log.request('carol', undefined, { recipient: mine })).toBe('KEY_TAKEN');
    expect(log.act('carol', 'role.epoch', { role: 'platform', epoch: 2, recipient: mine, provisional: false })).toBe('KEY_TAKEN');
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

  it('asks no more consents of its new owners than their managers', () => {
    log.must(log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, managed: { need: 1, of: ['carol'] } } } })));
    const rules = (consents: number): object => ({ rules: [{ path: 'dns/key', owners: ['platform'], writers: ['platform'], consents, readers: ['platform'] }] });
    expect(log.request('carol', ['dns/key'], rules(2))).toBe('BAD_VALUE');
    expect(log.request('carol', ['dns/key'], rules(1))).toBeUndefined();
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
      return { shares: [{ statement: root, path: leaf.path, commitment: leaf.commitment, recipient: recipient(id), blob: blob('x'), ...change }] };
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
    const to = recipient(id);
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

describe('who acts, looked at again at every leaf', () => {
  /** The same people, of whom one acts with a second device from here on; the first is removed, perhaps because it was stolen. */
  async function replaced(who: Human, own: Cast): Promise<void> {
    const phone = await person(who, { device: 'phone' });
    log.must(log.act(who, 'device.add', { card: phone.card.line }));
    const stolen = own[who].card.id;
    own[who] = phone;
    log.must(log.act(who, 'device.remove', { key: stolen }));
  }
  /** Somebody else under the same name: the first leaves, and another one comes. */
  async function succeeded(who: Human, own: Cast): Promise<void> {
    const other = await person(who, { salt: 'another' });
    const { [who]: _gone, ...rest } = log.state.policy!.policy.persons;
    const without = (names: readonly string[]): string[] => names.filter((name) => name !== who);
    const before = log.state.policy!.policy.roles;
    log.must(log.policy(() => ({ persons: rest, roles: Object.fromEntries(Object.entries(before).map(([role, def]) => [role, { ...def, members: without(def.members) }])), custody: {}, rules: [rule('/', 'infra'), rule('dns/', 'infra')] })));
    own[who] = other;
    log.must(log.policy((base) => ({ persons: { ...base.persons, [who]: { cards: [other.card.line] } }, roles: before })));
  }
  let own: Cast;
  beforeEach(() => {
    own = { ...cast };
    log = new HandoverLog(own, fresh);
  });

  it('a consent of a device that was removed does not count; its owner gives it again', async () => {
    const id = log.requested();
    for (const who of ['alice', 'bob', 'frank'] as const) log.must(log.consent(who, id));
    await replaced('frank', own);
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
    await replaced('bob', own);
    expect(log.release('alice', id, ['dns/key'])).toBe('CONSENT_STALE');
    const [dead] = log.consents(id);
    log.must(log.consent('bob', id));
    expect(log.release('alice', id, ['dns/key'], { consents: log.consents(id).filter((digest) => digest !== dead) })).toBeUndefined();
  });

  it('a newcomer under the name of a custodian is no custodian', async () => {
    await succeeded('frank', own);
    log.must(log.use('bob', ['pki/root']));
    const id = log.last;
    expect(log.consent('frank', id)).toBe('NOT_ALLOWED');
    expect(log.consent('grace', id)).toBeUndefined();
  });

  it('nothing leaves for a device that asked and was removed since', async () => {
    const id = log.agreed(log.requested());
    await replaced('carol', own);
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

describe('the rule of a completed request', () => {
  const complete = (names?: string[]): string => {
    const id = log.ready(log.requested(names));
    log.must(log.complete(id));
    return id;
  };

  it('stands in for the policy\'s: the givers cannot undo it, the receivers go on with it', () => {
    complete();
    expect(log.seal('alice', 'dns/key', ['infra', 'platform'])).toBe('NOT_ALLOWED');
    expect(log.seal('carol', 'dns/key', ['infra', 'platform'])).toBe('READERS_MISMATCH');
    expect(log.seal('carol', 'dns/key', ['platform'])).toBeUndefined();
    expect(log.seal('carol', 'pki/root', ['platform'])).toBe('READERS_MISMATCH');
    expect(log.seal('alice', 'pki/root', { group: 'pki-root' })).toBe('NOT_ALLOWED');
    expect(log.act('alice', 'secret.retire', { statement: log.state.secrets.versions.get('dns/key')![0]!.digest })).toBe('NOT_ALLOWED');
    expect(log.act('alice', 'handover.offer', { targets: [log.newest('dns/key')], role: 'platform', reason: '' })).toBe('NOT_ALLOWED');
    expect(authorityOf(log.founded()).rule('dns/key')?.owners).toEqual(['platform']);
    // Only there.
    expect(log.seal('alice', 'dns/other', ['infra', 'platform'])).toBeUndefined();
    expect(log.seal('alice', 'kube/root')).toBeUndefined();
  });

  it('until the policy says the same; then the policy is free again', () => {
    const id = complete(['dns/key']);
    log.must(log.policy((base) => ({ rules: base.rules.map((r) => (r.path === 'dns/' ? { ...r, consents: 2 } : r)) })));
    expect(standInFor(log.state.handovers, 'dns/key')?.handover).toBe(id);
    log.must(log.moved(id));
    expect(standInFor(log.state.handovers, 'dns/key')).toBeUndefined();
    expect(authorityOf(log.founded()).rule('dns/key')?.owners).toEqual(['platform']);
  });

  it('until a later receipt replaces it', () => {
    complete(['dns/key']);
    log.must(log.epoch('erin', 'security'));
    const rules = [{ path: 'dns/key', owners: ['security'], writers: ['security'], consents: 1, readers: ['security'] }];
    log.must(log.request('erin', ['dns/key'], { role: 'security', rules }));
    const next = log.last;
    expect(log.consent('alice', next)).toBe('BAD_ENTRY');
    log.must(log.consent('dora', next));
    log.must(log.release('dora', next, ['dns/key']));
    log.must(log.complete(next, {}, () => ({ new: log.statement('dns/key', ['security'], { origin: { how: 'reseal', of: log.newest('dns/key') } }) }), 'erin'));
    expect(authorityOf(log.founded()).rule('dns/key')?.owners).toEqual(['security']);
    // Of the earlier one too, as long as it could come back.
    expect(log.policy((base) => ({ roles: Object.fromEntries(Object.entries(base.roles).filter(([r]) => r !== 'platform')), rules: base.rules.map((r) => ('readers' in r ? { ...r, readers: ['infra'] } : r)), abandon: { secrets: [], roles: ['platform'] } }))).toBe('WOULD_STRAND');
  });

  it('keeps its roles and its group from being removed', () => {
    complete();
    const without = (base: { roles: Record<string, unknown> }, role: string) => Object.fromEntries(Object.entries(base.roles).filter(([r]) => r !== role)) as never;
    expect(log.policy((base) => ({ roles: without(base, 'platform'), rules: base.rules.map((r) => ('readers' in r ? { ...r, readers: ['infra'] } : r)), abandon: { secrets: [], roles: ['platform'] } }))).toBe('WOULD_STRAND');
    expect(log.policy((base) => ({ custody: { 'pki-root': base.custody['pki-root']! } }))).toBe('WOULD_STRAND');
    expect(log.policy((base) => ({ roles: without(base, 'security') }))).toBeUndefined();
  });
});

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
    expect(['dns/key', 'dns/two'].map((name) => authorityOf(log.founded()).rule(name)?.owners)).toEqual([['security'], ['platform']]);
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
});

describe('handover.abort', () => {
  it('the requester or a consenter, until the receipt', () => {
    const id = log.requested();
    expect(log.abort('alice', AB)).toBe('ENTRY_NOT_FOUND');
    expect(log.abort('alice', id)).toBe('NOT_ALLOWED');
    log.must(log.consent('alice', id));
    expect(log.abort('alice', id)).toBeUndefined();
    expect(log.abort('carol', id)).toBe('ALREADY_DONE');
    expect(stageOf(log.handover(id))).toBe('aborted');
  });

  it('releases count across requests: what was aborted has left all the same', () => {
    const id = log.agreed(log.requested());
    expect(looseReleases(log.state.handovers).get(log.newest('pki/root'))).toBeUndefined();
    log.must(log.release('alice', id));
    log.must(log.abort('carol', id));
    expect(looseReleases(log.state.handovers).get(log.newest('pki/root'))!.map((h) => h.digest)).toEqual([id]);
    expect(looseReleases(log.state.handovers).get(log.newest('dns/key'))).toBeUndefined();
    const next = log.ready(log.requested());
    log.must(log.complete(next));
    expect(looseReleases(log.state.handovers).get(log.newest('pki/root'))!.map((h) => h.digest)).toEqual([id]);
  });

  it('afterwards only for what is pending: version and rule are withdrawn, the number is spent, the rest is finalized', () => {
    const id = log.ready(log.requested());
    log.must(log.complete(id));
    const [, pending] = log.state.secrets.versions.get('pki/root')!;
    expect(log.abort('grace', id)).toBe('NOT_ALLOWED');
    expect(log.abort('frank', id)).toBeUndefined();
    expect(log.handover(id).receipt!.targets.map((t) => t.withdrawn !== undefined)).toEqual(expect.arrayContaining([false, true]));
    expect(log.act('carol', 'custody.ack', { statement: pending!.digest, path: '0' })).toBe('VERSION_NOT_FOUND');
    expect(authorityOf(log.founded()).rule('pki/root')?.owners).toEqual(['infra']);
    expect(authorityOf(log.founded()).rule('dns/key')?.owners).toEqual(['platform']);
    expect(looseReleases(log.state.handovers).get(log.newest('pki/root'))!).toHaveLength(1);
    log.must(log.seal('alice', 'pki/root'));
    expect(log.state.secrets.versions.get('pki/root')!.map((v) => v.statement.version)).toEqual([1, 2, 3]);
    expect(log.abort('carol', id)).toBe('ALREADY_DONE');
    expect(log.finalize(id)).toBe('NEEDS_SIGNATURES');
    // Not the rule of what was taken back.
    log.must(log.policy((base) => ({ rules: [...base.rules, { path: 'dns/key', owners: ['platform'], writers: ['platform'], consents: 1, readers: ['platform'] }].sort((a, b) => (a.path < b.path ? -1 : 1)) })));
    expect(log.finalize(id)).toBeUndefined();
  });

  it('everything withdrawn: aborted', () => {
    const id = log.ready(log.requested(['pki/root']));
    log.must(log.complete(id));
    log.must(log.abort('carol', id));
    expect(stageOf(log.handover(id))).toBe('aborted');
    expect(log.finalize(id)).toBe('ALREADY_DONE');
  });

  it('nothing of it pending: nothing to take back', () => {
    const id = log.ready(log.requested(['dns/key']));
    log.must(log.complete(id));
    expect(log.abort('carol', id)).toBe('ALREADY_DONE');
  });
});

describe('vault.drill', () => {
  it('keeps the newest of each person, of versions that there are', () => {
    const one = log.newest('dns/key');
    expect(log.act('ci', 'vault.drill', { statements: [one], failed: [] })).toBe('MACHINE_NOT_ALLOWED');
    expect(log.act('carol', 'vault.drill', { statements: [AB], failed: [] })).toBe('VERSION_NOT_FOUND');
    expect(log.act('carol', 'vault.drill', { statements: [one], failed: [AB] })).toBe('VERSION_NOT_FOUND');
    expect(log.act('carol', 'vault.drill', { statements: [one], failed: [] })).toBeUndefined();
    expect(log.act('carol', 'vault.drill', { statements: [one], failed: [one] })).toBeUndefined();
    expect(log.state.handovers.drills.get('carol')).toMatchObject({ time: NOW, statements: [one], failed: [one] });
  });
});
