/** The policy that a handover comes to: the one in effect with what the request moves, and nothing else changed. */
import { compareText } from '../../primitives/compare.js';
import { decidingRule, pathMatches } from '../../wire.js';
import { kept, policyFault, rulesToMove } from '../../handover/finalize.js';
import { sameContent } from '../../handover/stand-in.js';
import { type Handover } from '../../handover/state.js';
import type { Policy, Rule } from '../../policy/policy.js';
import { ruleFor } from '../../policy/rules.js';
import type { Proposal } from '../../policy/state.js';
import { canonicalEqual } from '../../primitives/canonical-json.js';
import type { Vault } from '../../vault.js';
import { authorityNow } from './find.js';
import { successorBase } from '../people/members.js';

/** The successor policy; undefined for a use, and where the policy in effect says all of it already. */
export function successorOf(vault: Vault, handover: Handover): Policy | undefined {
  const { request } = handover;
  if (request.mode === 'use' || !policyFault(vault.state.handovers, handover, request, authorityNow(vault))) return undefined;
  const base = successorBase(vault.policy);
  const moved = rulesToMove(vault.state.handovers, handover, request);
  const stays = request.rules.filter((rule) => !moved.includes(rule)).map((rule) => rule.path);
  const folders = moved.filter((rule) => rule.path.endsWith('/')).map((rule) => rule.path);
  const replaced = ({ path }: Rule): boolean => moved.some((rule) => rule.path === path) || (!stays.includes(path) && folders.some((folder) => pathMatches(folder, path)));
  const mostly = [...base.rules.filter((rule) => !replaced(rule)), ...moved];
  const rules = [...mostly, ...keptRules(vault, handover, mostly)].sort((a, b) => compareText(a.path, b.path));
  return { ...base, rules, ...(request.admins ? { admins: request.admins } : {}) };
}

/** What was asked for and stays with its givers, below a path that moves: it keeps its rule, as an exact one. */
function keptRules(vault: Vault, handover: Handover, next: readonly Rule[]): Rule[] {
  const got = kept(vault.state.handovers, handover).map((outcome) => outcome.old);
  return handover.targets.filter((target) => !got.includes(target.statement)).flatMap(({ name }) => {
    const rule = ruleFor(vault.policy.policy, name);
    return rule && !sameContent(rule, decidingRule(next, name)) ? [{ ...rule, path: name }] : [];
  });
}

/** The open proposal that says what this handover comes to, if there is one. */
export function openProposalOf(vault: Vault, handover: Handover): Proposal | undefined {
  const next = successorOf(vault, handover);
  return next && vault.policy.proposals.find(({ policy }) => policy !== undefined && canonicalEqual({ rules: policy.rules, admins: policy.admins }, { rules: next.rules, admins: next.admins }));
}
