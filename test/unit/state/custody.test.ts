/** What the fold makes of custody: who may say what of a share, and when a version comes into effect. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signEntry } from '../../../packages/core/src/audit/entry.js';
import { awaited, canAct, custodyOf, leafOf } from '../../../packages/core/src/custody/state.js';
import type { Identity } from '../../../packages/core/src/index.js';
import { successorBase } from '../../../packages/core/src/operations/people/members.js';
import { encodePolicy, type Policy } from '../../../packages/core/src/policy/policy.js';
import { deviceKeys } from '../../../packages/core/src/policy/state.js';
import { sha256Hex, utf8 } from '../../../packages/core/src/primitives/hash.js';
import { treeLeaves } from '../../../packages/core/src/primitives/threshold-tree.js';
import { newestVersion } from '../../../packages/core/src/seal/state.js';
import { apply, emptyState, type VaultState } from '../../../packages/core/src/state.js';
import type { Json } from '../../../packages/core/src/wire.js';
import { firstPolicy, people, person } from '../../support/vaults.js';

const NAME = 'pki/root';
/** 2 of alice bob carol AND 1 of dora erin. */
const TREE = { need: 2, of: [{ need: 2, of: ['alice', 'bob', 'carol'] }, { need: 1, of: ['dora', 'erin'] }] };
const PATHS = { alice: '0.0', bob: '0.1', carol: '0.2', dora: '1.0', erin: '1.1' } as const;
type Who = keyof typeof PATHS;

let cast: Record<Who, Identity>;
let phone: Identity;
let newBob: Identity;
let fresh: string[];
let state: VaultState;
let count = 0;
const frame = { vault: '', seen: { size: 0, root: '00'.repeat(32) }, policy: { number: 1, digest: '00'.repeat(32) } };

beforeAll(async () => {
  cast = await people('alice', 'bob', 'carol', 'dora', 'erin');
  phone = await person('bob', { device: 'phone' });
  newBob = await person('bob', { salt: 'another' });
  fresh = (await Promise.all([1, 2, 3].map((i) => person(`fresh${i}`)))).map((p) => p.card.recipient);
});

function act(by: Identity, op: string, body: object, file?: Uint8Array, time = 1): string | undefined {
  const { line } = signEntry({ ...frame, time, actor: { person: by.card.person, device: by.card.device }, op, nonce: String(count++).padStart(32, '0'), body: body as Json }, by.signingKey);
  const leaf = state.size;
  state = apply(state, { data: line, file: () => file });
  return state.voids.get(String(leaf))?.code;
}

function seal(change: object = {}): string | undefined {
  const last = state.secrets.versions.get(NAME)?.at(-1);
  const blob = (person: string) => ({ sha256: sha256Hex(utf8(`share ${person} ${count}`)), size: 1 });
  return act(cast.alice, 'secret.seal', { statement: {
    name: NAME, version: (last?.statement.version ?? 0) + 1, previous: last?.digest ?? null, origin: { how: 'generated' }, kind: 'password', parameters: {}, public: {},
    ciphertext: { sha256: sha256Hex(utf8(`file ${count}`)), size: 1, stanzas: { type: 'X25519', count: 1 } },
    custody: {
      group: 'root', scheme: 'split-v1', recipient: fresh[0]!, tree: TREE,
      leaves: treeLeaves(TREE).map(({ path, name }) => ({ path, person: name, blob: blob(name), commitment: sha256Hex(utf8(path)) })),
    },
    ...change,
  } });
}

function propose(change: Partial<Policy>): string | undefined {
  const file = encodePolicy({ ...successorBase(state.policy!), ...change });
  return act(cast.alice, 'policy.propose', { number: state.policy!.policy.number + 1, digest: sha256Hex(file), previous: state.policy!.digest }, file);
}

const without = (who: string): Policy['persons'] => Object.fromEntries(Object.entries(successorBase(state.policy!).persons).filter(([name]) => name !== who));
const digest = (version = 1): string => state.secrets.versions.get(NAME)![version - 1]!.digest;
const record = (version = 1) => custodyOf(state.custody, digest(version))!;
const newest = (): number | undefined => newestVersion(state.secrets.versions.get(NAME) ?? [])?.statement.version;
const devicesOf = (who: string): string[] => deviceKeys(state.policy!.people, who);
const ack = (by: Identity, who: Who = by.card.person as Who, version = 1): string | undefined => act(by, 'custody.ack', { statement: digest(version), path: PATHS[who] });
const check = (by: Identity, ok: boolean, who: Who = by.card.person as Who): string | undefined => act(by, 'custody.check', { statement: digest(), path: PATHS[who], ok }, undefined, 7);
const share = (by: Identity, more: object = {}): string | undefined =>
  act(by, 'custody.share', { name: NAME, version: 1, path: PATHS[by.card.person as Who], blob: { sha256: sha256Hex(utf8(`again ${count}`)), size: 2 }, ...more });

/** Everybody but bob keeps what they have; the tree's group stays, with somebody else in bob's place. */
function dropBob(): string | undefined {
  return propose({ persons: without('bob'), custody: { root: { need: 2, of: ['alice', 'carol'] } } });
}

beforeEach(() => {
  state = emptyState;
  const policy = firstPolicy({
    people: Object.values(cast), admins: ['alice'], roles: { infra: ['alice'] }, custody: { root: TREE },
    rules: [{ path: '/', owners: ['infra'], writers: ['infra'], custody: 'root', consents: 1 }],
  });
  const file = encodePolicy(policy);
  frame.vault = sha256Hex(file);
  act(cast.alice, 'vault.init', { policy: frame.vault }, file);
  const refusal = seal();
  if (refusal !== undefined) throw new Error(`the version was refused: ${refusal}`);
});

describe('secret.seal, under custody', () => {
  it('to one recipient, and along the group that the rule names: another with the same custodians is another', () => {
    expect(seal({ ciphertext: { sha256: 'ab'.repeat(32), size: 1, stanzas: { type: 'X25519', count: 2 } } })).toBe('STANZA_MISMATCH');
    const leaves = treeLeaves(TREE).map(({ path, name }) => ({ path, person: name, blob: { sha256: 'ab'.repeat(32), size: 1 }, commitment: sha256Hex(utf8(path)) }));
    expect(propose({ custody: { root: TREE, twin: TREE } })).toBeUndefined();
    expect(seal({ custody: { group: 'twin', scheme: 'split-v1', recipient: fresh[1]!, tree: TREE, leaves } })).toBe('READERS_MISMATCH');
    expect(seal()).toBeUndefined();
  });
});

describe('a version under custody', () => {
  it('is registered with its leaves, each for the devices that its custodian has at that leaf', () => {
    expect(record()).toMatchObject({ name: NAME, version: 1, group: 'root', tree: TREE, recipient: fresh[0] });
    expect(record().leaves.map((leaf) => [leaf.path, leaf.person, leaf.share.devices, leaf.share.leaf])).toEqual(
      (Object.keys(PATHS) as Who[]).map((who) => [PATHS[who], who, [cast[who].card.id], 1]),
    );
  });

  it('is pending until custodians who satisfy the tree have acknowledged, and supersedes nothing until then', () => {
    expect(newest()).toBeUndefined();
    for (const who of ['alice', 'dora', 'erin'] as const) expect(ack(cast[who])).toBeUndefined();
    expect(newest()).toBeUndefined();
    expect(awaited(record(), devicesOf).map((leaf) => leaf.person)).toEqual(['bob', 'carol']);
    expect(ack(cast.carol)).toBeUndefined();
    expect(newest()).toBe(1);
    expect(seal({ custody: { ...(state.secrets.versions.get(NAME)![0]!.statement as { custody: object }).custody, recipient: fresh[1]! } })).toBeUndefined();
    expect(newest()).toBe(1);
    for (const who of ['alice', 'bob'] as const) expect(ack(cast[who], who, 2)).toBeUndefined();
    expect(newest()).toBe(1);
    expect(ack(cast.erin, 'erin', 2)).toBeUndefined();
    expect(newest()).toBe(2);
  });

  it('stays in effect when those who acknowledged leave', () => {
    for (const who of ['bob', 'carol', 'dora'] as const) ack(cast[who]);
    expect(dropBob()).toBeUndefined();
    expect(newest()).toBe(1);
  });

  it('does not come into effect by the word of somebody who has left, nor of a newcomer with that name', () => {
    for (const who of ['bob', 'dora'] as const) expect(ack(cast[who])).toBeUndefined();
    expect(dropBob()).toBeUndefined();
    expect(propose({ persons: { ...successorBase(state.policy!).persons, bob: { cards: [newBob.card.line] } } })).toBeUndefined();
    expect(canAct(leafOf(record(), 'bob')!, devicesOf)).toBe(false);
    expect(ack(cast.alice)).toBeUndefined();
    expect(newest()).toBeUndefined();
    expect(share(newBob)).toBe('NOT_ALLOWED');
    expect(check(newBob, true)).toBe('NOT_ALLOWED');
    expect(ack(cast.carol)).toBeUndefined();
    expect(newest()).toBe(1);
  });
});

describe('custody.ack', () => {
  it('is for the person of the leaf, on a device that the share is sealed to, once', () => {
    expect(ack(cast.carol, 'alice')).toBe('NOT_ALLOWED');
    expect(state.voids.get(String(state.size - 1))!.message).toBe(`the share 0.0 of ${NAME} v1 is that of alice, not of carol`);
    expect(act(cast.alice, 'custody.ack', { statement: digest(), path: '7' })).toBe('NOT_ALLOWED');
    expect(act(cast.alice, 'custody.ack', { statement: 'ab'.repeat(32), path: '0.0' })).toBe('VERSION_NOT_FOUND');
    act(cast.bob, 'device.add', { card: phone.card.line });
    expect(ack(phone)).toBe('NOT_ALLOWED');
    expect(ack(cast.bob)).toBeUndefined();
    expect(ack(cast.bob)).toBe('ALREADY_DONE');
    expect(leafOf(record(), 'bob')!.acknowledged).toEqual({ leaf: state.size - 2, time: 1 });
  });
});

describe('custody.check', () => {
  it('keeps the newest word of each custodian', () => {
    expect(check(cast.bob, true, 'carol')).toBe('NOT_ALLOWED');
    expect(check(cast.bob, true)).toBeUndefined();
    expect(check(cast.bob, false)).toBeUndefined();
    expect(leafOf(record(), 'bob')!.checked).toEqual({ leaf: state.size - 1, time: 7, ok: false });
    expect(newest()).toBeUndefined();
  });
});

describe('custody.share', () => {
  it('puts another file in place of the first, for the devices of now; the custodian alone, who could open the last', () => {
    act(cast.bob, 'device.add', { card: phone.card.line });
    expect(share(phone)).toBe('NOT_ALLOWED');
    expect(share(cast.alice, { path: PATHS.bob })).toBe('NOT_ALLOWED');
    expect(share(cast.bob, { version: 2 })).toBe('VERSION_NOT_FOUND');
    expect(share(cast.bob, { name: 'pki/other' })).toBe('VERSION_NOT_FOUND');
    expect(share(cast.bob)).toBeUndefined();
    const leaf = leafOf(record(), 'bob')!;
    expect(leaf.share).toMatchObject({ devices: [cast.bob.card.id, phone.card.id], leaf: state.size - 1, blob: { size: 2 } });
    expect(leaf.sealed).toMatchObject({ size: 1 });
    expect(ack(phone)).toBeUndefined();
    expect(act(phone, 'device.remove', { key: cast.bob.card.id })).toBeUndefined();
    expect(canAct(leafOf(record(), 'bob')!, devicesOf)).toBe(true);
  });
});

describe('a policy that would strand a secret under custody', () => {
  it('is refused while no other custodians with a device of theirs are enough', () => {
    for (const who of ['alice', 'bob', 'dora'] as const) ack(cast[who]);
    expect(newest()).toBe(1);
    // Bob's laptop is gone, and his share was never sealed to the phone: he cannot act.
    act(cast.bob, 'device.add', { card: phone.card.line });
    act(phone, 'device.remove', { key: cast.bob.card.id });
    expect(canAct(leafOf(record(), 'bob')!, devicesOf)).toBe(false);
    const smaller = { persons: without('carol'), custody: { root: { need: 1, of: ['alice'] } } };
    expect(propose(smaller)).toBe('WOULD_STRAND');
    expect(propose({ ...smaller, abandon: { secrets: [NAME], roles: [] } })).toBeUndefined();
  });
});
