/** People come and go: a policy change, then one small grant a role. */
import { VaultError } from '../../errors.js';
import type { Card } from '../../policy/card.js';
import type { Policy, RoleDef } from '../../policy/policy.js';
import { holders, newestEpoch, type PolicyState } from '../../policy/state.js';
import { canonicalEqual } from '../../primitives/canonical-json.js';
import { type ThresholdTree, treeLeaves, withoutName } from '../../primitives/threshold-tree.js';
import type { Vault } from '../../vault.js';
import { toSortedSet } from '../../wire.js';
import { noSuchPerson, noSuchRole } from '../no-such.js';
import { grantRole, holdsKey, turnRole, ungranted } from './role-turn.js';

/** The policy in effect as the base of the next one: living devices' cards, nothing to remove, nothing to abandon. */
export function successorBase(state: PolicyState): Policy {
  return {
    ...state.policy,
    number: state.policy.number + 1,
    previous: state.digest,
    persons: Object.fromEntries([...state.people].map(([name, person]) => [name, { cards: person.devices.map((d) => d.card) }])),
    removedDevices: [],
    abandon: { secrets: [], roles: [] },
  };
}

export interface MemberAddition {
  readonly roles: readonly string[];
  readonly admin?: boolean;
}

/** The policy with a person added (or an enrolled one given more roles). Throws ROLE_NOT_FOUND, ALREADY_DONE. */
export function withMember(state: PolicyState, card: Card, addition: MemberAddition): Policy {
  const base = successorBase(state);
  const { person } = card;
  const enrolled = state.people.get(person);
  const known = enrolled?.devices.some((d) => d.id === card.id) ?? false;
  if (enrolled && !known) {
    throw new VaultError('KEY_TAKEN', `a person called ${person} is enrolled with other keys`, {
      hint: 'If it is the same human with a new device, put the card into the policy: oxp-vault policy propose --card CARD. Otherwise choose another name: oxp-vault identity create --person NAME',
    });
  }
  const missing = addition.roles.find((role) => !Object.hasOwn(base.roles, role));
  if (missing !== undefined) throw noSuchRole(state, missing);
  const grown = (role: string, def: RoleDef): RoleDef => (addition.roles.includes(role) ? { ...def, members: toSortedSet([...def.members, person]) } : def);
  const next = {
    ...base,
    persons: known ? base.persons : { ...base.persons, [person]: { cards: [card.line] } },
    roles: Object.fromEntries(Object.entries(base.roles).map(([role, def]) => [role, grown(role, def)])),
    admins: addition.admin ? grownAdmins(base.admins, person) : base.admins,
  };
  if (known && canonicalEqual(next, base)) throw new VaultError('ALREADY_DONE', `${person} is a member already`, { hint: 'Into another role: --role ROLE. As an admin: --admin' });
  return next;
}

/** The threshold stays above half as the number of admins grows. */
function grownAdmins(admins: Policy['admins'], person: string): Policy['admins'] {
  const of = toSortedSet([...admins.of, person]);
  return { of, need: Math.max(admins.need, Math.floor(of.length / 2) + 1) };
}

/** The policy without a person, wherever it is named. Throws PERSON_NOT_FOUND, WOULD_STRAND. */
export function withoutMember(state: PolicyState, person: string): Policy {
  const base = successorBase(state);
  if (!state.people.has(person)) throw noSuchPerson(state, person);
  const of = base.admins.of.filter((p) => p !== person);
  if (of.length === 0) throw new VaultError('WOULD_STRAND', `${person} is the last admin`, { hint: 'Add another one first: oxp-vault member add CARD --admin' });
  const without = (list: readonly string[]): string[] => list.filter((p) => p !== person);
  const roles = Object.fromEntries(Object.entries(base.roles).map(([role, { members, managed, steward }]) => {
    const managers = managed && without(managed.of);
    return [role, {
      members: without(members),
      ...(managed && managers && managers.length > 0 ? { managed: { of: managers, need: Math.min(managed.need, managers.length) } } : {}),
      ...(steward === undefined || steward === person ? {} : { steward }),
    }];
  }));
  const persons = Object.fromEntries(Object.entries(base.persons).filter(([p]) => p !== person));
  return { ...base, persons, roles, custody: custodyWithout(base, person), admins: { of, need: Math.min(base.admins.need, of.length) } };
}

/** The custody groups without a person, each asking for as many as before. Throws WOULD_STRAND where too few would be left. */
function custodyWithout(policy: Policy, person: string): Policy['custody'] {
  const groups = Object.entries(policy.custody).map(([group, tree]) => [group, treeLeaves(tree).some((leaf) => leaf.name === person) ? withoutName(tree, person) : tree] as const);
  const stuck = groups.flatMap(([group, tree]) => (tree ? [] : [group]));
  if (stuck.length > 0) {
    throw new VaultError('WOULD_STRAND', `without ${person} too few custodians would be left of ${stuck.join(', ')}`, {
      details: ['In policy.yaml, under custody:, put somebody else in their place or ask for fewer:', ...stuck.map((group) => `  ${group}: ${draftTree(policy.custody[group]!)}`)],
      hint: `Then: oxp-vault policy propose. Once it is in effect, again: oxp-vault member remove ${person}`,
    });
  }
  return Object.fromEntries(groups.flatMap(([group, tree]) => (tree ? [[group, tree]] : [])));
}

/** As policy.yaml has it. By hand: what only reads or writes secrets loads no YAML. */
function draftTree({ need, of }: ThresholdTree): string {
  const all = of.length > 1 && need === of.length && of.every((child) => typeof child !== 'string');
  const children = of.map((child) => (typeof child === 'string' ? child : draftTree(child))).join(', ');
  return all ? `{ all: [ ${children} ] }` : `{ need: ${need}, of: [${children}] }`;
}

/**
 * The policy with a person taken out of roles and left enrolled otherwise: a managed role's managers may do that by themselves.
 * Throws PERSON_NOT_FOUND, ROLE_NOT_FOUND, ALREADY_DONE.
 */
export function withoutRoles(state: PolicyState, person: string, roles: readonly string[]): Policy {
  const base = successorBase(state);
  if (!state.people.has(person)) throw noSuchPerson(state, person);
  for (const role of roles) {
    const def = Object.hasOwn(base.roles, role) ? base.roles[role] : undefined;
    if (!def) throw noSuchRole(state, role);
    if (!def.members.includes(person)) throw new VaultError('ALREADY_DONE', `${person} is no member of ${role}`, { hint: `Its members: ${def.members.join(', ') || 'none'}` });
  }
  const left = (role: string, def: RoleDef): RoleDef => (roles.includes(role) ? { ...def, members: def.members.filter((p) => p !== person) } : def);
  return { ...base, roles: Object.fromEntries(Object.entries(base.roles).map(([role, def]) => [role, left(role, def)])) };
}

/** Grants every role whose key this person holds to the members who lack it. Gives the roles and persons it granted. */
export async function grantMissing(vault: Vault): Promise<{ role: string; person: string }[]> {
  const done: { role: string; person: string }[] = [];
  for (const [role, lacking] of rolesToGrant(vault)) {
    await vault.append(await grantRole(vault, role, lacking));
    done.push(...lacking.map((person) => ({ role, person })));
  }
  return done;
}

/** Roles whose key this person holds, each with the members who lack it. */
export function rolesToGrant(vault: Vault): [role: string, lacking: readonly string[]][] {
  return Object.keys(vault.policy.policy.roles).flatMap((role): [string, readonly string[]][] => {
    const lacking = ungranted(vault, role);
    return lacking.length > 0 && holdsKey(vault, role) && !vault.policy.roles.get(role)?.stale ? [[role, lacking]] : [];
  });
}

/** Roles whose key is stale, or provisional although they have members, and that this person may turn. */
export function rolesToTurn(vault: Vault, me: Card = vault.requireActor()): string[] {
  if (me.kind === 'machine') return [];
  return Object.entries(vault.policy.policy.roles).flatMap(([role, def]) => {
    const state = vault.policy.roles.get(role);
    const provisional = newestEpoch(vault.policy, role)?.provisional ?? false;
    return state && def.members.includes(me.person) && (state.stale !== undefined || provisional) && mayTurn(vault, role, me) ? [role] : [];
  });
}

/** Who holds the newest key; where nobody does any more, every member. */
function mayTurn(vault: Vault, role: string, me: Card): boolean {
  return holdsKey(vault, role, me) || holders(vault.policy, role).length === 0;
}

/** Turns the stale keys that this person may turn, and replaces a provisional one by its members' own. Gives the roles. */
export async function turnDueKeys(vault: Vault): Promise<string[]> {
  const due = rolesToTurn(vault);
  for (const role of due) await vault.append(await turnRole(vault, role));
  return due;
}
