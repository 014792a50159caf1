/** What nobody could open or decide any more if these persons were gone, with all their devices: pure questions to the state. */
import { couldOpen, custodyOf } from '../../custody/state.js';
import { VaultError } from '../../errors.js';
import { canOpen, deviceKeys, newestEpoch } from '../../policy/state.js';
import { isSatisfied, treeInWords, treeLeaves } from '../../primitives/threshold-tree.js';
import { ruleInEffect } from '../../rule-in-effect.js';
import { newestOf, type SecretVersion } from '../../seal/state.js';
import type { FoundedState } from '../../vault-state.js';
import { isName } from '../../wire.js';
import { nearNames } from '../near-names.js';

type Remaining = (person: string) => boolean;

/** `policy`: change it; `members`: of a managed role, by its managers; `key`: of a role; `open`: a secret; `decide`, `write`: by a rule; `custody`: by a group. */
export type LossKind = 'policy' | 'members' | 'key' | 'open' | 'decide' | 'write' | 'custody';

export interface Loss {
  readonly kind: LossKind;
  /** The role, secret, custody group or path of a rule; empty for the policy. */
  readonly subject: string;
  readonly why: string;
}

/** What would be lost with `gone`, beyond what is lost already. Throws PERSON_NOT_FOUND. */
export function lossesWithout(state: FoundedState, gone: readonly string[]): Loss[] {
  const unknown = gone.find((person) => !state.policy.people.has(person));
  if (unknown !== undefined) {
    const near = isName(unknown) ? nearNames(unknown, [...state.policy.people.keys()]) : [];
    throw new VaultError('PERSON_NOT_FOUND', isName(unknown) ? `${unknown} is not enrolled` : 'this is no name of a person', {
      hint: near.length > 0 ? `Did you mean: ${near.join(', ')}?` : `Enrolled: ${[...state.policy.people.keys()].join(', ')}`,
    });
  }
  return beyond(state, lostAlready(state), gone);
}

function lostAlready(state: FoundedState): ReadonlySet<string> {
  return new Set([...losses(state, () => true)].map(keyOf));
}

function beyond(state: FoundedState, already: ReadonlySet<string>, gone: readonly string[]): Loss[] {
  return [...losses(state, (person) => !gone.includes(person))].filter((loss) => !already.has(keyOf(loss)));
}

function keyOf({ kind, subject }: Loss): string {
  return `${kind} ${subject}`;
}

function* losses(state: FoundedState, remains: Remaining): Iterable<Loss> {
  const { people } = state.policy;
  const here: Remaining = (person) => people.has(person) && remains(person);
  const human: Remaining = (person) => here(person) && people.get(person)?.kind === 'human';
  yield* policyLoss(state, human);
  yield* roleLosses(state, here, human);
  yield* ruleLosses(state, here, human);
  yield* custodyLosses(state, human);
  yield* secretLosses(state, here);
}

function* policyLoss({ policy: { policy } }: FoundedState, human: Remaining): Iterable<Loss> {
  const left = policy.admins.of.filter(human);
  if (left.length < policy.admins.need) yield { kind: 'policy', subject: '', why: `it takes ${policy.admins.need} of the admins ${policy.admins.of.join(' ')}, and ${some(left)} would be left` };
}

function* roleLosses(state: FoundedState, here: Remaining, human: Remaining): Iterable<Loss> {
  for (const [role, { members, managed, steward }] of Object.entries(state.policy.policy.roles)) {
    if (managed) {
      const left = managed.of.filter(human);
      if (left.length < managed.need) yield { kind: 'members', subject: role, why: `it takes ${managed.need} of its managers ${managed.of.join(' ')}, and ${some(left)} would be left` };
    }
    const epoch = newestEpoch(state.policy, role);
    if (epoch) {
      const keepers = epoch.provisional ? [...members, epoch.maker.person] : members;
      if (keepers.some((person) => human(person) && canOpen(state.policy, role, person))) continue;
      const machines = members.filter((person) => here(person) && canOpen(state.policy, role, person));
      yield { kind: 'key', subject: role, why: machines.length > 0 ? `only ${machines.join(' ')} would hold it, and a machine grants nothing` : 'nobody else holds it' };
    } else if (!members.some(human) && (steward === undefined || !human(steward))) {
      yield { kind: 'key', subject: role, why: 'it has no key yet, and neither a member nor a steward would be left to make it' };
    }
  }
}

function* ruleLosses(state: FoundedState, here: Remaining, human: Remaining): Iterable<Loss> {
  const { roles, rules } = state.policy.policy;
  const inRoles = (names: readonly string[], counts: Remaining): string[] => [...new Set(names.flatMap((role) => roles[role]?.members ?? []))].filter(counts);
  for (const path of [...rules.map((rule) => rule.path), ...state.handovers.standIns.keys()]) {
    const rule = ruleInEffect(state, path);
    if (!rule) continue;
    const owners = inRoles(rule.owners, human);
    if (owners.length < rule.consents) {
      yield { kind: 'decide', subject: path, why: `it takes ${rule.consents} of its owners (${rule.owners.join(', ')}), and ${some(owners)} would be left` };
    }
    if (inRoles(rule.writers, here).length === 0) yield { kind: 'write', subject: path, why: `nobody would be left in ${rule.writers.join(', ')}` };
  }
}

function* custodyLosses({ policy: { policy } }: FoundedState, human: Remaining): Iterable<Loss> {
  for (const [group, tree] of Object.entries(policy.custody)) {
    if (!isSatisfied(tree, human)) yield { kind: 'custody', subject: group, why: `it takes ${treeInWords(tree)}` };
  }
}

function* secretLosses(state: FoundedState, here: Remaining): Iterable<Loss> {
  for (const name of state.secrets.versions.sortedKeys()) {
    const newest = newestOf(state.secrets, name);
    const why = newest && unreadable(state, newest, here);
    if (why !== undefined) yield { kind: 'open', subject: name, why };
  }
}

/** Why nobody who remains could open this version, or undefined. */
function unreadable(state: FoundedState, { statement, digest }: SecretVersion, here: Remaining): string | undefined {
  if ('custody' in statement) {
    const record = custodyOf(state.custody, digest);
    const can = record && couldOpen(record, here, (person) => deviceKeys(state.policy.people, person));
    return can ? undefined : `it takes ${treeInWords(statement.custody.tree)}`;
  }
  if (statement.readers.some(({ role, epoch }) => readers(state, role, epoch).some(here))) return undefined;
  return `nobody else holds the key of ${statement.readers.map((reader) => reader.role).join(' or ')}`;
}

/** Persons of a role, or its steward, who were granted this epoch or a later one on a device that lives: later keys come with all before them. */
function readers({ policy }: FoundedState, role: string, from: number): string[] {
  const members = policy.policy.roles[role]?.members ?? [];
  const later = (policy.roles.get(role)?.epochs ?? []).filter((epoch) => epoch.epoch >= from);
  return later.flatMap(({ grants, provisional, maker }) => [...grants].flatMap(([person, grant]) => {
    const entitled = members.includes(person) || (provisional && maker.person === person);
    return entitled && deviceKeys(policy.people, person).some((key) => grant.devices.includes(key)) ? [person] : [];
  }));
}

function some(persons: readonly string[]): string {
  return persons.length === 0 ? 'none' : `only ${persons.join(' ')}`;
}

const WORDS: Readonly<Record<LossKind, (subjects: string) => string>> = {
  policy: () => 'change the policy',
  members: (role) => `change who is in ${role} without the admins`,
  key: (role) => `grant or turn the key of ${role}`,
  open: (secrets) => `open ${secrets}`,
  decide: (path) => `consent for ${path}`,
  write: (path) => `seal ${path}`,
  custody: (group) => `act for custody group ${group}`,
};

/** Names that stand in one line; of more, only how many. */
const SHOWN = 5;

/** `open app/a, app/b: nobody else holds the key of infra`: losses of one kind and reason in one line, the hardest first. */
export function lossesInWords(found: readonly Loss[]): string[] {
  const groups = new Map<string, Loss[]>();
  for (const loss of found) {
    const key = `${loss.kind} ${loss.why}`;
    groups.set(key, [...(groups.get(key) ?? []), loss]);
  }
  return [...groups.values()].map((group) => {
    const subjects = group.slice(0, SHOWN).map((loss) => loss.subject).join(', ');
    const more = group.length > SHOWN ? ` and ${group.length - SHOWN} more` : '';
    return `${WORDS[group[0]!.kind](subjects + more)}: ${group[0]!.why}`;
  });
}

/** Whose business a loss is: who could do something about it before it comes, or would stand without. */
export function concerns(state: FoundedState, { kind, subject }: Loss): string[] {
  const { admins, roles, custody } = state.policy.policy;
  const membersOf = (names: readonly string[]): string[] => names.flatMap((role) => roles[role]?.members ?? []);
  const decided = (path: string): string[] => {
    const rule = ruleInEffect(state, path);
    if (!rule) return [];
    const keepers = 'custody' in rule && custody[rule.custody] ? treeLeaves(custody[rule.custody]!).map((leaf) => leaf.name) : [];
    return [...membersOf([...rule.owners, ...rule.writers, ...('readers' in rule ? rule.readers : [])]), ...keepers];
  };
  switch (kind) {
    case 'policy':
      return [...admins.of];
    case 'members':
      return [...membersOf([subject]), ...(roles[subject]?.managed?.of ?? [])];
    case 'key':
      return membersOf([subject]);
    case 'custody':
      return [...(custody[subject] ? treeLeaves(custody[subject]).map((leaf) => leaf.name) : []), ...admins.of];
    case 'open':
    case 'decide':
    case 'write':
      return decided(subject);
  }
}

export interface SinglePoint {
  readonly person: string;
  readonly losses: readonly Loss[];
}

/** Persons whose absence alone would lose something that is there by now. One human alone is that by nature, and is not named. */
export function singlePoints(state: FoundedState): SinglePoint[] {
  const humans = [...state.policy.people].flatMap(([person, { kind }]) => (kind === 'human' ? [person] : []));
  if (humans.length < 2) return [];
  const already = lostAlready(state);
  return humans.flatMap((person) => {
    const found = beyond(state, already, [person]).filter((loss) => loss.kind !== 'key' || newestEpoch(state.policy, loss.subject) !== undefined);
    return found.length === 0 ? [] : [{ person, losses: found }];
  });
}
