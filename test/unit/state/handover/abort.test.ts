/** Stopping, and taking back what waits for its custodians (docs/format.md, "Handover"). */
import { beforeEach, describe, expect, it } from 'vitest';
import { looseReleases, stageOf } from '../../../../packages/core/src/handover/state.js';
import { sealAuthority } from '../../../../packages/core/src/seal-authority.js';
import type { HandoverLog } from '../../../support/handover-log.js';
import { handoverPeople } from '../../../support/handover-people.js';

const people = handoverPeople();
let log: HandoverLog;
beforeEach(() => {
  log = people.newLog();
});
const AB = 'ab'.repeat(32);

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
    expect(sealAuthority(log.founded()).rule('pki/root')?.owners).toEqual(['infra']);
    expect(sealAuthority(log.founded()).rule('dns/key')?.owners).toEqual(['platform']);
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
