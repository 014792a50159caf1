/**
 * A log in memory, leaf by leaf, for what the fold makes of a handover: two teams, a custody group of each, one secret under custody and
 * others not. No file behind any entry, so nothing can be opened: what is tried here is who may, when, and what it does.
 */
import { signEntry, type NewEntry } from '../../packages/core/src/audit/entry.js';
import { handoverAuthority } from '../../packages/core/src/handover-authority.js';
import { bindsDigest } from '../../packages/core/src/handover/binds.js';
import { recipientDigest } from '../../packages/core/src/handover/release.js';
import type { Handover } from '../../packages/core/src/handover/state.js';
import type { Identity, Policy } from '../../packages/core/src/index.js';
import { successorBase } from '../../packages/core/src/operations/people/members.js';
import { encodePolicy } from '../../packages/core/src/policy/policy.js';
import { newestEpoch } from '../../packages/core/src/policy/state.js';
import { sha256Hex, utf8 } from '../../packages/core/src/primitives/hash.js';
import { treeLeaves } from '../../packages/core/src/primitives/threshold-tree.js';
import type { Statement } from '../../packages/core/src/seal/statement.js';
import { apply, emptyState, type FoundedState, type VaultState } from '../../packages/core/src/state.js';
import type { Json } from '../../packages/core/src/wire.js';
import { digestOf, firstPolicy, people, person, rule } from './vaults.js';

export const HUMANS = ['alice', 'bob', 'carol', 'dora', 'erin', 'frank', 'grace'] as const;
export type Human = (typeof HUMANS)[number];
export type Cast = Record<Human, Identity> & { readonly ci: Identity };

/** The claimed time of every entry unless a test says another, and the end of every request. */
export const NOW = 1_000;
export const UNTIL = 2_000;

export const PKI_ROOT = { need: 2, of: [{ need: 2, of: ['alice', 'bob', 'erin'] }, { need: 1, of: ['frank', 'grace'] }] };
export const PLATFORM_ROOT = { need: 2, of: ['carol', 'dora', 'frank'] };

let made: Promise<{ cast: Cast; fresh: string[] }> | undefined;

/** People with keys, and recipients that are nobody's. Made once a file. */
export function handoverCast(): Promise<{ cast: Cast; fresh: string[] }> {
  made ??= (async () => {
    const humans = await people(...HUMANS);
    const fresh = await Promise.all(Array.from({ length: 80 }, (_, i) => person(`fresh${i}`)));
    return { cast: { ...humans, ci: await person('ci', { kind: 'machine' }) }, fresh: fresh.map((p) => p.card.recipient) };
  })();
  return made;
}

export const blob = (text: string): { sha256: string; size: number } => ({ sha256: sha256Hex(utf8(text)), size: 1 });

export class HandoverLog {
  state: VaultState = emptyState;
  /** Digest of the newest entry. */
  last = '';
  /** Every leaf, void or not, with the file that came with it. */
  readonly leaves: { readonly data: Uint8Array; readonly file?: Uint8Array }[] = [];
  #count = 0;
  #fresh = 0;
  #vault = '';

  /** Alice alone is admin; infra owns all; platform has its key; `pki/root` v1 is acknowledged. */
  constructor(readonly cast: Cast, readonly fresh: readonly string[], change: Partial<Policy> = {}) {
    const policy: Policy = {
      ...firstPolicy({
        people: Object.values(cast), admins: ['alice'], custody: { 'pki-root': PKI_ROOT, 'platform-root': PLATFORM_ROOT },
        roles: { infra: ['alice', 'bob', 'ci'], platform: { members: ['carol', 'dora'], steward: 'alice' }, security: ['erin', 'frank', 'grace'] },
        rules: [rule('/', 'infra'), rule('dns/', 'infra', { readers: ['infra', 'platform'] }), { path: 'pki/root', owners: ['infra'], writers: ['infra'], consents: 1, custody: 'pki-root' }],
      }),
      ...change,
    };
    const file = encodePolicy(policy);
    this.#vault = sha256Hex(file);
    this.must(this.act('alice', 'vault.init', { policy: this.#vault }, { file }));
    this.must(this.epoch('alice', 'infra'));
    this.must(this.epoch('carol', 'platform'));
    this.must(this.seal('alice', 'pki/root'));
    for (const who of ['alice', 'bob', 'frank'] as const) this.must(this.ack(who, 'pki/root'));
    this.must(this.seal('alice', 'dns/key'));
    this.must(this.seal('alice', 'kube/root'));
  }

  must(code: string | undefined): void {
    if (code !== undefined) throw new Error(`an act that this test takes for granted is refused: ${code}: ${[...this.state.voids.values()].at(-1)?.message}`);
  }

  /** Folds one more leaf; the code under which it is void, or undefined. */
  act(by: keyof Cast, op: string, body: object, { lies, file }: { lies?: Partial<NewEntry>; file?: Uint8Array } = {}): string | undefined {
    const { card, signingKey } = this.cast[by];
    const signed = signEntry({
      vault: this.#vault, actor: { person: card.person, device: card.device }, op, nonce: String(this.#count++).padStart(32, '0'),
      seen: { size: 0, root: '00'.repeat(32) }, policy: { number: 1, digest: this.#vault }, time: NOW, body: body as Json, ...lies,
    }, signingKey);
    const leaf = this.state.size;
    this.last = digestOf(signed);
    this.leaves.push({ data: signed.line, ...(file ? { file } : {}) });
    const files = [...(file ? [file] : []), ...(signed.object ? [signed.object.bytes] : [])];
    this.state = apply(this.state, { data: signed.line, file: (digest) => files.find((bytes) => sha256Hex(bytes) === digest) });
    return this.state.voids.get(String(leaf))?.code;
  }

  recipient(): string {
    return this.fresh[this.#fresh++]!;
  }

  epoch(by: keyof Cast, role: string, provisional = false): string | undefined {
    return this.act(by, 'role.epoch', { role, epoch: (this.state.policy!.roles.get(role)?.epochs.length ?? 0) + 1, recipient: this.recipient(), provisional });
  }

  /** The policy in effect, changed; alice is its only admin. */
  policy(change: (base: Policy) => Partial<Policy>, by: keyof Cast = 'alice'): string | undefined {
    const base = successorBase(this.state.policy!);
    const file = encodePolicy({ ...base, ...change(base) });
    return this.act(by, 'policy.propose', { number: base.number, digest: sha256Hex(file), previous: base.previous }, { file });
  }

  newest(name: string): string {
    return this.state.secrets.versions.get(name)!.findLast((ver) => !ver.pending)!.digest;
  }

  /** The next statement of a secret as its rule has it, or to other readers or another group. */
  statement(name: string, to?: readonly string[] | { group: string }, more: object = {}): Statement {
    const versions = this.state.secrets.versions.get(name) ?? [];
    const last = versions.at(-1);
    const own = handoverAuthority(this.founded()).rule(name)!;
    const target = to ?? ('custody' in own ? { group: own.custody } : own.readers);
    const common = {
      name, version: (last?.statement.version ?? 0) + 1, previous: last?.digest ?? null, origin: { how: 'generated' as const }, kind: 'password', parameters: {}, public: {},
      ciphertext: { sha256: sha256Hex(utf8(`file ${name} ${this.#count}`)), size: 1, stanzas: { type: 'X25519' as const, count: 'group' in target ? 1 : target.length } },
    };
    if (!('group' in target)) {
      const readers = target.map((role) => ({ role, epoch: newestEpoch(this.state.policy!, role)?.epoch ?? 1, recipient: newestEpoch(this.state.policy!, role)?.recipient ?? this.fresh[0]! }));
      return { ...common, readers, ...more };
    }
    const tree = this.state.policy!.policy.custody[target.group]!;
    const leaves = treeLeaves(tree).map(({ path, name: holder }) => ({ path, person: holder, blob: blob(`${name} ${path} ${this.#count}`), commitment: sha256Hex(utf8(`commitment ${name} ${path} ${this.#count}`)) }));
    return { ...common, custody: { group: target.group, scheme: 'split-v1', recipient: this.recipient(), tree, leaves }, ...more };
  }

  founded(): FoundedState {
    return { ...this.state, policy: this.state.policy! };
  }

  seal(by: keyof Cast, name: string, to?: readonly string[] | { group: string }, more: object = {}): string | undefined {
    return this.act(by, 'secret.seal', { statement: this.statement(name, to, more) });
  }

  path(statement: string, who: string): string {
    const authority = handoverAuthority(this.founded());
    return authority.version(statement)?.custody?.leaves.find((leaf) => leaf.person === who)?.path ?? '0';
  }

  /** Of the last version, pending or not. */
  ack(by: Human, name: string): string | undefined {
    const { digest } = this.state.secrets.versions.get(name)!.at(-1)!;
    return this.act(by, 'custody.ack', { statement: digest, path: this.path(digest, by) });
  }

  handover(id: string): Handover {
    return this.state.handovers.handovers.get(id)!;
  }

  binds(id: string): string {
    const handover = this.handover(id);
    return handover ? bindsDigest(handover, handoverAuthority(this.founded())) : '00'.repeat(32);
  }

  /** What carol asks for: `pki/root` and `dns/key` for platform. */
  requestBody(names: readonly string[] = ['dns/key', 'pki/root'], change: object = {}): object {
    const custody = names.some((name) => this.custodyOf(name) !== undefined);
    const rules = [...names].sort().map((path) => ({
      path, owners: ['platform'], writers: ['platform'], consents: 1, ...(this.custodyOf(path) === undefined ? { readers: ['platform'] } : { custody: 'platform-root' }),
    }));
    return {
      mode: 'transfer', targets: names.map((name) => this.newest(name)).sort(), recipient: this.recipient(), role: 'platform', custody: custody ? 'platform-root' : null, keepReaders: [], rules,
      admins: null, reason: 'go-live', notAfter: UNTIL, offer: null, ...change,
    };
  }

  custodyOf(name: string): string | undefined {
    const statement = this.state.secrets.versions.get(name)?.findLast((ver) => !ver.pending)?.statement;
    return statement && 'custody' in statement ? statement.custody.group : undefined;
  }

  request(by: Human = 'carol', names?: readonly string[], change: object = {}): string | undefined {
    return this.act(by, 'handover.request', this.requestBody(names, change));
  }

  /** A request that stands; its id. */
  requested(names?: readonly string[], change: object = {}, by: Human = 'carol'): string {
    this.must(this.request(by, names, change));
    return this.last;
  }

  use(by: Human, names: readonly string[], change: object = {}): string | undefined {
    return this.act(by, 'handover.request', { mode: 'use', targets: names.map((name) => this.newest(name)).sort(), recipient: this.recipient(), reason: 'sign', notAfter: UNTIL, offer: null, ...change });
  }

  /** To everything in the handover that this person may decide on. */
  consent(by: keyof Cast, id: string, change: object = {}, time = NOW): string | undefined {
    const authority = handoverAuthority(this.founded());
    const targets = this.handover(id)?.targets ?? [];
    const held = targets.filter((t) => authority.version(t.statement)?.custody?.leaves.some((leaf) => leaf.person === by));
    const owned = targets.filter((t) => !authority.version(t.statement)?.custody && authority.rolesOf(by).some((role) => authority.rule(t.name)?.owners.includes(role)));
    const body = { request: id, leaves: held.map((t) => ({ statement: t.statement, path: this.path(t.statement, by) })), ownership: owned.map((t) => t.statement).sort(), binds: this.binds(id) };
    return this.act(by, 'handover.consent', { ...body, ...change }, { lies: { time } });
  }

  consents(id: string): string[] {
    return this.handover(id).consents.map((c) => c.digest).sort();
  }

  /** This person's own shares, and file keys where `keys` names secrets. */
  release(by: keyof Cast, id: string, keys: readonly string[] = [], change: object = {}, time = NOW): string | undefined {
    const authority = handoverAuthority(this.founded());
    const { targets, request } = this.handover(id);
    const recipient = recipientDigest(request.recipient);
    const shares = targets.flatMap((t) => (authority.version(t.statement)?.custody?.leaves ?? []).filter((leaf) => leaf.person === by).map(({ path, commitment }) => ({ statement: t.statement, path, commitment, recipient, blob: blob(`share ${path} ${this.#count}`) })));
    const files = targets.filter((t) => keys.includes(t.name)).map((t) => ({ statement: t.statement, recipient, blob: blob(`key ${this.#count}`) }));
    return this.act(by, 'handover.release', { request: id, consents: this.consents(id), shares, keys: files, ...change }, { lies: { time } });
  }

  /** A receipt as an honest receiver would write it. */
  receipt(id: string, change: object = {}, outcome: (name: string) => object = () => ({})): object {
    const { targets, request, releases } = this.handover(id);
    return {
      request: id, releases: releases.map((r) => r.digest).sort(),
      targets: targets.map(({ statement, name }) => ({
        old: statement, new: request.mode === 'use' ? null : this.statement(name, this.custodyOf(name) === undefined ? ['platform'] : { group: 'platform-root' }, { origin: { how: 'reseal', of: statement } }),
        checks: [{ check: 'public parts match', ok: true }], ...outcome(name),
      })),
      ...change,
    };
  }

  complete(id: string, change: object = {}, outcome?: (name: string) => object, by: Human = 'carol', time = NOW): string | undefined {
    return this.act(by, 'handover.complete', this.receipt(id, change, outcome), { lies: { time } });
  }

  finalize(id: string, change: object = {}, by: Human = 'carol'): string | undefined {
    return this.act(by, 'handover.finalize', { request: id, policy: this.state.policy!.digest, unrotated: [], ...change });
  }

  abort(by: Human, id: string): string | undefined {
    return this.act(by, 'handover.abort', { request: id, reason: 'no' });
  }

  /** Consented by enough. */
  agreed(id: string): string {
    const custody = this.handover(id).targets.some((t) => this.custodyOf(t.name) !== undefined);
    for (const who of custody ? (['alice', 'bob', 'frank'] as const) : (['alice', 'bob'] as const)) this.must(this.consent(who, id));
    return id;
  }

  /** Consented and released by enough. */
  ready(id: string): string {
    this.agreed(id);
    this.must(this.release('alice', id, this.handover(id).targets.filter((t) => this.custodyOf(t.name) === undefined).map((t) => t.name)));
    if (this.handover(id).targets.some((t) => this.custodyOf(t.name) !== undefined)) for (const who of ['bob', 'frank'] as const) this.must(this.release(who, id));
    return id;
  }

  /** The successor policy that a request names. */
  moved(id: string): string | undefined {
    const { request } = this.handover(id);
    if (request.mode === 'use') throw new Error('a use moves nothing');
    const paths = request.rules.map((r) => r.path);
    return this.policy((base) => ({ rules: [...base.rules.filter((r) => !paths.includes(r.path)), ...request.rules].sort((a, b) => (a.path < b.path ? -1 : 1)), ...(request.admins ? { admins: request.admins } : {}) }));
  }
}
