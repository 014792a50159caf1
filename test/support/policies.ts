/** People with real keys and cards, and arbitrary policies over them. */
import fc from 'fast-check';
import { parseCard, type Card } from '../../packages/core/src/policy/card.js';
import { createIdentity, type Identity } from '../../packages/core/src/policy/identity.js';
import { deviceOf } from '../../packages/core/src/policy/people.js';
import { encodePolicy, type Policy, type RoleDef, type Rule, type Threshold } from '../../packages/core/src/policy/policy.js';
import type { Person } from '../../packages/core/src/policy/state.js';
import { sha256Hex } from '../../packages/core/src/primitives/hash.js';
import type { ThresholdTree } from '../../packages/core/src/primitives/threshold-tree.js';

/** The devices of everybody a test may need, by person; each person has a laptop and a phone. */
export interface Cast {
  readonly humans: readonly string[];
  readonly machines: readonly string[];
  readonly identities: ReadonlyMap<string, readonly Identity[]>;
  /** Of the person's laptop, or of the device with this place. */
  card(person: string, device?: number): Card;
}

export const HUMANS = ['alice', 'bruno', 'carol', 'dora', 'erin', 'frank', 'grace'] as const;
export const MACHINES = ['ci', 'runner'] as const;

/** Makes keys for `humans` and `machines`. Takes a few milliseconds a device: once a file. */
export async function makeCast(humans: readonly string[] = HUMANS, machines: readonly string[] = MACHINES, suite: Policy['suite'] = 'x25519'): Promise<Cast> {
  const identities = new Map<string, Identity[]>();
  for (const person of [...humans, ...machines]) {
    const kind = humans.includes(person) ? 'human' : 'machine';
    identities.set(person, await Promise.all(['laptop', 'phone'].map((device) => createIdentity({ person, device, kind, suite, now: 1_800_000_000 }))));
  }
  return { humans, machines, identities, card: (person, device = 0) => identities.get(person)![device]!.card };
}

/** The people enrolled where `policy` is in effect and nobody has added or removed a device since. */
export function peopleOf(policy: Policy): Map<string, Person> {
  return new Map(Object.entries(policy.persons).map(([name, { cards }]) => {
    const parsed = cards.map(parseCard).filter((card) => !policy.removedDevices.includes(card.id));
    return [name, { kind: parsed[0]!.kind, devices: parsed.map((card) => deviceOf(card, 0)) }];
  }));
}

/** What `compileDraft` builds on. */
export function baseOf(policy: Policy): { policy: Policy; digest: string; people: Map<string, Person> } {
  return { policy, digest: sha256Hex(encodePolicy(policy)), people: peopleOf(policy) };
}

/** A policy for two teams, without a custody group; parts of it replaced by `change`. Persons are all whose cards are given. */
export function policyOf(cards: readonly Card[], change: Partial<Policy> = {}): Policy {
  const persons: Policy['persons'] = {};
  for (const card of cards) persons[card.person] = { cards: [...(persons[card.person]?.cards ?? []), card.line] };
  return {
    format: 1, name: 'platform', nonce: '5a'.repeat(32), number: 1, previous: null, suite: 'x25519', devices: 'self',
    persons, removedDevices: [],
    roles: { infra: { members: ['alice', 'bruno'] }, platform: { members: ['carol'] } },
    custody: {},
    admins: { need: 1, of: ['alice'] },
    rules: [{ path: '/', owners: ['infra'], writers: ['infra'], readers: ['infra'], consents: 1 }],
    abandon: { secrets: [], roles: [] },
    ...change,
  };
}

// Names that YAML could take for something else are among them on purpose.
const ROLES = ['infra', 'platform', 'true', 'null', 'e1', 'sre.on-call'] as const;
const GROUPS = ['pki-root', 'platform-root', 'false', 'y'] as const;
const PATHS = ['/', 'dns/', 'dns/key', 'pki/root', 'pki/', 'pki/root/', 'a', 'null', 'kube-1/', 'a.b/c_d'] as const;

const subset = (from: readonly string[], minLength = 0): fc.Arbitrary<string[]> => fc.subarray([...from], { minLength }).map((list) => list.sort());

export function arbThreshold(from: readonly string[], least: (count: number) => number = () => 1): fc.Arbitrary<Threshold> {
  return subset(from, 1).chain((of) => fc.integer({ min: least(of.length), max: of.length }).map((need) => ({ need, of })));
}

/** A tree over some of `names`, each at most once, up to three levels. */
export function arbTree(names: readonly string[], depth = 3): fc.Arbitrary<ThresholdTree> {
  const leaves = fc.shuffledSubarray([...names], { minLength: 1, maxLength: Math.min(names.length, 6) });
  return leaves.chain((list) => treeOver(list, depth));
}

function treeOver(names: readonly string[], depth: number): fc.Arbitrary<ThresholdTree> {
  const flat = (of: ThresholdTree['of']): fc.Arbitrary<ThresholdTree> => fc.integer({ min: 1, max: of.length }).map((need) => ({ need, of }));
  if (depth === 1) return flat(names);
  // Cut into runs; each run becomes a subtree or stays as it is.
  const runs = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean()), { minLength: names.length, maxLength: names.length });
  return runs.chain((cuts) => {
    const children: fc.Arbitrary<ThresholdTree['of']>[] = [];
    let at = 0;
    for (const [size, nested] of cuts) {
      const run = names.slice(at, at + size);
      at += size;
      if (run.length > 0) children.push(nested ? treeOver(run, depth - 1).map((tree) => [tree]) : fc.constant(run));
    }
    return fc.tuple(...children).chain((lists) => flat(lists.flat()));
  });
}

function arbRoles(cast: Cast): fc.Arbitrary<Record<string, RoleDef>> {
  const role = fc.record({
    members: subset([...cast.humans, ...cast.machines]),
    managed: fc.option(arbThreshold(cast.humans), { nil: undefined }),
    steward: fc.option(fc.constantFrom(...cast.humans), { nil: undefined }),
  }).map(({ members, managed, steward }): RoleDef => ({ members, ...(managed && { managed }), ...(steward !== undefined && { steward }) }));
  return dictionary(ROLES, role, 1);
}

function dictionary<T>(keys: readonly string[], value: fc.Arbitrary<T>, minLength = 0): fc.Arbitrary<Record<string, T>> {
  return subset(keys, minLength).chain((names) => fc.tuple(...names.map((name) => value.map((x) => [name, x] as const))).map((entries) => Object.fromEntries(entries)));
}

function arbRule(path: string, roles: Readonly<Record<string, RoleDef>>, groups: readonly string[], humans: readonly string[]): fc.Arbitrary<Rule> {
  const some = subset(Object.keys(roles), 1);
  const reads: fc.Arbitrary<{ readers: string[] } | { custody: string }> = groups.length === 0
    ? fc.record({ readers: some })
    : fc.oneof(fc.record({ readers: some }), fc.record({ custody: fc.constantFrom(...groups) }));
  return fc.tuple(some, some, fc.integer({ min: 1, max: 3 }), reads).map(([owners, writers, wanted, how]) => {
    const could = new Set(owners.flatMap((role) => roles[role]!.members).filter((person) => humans.includes(person))).size;
    const consents = Math.min(wanted, Math.max(1, could), ...owners.map((role) => roles[role]!.managed?.need ?? wanted));
    return { path, owners, writers, consents, ...how };
  });
}

export interface PolicyChoices {
  /** Whether the policy may remove devices and abandon things. */
  readonly acts?: boolean;
}

/** Policies that pass every check without history. Every person in them is named by a role, a group or the admins. */
export function arbPolicy(cast: Cast, { acts = true }: PolicyChoices = {}): fc.Arbitrary<Policy> {
  const parts = fc.record({
    number: fc.integer({ min: 1, max: 40 }),
    devices: fc.constantFrom('self' as const, 'admins' as const),
    admins: arbThreshold(cast.humans, (count) => Math.floor(count / 2) + 1),
    roles: arbRoles(cast),
    custody: dictionary(GROUPS, arbTree(cast.humans)),
    phones: subset(cast.humans),
    removed: acts ? subset(cast.humans) : fc.constant<string[]>([]),
    abandon: acts ? fc.record<Policy['abandon']>({ secrets: subset(['dns/key', 'pki/root']), roles: subset(ROLES) }) : fc.constant<Policy['abandon']>({ secrets: [], roles: [] }),
    paths: subset(PATHS),
  });
  return parts.chain(({ paths, phones, removed, roles, custody, number, admins, ...rest }) =>
    fc.tuple(...paths.map((path) => arbRule(path, roles, Object.keys(custody), cast.humans))).map((rules): Policy => {
      const named = namedIn({ roles, custody, admins });
      return {
        format: 1, name: 'platform', nonce: '5a'.repeat(32), suite: 'x25519', number, previous: number === 1 ? null : 'b7'.repeat(32),
        persons: Object.fromEntries(named.map((p) => [p, { cards: cast.identities.get(p)!.slice(0, phones.includes(p) ? 2 : 1).map((i) => i.card.line) }])),
        // Phones that are no longer among the cards.
        removedDevices: removed.filter((p) => !phones.includes(p)).map((p) => cast.card(p, 1).id).sort(),
        roles, custody, admins, rules, ...rest,
      };
    }));
}

/** Everybody named, in ascending order. */
export function namedIn({ roles, custody, admins }: Pick<Policy, 'roles' | 'custody' | 'admins'>): string[] {
  const leaves = (tree: ThresholdTree): string[] => tree.of.flatMap((child) => (typeof child === 'string' ? [child] : leaves(child)));
  const inRoles = Object.values(roles).flatMap((role) => [...role.members, ...(role.managed?.of ?? []), ...(role.steward === undefined ? [] : [role.steward])]);
  return [...new Set([...admins.of, ...inRoles, ...Object.values(custody).flatMap(leaves)])].sort();
}
