/** What the rules of sealing ask of the policy, and of the handovers that stand in for its rules (seal/state.ts), answered. */
import { rolesOf } from './policy/rules.js';
import { isMachine, newestEpoch, takenBy } from './policy/state.js';
import { ruleInEffect } from './rule-in-effect.js';
import type { SealAuthority } from './seal/state.js';
import type { FoundedState } from './vault-state.js';

export function sealAuthority({ policy: state, handovers }: Pick<FoundedState, 'policy' | 'handovers'>): SealAuthority {
  const { policy } = state;
  return {
    suite: policy.suite,
    rule(name) {
      const rule = ruleInEffect({ policy: state, handovers }, name);
      if (!rule) return undefined;
      const { path, owners, writers } = rule;
      return 'readers' in rule ? { path, owners, writers, readers: rule.readers } : { path, owners, writers, custody: { group: rule.custody, tree: policy.custody[rule.custody]! } };
    },
    rulePaths: () => [...policy.rules.map((rule) => rule.path), ...handovers.standIns.keys()],
    rolesOf: (person) => rolesOf(policy, person),
    epochOf(role) {
      const epoch = newestEpoch(state, role);
      return epoch && { epoch: epoch.epoch, recipient: epoch.recipient, stale: state.roles.get(role)?.stale !== undefined };
    },
    isMachine: (person) => isMachine(state, person),
    recipientKnown: (recipient) => takenBy(state, recipient) !== undefined,
  };
}
