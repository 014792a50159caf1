/** Which rule decides for a name: the longest matching path, whole. */
import { decidingRule } from '../wire.js';
import type { Policy, Rule } from './policy.js';

/** The rule of the policy for a name, or undefined where none matches. Which one decides at a leaf: rule-in-effect.ts. */
export function ruleFor(policy: Pick<Policy, 'rules'>, name: string): Rule | undefined {
  return decidingRule(policy.rules, name);
}

/** Names of the roles that this person is a member of. */
export function rolesOf(policy: Pick<Policy, 'roles'>, person: string): string[] {
  return Object.keys(policy.roles).filter((role) => policy.roles[role]?.members.includes(person));
}
