/** Standing access: who may give and end it, and for which names it counts when (docs/format.md, "Standing access"). */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signEntry } from '../../../packages/core/src/audit/entry.js';
import type { Identity } from '../../../packages/core/src/index.js';
import { sealAuthority } from '../../../packages/core/src/seal-authority.js';
import { successorBase } from '../../../packages/core/src/operations/people/members.js';
import { encodePolicy, type Policy } from '../../../packages/core/src/policy/policy.js';
import { sha256Hex } from '../../../packages/core/src/primitives/hash.js';
import { MAX_SCOPE, standingFor } from '../../../packages/core/src/seal/standing.js';
import { apply, emptyState, type VaultState } from '../../../packages/core/src/state.js';
import type { Json } from '../../../packages/core/src/wire.js';
import { firstPolicy, people, person, rule } from '../../support/vaults.js';

let cast: Record<'alice' | 'bob' | 'carol' | 'dora', Identity>;
let ci: Identity;
let ci2: Identity;
let bob2: Identity;
beforeAll(async () => {
  cast = await people('alice', 'bob', 'carol', 'dora');
  ci = await person('ci', { kind: 'machine' });
  ci2 = await person('ci', { kind: 'machine', device: 'second' });
  bob2 = await person('bob', { device: 'second' });
});

const NOW = 1000;
const LATER = 5000;
let state: VaultState;
let count = 0;
const frame = { vault: '', seen: { size: 0, root: '00'.repeat(32) }, policy: { number: 1, digest: '00'.repeat(32) }, time: 1 };

function act(by: Identity, op: string, body: object, file?: Uint8Array): string | undefined {
  const { line } = signEntry({ ...frame, actor: { person: by.card.person, device: by.card.device }, op, nonce: String(count++).padStart(32, '0'), body: body as Json }, by.signingKey);
  const leaf = state.size;
  state = apply(state, { data: line, file: () => file });
  return state.voids.get(String(leaf))?.code;
}

const give = (by: Identity, scope: string[], notAfter = LATER, machine = 'ci'): string | undefined => act(by, 'secret.standing', { machine, scope, notAfter });
const end = (by: Identity, scope: string[] = [], machine = 'ci'): string | undefined => act(by, 'secret.standing', { machine, scope, notAfter: 0 });
const covered = (name: string, now = NOW): string | undefined => standingFor(state.secrets, 'ci', name, now, sealAuthority({ policy: state.policy!, handovers: state.handovers }))?.by;

/** A further policy, by alice alone. */
function policy(change: (base: Policy) => Partial<Policy>): void {
  const base = successorBase(state.policy!);
  const file = encodePolicy({ ...base, ...change(base) });
  const { number } = base;
  expect(act(cast.alice, 'policy.propose', { number, digest: sha256Hex(file), previous: state.policy!.digest }, file)).toBeUndefined();
  expect(state.policy!.policy.number).toBe(number);
}
const members = (base: Policy, role: string, list: string[]): Policy['roles'] => ({ ...base.roles, [role]: { ...base.roles[role]!, members: list } });

beforeEach(() => {
  state = emptyState;
  // alice and bob own everything but pki/ (carol) and, below that, pki/web/ (alice and bob again) and dns/key (dora).
  const first = firstPolicy({
    people: [cast.alice, cast.bob, cast.carol, cast.dora, ci], admins: ['alice'],
    roles: { infra: ['alice', 'bob'], platform: ['carol'], dns: ['dora'], machines: ['ci'] },
    rules: [rule('/', 'infra'), rule('dns/key', 'dns'), rule('pki/', 'platform'), rule('pki/web/', 'infra')],
  });
  const file = encodePolicy(first);
  frame.vault = sha256Hex(file);
  frame.policy = { number: 1, digest: frame.vault };
  if (act(cast.alice, 'vault.init', { policy: frame.vault }, file) !== undefined) throw new Error('the vault that all tests begin with is not made');
});

describe('who may', () => {
  it('give it: a human who owns the paths, to an enrolled machine', () => {
    expect(give(cast.carol, ['app/'])).toBe('NOT_ALLOWED');
    expect(give(cast.alice, ['app/', 'pki/'])).toBe('NOT_ALLOWED');
    expect(give(cast.alice, ['app/'], LATER, 'bob')).toBe('NOT_ALLOWED');
    expect(give(cast.alice, ['app/'], LATER, 'eve')).toBe('PERSON_NOT_FOUND');
    expect(give(ci, ['app/'])).toBe('MACHINE_NOT_ALLOWED');
    expect(covered('app/x')).toBeUndefined();
    expect(give(cast.alice, ['app/'])).toBeUndefined();
    expect(covered('app/x')).toBe('alice');
  });

  it('end it all: its signer, and who owns something of it', () => {
    expect(end(cast.alice)).toBe('ALREADY_DONE');
    give(cast.alice, ['app/']);
    expect(end(cast.carol)).toBe('NOT_ALLOWED');
    expect(end(cast.bob)).toBeUndefined();
    expect(covered('app/x')).toBeUndefined();
    expect(end(cast.bob)).toBe('ALREADY_DONE');
  });

  it('end it for some paths: their owners', () => {
    give(cast.alice, ['app/', 'web/']);
    expect(end(cast.carol, ['app/'])).toBe('NOT_ALLOWED');
    expect(end(cast.bob, ['app/'])).toBeUndefined();
    expect(covered('app/x')).toBeUndefined();
    expect(covered('web/x')).toBe('alice');
  });

  it('what is malformed, or of a size that nobody needs, has no effect', () => {
    expect(act(cast.alice, 'secret.standing', { machine: 'ci', scope: ['b/', 'a/'], notAfter: LATER })).toBe('BAD_ENTRY');
    expect(act(cast.alice, 'secret.standing', { machine: 'ci', scope: ['../x'], notAfter: LATER })).toBe('BAD_ENTRY');
    for (const notAfter of ['5000', -1, null, 253402300800]) expect(act(cast.alice, 'secret.standing', { machine: 'ci', scope: ['a/'], notAfter })).toBeDefined();
    const many = Array.from({ length: MAX_SCOPE + 1 }, (_, i) => `a/n${String(i).padStart(4, '0')}`);
    expect(give(cast.alice, many)).toBe('BAD_ENTRY');
    expect(give(cast.alice, many.slice(1))).toBeUndefined();
    for (let k = 1; k < 4; k++) expect(give(cast.alice, many.slice(1).map((name) => name.replace('a/', `${'abcd'[k]}/`)))).toBeUndefined();
    expect(give(cast.alice, ['one/more'])).toBe('NOT_ALLOWED');
    // What replaces is no more.
    expect(give(cast.alice, ['/'])).toBeUndefined();
    expect(state.secrets.standing.get('ci')).toHaveLength(1);
  });
});

describe('for which names it counts', () => {
  it('those of its paths that its signer owns, until its time', () => {
    give(cast.alice, ['/']);
    expect(['app/x', 'dns/zone', 'pki/web/a', 'pki/root', 'dns/key'].map((name) => covered(name))).toEqual(['alice', 'alice', 'alice', undefined, undefined]);
    expect(covered('app/x', LATER - 1)).toBe('alice');
    expect(covered('app/x', LATER)).toBeUndefined();
    expect(covered('app/x', Number.NaN)).toBeUndefined();
    expect(standingFor(state.secrets, 'bob', 'app/x', NOW, sealAuthority({ policy: state.policy!, handovers: state.handovers }))).toBeUndefined();
  });

  it('never those that a human opens', () => {
    give(cast.alice, ['/']);
    const standing = new Map([['bob', state.secrets.standing.get('ci')!]]);
    expect(standingFor({ standing }, 'bob', 'app/x', NOW, sealAuthority({ policy: state.policy!, handovers: state.handovers }))).toBeUndefined();
  });

  it('a path without / is one name', () => {
    give(cast.alice, ['app/x']);
    expect(covered('app/x')).toBe('alice');
    expect(covered('app/x2')).toBeUndefined();
    expect(covered('app/x/y')).toBeUndefined();
  });

  it('only while its signer owns the name, and again afterwards', () => {
    give(cast.bob, ['/']);
    policy((base) => ({ rules: [...base.rules, rule('app/', 'platform')].sort((a, b) => (a.path < b.path ? -1 : 1)) }));
    expect(covered('app/x')).toBeUndefined();
    expect(covered('web/x')).toBe('bob');
    policy((base) => ({ roles: members(base, 'infra', ['alice']) }));
    expect(covered('web/x')).toBeUndefined();
    policy((base) => ({ roles: members(base, 'infra', ['alice', 'bob']) }));
    expect(covered('web/x')).toBe('bob');
  });

  it('ends with the machine, and does not come back with its name', () => {
    give(cast.alice, ['app/']);
    policy((base) => ({ roles: members(base, 'machines', []), persons: Object.fromEntries(Object.entries(base.persons).filter(([name]) => name !== 'ci')) }));
    expect(state.secrets.standing.size).toBe(0);
    policy((base) => ({ roles: members(base, 'machines', ['ci']), persons: { ...base.persons, ci: { cards: [ci2.card.line] } } }));
    expect(covered('app/x')).toBeUndefined();
  });

  it('ends with its signer, and does not come back with that name, nor does what it had replaced', () => {
    give(cast.alice, ['app/', 'dns/']);
    give(cast.dora, ['dns/key']);
    give(cast.bob, ['app/', 'dns/']);
    expect([covered('app/x'), covered('dns/zone'), covered('dns/key')]).toEqual(['bob', 'bob', 'dora']);
    policy((base) => ({ roles: members(base, 'infra', ['alice']), persons: Object.fromEntries(Object.entries(base.persons).filter(([name]) => name !== 'bob')) }));
    policy((base) => ({ roles: members(base, 'infra', ['alice', 'bob']), persons: { ...base.persons, bob: { cards: [bob2.card.line] } } }));
    expect([covered('app/x'), covered('dns/zone'), covered('dns/key')]).toEqual([undefined, undefined, 'dora']);
  });
});

describe('a newer one', () => {
  it('of an owner of the same names replaces it: shorter, longer, ended', () => {
    give(cast.alice, ['app/'], 9000);
    give(cast.bob, ['app/'], 2000);
    expect(covered('app/x', 1999)).toBe('bob');
    expect(covered('app/x', 2000)).toBeUndefined();
    expect(state.secrets.standing.get('ci')).toHaveLength(1);
    end(cast.alice, ['app/']);
    expect(covered('app/x')).toBeUndefined();
    expect(state.secrets.standing.size).toBe(0);
  });

  it('decides name by name: a wider one for what it covers, a narrower one for its part', () => {
    give(cast.alice, ['app/'], 9000);
    give(cast.bob, ['app/x'], 2000);
    expect([covered('app/x', 3000), covered('app/y', 3000)]).toEqual([undefined, 'alice']);
    give(cast.bob, ['/'], 2500);
    expect([covered('app/x', 2400), covered('app/y', 2400), covered('app/y', 3000)]).toEqual(['bob', 'bob', undefined]);
    expect(state.secrets.standing.get('ci')).toHaveLength(1);
  });

  it('takes nothing away of what its signer does not own', () => {
    give(cast.carol, ['pki/']);
    give(cast.dora, ['dns/key']);
    give(cast.alice, ['/'], 2000);
    end(cast.alice);
    expect([covered('pki/root'), covered('dns/key'), covered('app/x')]).toEqual(['carol', 'dora', undefined]);
    // What is left is theirs: there is nothing to end for alice.
    expect(end(cast.alice)).toBe('NOT_ALLOWED');
    expect(end(cast.carol)).toBeUndefined();
    expect(end(cast.dora)).toBeUndefined();
    expect(state.secrets.standing.size).toBe(0);
    give(cast.carol, ['pki/']);
    give(cast.dora, ['dns/key']);
    // Nor does the owner of a folder take away what stands below it by others.
    give(cast.alice, ['dns/'], 2000);
    expect([covered('dns/key', 3000), covered('dns/zone', 3000)]).toEqual(['dora', undefined]);
  });

  it('takes nothing away of single names, nor of what only the older signer owned below a path that both own', () => {
    give(cast.carol, ['pki/root']);
    policy((base) => ({ roles: members(base, 'infra', ['alice', 'bob', 'dora']) }));
    give(cast.dora, ['dns/']);
    give(cast.alice, ['/', 'dns/'], 2000);
    expect([covered('pki/root', 3000), covered('dns/key', 3000), covered('dns/zone', 1999), covered('dns/zone', 3000)]).toEqual(['carol', 'dora', 'alice', undefined]);
  });

  it('whose signer stops owning a name does not bring back the older one', () => {
    give(cast.alice, ['/'], 9000);
    // Dora comes to own dns/ too, ends it there, and goes again.
    policy((base) => ({ rules: [...base.rules, rule('dns/', 'dns', { owners: ['dns', 'infra'] })].sort((a, b) => (a.path < b.path ? -1 : 1)) }));
    expect(covered('dns/zone')).toBe('alice');
    end(cast.dora, ['dns/']);
    expect([covered('dns/zone'), covered('app/x')]).toEqual([undefined, 'alice']);
    policy((base) => ({ rules: base.rules.filter((each) => each.path !== 'dns/') }));
    expect([covered('dns/zone'), covered('app/x')]).toEqual([undefined, 'alice']);
  });

  it('of the same signer ends what it had before, owned or not', () => {
    give(cast.bob, ['app/'], 9000);
    policy((base) => ({ rules: [...base.rules, rule('app/', 'platform')].sort((a, b) => (a.path < b.path ? -1 : 1)) }));
    expect(end(cast.bob)).toBeUndefined();
    policy((base) => ({ rules: base.rules.filter((each) => each.path !== 'app/') }));
    expect(covered('app/x')).toBeUndefined();
  });
});
