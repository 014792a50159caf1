/** Exposure over logs without files: who could have seen what, by each way of seeing. A way that is taken out fails a test here. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { enrolmentsOf, type PolicyInEffect } from '../../../packages/core/src/operations/people/enrolments.js';
import { evidenceOf } from '../../../packages/core/src/operations/exposure/evidence.js';
import { exposureFrom, type ExposureQuery } from '../../../packages/core/src/operations/exposure/exposure.js';
import type { Knowledge } from '../../../packages/core/src/operations/exposure/knowledge.js';
import { readLeaf, type WalkedLeaf } from '../../../packages/core/src/operations/log/walk.js';
import { checkPolicyFile } from '../../../packages/core/src/policy/policy.js';
import { handoverCast, HandoverLog, NOW, PKI_ROOT, PLATFORM_ROOT, UNTIL, type Cast } from '../../support/handover-log.js';
import { rule } from '../../support/vaults.js';
import type { Policy } from '../../../packages/core/src/index.js';

let cast: Cast;
let fresh: string[];
let log: HandoverLog;
beforeAll(async () => {
  ({ cast, fresh } = await handoverCast());
});
beforeEach(() => {
  log = new HandoverLog(cast, fresh);
});

const keptBy = (path: string, custody: string): Policy['rules'][number] => ({ path, owners: ['infra'], writers: ['infra'], custody, consents: 1 });

/** Alice is the only admin here: what she proposes takes effect at once. */
async function evidence() {
  const walked: WalkedLeaf[] = [];
  const policies: PolicyInEffect[] = [];
  for (const [leaf, { data, file }] of log.leaves.entries()) {
    if (log.state.voids.has(String(leaf))) continue;
    walked.push({ leaf, data, ...(await readLeaf(data, async () => undefined)) });
    const checked = file && checkPolicyFile(file);
    if (checked && 'policy' in checked) policies.push({ leaf, checked });
  }
  return evidenceOf(log.state, walked, enrolmentsOf(policies, walked));
}

async function known(query: ExposureQuery): Promise<readonly Knowledge[]> {
  return (await exposureFrom(log.founded(), await evidence(), query)).knowledge;
}

/** `dns/key 1,2: member of infra [1,2]; generated it [1] | same` by person. */
async function words(query: ExposureQuery): Promise<string[]> {
  return (await known(query)).map(({ person, name, versions, how, replaced, alone, entitled }) =>
    `${person}${entitled ? '' : '!'} ${name} ${versions.join()}${alone ? '' : ' shared'}: ${how.map((h) => `${h.words} [${h.versions.join()}]`).join('; ')} | ${replaced.status}`);
}

describe('custody', () => {
  it('a custodian has one share, which is not enough alone; whoever sealed it has seen it', async () => {
    expect(await words({ names: ['pki/root'] })).toEqual([
      'alice pki/root 1: generated it [1]; one share (not enough alone) [1] | same',
      'bob pki/root 1 shared: one share (not enough alone) [1] | same',
      'erin pki/root 1 shared: one share (not enough alone) [1] | same',
      'frank pki/root 1 shared: one share (not enough alone) [1] | same',
      'grace pki/root 1 shared: one share (not enough alone) [1] | same',
    ]);
  });

  it('a share that is enough alone is said to be', async () => {
    log = new HandoverLog(cast, fresh, {
      custody: { 'pki-root': PKI_ROOT, 'platform-root': PLATFORM_ROOT, any: { need: 1, of: ['carol', 'dora'] } },
      rules: [rule('/', 'infra'), keptBy('pki/any', 'any'), keptBy('pki/root', 'pki-root')],
    });
    log.must(log.seal('alice', 'pki/any'));
    expect(await known({ names: ['pki/any'], persons: ['dora'] })).toMatchObject([{ alone: true, how: [{ how: 'custodian', words: 'one share (enough alone)' }] }]);
  });

  it('shares add up: leavers who together have enough, and any persons that are asked for', async () => {
    const together = async (query: ExposureQuery = {}) => (await exposureFrom(log.founded(), await evidence(), query)).together;
    expect(await together({ persons: ['bob', 'erin'] })).toEqual([]);
    expect(await together({ persons: ['bob', 'erin', 'grace'] })).toEqual([{ name: 'pki/root', version: 1, persons: ['bob', 'erin', 'grace'] }]);
    // Alice generated it, and so needs nobody; but her share counts.
    expect(await together({ persons: ['alice', 'bob', 'frank'] })).toHaveLength(1);
    expect(await together()).toEqual([]);
    log.must(log.policy((base) => ({ custody: { ...base.custody, 'pki-root': { need: 2, of: ['alice', 'dora'] } } })));
    log.must(log.seal('alice', 'pki/root', undefined, { origin: { how: 'reseal', of: log.newest('pki/root') } }));
    for (const who of ['alice', 'dora'] as const) log.must(log.ack(who, 'pki/root'));
    // The same value went to other custodians: those before can still put it together.
    expect(await together()).toEqual([{ name: 'pki/root', version: 1, persons: ['bob', 'erin', 'frank', 'grace'] }]);
  });
});

describe('handovers', () => {
  it('who received and completed, who released; what is sealed for the receivers has the same value', async () => {
    const id = log.ready(log.requested());
    const short = id.slice(0, 8);
    expect(await words({ persons: ['carol'], names: ['pki/root'] })).toEqual([`carol! pki/root 1: was given enough shares in handover ${short} [1] | same`]);
    log.must(log.complete(id));
    for (const who of ['carol', 'dora'] as const) log.must(log.ack(who, 'pki/root'));
    expect(await words({ persons: ['carol'] })).toEqual([
      `carol dns/key 1,2: sealed it again [2]; member of platform [1,2]; was given the file key in handover ${short} [1]; completed in handover ${short} [1] | same`,
      `carol pki/root 1,2: sealed it again [2]; one share (not enough alone) [2]; was given enough shares in handover ${short} [1]; completed in handover ${short} [1] | same`,
    ]);
    expect(await words({ persons: ['alice'] })).toEqual([
      `alice! dns/key 1: generated it [1]; member of infra [1]; released the file key in handover ${short} [1] | same`,
      'alice kube/root 1: generated it [1]; member of infra [1] | same',
      `alice! pki/root 1: generated it [1]; one share (not enough alone) [1]; released its share in handover ${short} [1] | same`,
    ]);
    expect(await words({ persons: ['bob'], names: ['pki/root'] })).toEqual([`bob! pki/root 1 shared: one share (not enough alone) [1]; released its share in handover ${short} [1] | same`]);
  });

  it('a new value after a handover is what replaces it', async () => {
    const id = log.ready(log.requested(['dns/key']));
    log.must(log.complete(id));
    log.must(log.seal('carol', 'dns/key', ['platform']));
    expect(await known({ persons: ['alice'], names: ['dns/key'] })).toMatchObject([{ versions: [1], replaced: { status: 'overlap', newest: 3, by: 3, inUse: [1, 2] } }]);
    for (const version of log.state.secrets.versions.get('dns/key')!.slice(0, 2)) log.must(log.act('carol', 'secret.retire', { statement: version.digest }));
    expect(await known({ persons: ['alice'], names: ['dns/key'] })).toMatchObject([{ replaced: { status: 'replaced', inUse: [] } }]);
  });

  it('a use leaves its owner with the value', async () => {
    const id = log.requested(['pki/root'], {}, 'carol');
    log.must(log.abort('carol', id));
    log.must(log.use('bob', ['pki/root']));
    const use = log.last;
    for (const who of ['alice', 'erin', 'frank'] as const) log.must(log.consent(who, use));
    for (const who of ['alice', 'erin', 'frank'] as const) log.must(log.release(who, use));
    log.must(log.complete(use, {}, undefined, 'bob'));
    const short = use.slice(0, 8);
    expect(await words({ persons: ['bob'], names: ['pki/root'] })).toEqual([
      `bob pki/root 1: its own share and 3 released to it (enough alone) [1]; was given enough shares in handover ${short} [1]; used it in handover ${short} [1] | same`,
    ]);
    // Whoever asked for nothing more, and never put it together, is not counted.
    expect(await known({ persons: ['carol'], names: ['pki/root'] })).toEqual([]);
  });

  it('shares that were released in several requests count together, also in one that was aborted', async () => {
    const first = log.agreed(log.requested(['pki/root']));
    log.must(log.release('alice', first));
    log.must(log.release('frank', first));
    expect(await words({ persons: ['carol'], names: ['pki/root'] })).toEqual([`carol! pki/root 1 shared: was given shares (not enough) in handover ${first.slice(0, 8)} [1] | same`]);
    log.must(log.abort('carol', first));
    const second = log.agreed(log.requested(['pki/root']));
    log.must(log.release('bob', second));
    expect(await words({ persons: ['carol'], names: ['pki/root'] })).toEqual([
      `carol! pki/root 1: was given enough shares in handover ${first.slice(0, 8)}, aborted [1]; was given enough shares in handover ${second.slice(0, 8)} [1] | same`,
    ]);
  });
});

describe('standing access', () => {
  beforeEach(() => log.must(log.act('alice', 'role.grant', { role: 'infra', epoch: 1, recipient: log.state.policy!.roles.get('infra')!.epochs[0]!.recipient, person: 'ci', blob: { sha256: 'cd'.repeat(32), size: 1 } })));
  const give = (scope: string[], notAfter = UNTIL, by: 'alice' | 'bob' = 'alice') => log.must(log.act(by, 'secret.standing', { machine: 'ci', scope, notAfter }));
  const how = async (name: string) => (await known({ persons: ['ci'], names: [name] }))[0]!.how.map(({ how: each, versions }) => `${each} ${versions.join()}`);

  it('counts its whole scope, as far as the grants of the machine open it', async () => {
    give(['dns/', 'pki/root']);
    expect(await how('dns/key')).toEqual(['member 1', 'standing 1']);
    expect(await how('kube/root')).toEqual(['member 1']);
    expect(await known({ persons: ['ci'], names: ['pki/root'] })).toEqual([]);
    expect(await known({ persons: ['ci'], names: ['dns/key'] })).toMatchObject([{ machine: true, how: [{}, { words: 'standing access to dns/, whose openings are not recorded' }] }]);
  });

  it('as long as it stood: until it was ended, and not for what was sealed later', async () => {
    give(['dns/']);
    log.must(log.seal('alice', 'dns/key'));
    give(['dns/'], 0);
    log.must(log.seal('alice', 'dns/key'));
    expect(await how('dns/key')).toEqual(['member 1,2,3', 'standing 1,2']);
    give(['/'], NOW);
    expect(await how('kube/root')).toEqual(['member 1']);
    give(['/'], NOW + 1);
    expect(await how('kube/root')).toEqual(['member 1', 'standing 1']);
  });

  it('what was retired before is not counted, and another owner ends only the very path', async () => {
    log.must(log.seal('alice', 'dns/key'));
    log.must(log.act('alice', 'secret.retire', { statement: log.state.secrets.versions.get('dns/key')![0]!.digest }));
    give(['dns/']);
    expect(await how('dns/key')).toEqual(['member 1,2', 'standing 2']);
    give([], 0, 'bob');
    log.must(log.seal('alice', 'dns/key'));
    expect(await how('dns/key')).toEqual(['member 1,2,3', 'standing 2,3']);
    give(['dns/'], 0, 'bob');
    log.must(log.seal('alice', 'dns/key'));
    expect(await how('dns/key')).toEqual(['member 1,2,3,4', 'standing 2,3']);
  });
});

describe('role keys', () => {
  it('a steward knows what was sealed to the provisional key, and no more', async () => {
    log = new HandoverLog(cast, fresh, { roles: { infra: { members: ['alice', 'bob', 'ci'] }, platform: { members: ['carol', 'dora'], steward: 'bob' }, security: { members: ['erin', 'frank', 'grace'], steward: 'bob' } },
      rules: [rule('/', 'infra'), keptBy('pki/root', 'pki-root'), rule('sec/', 'infra', { readers: ['security'] })] });
    log.must(log.epoch('bob', 'security', true));
    log.must(log.seal('alice', 'sec/a'));
    const grant = { role: 'security', epoch: 1, recipient: log.state.policy!.roles.get('security')!.epochs[0]!.recipient, blob: { sha256: 'cd'.repeat(32), size: 1 } };
    for (const who of ['erin', 'bob']) log.must(log.act('bob', 'role.grant', { ...grant, person: who }));
    log.must(log.epoch('erin', 'security'));
    log.must(log.seal('alice', 'sec/a'));
    expect(await words({ names: ['sec/a'] })).toEqual([
      'alice sec/a 1,2: generated it [1,2] | same',
      'bob! sec/a 1: steward of security while its key was provisional [1] | overlap',
      'erin sec/a 1,2: member of security [1,2] | same',
    ]);
  });

  it('a key that nobody had left to hand on opens nothing for those who come later', async () => {
    // Grace alone holds the key of security; she leaves, and frank begins anew.
    log.must(log.epoch('grace', 'security'));
    log.must(log.policy((base) => ({ rules: [...base.rules, rule('sec/', 'infra', { readers: ['security'] })] })));
    log.must(log.seal('alice', 'sec/a'));
    log.must(log.policy((base) => ({
      persons: Object.fromEntries(Object.entries(base.persons).filter(([name]) => name !== 'grace')), abandon: { secrets: [], roles: ['security'] },
      roles: { ...base.roles, security: { members: ['erin', 'frank'] } }, custody: { ...base.custody, 'pki-root': { need: 2, of: ['alice', 'bob', 'erin'] } },
    })));
    log.must(log.epoch('frank', 'security'));
    log.must(log.seal('alice', 'sec/a'));
    expect(await words({ names: ['sec/a'], persons: ['frank', 'grace'] })).toEqual([
      'frank sec/a 2: member of security [2] | same',
      'grace! sec/a 1: member of security [1] | overlap',
    ]);
    expect((await known({ persons: ['grace'] }))[0]).toMatchObject({ left: expect.any(Number) });
  });
});
