/** Which rule decides for a secret at a leaf: what a completed handover has put in the place of the policy's, else the policy's. */
import { standInFor } from './handover/stand-in.js';
import type { StandIn } from './handover/state.js';
import type { Rule } from './policy/policy.js';
import { ruleFor } from './policy/rules.js';
import type { PolicyState } from './policy/state.js';

export interface RuleState {
  readonly policy: Pick<PolicyState, 'policy'>;
  readonly handovers: { readonly standIns: ReadonlyMap<string, readonly StandIn[]> };
}

/** `name` of a secret, or a path of a rule. Undefined where nothing covers it. */
export function ruleInEffect({ policy, handovers }: RuleState, name: string): Rule | undefined {
  return standInFor(handovers, name)?.rule ?? ruleFor(policy.policy, name);
}
