/** The policy: who may do what. Its closed schema, and every check that needs no history (transition.ts has the others). */
import * as v from 'valibot';
import { orRefusal, refusal, VaultError, type Refusal } from '../errors.js';
import { suiteOf } from '../primitives/age-recipient.js';
import { canonicalJson, parseCanonical } from '../primitives/canonical-json.js';
import { equalBytes, sha256Hex } from '../primitives/hash.js';
import { thresholdTreeSchema, treeFault, treeLeaves } from '../primitives/threshold-tree.js';
import { Hex32, Name, Positive, RulePath, SecretName, sortedSet } from '../wire.js';
import { parseCard, type Card } from './card.js';
import { consentsFault } from './consents.js';

/** The policy format that this release understands. A policy in effect with a higher one stops it: UPGRADE_REQUIRED. */
export const POLICY_FORMAT = 1;

/** `need` of the persons in `of`. */
export const Threshold = v.strictObject({ need: Positive, of: v.pipe(sortedSet(Name), v.minLength(1)) });
export type Threshold = v.InferOutput<typeof Threshold>;

const Roles = v.pipe(sortedSet(Name), v.minLength(1));
const ruleCommon = { path: RulePath, owners: Roles, writers: Roles, consents: Positive };
export const Rule = v.union([
  v.strictObject({ ...ruleCommon, readers: Roles }),
  v.strictObject({ ...ruleCommon, custody: Name }),
]);
export type Rule = v.InferOutput<typeof Rule>;

export const RoleDef = v.strictObject({
  members: sortedSet(Name),
  /** These persons may change the membership of this role, and nothing else, without the admins. */
  managed: v.optional(Threshold),
  /** May make a provisional epoch while no member has made one. */
  steward: v.optional(Name),
});
export type RoleDef = v.InferOutput<typeof RoleDef>;

export const Policy = v.strictObject({
  format: Positive,
  name: Name,
  /** Random in policy 1 and repeated ever after: it makes the vault's id unique. */
  nonce: Hex32,
  number: Positive,
  /** SHA-256 of the policy file before; null in policy 1. */
  previous: v.nullable(Hex32),
  /** Every recipient of a vault is of one kind. */
  suite: v.picklist(['x25519', 'hybrid']),
  /** Who may add and remove devices: each person their own, or only the admins. */
  devices: v.picklist(['self', 'admins']),
  persons: v.record(Name, v.strictObject({ cards: v.pipe(v.array(v.pipe(v.string(), v.maxLength(8192))), v.minLength(1)) })),
  /** Key ids of devices that this version removes. */
  removedDevices: sortedSet(Hex32),
  roles: v.record(Name, RoleDef),
  custody: v.record(Name, thresholdTreeSchema(Name)),
  admins: Threshold,
  rules: v.array(Rule),
  abandon: v.strictObject({ secrets: sortedSet(SecretName), roles: sortedSet(Name) }),
});
export type Policy = v.InferOutput<typeof Policy>;

/** A policy that passed every check that needs no history. */
export interface CheckedPolicy {
  readonly policy: Policy;
  /** SHA-256 of the file. */
  readonly digest: string;
  /** Verified cards by person, in the order of the file. */
  readonly cards: ReadonlyMap<string, readonly Card[]>;
}

export function encodePolicy(policy: Policy): Uint8Array {
  return canonicalJson(policy);
}

/** SHA-256 of the policy's file, hex. */
export function policyDigest(policy: Policy): string {
  return sha256Hex(encodePolicy(policy));
}

/** `policy/0002-3f9a2c1b.json` */
export function policyPath(number: number, digest: string): string {
  return `policy/${String(number).padStart(4, '0')}-${digest.slice(0, 8)}.json`;
}

/** The `format` of a policy file, without believing anything else in it. Undefined when it is no canonical JSON object. */
export function policyFormat(bytes: Uint8Array): number | undefined {
  let raw: unknown;
  try {
    raw = parseCanonical(bytes);
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
  const parsed = v.safeParse(v.object({ format: Positive }), raw);
  return parsed.success ? parsed.output.format : undefined;
}

/** Parses and checks a policy file. A refusal names what is wrong and where. */
export function checkPolicyFile(bytes: Uint8Array): CheckedPolicy | Refusal {
  let raw: unknown;
  try {
    raw = parseCanonical(bytes);
  } catch (error) {
    if (error instanceof VaultError) return refusal('BAD_POLICY', 'the policy file is not canonical JSON');
    throw error;
  }
  const parsed = v.safeParse(Policy, raw);
  if (!parsed.success) {
    const where = v.getDotPath(parsed.issues[0]) ?? 'the top level';
    return refusal('BAD_POLICY', `the policy does not follow its schema at ${where}`);
  }
  const policy = parsed.output;
  // The schema takes an empty list for an empty map and passes over a key such as `constructor`: what is signed must be what is meant.
  if (!equalBytes(encodePolicy(policy), bytes)) return refusal('BAD_POLICY', 'the policy file holds what its schema does not know');
  const cards = checkCards(policy);
  if (!(cards instanceof Map)) return cards;
  const fault = policyFault(policy, (name) => cards.get(name)?.[0]?.kind);
  return fault === undefined ? { policy, digest: sha256Hex(bytes), cards } : refusal('BAD_POLICY', fault);
}

function checkCards(policy: Policy): Map<string, readonly Card[]> | Refusal {
  const cards = new Map<string, readonly Card[]>();
  const keys = new Map<string, string>();
  const recipients = new Map<string, string>();
  for (const [person, { cards: lines }] of Object.entries(policy.persons)) {
    const own: Card[] = [];
    for (const line of lines) {
      const card = orRefusal(() => parseCard(line));
      if ('code' in card) return refusal(card.code, `person ${person}: ${card.message}`, card.hint);
      if (card.person !== person) return refusal('BAD_CARD', `person ${person} is given the card of ${card.person}`);
      if (own.some((c) => c.device === card.device)) return refusal('BAD_CARD', `${person} has two devices called ${card.device}`);
      if (own[0] && own[0].kind !== card.kind) return refusal('BAD_CARD', `${person} cannot be both human and machine`);
      if (suiteOf(card.recipient) !== policy.suite) {
        return refusal('MIXED_RECIPIENTS', `the card of ${person} has a recipient of another kind than this vault (${policy.suite})`,
          policy.suite === 'hybrid' ? 'Make the identity with: oxp-vault identity create --pq' : 'Make the identity without --pq.');
      }
      for (const [what, map, value] of [['signing key', keys, card.id], ['recipient', recipients, card.recipient]] as const) {
        const holder = map.get(value);
        if (holder !== undefined) return refusal('KEY_TAKEN', `${person} and ${holder} share one ${what}`);
        map.set(value, person);
      }
      own.push(card);
    }
    cards.set(person, own);
  }
  return cards;
}

/** In words what is wrong with a policy by itself, or undefined. `kindOf` is undefined for a person without a card. */
function policyFault(policy: Policy, kindOf: (person: string) => 'human' | 'machine' | undefined): string | undefined {
  const human = (person: string, as: string): string | undefined => {
    const kind = kindOf(person);
    if (kind === undefined) return `${as} ${person} has no card among the persons`;
    return kind === 'machine' ? `${person} is a machine and cannot be ${as}` : undefined;
  };
  const threshold = (t: Threshold, as: string): string | undefined =>
    t.need > t.of.length ? `${t.need} of ${t.of.length} ${as}s can never agree` : firstFault(t.of, (p) => human(p, as));

  if ((policy.number === 1) !== (policy.previous === null)) return 'only policy 1 has no previous one';
  if (policy.format > POLICY_FORMAT) return `policy format ${policy.format} is newer than this release knows (${POLICY_FORMAT})`;
  return (
    threshold(policy.admins, 'admin') ??
    (policy.admins.need * 2 <= policy.admins.of.length
      ? `${policy.admins.need} of ${policy.admins.of.length} admins is not above half: two groups could make two successors`
      : undefined) ??
    firstFault(Object.entries(policy.roles), ([role, def]) =>
      firstFault(def.members, (p) => (kindOf(p) === undefined ? `role ${role}: ${p} has no card among the persons` : undefined)) ??
      (def.managed ? threshold(def.managed, 'manager') : undefined) ??
      (def.steward === undefined ? undefined : human(def.steward, 'steward'))) ??
    firstFault(Object.entries(policy.custody), ([group, tree]) => {
      const fault = treeFault(tree);
      if (fault !== undefined) return `custody group ${group} ${fault}`;
      return firstFault(treeLeaves(tree), (leaf) => human(leaf.name, 'custodian'));
    }) ??
    rulesFault(policy, (person) => kindOf(person) === 'human')
  );
}

function rulesFault(policy: Policy, isHuman: (person: string) => boolean): string | undefined {
  let previous: string | undefined;
  for (const rule of policy.rules) {
    if (previous !== undefined && previous >= rule.path) return `rules are not in order of their paths at ${rule.path}`;
    previous = rule.path;
    const readers = 'readers' in rule ? rule.readers : [];
    for (const role of [...rule.owners, ...rule.writers, ...readers]) {
      if (!Object.hasOwn(policy.roles, role)) return `rule ${rule.path} names role ${role}, which does not exist`;
    }
    if ('custody' in rule && !Object.hasOwn(policy.custody, rule.custody)) {
      return `rule ${rule.path} names custody group ${rule.custody}, which does not exist`;
    }
    for (const role of rule.owners) {
      const managed = policy.roles[role]?.managed;
      if (managed && rule.consents > managed.need) {
        return `rule ${rule.path} asks ${rule.consents} consents of ${role}, whose membership only ${managed.need} may change`;
      }
    }
    // Of later policies transition.ts asks, for it knows which of their rules are new.
    const fault = policy.number === 1 ? consentsFault(policy, rule, isHuman) : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function firstFault<T>(items: readonly T[], check: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const fault = check(item);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
