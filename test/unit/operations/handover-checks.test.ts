/** What `handover verify` says in words of its own: a log that the fold has misjudged is made up here, one lie at a time. */
import { beforeAll, describe, expect, it } from 'vitest';
import { completeHandover, finalizeHandover, type Vault } from '../../../packages/core/src/index.js';
import type { Consent, Handover, Release } from '../../../packages/core/src/handover/state.js';
import { acknowledgeShares } from '../../../packages/core/src/operations/custody/custodian.js';
import { receiptChecks, releaseChecks, type Grounds } from '../../../packages/core/src/operations/handover/checks.js';
import { groundsOf } from '../../../packages/core/src/operations/handover/verify.js';
import { walkLog } from '../../../packages/core/src/operations/log/walk.js';
import { authorityAt } from '../../../packages/core/src/operations/handover/past-authority.js';
import { consented, handoverWorld, released, requested, type HandoverWorld } from '../../support/handover-world.js';
import { codeOf, rule } from '../../support/vaults.js';

let world: HandoverWorld;
let vault: Vault;
let grounds: Grounds;
let handover: Handover;

beforeAll(async () => {
  world = await handoverWorld({ rules: [rule('/', 'infra', { consents: 2 }), { path: 'pki/root', owners: ['infra'], writers: ['infra'], consents: 1, custody: 'pki-root' }] });
  const { digest } = await requested(world);
  await consented(world, digest);
  await released(world);
  await completeHandover(await world.as('carol'), digest);
  for (const who of ['carol', 'dora'] as const) await acknowledgeShares(await world.as(who));
  // Alice, the admin, makes the policy say so, and may do no more: who has received says that it is done.
  await codeOf(finalizeHandover(await world.as('alice'), digest));
  await finalizeHandover(await world.as('carol'), digest);
  vault = await world.as('grace');
  grounds = await groundsOf(vault, vault.log, await walkLog(vault));
  handover = vault.state.handovers.handovers.get(digest)!;
});

const faults = (changed: Partial<Handover>, on: Partial<Grounds> = {}): string[] => {
  const lied = { ...handover, ...changed };
  const all = { ...grounds, ...on };
  return [...releaseChecks(lied, all), ...receiptChecks(lied, all)].filter(({ ok }) => !ok).map(({ check }) => check.replace(/^entry \d+: /, ''));
};
const consents = (change: (consent: Consent) => Partial<Consent>): { consents: Consent[] } => ({ consents: handover.consents.map((consent) => ({ ...consent, ...change(consent) })) });
const firstRelease = (change: Partial<Release>): { releases: Release[] } => ({ releases: handover.releases.map((release, i) => (i === 0 ? { ...release, ...change } : release)) });
const key = (who: 'alice' | 'bob' | 'erin'): Handover['by'] => ({ person: who, device: 'laptop', key: world.cast[who].card.id });

const ENOUGH = 'released after the consents that it names, and they were enough';
const ASK = 'carol could still ask for it';
const OWN = 'what alice released was theirs to give';

describe('the checks of an auditor', () => {
  it('find nothing in what went right', () => {
    expect(faults({})).toEqual([]);
  });

  it('a plain target takes as many owners as the rule of that leaf asked, not one', () => {
    const one = consents(({ by }) => (by.person === 'bob' ? { ownership: [] } : {}));
    expect(faults(one)).toEqual(handover.releases.map(({ by }) => `${by.person} ${ENOUGH}`));
    const twice = consents(({ by }) => (by.person === 'bob' ? { by: key('alice') } : {}));
    expect(faults(twice)).toContain(`alice ${ENOUGH}`);
  });

  it('a consent of somebody who owned nothing, whose device was gone, or who asked, does not count', () => {
    const stranger = consents(({ by }) => (by.person === 'bob' ? { by: key('erin'), leaves: [] } : {}));
    expect(faults(stranger)).toContain(`frank ${ENOUGH}`);
    const gone = grounds.enrolments.map((stay) => (stay.person === 'bob' ? { ...stay, devices: stay.devices.map((device) => ({ ...device, until: handover.leaf })) } : stay));
    expect(faults({}, { enrolments: gone })).toContain(`frank ${ENOUGH}`);
    expect(faults({ by: { ...handover.by, person: 'bob' } })).toContain(`frank ${ENOUGH}`);
  });

  it('a share that is not of its custodian does not count', () => {
    expect(faults(consents(({ leaves }) => ({ leaves: leaves.map((leaf) => ({ ...leaf, path: '0.2' })) })))).toContain(`frank ${ENOUGH}`);
  });

  it('consents that came after, or were never given', () => {
    expect(faults(consents(() => ({ leaf: handover.receipt!.leaf })))).toContain(`alice ${ENOUGH}`);
    expect(faults(firstRelease({ consents: [...handover.releases[0]!.consents, 'ab'.repeat(32)] }))).toEqual([`alice ${ENOUGH}`]);
  });

  it('nothing leaves for who could not ask any more', () => {
    expect(faults({ request: { ...handover.request, notAfter: handover.releases[0]!.time - 1 } })).toContain(ASK);
    const { request } = handover;
    expect(faults({ request: { ...request, role: 'security' } as typeof request })).toContain(ASK);
    const newer = (name: string): ReturnType<Grounds['versions']> => grounds.versions(name).map((version) => (version.statement.version === 2 ? { ...version, leaf: handover.leaf + 1 } : version));
    expect(faults({}, { versions: newer })).toContain(ASK);
  });

  it('everybody gives what is theirs', () => {
    const [first] = handover.releases;
    expect(faults(firstRelease({ by: key('erin') }))).toContain('what erin released was theirs to give');
    expect(faults(firstRelease({ shares: first!.shares.map((share) => ({ ...share, commitment: 'ab'.repeat(32) })) }))).toEqual([OWN]);
    expect(faults(firstRelease({ shares: first!.shares.map((share) => ({ ...share, path: '0.1' })) }))).toContain(OWN);
  });

  it('the receipt rests on enough, and gives to its destination alone', () => {
    const receipt = 'the receipt is by who asked, after the releases that it names, and they were enough';
    expect(faults({ receipt: { ...handover.receipt!, releases: handover.receipt!.releases.slice(1) } })).toEqual([receipt]);
    expect(faults({ receipt: { ...handover.receipt!, by: key('alice') } })).toEqual([receipt]);
    const { request } = handover;
    if (request.mode === 'use') throw new Error('a transfer');
    const rules = request.rules.map((each) => ('readers' in each ? { ...each, readers: ['infra', 'platform'] } : { ...each, custody: 'pki-root' }));
    expect(faults({ request: { ...request, rules } }).sort()).toEqual(['dns/key v1: was sealed to its destination and to nobody else', 'pki/root v1: was sealed to its destination and to nobody else']);
    expect(faults({ finalized: { ...handover.finalized!, by: key('alice') } })).toEqual(['finalized by one of those who received']);
  });
});

it('which rule decided is that of the leaf: of the policy, of a receipt, of the policy that has caught up', () => {
  const owners = (leaf: number): readonly string[] | undefined => authorityAt(grounds, leaf).rule('dns/key')?.owners;
  const { leaf } = handover.receipt!;
  expect(owners(leaf)).toEqual(['infra']);
  expect(owners(leaf + 1)).toEqual(['platform']);
  expect(owners(vault.state.size)).toEqual(['platform']);
  expect(authorityAt({ ...grounds, handovers: [] }, leaf + 1).rule('dns/key')?.owners).toEqual(['infra']);
  expect(authorityAt({ ...grounds, handovers: [] }, vault.state.size).rule('dns/key')?.owners).toEqual(['platform']);
  const withdrawn = { ...handover, receipt: { ...handover.receipt!, targets: handover.receipt!.targets.map((each) => ({ ...each, withdrawn: { ...handover.receipt!, leaf: leaf + 1 } })) } };
  expect(authorityAt({ ...grounds, handovers: [withdrawn] }, leaf + 1).rule('dns/key')?.owners).toEqual(['platform']);
  expect(authorityAt({ ...grounds, handovers: [withdrawn] }, leaf + 2).rule('dns/key')?.owners).toEqual(['infra']);
});
