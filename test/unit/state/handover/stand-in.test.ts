/** The rule of a completed request decides until the policy says the same (docs/format.md, "Handover"). */
import { beforeEach, describe, expect, it } from 'vitest';
import { standInFor } from '../../../../packages/core/src/handover/stand-in.js';
import { sealAuthority } from '../../../../packages/core/src/seal-authority.js';
import type { HandoverLog } from '../../../support/handover-log.js';
import { handoverPeople } from '../../../support/handover-people.js';

const people = handoverPeople();
let log: HandoverLog;
beforeEach(() => {
  log = people.newLog();
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
    expect(log.act('alice', 'handover.offer', { targets: [log.newest('dns/key')], paths: ['dns/key'], role: 'platform', reason: '' })).toBe('NOT_ALLOWED');
    expect(sealAuthority(log.founded()).rule('dns/key')?.owners).toEqual(['platform']);
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
    expect(sealAuthority(log.founded()).rule('dns/key')?.owners).toEqual(['platform']);
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
    expect(sealAuthority(log.founded()).rule('dns/key')?.owners).toEqual(['security']);
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
