/** The fold over whatever people do: pure, total, the same in one go, leaf by leaf and across a cache; and racing writers. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { signEntry, type SignedEntry } from '../../packages/core/src/audit/entry.js';
import { loadLog, nothingKnown } from '../../packages/core/src/engine/load.js';
import { readStateCache, writeStateCache, type VerifiedLog } from '../../packages/core/src/engine/state-cache.js';
import { directoryStore, isVaultError, memoryStore, type Identity, type Policy, type Store } from '../../packages/core/src/index.js';
import { encodePolicy, policyPath } from '../../packages/core/src/policy/policy.js';
import { newestEpoch } from '../../packages/core/src/policy/state.js';
import { successorBase } from '../../packages/core/src/operations/people/members.js';
import { CompactRange } from '../../packages/core/src/primitives/compact-range.js';
import { sha256Hex, toHex, utf8 } from '../../packages/core/src/primitives/hash.js';
import { statementDigest, type Statement } from '../../packages/core/src/seal/statement.js';
import { apply, emptyState, judge, type Leaf, type VaultState } from '../../packages/core/src/state.js';
import { firstPolicy, forger, makeVault, memoryLocal, openAs, person, rawStore, rule, seal, writeRawLog } from '../support/vaults.js';
import { tempDir } from '../support/tmp.js';

const NAMES = ['alice', 'bob', 'carol', 'dora'] as const;
const KINDS = ['seal', 'seal-old', 'open', 'retire', 'standing', 'epoch', 'grant', 'device-add', 'device-remove', 'propose-member', 'propose-remove', 'propose-role', 'sign', 'withdraw', 'replay', 'garbage', 'forged', 'later', 'bent'] as const;

let cast: Identity[];
let spares: Identity[];
let policy: Policy;
let pool: string[];

beforeAll(async () => {
  cast = await Promise.all([...NAMES.map((name) => person(name)), person('ci', { kind: 'machine' }), person('erin'), person('stranger')]);
  spares = await Promise.all(NAMES.flatMap((name) => ['phone', 'tablet'].map((device) => person(name, { device }))));
  pool = (await Promise.all(Array.from({ length: 12 }, (_, i) => person(`pool${i}`)))).map((p) => p.card.recipient);
  policy = firstPolicy({
    people: cast.slice(0, 5), admins: ['alice', 'bob', 'carol'], threshold: 2,
    roles: { infra: ['alice', 'bob', 'ci'], web: { members: ['dora'], managed: { need: 1, of: ['dora'] } } },
    rules: [rule('/', 'infra'), rule('web/', 'web', { readers: ['infra', 'web'] })],
  });
});

interface Step { readonly kind: (typeof KINDS)[number]; readonly actor: number; readonly a: number; readonly b: number }
const step: fc.Arbitrary<Step> = fc.record({ kind: fc.constantFrom(...KINDS), actor: fc.nat(20), a: fc.nat(1000), b: fc.nat(1000) });
const steps = fc.array(step, { minLength: 1, maxLength: 40 });

interface Made { readonly data: Uint8Array; readonly files: readonly { path: string; bytes: Uint8Array }[] }

const pick = <T>(list: readonly T[], i: number): T => list[i % list.length]!;
const nonce = (n: number): string => sha256Hex(utf8(`nonce ${n}`)).slice(0, 32);

/** The leaf that a step stands for, made from the state as it then is, so that a good part of them is allowed. */
function leafOf(state: VaultState, s: Step, index: number, before: readonly Made[]): Made {
  const signer = pick([...cast, ...cast.slice(0, 5), ...spares], s.actor);
  const id = sha256Hex(encodePolicy(policy));
  const now = state.policy!;
  const files: { path: string; bytes: Uint8Array }[] = [];
  const sign = (op: string, body: object, who: Identity = signer, vault = id): SignedEntry => signEntry({
    vault, actor: { person: who.card.person, device: who.card.device }, op, nonce: nonce(index), seen: { size: 0, root: toHex(CompactRange.empty.root()) },
    policy: { number: now.policy.number, digest: now.digest }, time: s.a, body: body as never,
  }, who.signingKey);
  const propose = (next: Policy): SignedEntry => {
    const bytes = encodePolicy(next);
    const digest = sha256Hex(bytes);
    files.push({ path: policyPath(next.number, digest), bytes });
    return sign('policy.propose', { number: next.number, digest, previous: next.previous });
  };
  const base = successorBase(now);
  const roles = Object.keys(now.policy.roles);
  const role = pick(roles, s.a);
  const everyone = [...now.people.keys()];
  const name = pick(['app/a', 'app/b', 'web/c', 'pki/root'], s.a);
  const statement = (stale: boolean): Statement => {
    const last = state.secrets.versions.get(name)?.at(-1);
    const readers = name.startsWith('web/') ? ['infra', 'web'] : ['infra'];
    return {
      name, version: stale ? 1 : (last?.statement.version ?? 0) + 1, previous: last?.digest ?? null, origin: { how: 'generated' }, kind: 'password', parameters: {}, public: {},
      ciphertext: { sha256: sha256Hex(utf8(`file ${index}`)), size: s.b, stanzas: { type: 'X25519', count: readers.length } },
      readers: readers.map((r) => ({ role: r, epoch: newestEpoch(now, r)?.epoch ?? 1, recipient: newestEpoch(now, r)?.recipient ?? pool[0]! })),
    };
  };
  const make = (): SignedEntry | Uint8Array => {
    switch (s.kind) {
      case 'seal': return sign('secret.seal', { statement: statement(false) });
      case 'seal-old': return sign('secret.seal', { statement: statement(true) });
      case 'open': return sign('secret.open', { scope: ['/'], purpose: 'x', online: s.b % 2 === 0 });
      case 'retire': return sign('secret.retire', { statement: pick([...(state.secrets.versions.get(name) ?? [{ digest: 'ab'.repeat(32) }])], s.b).digest });
      case 'standing': return sign('secret.standing', { machine: pick(['ci', 'alice', 'nobody'], s.b), scope: s.a % 3 === 0 ? [] : ['app/'], notAfter: s.b });
      case 'epoch': return sign('role.epoch', { role, epoch: (newestEpoch(now, role)?.epoch ?? 0) + 1, recipient: pick(pool, index + s.b), provisional: s.b % 7 === 0 });
      case 'grant': return sign('role.grant', { role, epoch: newestEpoch(now, role)?.epoch ?? 1, recipient: newestEpoch(now, role)?.recipient ?? pool[0]!, person: pick(everyone, s.b), blob: { sha256: nonce(index).repeat(2), size: s.b } });
      case 'device-add': return sign('device.add', { card: pick(spares, s.a).card.line }, pick(cast, s.a % 8 >> 1));
      case 'device-remove': return sign('device.remove', { key: pick([...cast, ...spares], s.b).card.id });
      case 'propose-member': return propose({ ...base, persons: { ...base.persons, erin: { cards: [cast[5]!.card.line] } }, roles: { ...base.roles, [role]: { ...base.roles[role]!, members: [...new Set([...base.roles[role]!.members, 'erin'])].sort() } } });
      case 'propose-remove': {
        const gone = pick(everyone, s.b);
        const persons = Object.fromEntries(Object.entries(base.persons).filter(([p]) => p !== gone));
        const of = base.admins.of.filter((p) => p !== gone);
        return propose({ ...base, persons, admins: { of: of.length > 0 ? of : base.admins.of, need: Math.max(1, Math.min(base.admins.need, of.length)) }, roles: Object.fromEntries(Object.entries(base.roles).map(([r, def]) => [r, { ...def, members: def.members.filter((p) => p !== gone) }])) });
      }
      case 'propose-role': return propose({ ...base, roles: { ...base.roles, [`r${s.b % 5}`]: { members: s.a % 2 === 0 ? [pick(everyone, s.b)] : [] } } });
      case 'sign': return sign('policy.sign', { digest: now.proposals.length > 0 ? pick(now.proposals, s.a).digest : 'ab'.repeat(32) });
      case 'withdraw': return sign('policy.withdraw', { digest: now.proposals.length > 0 ? pick(now.proposals, s.a).digest : 'ab'.repeat(32) });
      case 'replay': return pick(before, s.a).data;
      case 'garbage': return utf8(`{"garbage":${s.a}`);
      case 'forged': return sign('secret.open', { scope: ['/'], purpose: 'x', online: true }, { ...signer, signingKey: pick(cast, s.a).signingKey });
      case 'later': return sign('vault.drill', { statements: [], failed: [] });
      case 'bent': {
        const { line } = sign('secret.open', { scope: ['/'], purpose: 'x', online: true });
        return Uint8Array.from(line, (byte, i) => (i === s.b % line.length ? byte ^ (1 + (s.a % 127)) : byte)).map((byte) => (byte === 10 ? 11 : byte));
      }
    }
  };
  const made = make();
  return made instanceof Uint8Array ? { data: made, files } : { data: made.line, files: made.object ? [...files, made.object] : files };
}

function begin(): Made {
  const bytes = encodePolicy(policy);
  const id = sha256Hex(bytes);
  const alice = cast[0]!;
  const { line } = signEntry({ vault: id, actor: { person: 'alice', device: 'laptop' }, op: 'vault.init', nonce: nonce(-1), seen: { size: 0, root: toHex(CompactRange.empty.root()) }, policy: { number: 1, digest: id }, time: 0, body: { policy: id } }, alice.signingKey);
  return { data: line, files: [{ path: policyPath(1, id), bytes }] };
}

const asLeaf = ({ data, files }: Made): Leaf => ({ data, file: (sha256) => files.find((f) => sha256Hex(f.bytes) === sha256)?.bytes });

/** A whole log, and the state after each leaf. */
function play(list: readonly Step[]): { leaves: Made[]; states: VaultState[] } {
  const leaves = [begin()];
  const states = [apply(emptyState, asLeaf(leaves[0]!))];
  expect(states[0]!.policy).toBeDefined();
  for (const [i, s] of list.entries()) {
    const leaf = leafOf(states.at(-1)!, s, i, leaves);
    leaves.push(leaf);
    states.push(apply(states.at(-1)!, asLeaf(leaf)));
  }
  return { leaves, states };
}

/** Everything in a state, in an order of its own. */
function print(state: VaultState): string {
  const { secrets, custody, handovers, digests, voids, ...rest } = state;
  const byKey = <V>(entries: Iterable<readonly [string, V]>): unknown[] => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  const { handovers: requests, offers, ...others } = handovers;
  const all = { ...rest, custody: byKey(custody.versions), requests: byKey(requests), offers: byKey(offers), ...others, secrets: byKey(secrets.versions), statements: byKey(secrets.statements), ciphertexts: toHex(secrets.ciphertexts.toBuffer()), standing: secrets.standing, digests: toHex(digests.toBuffer()), voids: byKey(voids) };
  return JSON.stringify(all, (_, value: unknown) => (value instanceof Map ? [...value].map(([k, v]) => [k, v] as unknown) : value instanceof Set ? [...value] : value));
}

const printLog = (log: VerifiedLog): string => JSON.stringify([print(log.state), log.tree.toJSON(), log.pages, log.partial, log.files, [...log.policyFiles], log.policies, toHex(log.roots), log.strays]);

describe('apply', () => {
  it('changes nothing of what it is given, and gives the same twice', () => {
    fc.assert(fc.property(steps, (list) => {
      const { leaves, states } = play(list);
      for (const [i, leaf] of leaves.entries()) {
        const before = i === 0 ? emptyState : states[i - 1]!;
        const printed = print(before);
        const again = apply(before, asLeaf(leaf));
        expect(print(before)).toBe(printed);
        expect(print(again)).toBe(print(states[i]!));
        expect(again.size).toBe(i + 1);
      }
    }), { numRuns: 30 });
  });

  it('does what judge says, and a void leaf has no effect', () => {
    let allowed = 0;
    let refused = 0;
    fc.assert(fc.property(steps, (list) => {
      const { leaves, states } = play(list);
      for (const [i, leaf] of leaves.entries()) {
        const before = i === 0 ? emptyState : states[i - 1]!;
        const judged = judge(before, asLeaf(leaf));
        const after = states[i]!;
        expect(after.voids.get(String(i))?.code).toBe(judged.refused?.code);
        if (judged.refused) {
          refused++;
          expect(print({ ...after, voids: before.voids, digests: before.digests, size: before.size })).toBe(print(before));
        } else allowed++;
      }
    }), { numRuns: 30 });
    // A generator that is always refused would prove nothing.
    expect(Math.min(allowed, refused)).toBeGreaterThan(10);
  });

  it('never throws, whatever the bytes', () => {
    const { states } = play([]);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ maxLength: 200 }).map(utf8),
      fc.json({ maxDepth: 4 }).map(utf8),
      fc.json({ maxDepth: 4 }).map((payload) => utf8(JSON.stringify({ payload: Buffer.from(payload).toString('base64'), payloadType: 'application/vnd.oxp-vault.entry.v1+json', signatures: [{ keyid: 'ab'.repeat(32), sig: '' }] }))),
    );
    fc.assert(fc.property(bytes, (data) => {
      for (const state of [emptyState, states[0]!]) {
        expect(apply(state, { data, file: () => undefined }).voids.size).toBe(1);
      }
    }), { numRuns: 1000 });
  });

  it('never throws, whatever the body, op and file, where the signature is good', () => {
    const { states } = play([]);
    const words = fc.constantFrom('constructor', 'prototype', 'infra', 'web', 'alice', 'ci', '', 'ab'.repeat(32), '/');
    const value = fc.letrec<{ any: unknown }>((tie) => ({ any: fc.oneof({ maxDepth: 3 }, words, fc.integer(), fc.boolean(), fc.constant(null), fc.array(tie('any'), { maxLength: 3 }), fc.dictionary(fc.constantFrom('role', 'epoch', 'recipient', 'person', 'statement', 'card', 'constructor', 'toString', 'digest', 'scope'), tie('any'), { maxKeys: 4 })) })).any;
    const ops = fc.constantFrom('vault.init', 'policy.propose', 'policy.sign', 'policy.withdraw', 'device.add', 'device.remove', 'role.epoch', 'role.grant', 'secret.seal', 'secret.open', 'secret.standing', 'secret.retire', 'custody.ack', 'handover.request', 'vault.drill', 'to.string');
    const epoch = fc.record({ role: words, epoch: fc.constantFrom(1, 2), recipient: fc.constantFrom(...pool), provisional: fc.boolean() });
    const grant = fc.record({ role: words, epoch: fc.constantFrom(1, 2), recipient: fc.constantFrom(...pool), person: words, blob: fc.constant({ sha256: 'ab'.repeat(32), size: 1 }) });
    fc.assert(fc.property(ops, fc.oneof(value, epoch, grant), fc.nat(4), fc.uint8Array({ maxLength: 40 }), (op, body, who, file) => {
      const signer = cast[who]!;
      const { line } = signEntry({ vault: states[0]!.policy!.vault, actor: { person: signer.card.person, device: 'laptop' }, op, nonce: nonce(1), seen: { size: 0, root: 'ab'.repeat(32) }, policy: { number: 1, digest: 'ab'.repeat(32) }, time: 1, body: body as never }, signer.signingKey);
      for (const state of [emptyState, states[0]!]) expect(apply(state, { data: line, file: () => file }).size).toBe(state.size + 1);
    }), { numRuns: 600 });
  });
});

describe('loading', () => {
  const writeAll = async (leaves: readonly Made[], count = leaves.length): Promise<Store> => {
    const store = rawStore();
    for (const { path, bytes } of leaves.slice(0, count).flatMap((leaf) => leaf.files)) store.files.set(path, bytes);
    await writeRawLog(store, sha256Hex(encodePolicy(policy)), leaves.slice(0, count).map((leaf) => leaf.data), forger(cast[0]!));
    return store;
  };
  const load = async (store: Store, known: VerifiedLog): Promise<VerifiedLog> => (await loadLog(store, async () => ({ known, vouched: [] }))).log;
  /** Alice signs every checkpoint here, so that logs in which she is removed stop where she is. */
  const whileAlice = (list: readonly Step[]): Made[] => {
    const { leaves, states } = play(list);
    const end = states.findIndex((s) => !s.policy!.people.get('alice')?.devices.some((d) => d.id === cast[0]!.card.id));
    return end < 0 ? leaves : leaves.slice(0, end);
  };

  it('in one go, in two at every split, and across the cache gives one state: that of the fold', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (list) => {
      const leaves = whileAlice(list);
      const full = await writeAll(leaves);
      const whole = await load(full, nothingKnown);
      expect(print(whole.state)).toBe(print(leaves.reduce((state, leaf) => apply(state, asLeaf(leaf)), emptyState)));
      for (let split = 1; split < leaves.length; split++) {
        const part = await load(await writeAll(leaves, split), nothingKnown);
        expect(printLog(await load(full, part))).toBe(printLog(whole));
        const local = memoryLocal();
        await writeStateCache(local, 'ab'.repeat(32), part);
        const thawed = await readStateCache(local, 'ab'.repeat(32));
        expect(printLog(thawed!)).toBe(printLog(part));
        expect(printLog(await load(full, thawed!))).toBe(printLog(whole));
      }
    }), { numRuns: 15 });
  });

  it('over page borders too', async () => {
    const filler = Array.from({ length: 600 }, (_, i): Step => ({ kind: 'open', actor: i % 5, a: i, b: i }));
    const leaves = whileAlice(filler);
    expect(leaves).toHaveLength(601);
    const full = await writeAll(leaves);
    const whole = await load(full, nothingKnown);
    for (const split of [1, 255, 256, 257, 511, 512, 513, 600]) {
      const part = await load(await writeAll(leaves, split), nothingKnown);
      expect(printLog(await load(full, part))).toBe(printLog(whole));
    }
  });
});

describe('racing writers', () => {
  it.each(['memory', 'directory'])('land each entry exactly once, in a %s store', async (kind) => {
    await fc.assert(fc.asyncProperty(fc.array(fc.nat(2), { minLength: 2, maxLength: 6 }), async (plan) => {
      const people = cast.slice(0, 3);
      const store = kind === 'memory' ? memoryStore() : directoryStore(tempDir('racing'));
      await makeVault({ people, store });
      const vaults = await Promise.all(people.map((identity) => openAs(store, identity)));
      await Promise.all(plan.map((who, i) => seal(vaults[who]!, `app/s${i}`).catch(async (error: unknown) => {
        // One client object is not meant for two writes at once, and may give up: the same person then tries again, as told.
        if (!isVaultError(error, 'RACE_LOST')) throw error;
        await seal(await openAs(store, people[who]), `app/s${i}`);
      })));
      const reader = await openAs(store, people[0]);
      expect(reader.state.secrets.versions.sortedKeys()).toEqual(plan.map((_, i) => `app/s${i}`).sort());
      expect([...reader.state.secrets.versions.values()].map((versions) => versions.length)).toEqual(plan.map(() => 1));
      expect(reader.state.voids.size).toBe(0);
    }), { numRuns: kind === 'memory' ? 10 : 4 });
  });

  it('lose quietly where the page they would extend is replaced under them', async () => {
    const inner = rawStore();
    const people = cast.slice(0, 2);
    await makeVault({ people, store: inner });
    const alice = await openAs(inner, people[0]);
    let raced = false;
    const slow = { ...inner, get: async (path: string) => {
      if (path.startsWith('log/0') && !raced) {
        raced = true;
        await seal(alice, 'app/first');
      }
      return inner.get(path);
    } };
    const bob = await openAs(inner, people[1]);
    Object.assign(bob, { store: slow });
    await seal(bob, 'app/second');
    expect(raced).toBe(true);
    expect((await openAs(inner, people[0])).state.secrets.versions.sortedKeys()).toEqual(['app/first', 'app/second']);
  });
});

it('a statement has one digest', () => {
  fc.assert(fc.property(steps, (list) => {
    const state = play(list).states.at(-1)!;
    for (const versions of state.secrets.versions.values()) for (const ver of versions) expect(statementDigest(ver.statement)).toBe(ver.digest);
  }), { numRuns: 10 });
});
