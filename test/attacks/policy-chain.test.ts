/** Policies that say more than their signers may: thresholds, versions, machines, managed roles, keys that come back. */
import { beforeEach, describe, expect, it } from 'vitest';
import { initVault, makeMissingKeys, turnRole, withMember, withoutMember, type Identity, type Policy, type Vault } from '../../packages/core/src/index.js';
import { applyPropose } from '../../packages/core/src/policy/apply.js';
import { checkPolicyFile, encodePolicy } from '../../packages/core/src/policy/policy.js';
import { isVaultError } from '../../packages/core/src/errors.js';
import { holders } from '../../packages/core/src/policy/state.js';
import { signEntry } from '../../packages/core/src/audit/entry.js';
import { canonicalJson } from '../../packages/core/src/primitives/canonical-json.js';
import { sha256Hex } from '../../packages/core/src/primitives/hash.js';
import { signCard } from '../../packages/core/src/policy/card.js';
import { appendRaw, codeOf, entryBy, firstPolicy, forger, makeVault, memoryLocal, openAs, people, person, proposalBy, rawStore, rule, seal, sorted, successor, voidCodes, writeRawLog, type RawStore, type World } from '../support/vaults.js';

type Cast = Record<'alice' | 'bob' | 'carol' | 'dora' | 'erin', Identity>;
let cast: Cast;
let store: RawStore;
let world: World;
let vault: Vault;

async function begin(spec: Partial<Parameters<typeof makeVault>[0]> = {}): Promise<void> {
  store = rawStore();
  world = await makeVault({ people: [cast.alice, cast.bob, cast.carol], admins: ['alice', 'bob', 'carol'], threshold: 2, store, ...spec });
  vault = world.vault;
}

beforeEach(async () => {
  cast = await people('alice', 'bob', 'carol', 'dora', 'erin');
  await begin();
});

/** Proposes as somebody; the code of the refusal, or the number of the policy then in effect. */
async function propose(policy: Policy, by: Identity): Promise<string | number> {
  const client = await world.as(by);
  const { entry, file } = proposalBy(client, by, policy);
  return outcome(client, () => client.append({ entries: [entry], files: [file] }));
}

async function sign(policy: Policy, by: Identity): Promise<string | number> {
  const client = await world.as(by);
  return outcome(client, () => client.append({ entries: [client.sign('policy.sign', { digest: sha256Hex(encodePolicy(policy)) })], files: [] }));
}

async function outcome(client: Vault, act: () => Promise<unknown>): Promise<string | number> {
  try {
    await act();
  } catch (error) {
    if (isVaultError(error)) return error.code;
    throw error;
  }
  await vault.refresh();
  return client.policy.policy.number;
}

const withDora = (): Policy => withMember(vault.policy, cast.dora.card, { roles: ['team'] });

describe('the threshold', () => {
  it('counts a person once, whatever the number of devices', async () => {
    const phone = await person('alice', { device: 'phone' });
    const alice = await world.as(cast.alice);
    await alice.append({ entries: [alice.sign('device.add', { card: phone.card.line })], files: [] });
    await vault.refresh();
    const next = withDora();
    expect(await propose(next, cast.alice)).toBe(1);
    expect(await sign(next, phone)).toBe(1);
    expect(await sign(next, phone)).toBe('ALREADY_DONE');
    expect(await sign(next, cast.bob)).toBe(2);
  });

  it('does not count the signature of a device that was removed meanwhile', async () => {
    const phone = await person('alice', { device: 'phone' });
    const alice = await world.as(cast.alice);
    await alice.append({ entries: [alice.sign('device.add', { card: phone.card.line })], files: [] });
    await vault.refresh();
    const next = withMember(vault.policy, cast.dora.card, { roles: ['team'] });
    const late = { ...next, persons: { ...next.persons, alice: { cards: [phone.card.line] } } };
    expect(await propose(late, cast.alice)).toBe(1);
    const afterwards = await world.as(phone);
    await afterwards.append({ entries: [afterwards.sign('device.remove', { key: cast.alice.card.id })], files: [] });
    expect(await sign(late, cast.bob)).toBe(1);
    expect(await sign(late, phone)).toBe(2);
  });

  it('is that of the old policy and of the new one', async () => {
    const handed: Policy = { ...successor(vault, { persons: { ...vault.policy.policy.persons, dora: { cards: [cast.dora.card.line] }, erin: { cards: [cast.erin.card.line] } } }), admins: { need: 2, of: ['dora', 'erin'] } };
    // Only the new ones: they cannot even propose it, being nobody yet.
    expect(await propose(handed, cast.dora)).toBe('NOT_ENROLLED');
    // Only the old ones.
    expect(await propose(handed, cast.alice)).toBe(1);
    expect(await sign(handed, cast.bob)).toBe(1);
    // She is nobody until then, so that somebody enrolled has to put her signature into the log.
    expect(await sign(handed, cast.dora)).toBe('NOT_ENROLLED');
    const alice = await world.as(cast.alice);
    await alice.append({ entries: [entryBy(alice, cast.dora, 'policy.sign', { digest: sha256Hex(encodePolicy(handed)) })], files: [] });
    expect(alice.policy.policy.number).toBe(1);
    expect(alice.policy.proposals[0]!.signers.map((s) => s.person)).toEqual(['alice', 'bob', 'dora']);
    // A newcomer of that name with other keys is nobody.
    expect(await sign(handed, await person('erin', { salt: 'other' }))).toBe('NOT_ENROLLED');
    expect(await sign(handed, cast.erin)).toBe(2);
  });

  it('of new admins alone is not enough, though they are enrolled', async () => {
    await begin({ people: [cast.alice, cast.bob, cast.carol, cast.dora], admins: ['alice', 'bob'], threshold: 2 });
    const mine: Policy = { ...successor(vault), admins: { need: 1, of: ['dora'] } };
    expect(await propose(mine, cast.dora)).toBe(1);
    expect(await sign(mine, cast.carol)).toBe('NOT_ALLOWED');
    expect(await sign(mine, cast.alice)).toBe(1);
    expect(await sign(mine, cast.bob)).toBe(2);
  });

  it.each([[1, 2], [2, 4], [1, 3]])('%i of %i is not above half', (need, of) => {
    const admins = [cast.alice, cast.bob, cast.carol, cast.dora].slice(0, of);
    expect(checkPolicyFile(encodePolicy(firstPolicy({ people: admins, admins: admins.map((a) => a.card.person), threshold: need })))).toMatchObject({ code: 'BAD_POLICY' });
  });

  it('first of two proposals wins, the other is stale', async () => {
    const one = withDora();
    const two = successor(vault, { roles: { ...vault.policy.policy.roles, more: { members: [] } } });
    await propose(one, cast.alice);
    await propose(two, cast.bob);
    expect(await sign(two, cast.carol)).toBe(2);
    expect(await sign(one, cast.bob)).toBe('STALE_DRAFT');
    expect(await propose(one, cast.bob)).toBe('STALE_DRAFT');
  });
});

describe('the chain', () => {
  it.each<[string, (next: Policy) => Policy, string]>([
    ['a number too high', (next) => ({ ...next, number: 3 }), 'STALE_DRAFT'],
    ['the number of now', (next) => ({ ...next, number: 1, previous: null }), 'BAD_ENTRY'],
    ['another predecessor', (next) => ({ ...next, previous: 'ab'.repeat(32) }), 'STALE_DRAFT'],
    ['another nonce', (next) => ({ ...next, nonce: 'ab'.repeat(32) }), 'BAD_POLICY'],
    ['another name', (next) => ({ ...next, name: 'other' }), 'BAD_POLICY'],
    ['another suite', (next) => ({ ...next, suite: 'hybrid' }), 'MIXED_RECIPIENTS'],
    ['format 0', (next) => ({ ...next, format: 0 }), 'BAD_POLICY'],
  ])('refuses %s', async (_, change, code) => expect(await propose(change(successor(vault)), cast.alice)).toBe(code));

  it('refuses an entry that names another number or predecessor than its file', async () => {
    const bytes = encodePolicy({ ...successor(vault), number: 3 });
    const digest = sha256Hex(bytes);
    const entry = entryBy(vault, cast.alice, 'policy.propose', { number: 2, digest, previous: vault.policy.digest });
    await appendRaw(store, cast.alice, [entry], [{ path: `policy/0002-${digest.slice(0, 8)}.json`, bytes }]);
    expect(Object.values(voidCodes(await openAs(store, cast.bob)))).toEqual(['STALE_DRAFT']);
  });

  it('refuses a file that names another predecessor than the entry does', async () => {
    const bytes = encodePolicy({ ...successor(vault), previous: 'ab'.repeat(32) });
    const digest = sha256Hex(bytes);
    const entry = entryBy(vault, cast.alice, 'policy.propose', { number: 2, digest, previous: vault.policy.digest });
    await appendRaw(store, cast.alice, [entry], [{ path: `policy/0002-${digest.slice(0, 8)}.json`, bytes }]);
    expect(Object.values(voidCodes(await openAs(store, cast.bob)))).toEqual(['STALE_DRAFT']);
  });

  it('takes no signature under what could no longer take effect', async () => {
    await begin({ threshold: 3 });
    const phone = await person('bob', { device: 'phone' });
    const bob = await world.as(cast.bob);
    await bob.append({ entries: [bob.sign('device.add', { card: phone.card.line })], files: [] });
    await vault.refresh();
    const next = successor(vault, { removedDevices: [cast.bob.card.id] });
    expect(await propose(next, cast.alice)).toBe(1);
    await bob.refresh();
    await bob.append({ entries: [bob.sign('device.remove', { key: phone.card.id })], files: [] });
    expect(await sign(next, cast.carol)).toBe('KEY_REMOVED');
  });

  it('a vault that begins with no admin, or not with policy 1, is never written', async () => {
    const empty = rawStore();
    const policy = firstPolicy({ people: [cast.alice, cast.bob], admins: ['bob'] });
    const make = (p: Policy): Promise<unknown> => initVault({ store: empty, local: memoryLocal(), identity: cast.alice }, p);
    expect(await codeOf(make(policy))).toBe('NOT_ALLOWED');
    expect(await codeOf(make({ ...policy, admins: { need: 1, of: ['alice'] }, number: 2, previous: 'ab'.repeat(32) }))).toBe('BAD_POLICY');
    expect([...empty.files.keys()]).toEqual([]);
  });
});

describe('what a machine cannot be', () => {
  const ci = (): Promise<Identity> => person('ci', { kind: 'machine' });
  it.each<[string, (p: Policy) => Partial<Policy>]>([
    ['admin', () => ({ admins: { need: 1, of: ['ci'] } })],
    ['manager', (p) => ({ roles: { ...p.roles, team: { ...p.roles['team']!, managed: { need: 1, of: ['ci'] } } } })],
    ['steward', (p) => ({ roles: { ...p.roles, team: { ...p.roles['team']!, steward: 'ci' } } })],
    ['custodian', () => ({ custody: { root: { need: 1, of: ['alice', { need: 1, of: ['ci'] }] } } })],
  ])('%s', async (_, change) => {
    const policy = firstPolicy({ people: [cast.alice, await ci()], roles: { team: ['alice', 'ci'] } });
    expect(checkPolicyFile(encodePolicy(policy))).toHaveProperty('policy');
    expect(checkPolicyFile(encodePolicy({ ...policy, ...change(policy) }))).toMatchObject({ code: 'BAD_POLICY' });
  });

  it('and what it cannot do', async () => {
    const machine = await ci();
    await begin({ people: [cast.alice, machine], admins: ['alice'], threshold: 1, roles: { team: ['alice', 'ci'] } });
    await seal(await world.as(machine), 'app/by-machine');
    const digest = 'ab'.repeat(32);
    const { recipient } = vault.policy.roles.get('team')!.epochs[0]!;
    const second = await person('ci', { kind: 'machine', device: 'second' });
    const forbidden: [string, object][] = [
      ['policy.propose', { number: 2, digest, previous: vault.policy.digest }], ['policy.sign', { digest }], ['policy.withdraw', { digest }],
      ['device.add', { card: second.card.line }], ['device.remove', { key: machine.card.id }],
      ['role.epoch', { role: 'team', epoch: 2, recipient: second.card.recipient, provisional: false }],
      ['role.grant', { role: 'team', epoch: 1, recipient, person: 'ci', blob: { sha256: digest, size: 1 } }],
      ['secret.standing', { machine: 'ci', scope: ['/'], notAfter: 1 }],
      ['custody.ack', { statement: digest, path: '0' }], ['handover.offer', { targets: [digest], paths: ['/'], role: 'team', reason: 'x' }], ['vault.drill', { statements: [], failed: [] }],
    ];
    const before = vault.point.size + 1;
    // The proposal names a file: it must be there for the log to be accepted at all.
    const file = { path: `policy/0002-${digest.slice(0, 8)}.json`, bytes: new Uint8Array(1) };
    const proposal = proposalBy(vault, machine, successor(vault));
    const entries = [proposal.entry, ...forbidden.slice(1).map(([op, body]) => entryBy(vault, machine, op, body))];
    await appendRaw(store, cast.alice, entries, [proposal.file, file]);
    const codes = voidCodes(await openAs(store, cast.alice));
    expect(entries.map((_, i) => codes[String(before + i)])).toEqual(entries.map(() => 'MACHINE_NOT_ALLOWED'));
  });

  it('turn into a human, or a human into it', async () => {
    const machine = await ci();
    await begin({ people: [cast.alice, machine], admins: ['alice'], threshold: 1, roles: { team: ['alice', 'ci'] } });
    const human = await person('ci', { device: 'second' });
    expect(await propose(successor(vault, { persons: { ...vault.policy.policy.persons, ci: { cards: [machine.card.line, human.card.line] } } }), cast.alice)).toBe('BAD_CARD');
    expect(await propose(successor(vault, { persons: { ...vault.policy.policy.persons, ci: { cards: [human.card.line] } } }), cast.alice)).toBe('BAD_CARD');
    const robot = signCard({ person: 'alice', device: 'robot', kind: 'machine', recipient: (await person('x')).card.recipient, created: 1 }, (await person('x')).signingKey);
    const alice = await world.as(cast.alice);
    expect(await codeOf(alice.append({ entries: [alice.sign('device.add', { card: robot.line })], files: [] }))).toBe('BAD_CARD');
  });
});

describe('a managed role', () => {
  const managed = { members: ['bob'], managed: { need: 2, of: ['bob', 'carol', 'dora'] } };
  beforeEach(() => begin({ people: [cast.alice, cast.bob, cast.carol, cast.dora], admins: ['alice'], threshold: 1, roles: { infra: ['alice'], team: managed }, rules: [rule('/', 'infra'), rule('app/', 'team')] }));
  const grown = (): Policy => withMember(vault.policy, cast.erin.card, { roles: ['team'] });

  it('grows by its managers alone, and not by fewer of them', async () => {
    const next = grown();
    expect(await propose(next, cast.bob)).toBe(1);
    expect(await sign(next, cast.bob)).toBe('ALREADY_DONE');
    expect(await sign(next, cast.carol)).toBe(2);
    expect(vault.policy.policy.roles['team']!.members).toEqual(['bob', 'erin']);
  });

  it('and by none of them alone for what changes no membership', async () => {
    await begin({ admins: ['alice', 'bob', 'carol'], roles: { team: { members: ['alice', 'bob'], managed: { need: 1, of: ['alice'] } } }, threshold: 2, rules: [rule('/', 'team')] });
    expect(await propose(successor(vault), cast.alice)).toBe(1);
  });

  it('not by its members who are no managers', async () => {
    await propose(grown(), cast.bob);
    await sign(grown(), cast.carol);
    const frank = await person('frank');
    expect(await propose(withMember(vault.policy, frank.card, { roles: ['team'] }), cast.erin)).toBe('NOT_ALLOWED');
  });

  const other = (): Promise<Identity> => person('frank');
  it.each<[string, (next: Policy) => Partial<Policy> | Promise<Partial<Policy>>]>([
    ['the admins', () => ({ admins: { need: 1, of: ['bob'] } })],
    ['a rule', () => ({ rules: [rule('/', 'team')] })],
    ['a new rule', (n) => ({ rules: [...n.rules, rule('pki/', 'team')] })],
    ['another role', (n) => ({ roles: { ...n.roles, infra: { members: ['alice', 'bob'] } } })],
    ['a new role', (n) => ({ roles: { ...n.roles, zoo: { members: ['bob'] } } })],
    ['its own threshold', (n) => ({ roles: { ...n.roles, team: { ...n.roles['team']!, managed: { need: 3, of: ['bob', 'carol', 'dora'] } } } })],
    ['its own managers', (n) => ({ roles: { ...n.roles, team: { ...n.roles['team']!, managed: { need: 2, of: ['bob', 'carol'] } } } })],
    ['that it is managed', (n) => ({ roles: { ...n.roles, team: { members: n.roles['team']!.members } } })],
    ['a steward', (n) => ({ roles: { ...n.roles, team: { ...n.roles['team']!, steward: 'bob' } } })],
    ['a custody group', () => ({ custody: { root: { need: 1, of: ['bob'] } } })],
    ['who may add devices', () => ({ devices: 'admins' })],
    ['a secret abandoned', () => ({ abandon: { secrets: ['app/x'], roles: [] } })],
    ['a role abandoned', () => ({ abandon: { secrets: [], roles: ['infra'] } })],
    ['another device of an admin', async (n) => ({ persons: { ...n.persons, alice: { cards: [cast.alice.card.line, (await person('alice', { device: 'phone' })).card.line] } } })],
    ['other keys of an admin', async (n) => ({ persons: { ...n.persons, alice: { cards: [(await person('alice', { device: 'phone' })).card.line] } } })],
    ['a person who is in no role', async (n) => ({ persons: { ...n.persons, frank: { cards: [(await other()).card.line] } } })],
  ])('cannot smuggle in %s', async (_, change) => {
    const next = grown();
    const more: Policy = { ...next, ...(await change(next)) };
    // What the managers may not propose, a new admin may: but it then needs the old ones too.
    const proposed = await propose(more, cast.bob);
    if (proposed === 1) expect(await sign(more, cast.carol)).toBe('NOT_ALLOWED');
    else expect(proposed).toBe('NOT_ALLOWED');
    await vault.refresh();
    expect(vault.policy.policy.number).toBe(1);
  });

  it('cannot remove a device of somebody', async () => {
    const phone = await person('dora', { device: 'phone' });
    const dora = await world.as(cast.dora);
    await dora.append({ entries: [dora.sign('device.add', { card: phone.card.line })], files: [] });
    await vault.refresh();
    const more = { ...grown(), removedDevices: [cast.dora.card.id] };
    expect(await propose({ ...more, persons: { ...more.persons, dora: { cards: [phone.card.line] } } }, cast.bob)).toBe('NOT_ALLOWED');
  });

  it('cannot drop a person', async () => {
    const { dora: _, ...persons } = grown().persons;
    expect(await propose({ ...grown(), persons }, cast.bob)).toBe('BAD_POLICY');
  });

  it('waits while a proposal that an admin has signed is open, and goes on by itself when that is withdrawn', async () => {
    await begin({ people: [cast.alice, cast.bob, cast.carol, cast.dora, cast.erin], admins: ['alice', 'erin'], threshold: 2, roles: { infra: ['alice'], team: managed }, rules: [rule('/', 'infra')] });
    const byAdmin = successor(vault, { roles: { ...vault.policy.policy.roles, zoo: { members: [] } } });
    expect(await propose(byAdmin, cast.alice)).toBe(1);
    const next = withMember(vault.policy, (await other()).card, { roles: ['team'] });
    expect(await propose(next, cast.bob)).toBe(1);
    expect(await sign(next, cast.carol)).toBe(1);
    expect(await sign(next, cast.dora)).toBe(1);
    const alice = await world.as(cast.alice);
    await alice.append({ entries: [alice.sign('policy.withdraw', { digest: sha256Hex(encodePolicy(byAdmin)) })], files: [] });
    expect(alice.policy.policy.number).toBe(2);
    expect((await openAs(store, cast.bob)).policy.policy.roles['team']!.members).toEqual(['bob', 'frank']);
  });

  it('its managers leave many proposals open: each act judges the one that it is about, and none that cannot take effect', async () => {
    let state = vault.policy;
    let judged = 0;
    const open = async (name: string): Promise<void> => {
      const policy = withMember(vault.policy, (await person(name)).card, { roles: ['team'] });
      const bytes = encodePolicy(policy);
      const digest = sha256Hex(bytes);
      const { person: who, device, id } = cast.bob.card;
      const next = applyPropose(state, { number: policy.number, digest, previous: policy.previous! }, {
        leaf: 10, actor: { person: who, device, key: id }, file: () => bytes, standIns: () => [],
        currentTrees: () => {
          judged++;
          return [];
        },
      });
      if ('code' in next) throw new Error(next.message);
      state = next;
    };
    for (let i = 0; i < 20; i++) await open(`guest${i}`);
    expect(state.proposals).toHaveLength(20);
    expect(judged).toBe(20);
  });

  it('cannot be asked for more consents than its managers could make up', () => {
    const everybody = { ...managed, members: ['alice', 'bob', 'carol', 'dora'] };
    const policy = { ...world.policy, roles: { ...world.policy.roles, team: everybody }, rules: [rule('/', 'team', { consents: 3 })] };
    expect(checkPolicyFile(encodePolicy(policy))).toMatchObject({ code: 'BAD_POLICY' });
    expect(checkPolicyFile(encodePolicy({ ...policy, rules: [rule('/', 'team', { consents: 2 })] }))).toHaveProperty('policy');
  });

  it('cannot be emptied of those who hold its key', async () => {
    const bob = await world.as(cast.bob);
    await makeMissingKeys(bob);
    await vault.refresh();
    const emptied = successor(vault, { roles: { ...vault.policy.policy.roles, team: { ...managed, members: ['carol'] } } });
    expect(await propose(emptied, cast.bob)).toBe('WOULD_STRAND');
  });
});

describe('a rule', () => {
  const asking = (consents: number, roles = vault.policy.policy.roles): Policy => successor(vault, { roles, rules: [rule('/', 'team', { consents })] });

  it('that asks more consents than its owners could give is refused where it is made, and keeps nobody from being removed', async () => {
    const ci = await person('ci', { kind: 'machine' });
    await begin({ people: [cast.alice, cast.bob, ci], admins: ['alice'], threshold: 1, roles: { team: ['alice', 'bob', 'ci'], later: [] } });
    expect(checkPolicyFile(encodePolicy({ ...world.policy, rules: [rule('/', 'team', { consents: 3 })] }))).toMatchObject({ code: 'BAD_POLICY', message: expect.stringContaining('only 2 people') });
    expect(await propose(asking(3), cast.alice)).toBe('BAD_POLICY');
    expect(await propose(successor(vault, { rules: [rule('/', 'team', { consents: Number.MAX_SAFE_INTEGER })] }), cast.alice)).toBe('BAD_POLICY');
    // Nobody has joined yet: of such a team nothing can be said.
    expect(await propose(successor(vault, { rules: [rule('/', 'team'), rule('app/', 'later', { consents: 2 })] }), cast.alice)).toBe(2);
    expect(await propose(asking(2), cast.alice)).toBe(3);
    expect(await propose(withoutMember(vault.policy, 'bob'), cast.alice)).toBe(4);
    expect(await propose(successor(vault, { rules: [rule('/', 'team', { consents: 2, writers: ['later'] })] }), cast.alice)).toBe(5);
    expect(await propose(successor(vault, { rules: [rule('/', 'team', { consents: 2 }), rule('app/', 'team', { consents: 2 })] }), cast.alice)).toBe('BAD_POLICY');
  });
});

describe('keys', () => {
  beforeEach(() => begin({ people: [cast.alice, cast.bob], admins: ['alice'], threshold: 1 }));
  const withCards = (name: string, ...cards: { line: string }[]): Policy => successor(vault, { persons: { ...vault.policy.policy.persons, [name]: { cards: cards.map((c) => c.line) } } });

  it('of a removed person never come back, under no name and by no way', async () => {
    expect(await propose(withoutMember(vault.policy, 'bob'), cast.alice)).toBe(2);
    expect(await propose(withMember(vault.policy, cast.bob.card, { roles: ['team'] }), cast.alice)).toBe('KEY_REMOVED');
    const { age, card: { recipient } } = cast.bob;
    const stranger = await person('stranger');
    const withHisRecipient = signCard({ person: 'bob', device: 'new', kind: 'human', recipient, created: 1 }, stranger.signingKey);
    expect(age.length).toBeGreaterThan(0);
    expect(await propose(withCards('bob', withHisRecipient), cast.alice)).toBe('KEY_REMOVED');
    expect(await propose(withCards('robert', signCard({ person: 'robert', device: 'x', kind: 'human', recipient, created: 1 }, stranger.signingKey)), cast.alice)).toBe('KEY_TAKEN');
    expect(await propose(withCards('robert', signCard({ person: 'robert', device: 'x', kind: 'human', recipient: stranger.card.recipient, created: 1 }, cast.bob.signingKey)), cast.alice)).toBe('KEY_REMOVED');
    const alice = await world.as(cast.alice);
    const epoch = alice.sign('role.epoch', { role: 'team', epoch: 2, recipient, provisional: false });
    expect(await codeOf(alice.append({ entries: [epoch], files: [] }))).toBe('KEY_TAKEN');
  });

  it('of a removed device never come back, nor does its recipient with another key', async () => {
    const phone = await person('alice', { device: 'phone' });
    const alice = await world.as(cast.alice);
    const add = (card: { line: string }): Promise<unknown> => alice.append({ entries: [alice.sign('device.add', { card: card.line })], files: [] });
    await add(phone.card);
    await alice.append({ entries: [alice.sign('device.remove', { key: phone.card.id })], files: [] });
    expect(await codeOf(add(phone.card))).toBe('KEY_REMOVED');
    const stranger = await person('stranger');
    const again = signCard({ person: 'alice', device: 'phone', kind: 'human', recipient: phone.card.recipient, created: 1 }, stranger.signingKey);
    expect(await codeOf(add(again))).toBe('KEY_REMOVED');
    await vault.refresh();
    expect(await propose(withCards('alice', cast.alice.card, phone.card), cast.alice)).toBe('KEY_REMOVED');
    // A stolen device cannot bring in others once it was removed.
    const thief = await person('alice', { device: 'thief' });
    expect(await codeOf((await world.as(cast.bob)).append({ entries: [entryBy(vault, phone, 'device.add', { card: thief.card.line })], files: [] }))).toBe('NOT_ENROLLED');
  });

  it('of somebody else cannot be enrolled', async () => {
    const stranger = await person('stranger');
    const his = signCard({ person: 'eve', device: 'x', kind: 'human', recipient: cast.bob.card.recipient, created: 1 }, stranger.signingKey);
    expect(await propose(withCards('eve', his), cast.alice)).toBe('KEY_TAKEN');
    expect(await propose(withCards('eve', cast.bob.card), cast.alice)).toBe('BAD_CARD');
    const two = [signCard({ person: 'eve', device: 'x', kind: 'human', recipient: stranger.card.recipient, created: 1 }, stranger.signingKey), signCard({ person: 'eve', device: 'y', kind: 'human', recipient: stranger.card.recipient, created: 1 }, (await person('y')).signingKey)];
    expect(await propose(withCards('eve', ...two), cast.alice)).toBe('KEY_TAKEN');
  });

  it('of a newcomer are not lost to who names them first without the private half', async () => {
    await begin({ admins: ['alice', 'bob', 'carol'], threshold: 2 });
    const bob = await world.as(cast.bob);
    const { recipient } = cast.dora.card;
    const alice = await world.as(cast.alice);
    const turn = (): Promise<unknown> => alice.append({ entries: [alice.sign('role.epoch', { role: 'team', epoch: alice.policy.roles.get('team')!.epochs.length + 1, recipient, provisional: false })], files: [] });
    await turn();
    await vault.refresh();
    const next = withDora();
    expect(await propose(next, cast.alice)).toBe(1);
    // Her card lies open now, until another admin has signed.
    const hers = signCard({ person: 'bob', device: 'phone', kind: 'human', recipient, created: 1 }, (await person('other')).signingKey);
    expect(await codeOf(bob.append({ entries: [bob.sign('device.add', { card: hers.line })], files: [] }))).toBe('KEY_TAKEN');
    expect(await sign(next, cast.carol)).toBe(2);
    expect(vault.policy.people.get('dora')!.devices.map((d) => d.recipient)).toEqual([recipient]);
    // From here on it is hers.
    expect(await codeOf(turn())).toBe('KEY_TAKEN');
  });

  it('of a new person under an old name open nothing of the old one, and hold no role', async () => {
    const bob = await world.as(cast.bob);
    expect(await propose(withoutMember(vault.policy, 'bob'), cast.alice)).toBe(2);
    const namesake = await person('bob', { salt: 'another human' });
    expect(await propose(withMember(vault.policy, namesake.card, { roles: ['team'] }), cast.alice)).toBe(3);
    expect(holders(vault.policy, 'team')).toEqual(['alice']);
    const theirs = await world.as(namesake);
    expect(await codeOf((async () => theirs.append(await turnRole(theirs, 'team')))())).toMatch(/^(NEEDS_GRANT|SEALER_FAULT)$/);
    expect(await codeOf(theirs.append({ entries: [theirs.sign('role.epoch', { role: 'team', epoch: 2, recipient: (await person('q')).card.recipient, provisional: false })], files: [] }))).toBe('NEEDS_GRANT');
    await bob.refresh();
    expect(await codeOf(seal(bob, 'app/x'))).toBe('NOT_ENROLLED');
  });

  it('that were granted on devices now gone do not keep a role: no policy may strand it, and others may turn it', async () => {
    const phone = await person('alice', { device: 'phone' });
    const alice = await world.as(cast.alice);
    await alice.append({ entries: [alice.sign('device.add', { card: phone.card.line })], files: [] });
    await vault.refresh();
    expect(await propose(withoutMember(vault.policy, 'bob'), cast.alice)).toBe(2);
    // The phone was never granted the key: with the laptop goes the last one who has it.
    const base = successor(vault, { removedDevices: [cast.alice.card.id], persons: { alice: { cards: [phone.card.line] } } });
    expect(await propose(base, cast.alice)).toBe('WOULD_STRAND');
    expect(await propose({ ...base, abandon: { secrets: [], roles: ['team'] } }, cast.alice)).toBe(3);
  });
});

describe('a future format', () => {
  const future = (): { bytes: Uint8Array; digest: string; path: string } => {
    const bytes = canonicalJson({ ...successor(vault), format: 2, news: { unheard: 'of' } });
    const digest = sha256Hex(bytes);
    return { bytes, digest, path: `policy/0002-${digest.slice(0, 8)}.json` };
  };

  it('stops this release only once the threshold of the admins agrees', async () => {
    const { bytes, digest, path } = future();
    const alice = await world.as(cast.alice);
    await alice.append({ entries: [alice.sign('policy.propose', { number: 2, digest, previous: vault.policy.digest })], files: [{ path, bytes }] });
    expect((await openAs(store, cast.bob)).policy.policy.number).toBe(1);
    expect(await codeOf(alice.append({ entries: [alice.sign('policy.sign', { digest })], files: [] }))).toBe('ALREADY_DONE');
    await seal(alice, 'app/still-going');
    const bob = await openAs(store, cast.bob);
    expect(await codeOf(bob.append({ entries: [bob.sign('policy.sign', { digest })], files: [] }))).toBe('UPGRADE_REQUIRED');
    expect(await codeOf(openAs(store, cast.carol))).toBe('UPGRADE_REQUIRED');
  });

  it('follows the policy in effect like any other', async () => {
    const { bytes, digest, path } = future();
    const alice = await world.as(cast.alice);
    for (const lie of [{ number: 3 }, { previous: 'ab'.repeat(32) }]) {
      const body = { number: 2, digest, previous: vault.policy.digest, ...lie };
      expect(await codeOf(alice.append({ entries: [alice.sign('policy.propose', body)], files: [{ path, bytes }] }))).toBe('STALE_DRAFT');
    }
  });

  it('is for admins to sign', async () => {
    await begin({ admins: ['alice', 'bob'] });
    const { bytes, digest, path } = future();
    const alice = await world.as(cast.alice);
    await alice.append({ entries: [alice.sign('policy.propose', { number: 2, digest, previous: vault.policy.digest })], files: [{ path, bytes }] });
    const carol = await world.as(cast.carol);
    expect(await codeOf(carol.append({ entries: [carol.sign('policy.sign', { digest })], files: [] }))).toBe('NOT_ALLOWED');
  });

  it('is for admins to propose', async () => {
    await begin({ people: [cast.alice, cast.bob], admins: ['alice'], threshold: 1 });
    const { bytes, digest, path } = future();
    const bob = await world.as(cast.bob);
    expect(await codeOf(bob.append({ entries: [bob.sign('policy.propose', { number: 2, digest, previous: vault.policy.digest })], files: [{ path, bytes }] }))).toBe('NOT_ALLOWED');
  });

  it('of a whole vault is named as such', async () => {
    const bytes = canonicalJson({ ...world.policy, format: 2 });
    const id = sha256Hex(bytes);
    const other = rawStore('from-the-future');
    const init = signEntry({ vault: id, actor: { person: 'alice', device: 'laptop' }, op: 'vault.init', nonce: '00'.repeat(16), seen: { size: 0, root: sha256Hex(new Uint8Array()) }, policy: { number: 1, digest: id }, time: 1, body: { policy: id } }, cast.alice.signingKey);
    other.files.set(`policy/0001-${id.slice(0, 8)}.json`, bytes);
    await writeRawLog(other, id, [init.line], forger(cast.alice));
    expect(await codeOf(openAs(other, cast.bob))).toBe('UPGRADE_REQUIRED');
  });
});

it('persons and roles named like methods of every object are refused in words', () => {
  const text = (p: object): Uint8Array => canonicalJson(p);
  const policy = firstPolicy({ people: [cast.alice] });
  expect(checkPolicyFile(text({ ...policy, persons: { ...policy.persons, constructor: { cards: [cast.alice.card.line] } } }))).toMatchObject({ code: 'BAD_POLICY' });
  expect(checkPolicyFile(text({ ...policy, roles: { ...policy.roles, prototype: { members: [] } } }))).toMatchObject({ code: 'BAD_POLICY' });
  expect(sorted(Object.keys(policy.roles))).toEqual(['team']);
});
