/** A handover with real keys and files, from the request to the end, each person on a machine of their own. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  abortHandover, acceptOffer, completeHandover, consentTo, doHousekeeping, finalizeHandover, handoverOffer, listHandovers, listOffers, planConsent, readLog, releaseDue, releaseTo, requestHandover,
  showHandover, signPolicy, successorBase, successorOf, taintsOf, vaultStatus, verifyHandover, verifyVault, VaultError, findGarbage, findProposal, proposePolicy, sealBatch, Secret, type Handover, type Vault,
} from '../../../packages/core/src/index.js';
import { acknowledgeShares } from '../../../packages/core/src/operations/custody/custodian.js';
import { hasOneTime } from '../../../packages/core/src/operations/handover/one-time.js';
import { versionOf } from '../../../packages/core/src/seal/state.js';
import { ALL, completed, consented, generate, handoverWorld, released, requested, valueOf, type HandoverWorld } from '../../support/handover-world.js';
import { codeOf, failure, NOW, rule } from '../../support/vaults.js';

let world: HandoverWorld;
beforeEach(async () => {
  world = await handoverWorld();
});

const newest = (vault: Vault, name: string): number => vault.state.secrets.versions.get(name)!.findLast((v) => !v.pending)!.statement.version;
const next = async (id: string): Promise<string[]> => showHandover(await world.as('grace'), id).next.map((step) => `${step.person}: ${step.next}`);

describe('the ceremony', () => {
  it('moves a root under custody and a plain secret, and leaves the rest alone', async () => {
    const before = await valueOf(await world.as('alice'), 'dns/key');
    const { digest: id } = await requested(world);
    const short = id.slice(0, 8);
    const view = showHandover(await world.as('alice'), short);
    expect(view).toMatchObject({ stage: 'open', from: ['infra'], role: 'platform', custody: 'platform-root' });
    expect(view.targets.map((t) => [t.name, t.needs])).toEqual([['dns/key', '1 owner of infra'], ['pki/root', '2 of alice bob erin AND 1 of frank grace']]);
    expect(await next(id)).toEqual(['alice', 'bob', 'erin', 'frank', 'grace'].map((who) => `${who}: oxp-vault handover consent ${short} --wait`));

    await consented(world, id, ['alice']);
    expect(await next(id)).toEqual(['bob', 'erin', 'frank', 'grace'].map((who) => `${who}: oxp-vault handover consent ${short} --wait`));
    expect((await releaseDue(await world.as('alice'))).released).toEqual([]);
    await consented(world, id, ['bob', 'frank']);
    expect(await next(id)).toEqual(['alice', 'bob', 'frank'].map((who) => `${who}: oxp-vault handover release ${short}`));
    // Any later command of a consenter releases.
    const { released: gone } = await doHousekeeping(await world.as('alice'));
    expect(gone).toEqual([{ id, to: 'carol', shares: ['pki/root'], keys: ['dns/key'] }]);
    expect(await codeOf(completeHandover(await world.as('carol'), id))).toBe('NEEDS_CONSENT');
    await released(world, ['bob', 'frank']);
    expect(await next(id)).toEqual([`carol: oxp-vault handover complete ${short}`]);

    const carol = await world.as('carol');
    const done = await completeHandover(carol, id);
    expect(done.destroyed).toBe(false);
    expect(done.targets.flatMap((t) => t.checks).every((c) => c.ok)).toBe(true);
    expect(done.targets.map((t) => [t.name, t.version, t.pending])).toEqual([['dns/key', 2, false], ['pki/root', 2, true]]);
    expect(await hasOneTime(carol, id)).toBe(true);
    expect(await valueOf(await world.as('dora'), 'dns/key')).toBe(before);
    expect(await codeOf(valueOf(await world.as('alice'), 'dns/key'))).toBe('NOT_A_READER');
    expect(await codeOf(finalizeHandover(await world.as('carol'), id))).toBe('PENDING');

    await acknowledgeShares(await world.as('carol'));
    expect(newest(await world.as('carol'), 'pki/root')).toBe(1);
    await acknowledgeShares(await world.as('dora'));
    expect(newest(await world.as('dora'), 'pki/root')).toBe(2);
    expect((await completeHandover(await world.as('carol'), id)).destroyed).toBe(true);
    expect(await hasOneTime(await world.as('carol'), id)).toBe(false);

    // Carol is no admin: alice proposes what it comes to.
    expect(await codeOf(finalizeHandover(await world.as('carol'), id))).toBe('NEEDS_SIGNATURES');
    expect(await next(id)).toEqual([`alice: oxp-vault handover finalize ${short}`]);
    expect(await codeOf(finalizeHandover(await world.as('alice'), id))).toBe('NOT_ALLOWED');
    expect(await next(id)).toEqual(['carol', 'dora'].map((who) => `${who}: oxp-vault handover finalize ${short}`));
    const finished = await finalizeHandover(await world.as('dora'), id, { rotate: true });
    expect(finished).toMatchObject({ done: true, unrotated: [] });
    expect(finished.rotated.map((line) => [line.name, line.action])).toEqual([['dns/key', 'generate'], ['pki/root', 'generate']]);
    expect(await valueOf(await world.as('dora'), 'dns/key')).not.toBe(before);
    expect(await next(id)).toEqual([]);

    // What was not asked for is as it was.
    expect(await valueOf(await world.as('bob'), 'app/password')).toHaveLength(24);
    const { policy } = (await world.as('alice')).policy;
    expect(policy.rules.map((r) => r.path)).toEqual(['/', 'dns/key', 'pki/root']);
    expect(policy.admins).toEqual({ need: 1, of: ['alice'] });
    const report = await verifyHandover(await world.as('grace'), short);
    expect(report.checks.filter((c) => !c.ok)).toEqual([]);
    expect(report.steps.map((s) => s.op)).toEqual(['handover.request', ...Array(3).fill('handover.consent'), ...Array(3).fill('handover.release'), 'handover.complete', 'handover.finalize']);
    const audit = await verifyVault(await world.as('grace'));
    expect(audit).toMatchObject({ ok: true, voids: [], foreign: [] });
    expect((await findGarbage(await world.as('grace'))).paths).toEqual([]);
    const words = (await readLog(await world.as('grace'))).filter((l) => l.op?.startsWith('handover.')).map((l) => l.words);
    expect(words[1]).toContain(`consented to handover ${short} of pki/root v1`);
  });

  it('an offer is taken up with one command', async () => {
    const offer = await handoverOffer(await world.as('bob'), { names: ['dns/'], role: 'platform', reason: 'yours now' });
    const status = await vaultStatus(await world.as('dora'), world.cast.dora.card);
    expect(status.items.find((item) => item.next === `oxp-vault handover accept ${offer.slice(0, 8)}`)).toMatchObject({ mine: true });
    const handover = await acceptOffer(await world.as('dora'), offer.slice(0, 8));
    expect(handover).toMatchObject({ by: { person: 'dora' }, request: { offer, role: 'platform', reason: 'yours now' }, targets: [{ name: 'dns/key' }] });
    expect(listOffers(await world.as('alice'))).toMatchObject([{ open: false, names: ['dns/key'] }]);
  });

  it('keeps the givers as readers where they ask for it', async () => {
    const id = await completed(world, { names: ['dns/key'], role: 'platform', keepReaders: ['infra'] });
    expect(showHandover(await world.as('bob'), id).rules).toEqual([rule('dns/key', 'platform', { readers: ['infra', 'platform'] })]);
    expect(await valueOf(await world.as('bob'), 'dns/key')).toBe(await valueOf(await world.as('dora'), 'dns/key'));
  });

  it('of everything, with the admins: the givers can change, seal and open nothing any more', async () => {
    const id = await completed(world, { ...ALL, names: ['/'], admins: { need: 2, of: ['carol', 'dora'] } });
    for (const who of ['carol', 'dora'] as const) await acknowledgeShares(await world.as(who));
    const carol = await world.as('carol');
    const waiting = await finalizeHandover(carol, id);
    expect(waiting).toMatchObject({ done: false, waiting: { of: ['alice', 'dora'] } });
    expect((await finalizeHandover(await world.as('alice'), id)).waiting?.digest).toBe(waiting.waiting!.digest);
    expect(await next(id)).toEqual(['alice', 'dora'].map((who) => `${who}: oxp-vault policy sign ${waiting.waiting!.digest.slice(0, 8)}`));
    for (const who of ['alice', 'dora'] as const) {
      const vault = await world.as(who);
      await signPolicy(vault, findProposal(vault));
    }
    expect(await finalizeHandover(await world.as('carol'), id)).toMatchObject({ done: true });
    const alice = await world.as('alice');
    expect(alice.policy.policy).toMatchObject({ admins: { need: 2, of: ['carol', 'dora'] }, rules: [{ path: '/', owners: ['platform'] }, { path: 'pki/root', owners: ['platform'], custody: 'platform-root' }] });
    for (const name of ['dns/key', 'app/password']) expect(await codeOf(valueOf(await world.as('bob'), name)), name).toBe('NOT_A_READER');
    expect(await codeOf(sealBatch(alice, [{ name: 'app/password', kind: 'password', file: Secret.fromText('x'), parameters: {}, public: {}, origin: 'imported' }]))).toBe('NOT_ALLOWED');
    const back = { ...successorBase(alice.policy), admins: { need: 1, of: ['alice'] } };
    expect((await proposePolicy(alice, back)).inEffect).toBe(false);
    expect(await codeOf(proposePolicy(await world.as('bob'), { ...back, rules: [rule('/', 'infra')] }))).toBe('NOT_ALLOWED');
  });
});

describe('a request', () => {
  it('needs a custody group for what is under custody, a role, and secrets that there are', async () => {
    const carol = await world.as('carol');
    expect(await codeOf(requestHandover(carol, { names: ['pki/root'], role: 'platform' }))).toBe('USAGE');
    expect(await codeOf(requestHandover(carol, { names: ['dns/key'] }))).toBe('USAGE');
    expect(await codeOf(requestHandover(carol, { names: [], role: 'platform' }))).toBe('USAGE');
    expect(await codeOf(requestHandover(carol, { names: ['dns/nokey'], role: 'platform' }))).toBe('SECRET_NOT_FOUND');
    expect(await codeOf(requestHandover(carol, { names: ['web/'], role: 'platform' }))).toBe('SECRET_NOT_FOUND');
    expect(await codeOf(requestHandover(carol, { names: ['../x/'], role: 'platform' }))).toBe('BAD_NAME');
    expect(await codeOf(requestHandover(carol, { names: ['dns/key'], role: 'nobody' }))).toBe('ROLE_NOT_FOUND');
    expect(await codeOf(requestHandover(carol, { names: ['dns/key'], use: true, role: 'platform' }))).toBe('USAGE');
    // A request that the log refuses leaves no identity behind.
    expect(await codeOf(requestHandover(await world.as('alice'), { names: ['dns/key'], role: 'platform' }))).toBe('NOT_ALLOWED');
    for (const who of ['alice', 'carol'] as const) expect([...world.locals[who].files.keys()].filter((path) => path.includes('/handovers/'))).toEqual([]);
  });

  it('is not made where everybody who counts, without who asks, would not be enough', async () => {
    await world.policy((base) => ({ rules: [...base.rules, rule('dns/', 'infra', { consents: 2 })].sort((a, b) => (a.path < b.path ? -1 : 1)) }));
    expect(await codeOf(requestHandover(await world.as('bob'), { names: ['dns/key'], use: true }))).toBe('NEEDS_CONSENT');
    expect([...world.locals.bob.files.keys()].filter((path) => path.includes('/handovers/'))).toEqual([]);
    await requestHandover(await world.as('carol'), { names: ['dns/key'], role: 'platform' });

    await world.policy((base) => ({ custody: { ...base.custody, 'both': { need: 2, of: ['alice', 'bob'] } }, rules: [...base.rules, { path: 'pki/two', owners: ['infra'], writers: ['infra'], consents: 1, custody: 'both' }].sort((a, b) => (a.path < b.path ? -1 : 1)) }));
    await generate(await world.as('alice'), 'pki/two', 'ssh-key');
    for (const who of ['alice', 'bob'] as const) await acknowledgeShares(await world.as(who));
    expect(await failure(requestHandover(await world.as('bob'), { names: ['pki/two'], use: true }))).toMatchObject({ code: 'NEEDS_CONSENT', message: 'pki/two needs 2 of alice bob, and bob, who asks, does not count' });
  });

  it('keeps its one-time identity sealed to its person, and nothing else of it anywhere', async () => {
    const { digest } = await requested(world);
    const path = [...world.locals.carol.files.keys()].find((each) => each.includes('/handovers/'))!;
    expect(path).toContain(digest);
    const bytes = Buffer.from(world.locals.carol.files.get(path)!);
    expect(bytes.toString('latin1')).toMatch(/^age-encryption\.org\/v1\n/);
    expect(bytes.toString('latin1')).not.toContain('AGE-SECRET-KEY');
    // Another machine of hers has it not.
    world.locals.carol.files.delete(path);
    await consented(world, digest);
    await released(world);
    expect(await failure(completeHandover(await world.as('carol'), digest))).toMatchObject({ code: 'IDENTITY_NOT_FOUND', message: expect.stringContaining('not on this machine') });
  });

  it('needs a custody group for a rule below its path too, though nothing lies there yet', async () => {
    await world.policy((base) => ({ rules: [...base.rules, { path: 'dns/ca', owners: ['infra'], writers: ['infra'], consents: 1, custody: 'pki-root' }].sort((a, b) => (a.path < b.path ? -1 : 1)) }));
    expect(await failure(requestHandover(await world.as('carol'), { names: ['dns/'], role: 'platform' }))).toMatchObject({ code: 'USAGE', message: expect.stringContaining('dns/ca') });
    expect((await requestHandover(await world.as('carol'), { names: ['dns/'], role: 'platform', custody: 'platform-root' })).request).toMatchObject({ rules: [{ path: 'dns/' }, { path: 'dns/ca', custody: 'platform-root' }] });
  });

  it('moves a path with the rules below it, each target by the rule that fits it', async () => {
    const handover = await requested(world, { ...ALL, names: ['/'] });
    expect(handover.request).toMatchObject({ rules: [{ path: '/', readers: ['platform'] }, { path: 'pki/root', custody: 'platform-root' }] });
    expect(handover.targets.map((t) => t.name).sort()).toEqual(['app/password', 'dns/key', 'pki/root']);
  });
});

describe('a consent', () => {
  it('is planned in plain values, and given to exactly what was shown', async () => {
    const { digest } = await requested(world);
    const alice = await world.as('alice');
    const plan = await planConsent(alice, digest);
    expect(plan).toMatchObject({ shares: [{ name: 'pki/root', version: 1 }], owned: [{ name: 'dns/key', version: 1 }], receivers: ['carol', 'dora', 'frank'], lastJoined: { person: 'carol', time: NOW } });
    await world.policy((base) => ({ roles: { ...base.roles, platform: { members: ['carol', 'dora', 'grace'] } } }));
    const late = await world.as('alice');
    expect(await codeOf(consentTo(late, plan))).toBe('CONSENT_STALE');
    expect(await planConsent(late, digest)).toMatchObject({ lastJoined: { person: 'grace' } });
  });

  it('is for who has a say: not the requester, not a stranger, not twice, not too late', async () => {
    const { digest } = await requested(world);
    expect(await codeOf(planConsent(await world.as('carol'), digest))).toBe('NOT_ALLOWED');
    expect(await codeOf(planConsent(await world.as('dora'), digest))).toBe('NOT_ALLOWED');
    await consented(world, digest, ['alice']);
    expect(await codeOf(planConsent(await world.as('alice'), digest))).toBe('ALREADY_DONE');
    // By the clock of this very machine, before anything is signed.
    expect(await codeOf(planConsent(await world.as('bob', NOW + 8 * 86_400), digest))).toBe('EXPIRED');
    expect(await codeOf(planConsent(await world.as('bob'), 'ffff'))).toBe('ENTRY_NOT_FOUND');
    expect(await codeOf(planConsent(await world.as('bob'), 'zz'))).toBe('USAGE');
  });
});

describe('a release', () => {
  it('leaves as soon as it may and no earlier, and once', async () => {
    const { digest } = await requested(world);
    await consented(world, digest, ['alice', 'bob']);
    expect(await codeOf(world.as('alice').then(async (v) => releaseTo(v, showIn(v, digest))))).toBe('NEEDS_CONSENT');
    expect([...(await world.store.list('handovers/'))]).toEqual([]);
    await consented(world, digest, ['frank']);
    const alice = await world.as('alice');
    expect(await releaseTo(alice, showIn(alice, digest))).toMatchObject({ shares: ['pki/root'], keys: ['dns/key'] });
    expect(await codeOf(releaseTo(alice, showIn(alice, digest)))).toBe('ALREADY_DONE');
    expect(await codeOf(world.as('erin').then(async (v) => releaseTo(v, showIn(v, digest))))).toBe('NOT_ALLOWED');
  });

  it('is not made for more than it takes, unless somebody asks', async () => {
    const { digest } = await requested(world);
    await consented(world, digest, ['alice', 'bob', 'frank', 'erin']);
    await released(world, ['alice', 'bob', 'frank']);
    const erin = await world.as('erin');
    expect((await releaseDue(erin)).released).toEqual([]);
    expect(await releaseTo(erin, showIn(erin, digest))).toMatchObject({ shares: ['pki/root'] });
  });

  it('status says what leaves with the next command', async () => {
    const { digest } = await requested(world);
    await consented(world, digest);
    const { items } = await vaultStatus(await world.as('bob'), world.cast.bob.card);
    expect(items.filter((item) => item.text.includes(digest.slice(0, 8)))).toEqual([expect.objectContaining({ mine: true, next: `oxp-vault handover release ${digest.slice(0, 8)}` })]);
    const { items: others } = await vaultStatus(await world.as('dora'), world.cast.dora.card);
    expect(others.filter((item) => item.text.includes(digest.slice(0, 8)))).toEqual([expect.objectContaining({ mine: false, text: expect.stringContaining('waits for alice bob frank') })]);
  });
});

const showIn = (vault: Vault, id: string): Handover => vault.state.handovers.handovers.get(id)!;

describe('receiving', () => {
  it('a receiver who reads it already needs no release of anybody', async () => {
    await world.policy((base) => ({ rules: [...base.rules, rule('dns/', 'infra', { readers: ['infra', 'platform'] })].sort((a, b) => (a.path < b.path ? -1 : 1)) }));
    await generate(await world.as('alice'), 'dns/other', 'password');
    const { digest } = await requested(world, { names: ['dns/other'], role: 'platform' });
    await consented(world, digest, ['bob']);
    expect((await completeHandover(await world.as('carol'), digest)).targets).toMatchObject([{ name: 'dns/other', version: 2 }]);
  });

  it('hands out the values of a use once it is recorded, and taints the version', async () => {
    const { digest } = await requestHandover(await world.as('bob'), { names: ['pki/root'], use: true, reason: 'sign' });
    await consented(world, digest, ['alice', 'erin', 'grace']);
    await released(world, ['alice', 'erin', 'grace']);
    const bob = await world.as('bob');
    expect(await codeOf(completeHandover(bob, digest))).toBe('USAGE');
    let value = '';
    // Interrupted when the value was to be written: the next run gives it out again, without a second entry.
    expect(await codeOf(completeHandover(bob, digest, { deliver: () => Promise.reject(new VaultError('STORE_IO', 'disk full')) }))).toBe('STORE_IO');
    const size = (await world.as('bob')).point.size;
    const again = await world.as('bob');
    const done = await completeHandover(again, digest, { deliver: async (values) => { value = values.get('pki/root')!.useText((text) => text); } });
    expect(value).toContain('OPENSSH PRIVATE KEY');
    expect(again.point.size).toBe(size);
    expect(done).toMatchObject({ destroyed: true, handover: { stage: 'done' } });
    const root = versionOf(again.state.secrets, 'pki/root', 1)!;
    expect(taintsOf(again, root.digest).map((h) => h.digest)).toEqual([digest]);
    expect((await vaultStatus(again, world.cast.bob.card)).items.find((item) => item.text.includes('tainted'))).toMatchObject({ mine: true, next: 'oxp-vault rotate pki/root' });
    // Made anew, it is not.
    await generate(again, 'pki/root', 'ssh-ca');
    for (const who of ['alice', 'bob', 'frank'] as const) await acknowledgeShares(await world.as(who));
    expect((await vaultStatus(await world.as('bob'), world.cast.bob.card)).items.some((item) => item.text.includes('tainted'))).toBe(false);
  });

  it('goes on where an earlier run stopped, without a second entry', async () => {
    const id = await completed(world);
    const { size } = (await world.as('carol')).point;
    expect((await completeHandover(await world.as('carol'), id)).receipt.digest).toBe(showHandover(await world.as('carol'), id).receipt!.digest);
    expect((await world.as('carol')).point.size).toBe(size);
    expect(await codeOf(completeHandover(await world.as('dora'), id))).toBe('NOT_ALLOWED');
  });

  it('reads the shares of the new custodians back, and keeps the one-time identity while one is gone', async () => {
    const id = await completed(world);
    const lost = (await world.store.list('secrets/pki/root/0002-shares/')).find((path) => path.includes('/dora-'))!;
    await world.store.remove(lost);
    const error = await failure(completeHandover(await world.as('carol'), id));
    expect(error).toMatchObject({ code: 'BLOB_MISSING', message: expect.stringContaining(lost) as string });
    expect(await hasOneTime(await world.as('carol'), id)).toBe(true);
  });
});

describe('abort', () => {
  it('before the receipt: nothing moves, and what was released is tainted', async () => {
    const { digest } = await requested(world);
    await consented(world, digest);
    await released(world, ['alice']);
    expect(await abortHandover(await world.as('bob'), digest, 'not now')).toMatchObject({ stage: 'aborted', aborted: { person: 'bob', reason: 'not now' } });
    await doHousekeeping(await world.as('carol'));
    expect(await hasOneTime(await world.as('carol'), digest)).toBe(false);
    const vault = await world.as('alice');
    expect(taintsOf(vault, versionOf(vault.state.secrets, 'pki/root', 1)!.digest)).toHaveLength(1);
    expect(await codeOf(completeHandover(await world.as('carol'), digest))).toBe('ALREADY_DONE');
  });

  it('after it: takes back what is pending; the rest is finalized, and the path below keeps its rule', async () => {
    const id = await completed(world, { ...ALL, names: ['/'] });
    expect(await abortHandover(await world.as('frank'), id)).toMatchObject({ stage: 'completed', targets: expect.arrayContaining([expect.objectContaining({ name: 'pki/root', outcome: expect.objectContaining({ withdrawn: true, pending: false }) })]) });
    expect(await acknowledgeShares(await world.as('carol'))).toEqual([]);
    expect(await codeOf(finalizeHandover(await world.as('alice'), id))).toBe('NOT_ALLOWED');
    const { policy } = (await world.as('alice')).policy;
    expect(policy.rules.map((r) => [r.path, r.owners[0]])).toEqual([['/', 'platform'], ['pki/root', 'infra']]);
    expect(await finalizeHandover(await world.as('carol'), id)).toMatchObject({ done: true });
    expect(await hasOneTime(await world.as('carol'), id)).toBe(false);
  });
});

it('lists them oldest first', async () => {
  const one = await requested(world, { names: ['dns/key'], role: 'platform' });
  const two = await requested(world, { names: ['app/password'], role: 'platform' }, 'dora');
  expect(listHandovers(await world.as('alice')).map((h) => h.id)).toEqual([one.digest, two.digest]);
});

it('what it comes to is the policy in effect with what it moves', async () => {
  const id = await completed(world, { names: ['dns/key'], role: 'platform' });
  const vault = await world.as('alice');
  const next = successorOf(vault, showIn(vault, id))!;
  expect({ ...next, rules: next.rules.filter((r) => r.path !== 'dns/key'), number: 1, previous: null }).toEqual({ ...vault.policy.policy, number: 1, previous: null });
});
