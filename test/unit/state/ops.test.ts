/** Every op that this release acts on: who may, and each reason for which it is refused (docs/format.md, "Ops"). */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Identity } from '../../../packages/core/src/index.js';
import { signEntry, type NewEntry } from '../../../packages/core/src/audit/entry.js';
import { signCard } from '../../../packages/core/src/policy/card.js';
import { encodePolicy } from '../../../packages/core/src/policy/policy.js';
import { newestEpoch } from '../../../packages/core/src/policy/state.js';
import { successorBase } from '../../../packages/core/src/operations/people/members.js';
import { sha256Hex, utf8 } from '../../../packages/core/src/primitives/hash.js';
import { apply, emptyState, type VaultState } from '../../../packages/core/src/state.js';
import type { Json } from '../../../packages/core/src/wire.js';
import { firstPolicy, people, person, rule } from '../../support/vaults.js';

let cast: Record<'alice' | 'bob' | 'carol' | 'dora', Identity>;
let ci: Identity;
let phone: Identity;
let fresh: string[];
beforeAll(async () => {
  cast = await people('alice', 'bob', 'carol', 'dora');
  ci = await person('ci', { kind: 'machine' });
  phone = await person('bob', { device: 'phone' });
  fresh = (await Promise.all([1, 2, 3, 4].map((i) => person(`fresh${i}`)))).map((p) => p.card.recipient);
});

let state: VaultState;
let count = 0;
const frame = { vault: '', seen: { size: 0, root: '00'.repeat(32) }, policy: { number: 1, digest: '00'.repeat(32) }, time: 1 };

/** Folds one more leaf; the code under which it is void, or undefined. */
function act(by: Identity, op: string, body: object, options: { lies?: Partial<NewEntry>; file?: Uint8Array } = {}): string | undefined {
  const { line } = signEntry({ ...frame, actor: { person: by.card.person, device: by.card.device }, op, nonce: String(count++).padStart(32, '0'), body: body as Json, ...options.lies }, by.signingKey);
  const leaf = state.size;
  state = apply(state, { data: line, file: () => options.file });
  return state.voids.get(String(leaf))?.code;
}

beforeEach(() => {
  state = emptyState;
  // Alice is admin; infra owns and writes all but web/, which ci writes; Dora is steward of a role of people yet to come.
  const policy = firstPolicy({
    people: [cast.alice, cast.bob, cast.carol, cast.dora, ci], admins: ['alice'],
    roles: { infra: ['alice', 'bob'], machines: ['ci'], platform: { members: ['carol'], steward: 'dora' } },
    rules: [rule('/', 'infra'), rule('pki/', 'platform'), rule('web/', 'infra', { writers: ['infra', 'machines'] })],
  });
  const file = encodePolicy(policy);
  frame.vault = sha256Hex(file);
  frame.policy = { number: 1, digest: frame.vault };
  act(cast.alice, 'vault.init', { policy: frame.vault }, { file });
  epoch(cast.alice, 'infra', 0);
  if (state.voids.size > 0) throw new Error('the vault that all tests begin with is not made');
});

const epoch = (by: Identity, role: string, recipient: number, more: object = {}): string | undefined =>
  act(by, 'role.epoch', { role, epoch: (state.policy!.roles.get(role)?.epochs.length ?? 0) + 1, recipient: fresh[recipient]!, provisional: false, ...more });
const grant = (by: Identity, role: string, to: string, more: object = {}): string | undefined => {
  const newest = newestEpoch(state.policy!, role);
  return act(by, 'role.grant', { role, epoch: newest?.epoch ?? 1, recipient: newest?.recipient ?? fresh[3]!, person: to, blob: { sha256: 'ab'.repeat(32), size: 1 }, ...more });
};
const seal = (by: Identity, name: string, change: object = {}): string | undefined => {
  const last = state.secrets.versions.get(name)?.at(-1);
  const infra = newestEpoch(state.policy!, 'infra')!;
  return act(by, 'secret.seal', { statement: {
    name, version: (last?.statement.version ?? 0) + 1, previous: last?.digest ?? null, origin: { how: 'generated' }, kind: 'password', parameters: {}, public: {},
    ciphertext: { sha256: sha256Hex(utf8(`file ${count}`)), size: 1, stanzas: { type: 'X25519', count: 1 } }, readers: [{ role: 'infra', epoch: infra.epoch, recipient: infra.recipient }], ...change,
  } });
};
const digestOf = (name: string, version: number): string => state.secrets.versions.get(name)![version - 1]!.digest;

describe('vault.init', () => {
  it('is the first leaf, by an admin of the policy that names the vault, with the key of the card in it', () => {
    const policy = firstPolicy({ people: [cast.alice, cast.bob], admins: ['alice'] });
    const file = encodePolicy(policy);
    const vault = sha256Hex(file);
    const init = (by: Identity, body: object = { policy: vault }, bytes: Uint8Array | undefined = file): string | undefined => {
      state = emptyState;
      return act(by, 'vault.init', body, { lies: { vault }, ...(bytes ? { file: bytes } : {}) });
    };
    expect(init(cast.alice)).toBeUndefined();
    expect(init(cast.bob)).toBe('NOT_ALLOWED');
    expect(init(cast.carol)).toBe('NOT_ENROLLED');
    expect(init(cast.alice, { policy: 'ab'.repeat(32) })).toBe('WRONG_VAULT');
    expect(init(cast.alice, { policy: vault }, utf8('{}'))).toBe('NOT_ENROLLED');
    expect(init(cast.alice, {})).toBe('BAD_ENTRY');
  });

  it('counts nowhere but at leaf 0', () => {
    const file = encodePolicy(firstPolicy({ people: [cast.alice], admins: ['alice'] }));
    const vault = sha256Hex(file);
    state = apply(emptyState, { data: utf8('garbage'), file: () => undefined });
    expect(act(cast.alice, 'vault.init', { policy: vault }, { lies: { vault }, file })).toBe('BAD_ENTRY');
    expect(state.policy).toBeUndefined();
    state = emptyState;
    expect(act(cast.alice, 'secret.open', { scope: ['/'], purpose: 'x', online: true })).toBe('BAD_ENTRY');
  });
});

describe('policy.*', () => {
  const next = (change: object = {}): { digest: string; file: Uint8Array; body: object } => {
    const file = encodePolicy({ ...successorBase(state.policy!), roles: { ...state.policy!.policy.roles, zoo: { members: [] } }, ...change });
    const digest = sha256Hex(file);
    return { digest, file, body: { number: state.policy!.policy.number + 1, digest, previous: state.policy!.digest } };
  };

  it('propose: an admin, once, with the file that was signed', () => {
    const { body, file } = next({ admins: { need: 2, of: ['alice', 'bob'] } });
    expect(act(cast.carol, 'policy.propose', body, { file })).toBe('NOT_ALLOWED');
    expect(act(cast.alice, 'policy.propose', body)).toBe('HASH_MISMATCH');
    expect(act(cast.alice, 'policy.propose', body, { file: utf8('{}') })).toBe('HASH_MISMATCH');
    expect(act(cast.bob, 'policy.propose', body, { file })).toBeUndefined();
    expect(act(cast.alice, 'policy.propose', body, { file })).toBe('ALREADY_DONE');
    expect(state.policy!.policy.number).toBe(1);
  });

  it('sign: once a device, by who has a say, needing no file; then it is in effect', () => {
    const { body, digest, file } = next({ admins: { need: 2, of: ['alice', 'bob'] } });
    expect(act(cast.alice, 'policy.propose', body, { file })).toBeUndefined();
    expect(act(cast.alice, 'policy.sign', { digest })).toBe('ALREADY_DONE');
    expect(act(cast.carol, 'policy.sign', { digest })).toBe('NOT_ALLOWED');
    expect(act(cast.bob, 'policy.sign', { digest: 'ab'.repeat(32) })).toBe('STALE_DRAFT');
    expect(act(cast.bob, 'policy.sign', { digest })).toBeUndefined();
    expect(state.policy).toMatchObject({ digest, proposals: [], policy: { number: 2 } });
    expect(act(cast.alice, 'policy.sign', { digest })).toBe('STALE_DRAFT');
  });

  it('withdraw: its proposer alone, from any device', () => {
    const { body, digest, file } = next({ admins: { need: 2, of: ['alice', 'bob'] } });
    act(cast.bob, 'policy.propose', body, { file });
    expect(act(cast.alice, 'policy.withdraw', { digest })).toBe('NOT_ALLOWED');
    act(cast.bob, 'device.add', { card: phone.card.line });
    expect(act(phone, 'policy.withdraw', { digest })).toBeUndefined();
    expect(act(cast.bob, 'policy.withdraw', { digest })).toBe('STALE_DRAFT');
  });
});

describe('device.*', () => {
  it('add: a living device of the same person, with a card that nobody else has', async () => {
    expect(act(cast.alice, 'device.add', { card: phone.card.line })).toBe('NOT_ALLOWED');
    expect(act(cast.bob, 'device.add', { card: phone.card.line.replace('sig', 'gis') })).toBe('BAD_CARD');
    expect(act(cast.bob, 'device.add', { card: (await person('bob', { salt: 'again' })).card.line })).toBe('ALREADY_DONE');
    expect(act(cast.bob, 'device.add', { card: (await person('bob', { device: 'pq', suite: 'hybrid' })).card.line })).toBe('MIXED_RECIPIENTS');
    const twin = (recipient: string, of: Identity): string => signCard({ person: 'bob', device: 'second', kind: 'human', recipient, created: 1 }, of.signingKey).line;
    expect(act(cast.bob, 'device.add', { card: twin(fresh[3]!, cast.bob) })).toBe('ALREADY_DONE');
    expect(act(cast.bob, 'device.add', { card: twin(cast.bob.card.recipient, phone) })).toBe('ALREADY_DONE');
    expect(act(phone, 'device.add', { card: phone.card.line })).toBe('NOT_ENROLLED');
    expect(act(cast.bob, 'device.add', { card: phone.card.line })).toBeUndefined();
    expect(state.policy!.people.get('bob')!.devices.map((d) => [d.device, d.addedBy])).toEqual([['laptop', undefined], ['phone', cast.bob.card.id]]);
    expect(act(phone, 'secret.open', { scope: ['/'], purpose: 'x', online: true })).toBeUndefined();
  });

  it('remove: the same person; never the last; what it signs from there on is void, and roles it could open are stale', () => {
    expect(act(cast.bob, 'device.remove', { key: cast.bob.card.id })).toBe('WOULD_STRAND');
    act(cast.bob, 'device.add', { card: phone.card.line });
    grant(cast.alice, 'infra', 'bob');
    expect(act(cast.alice, 'device.remove', { key: phone.card.id })).toBe('PERSON_NOT_FOUND');
    expect(act(phone, 'device.remove', { key: cast.bob.card.id })).toBeUndefined();
    expect(act(cast.bob, 'secret.open', { scope: ['/'], purpose: 'x', online: true })).toBe('NOT_ENROLLED');
    expect(state.policy!.roles.get('infra')!.stale).toMatchObject({ who: 'bob' });
  });

  it('are for the admins where the policy says so', () => {
    state = emptyState;
    const file = encodePolicy(firstPolicy({ people: [cast.alice, cast.bob, phone], admins: ['alice'], devices: 'admins' }));
    frame.vault = sha256Hex(file);
    act(cast.alice, 'vault.init', { policy: frame.vault }, { file });
    const twin = signCard({ person: 'bob', device: 'second', kind: 'human', recipient: fresh[3]!, created: 1 }, cast.carol.signingKey);
    expect(act(phone, 'device.remove', { key: cast.bob.card.id })).toBe('NOT_ALLOWED');
    expect(act(cast.alice, 'device.add', { card: phone.card.line })).toBe('NOT_ALLOWED');
    expect(act(phone, 'device.add', { card: twin.line })).toBe('NOT_ALLOWED');
  });
});

describe('role.*', () => {
  it('epoch: a member who holds the newest key; any member where nobody does; the next number', () => {
    expect(epoch(cast.bob, 'infra', 1)).toBe('NEEDS_GRANT');
    expect(epoch(cast.carol, 'infra', 1)).toBe('NOT_ALLOWED');
    expect(epoch(cast.alice, 'nothing', 1)).toBe('ROLE_NOT_FOUND');
    expect(epoch(cast.alice, 'infra', 1, { epoch: 3 })).toBe('RACE_LOST');
    expect(epoch(cast.alice, 'infra', 1, { epoch: 1 })).toBe('RACE_LOST');
    expect(epoch(cast.alice, 'infra', 0)).toBe('KEY_TAKEN');
    expect(grant(cast.alice, 'infra', 'bob')).toBeUndefined();
    expect(epoch(cast.bob, 'infra', 1)).toBeUndefined();
    // Alice was not granted the one that Bob made.
    expect(epoch(cast.alice, 'infra', 2)).toBe('NEEDS_GRANT');
  });

  it('epoch: the steward, provisionally, until a member has made one', () => {
    expect(epoch(cast.bob, 'platform', 1, { provisional: true })).toBe('NOT_ALLOWED');
    expect(epoch(cast.dora, 'platform', 1)).toBe('NOT_ALLOWED');
    expect(epoch(cast.dora, 'platform', 1, { provisional: true })).toBeUndefined();
    expect(epoch(cast.dora, 'platform', 2, { provisional: true })).toBeUndefined();
    expect(epoch(cast.carol, 'platform', 3, { provisional: true })).toBe('NOT_ALLOWED');
    expect(epoch(cast.carol, 'platform', 3)).toBeUndefined();
    expect(epoch(cast.dora, 'platform', 0, { provisional: true })).toBe('NOT_ALLOWED');
  });

  it('grant: by who holds or made it, to members, at the newest epoch', () => {
    expect(grant(cast.bob, 'infra', 'bob')).toBe('NOT_ALLOWED');
    expect(grant(cast.alice, 'infra', 'carol')).toBe('NOT_ALLOWED');
    expect(grant(cast.alice, 'infra', 'eve')).toBe('NOT_ALLOWED');
    expect(grant(cast.alice, 'infra', 'bob', { epoch: 2 })).toBe('EPOCH_STALE');
    expect(grant(cast.alice, 'infra', 'bob', { recipient: fresh[3]! })).toBe('EPOCH_STALE');
    expect(grant(cast.carol, 'platform', 'carol')).toBe('EPOCH_MISSING');
    expect(grant(cast.alice, 'infra', 'bob')).toBeUndefined();
    expect(newestEpoch(state.policy!, 'infra')!.grants.get('bob')!.devices).toEqual([cast.bob.card.id]);
  });
});

describe('secret.*', () => {
  it('seal: writers, and machines among them', () => {
    expect(seal(cast.carol, 'app/x')).toBe('NOT_ALLOWED');
    expect(seal(ci, 'app/x')).toBe('NOT_ALLOWED');
    expect(seal(ci, 'web/x')).toBeUndefined();
    expect(seal(cast.bob, 'app/x')).toBeUndefined();
    // The rule decides whole: whoever owns everything else owns nothing here.
    expect(seal(cast.alice, 'pki/x')).toBe('NOT_ALLOWED');
    expect(seal(cast.carol, 'pki/x')).toBe('READERS_MISMATCH');
    expect(seal(cast.carol, 'pki/x', { readers: [{ role: 'platform', epoch: 1, recipient: fresh[2]! }] })).toBe('EPOCH_MISSING');
  });

  it('seal: not where no rule covers the name', () => {
    state = emptyState;
    const file = encodePolicy(firstPolicy({ people: [cast.alice], admins: ['alice'], roles: { infra: ['alice'] }, rules: [rule('app/', 'infra')] }));
    frame.vault = sha256Hex(file);
    act(cast.alice, 'vault.init', { policy: frame.vault }, { file });
    epoch(cast.alice, 'infra', 1);
    expect(seal(cast.alice, 'dns/x')).toBe('NOT_ALLOWED');
    expect(seal(cast.alice, 'app')).toBe('NOT_ALLOWED');
    expect(seal(cast.alice, 'app/x')).toBeUndefined();
  });

  it('open: anybody enrolled, of what there is', () => {
    seal(cast.bob, 'app/x');
    const open = (by: Identity, body: object): string | undefined => act(by, 'secret.open', { purpose: 'x', online: true, ...body });
    expect(open(ci, { statements: [digestOf('app/x', 1)] })).toBeUndefined();
    expect(open(cast.dora, { statements: ['ab'.repeat(32)] })).toBe('VERSION_NOT_FOUND');
    expect(open(cast.dora, { session: 'ab'.repeat(32), statements: [] })).toBeUndefined();
    expect(open(cast.dora, { scope: ['/'], statements: [] })).toBe('BAD_ENTRY');
    expect(open(cast.dora, { scope: ['/'], purpose: 'a\u001b[2J' })).toBe('BAD_ENTRY');
  });

  it('retire: writers and owners, an older version, once', () => {
    seal(ci, 'web/x');
    const retire = (by: Identity, version: number): string | undefined => act(by, 'secret.retire', { statement: digestOf('web/x', version) });
    expect(retire(cast.alice, 1)).toBe('NOT_ALLOWED');
    seal(ci, 'web/x');
    expect(retire(cast.carol, 1)).toBe('NOT_ALLOWED');
    expect(retire(ci, 1)).toBeUndefined();
    expect(retire(cast.alice, 1)).toBe('ALREADY_DONE');
    expect(act(cast.alice, 'secret.retire', { statement: 'ab'.repeat(32) })).toBe('VERSION_NOT_FOUND');
  });
});

describe('staleness', () => {
  const drop = (who: string, role: string): void => {
    const base = successorBase(state.policy!);
    const file = encodePolicy({ ...base, roles: { ...base.roles, [role]: { ...base.roles[role]!, members: base.roles[role]!.members.filter((p) => p !== who) } } });
    expect(act(cast.alice, 'policy.propose', { number: base.number, digest: sha256Hex(file), previous: state.policy!.digest }, { file })).toBeUndefined();
  };

  it('begins where somebody who was granted the key leaves, stops sealing, and ends with the next epoch', () => {
    grant(cast.alice, 'infra', 'bob');
    drop('bob', 'infra');
    expect(state.policy!.roles.get('infra')!.stale).toEqual({ leaf: state.size - 1, who: 'bob' });
    expect(seal(cast.alice, 'app/x')).toBe('EPOCH_STALE');
    expect(epoch(cast.alice, 'infra', 1)).toBeUndefined();
    expect(state.policy!.roles.get('infra')!.stale).toBeUndefined();
    expect(seal(cast.alice, 'app/x')).toBeUndefined();
  });

  it('does not begin where somebody leaves who never had the key', () => {
    drop('bob', 'infra');
    expect(state.policy!.roles.get('infra')!.stale).toBeUndefined();
  });
});
