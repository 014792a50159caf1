/** Which rule decides for a name: the longest matching path, whole. */
import type { Policy, Rule } from './policy.js';

/** `/` matches everything, `dns/` all below it, `pki/root` only itself. */
export function pathMatches(path: string, name: string): boolean {
  if (path === '/') return true;
  return path.endsWith('/') ? name.startsWith(path) : name === path;
}

/** The rule for a name, or undefined where none matches. An exact path is longer than the folder it lies in. */
export function ruleFor(policy: Pick<Policy, 'rules'>, name: string): Rule | undefined {
  let best: Rule | undefined;
  for (const rule of policy.rules) {
    if (pathMatches(rule.path, name) && (best === undefined || rule.path.length > best.path.length)) best = rule;
  }
  return best;
}

/** Names of the roles that this person is a member of. */
export function rolesOf(policy: Pick<Policy, 'roles'>, person: string): string[] {
  return Object.keys(policy.roles).filter((role) => policy.roles[role]?.members.includes(person));
}
