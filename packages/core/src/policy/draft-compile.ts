/** From a draft to the policy that can be proposed. Pure: what people are enrolled comes from the log, cards from the caller. */
import { refusalToError, VaultError } from '../errors.js';
import { compareText } from '../primitives/compare.js';
import { treeLeaves } from '../primitives/threshold-tree.js';
import { toSortedSet } from '../wire.js';
import type { Card } from './card.js';
import type { Draft, DraftRule } from './draft-parse.js';
import { checkPolicyFile, encodePolicy, type Policy, type RoleDef, type Rule, type Threshold } from './policy.js';
import type { Person } from './state.js';

/** The policy in effect, its digest, and the people enrolled as of the log. */
export interface DraftBase {
  readonly policy: Policy;
  readonly digest: string;
  readonly people: ReadonlyMap<string, Person>;
}

/**
 * The successor of `base` that `draft` describes. Everybody whom the draft names is in it: the enrolled with the cards of
 * their living devices, and `newCards` for newcomers and further devices; who is named nowhere is out. Throws STALE_DRAFT for
 * another base, BAD_POLICY for a person without a card or a card without a person, and what `checkPolicyFile` finds.
 */
export function compileDraft(draft: Draft, base: DraftBase, newCards: readonly Card[]): Policy {
  const { policy } = base;
  if (draft.basedOn !== policy.number) {
    throw new VaultError('STALE_DRAFT', `this draft is based on policy ${draft.basedOn}, but policy ${policy.number} is in effect`, {
      hint: `Put your change into the policy in effect (oxp-vault policy show), then set based-on: ${policy.number}.`,
    });
  }
  const removedDevices = toSortedSet(draft.removedDevices.map((named) => keyIdOf(named, base.people)));
  return checkedPolicy({
    ...policy,
    number: policy.number + 1,
    previous: base.digest,
    devices: draft.devices,
    persons: personsOf(draft, base.people, newCards, removedDevices),
    removedDevices,
    roles: mapValues(draft.roles, roleOf),
    custody: { ...draft.custody },
    admins: thresholdOf(draft.admins),
    rules: draft.rules.map(ruleOf).sort((a, b) => compareText(a.path, b.path)),
    abandon: { secrets: toSortedSet(draft.abandon.secrets), roles: toSortedSet(draft.abandon.roles) },
  });
}

/** The policy itself, if it passes every check that needs no history; else throws what the log would refuse it with. */
export function checkedPolicy(policy: Policy): Policy {
  const checked = checkPolicyFile(encodePolicy(policy));
  if ('code' in checked) throw refusalToError(checked);
  return checked.policy;
}

function thresholdOf({ need, of }: Draft['admins']): Threshold {
  return { need, of: toSortedSet(of) };
}

function roleOf(role: Draft['roles'][string]): RoleDef {
  return {
    members: toSortedSet(role.members),
    ...(role.managed === undefined ? {} : { managed: thresholdOf(role.managed) }),
    ...(role.steward === undefined ? {} : { steward: role.steward }),
  };
}

function ruleOf({ path, owners, writers, readers, custody, consents }: DraftRule): Rule {
  const common = { path, owners: toSortedSet(owners), writers: toSortedSet(writers), consents };
  return custody === undefined ? { ...common, readers: toSortedSet(readers ?? []) } : { ...common, custody };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, to: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, to(value)]));
}

/** Every person that the draft names, with the places that name it. */
export function mentions(draft: Draft): Map<string, string[]> {
  const places = new Map<string, string[]>();
  const add = (person: string, place: string): void => void places.set(person, [...(places.get(person) ?? []), place]);
  for (const p of draft.admins.of) add(p, 'admins');
  for (const [name, role] of Object.entries(draft.roles)) {
    for (const p of role.members) add(p, `roles.${name}.members`);
    for (const p of role.managed?.of ?? []) add(p, `roles.${name}.managed`);
    if (role.steward !== undefined) add(role.steward, `roles.${name}.steward`);
  }
  for (const [group, tree] of Object.entries(draft.custody)) for (const leaf of treeLeaves(tree)) add(leaf.name, `custody.${group}`);
  return places;
}

function personsOf(draft: Draft, people: DraftBase['people'], newCards: readonly Card[], removed: readonly string[]): Policy['persons'] {
  const named = mentions(draft);
  for (const { person } of newCards) {
    if (!named.has(person)) {
      throw new VaultError('BAD_POLICY', `the card of ${person} is given, but the draft names ${person} nowhere`, {
        hint: `Name ${person} in a role, or leave the card out.`,
      });
    }
  }
  const without: string[] = [];
  const persons: Policy['persons'] = {};
  for (const person of [...named.keys()].sort()) {
    const living = (people.get(person)?.devices ?? []).filter((d) => !removed.includes(d.id));
    const added = newCards.filter((card) => card.person === person && !removed.includes(card.id) && !living.some((d) => d.id === card.id));
    const cards = [...new Set([...living.map((d) => d.card), ...added.map((card) => card.line)])];
    if (cards.length > 0) persons[person] = { cards };
    else if (people.has(person)) {
      throw new VaultError('WOULD_STRAND', `removed-devices takes the last device of ${person}`, {
        hint: `Give a card of another device with --card, or name ${person} nowhere.`,
      });
    } else without.push(person);
  }
  if (without.length > 0) {
    throw new VaultError('BAD_POLICY', `no card is known of ${without.join(', ')}`, {
      hint: 'Ask each of them for the .card file that `oxp-vault identity create` wrote, then: oxp-vault member add CARD, or oxp-vault policy propose --card CARD',
      details: without.map((person) => `${person} is named in ${named.get(person)!.join(', ')}`),
    });
  }
  return persons;
}

/** The key id of a device given as `person/device`; a key id stands for itself. */
function keyIdOf(named: string, people: DraftBase['people']): string {
  const [person, name] = named.split('/');
  if (person === undefined || name === undefined) return named;
  const device = people.get(person)?.devices.find((d) => d.device === name);
  if (!device) {
    const has = people.get(person)?.devices.map((d) => d.device).join(', ');
    throw new VaultError('BAD_POLICY', `removed-devices names ${named}, but ${has === undefined ? `${person} is not enrolled` : `the devices of ${person} are: ${has}`}`);
  }
  return device.id;
}
