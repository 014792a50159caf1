/** Which rule decides for a name: the longest matching path, whole. */
import { decidingRule } from '../wire.js';
import type { Policy, Rule } from './policy.js';

/** The part of a rule that says who agrees to a handover. */
export type ConsentRule = Pick<Rule, 'path' | 'owners' | 'consents'>;

/** The rule of the policy for a name, or undefined where none matches. Which one decides at a leaf: rule-in-effect.ts. */
export function ruleFor(policy: Pick<Policy, 'rules'>, name: string): Rule | undefined {
  return decidingRule(policy.rules, name);
}

/**
 * In words why nobody could satisfy this rule, or undefined. Of a team that nobody has joined yet nothing can be said. Asked where a rule is
 * made, not where people leave: to remove somebody may not wait.
 */
export function consentsFault(policy: Pick<Policy, 'roles'>, { path, owners, consents }: ConsentRule, isHuman: (person: string) => boolean): string | undefined {
  const members = new Set(owners.flatMap((role) => policy.roles[role]?.members ?? []));
  const could = [...members].filter(isHuman).length;
  if (members.size === 0 || consents <= Math.max(1, could)) return undefined;
  return `rule ${path} asks ${consents} consents of ${owners.join(' and ')}, where ${could === 1 ? 'only one person' : could === 0 ? 'nobody' : `only ${could} people`} could give one`;
}

/** Names of the roles that this person is a member of. */
export function rolesOf(policy: Pick<Policy, 'roles'>, person: string): string[] {
  return Object.keys(policy.roles).filter((role) => policy.roles[role]?.members.includes(person));
}
