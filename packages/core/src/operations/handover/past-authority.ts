/**
 * Who could do what at a leaf, read off the policies that took effect, the people enrolled then and the receipts before: what an auditor
 * holds the judgements of the fold against.
 */
import { sameContent } from '../../handover/stand-in.js';
import type { SuccessorRule } from '../../handover/ops.js';
import type { Handover } from '../../handover/state.js';
import { rolesOf, ruleFor } from '../../policy/rules.js';
import { decidingRule, type Signer } from '../../wire.js';
import type { Enrolment, PolicyInEffect } from '../people/enrolments.js';

export interface PastAuthority {
  /** The rule that decided for a secret. */
  rule(name: string): SuccessorRule | undefined;
  rolesOf(person: string): readonly string[];
  /** True for a human enrolled then, with the very device that signed. */
  isHuman(signer: Signer): boolean;
}

export interface Past {
  /** In order. */
  readonly policies: readonly PolicyInEffect[];
  readonly enrolments: readonly Enrolment[];
  readonly handovers: readonly Handover[];
}

/** As it was before the leaf: a leaf is judged by what came before it. */
export function authorityAt(past: Past, leaf: number): PastAuthority {
  const policy = policyBefore(past, leaf)?.checked.policy;
  return {
    rule: (name) => standingIn(past, name, leaf) ?? (policy && ruleFor(policy, name)),
    rolesOf: (person) => (policy ? rolesOf(policy, person) : []),
    isHuman: (signer) => past.enrolments.some(({ person, kind, devices }) => person === signer.person && kind === 'human'
      && devices.some(({ key, since, until }) => key === signer.key && since < leaf && (until === undefined || until >= leaf))),
  };
}

function policyBefore({ policies }: Past, leaf: number): PolicyInEffect | undefined {
  return policies.findLast((each) => each.leaf < leaf);
}

/** What the newest receipt that still counted had put in the place of the policy's rule, unless a policy has said the same since. */
function standingIn(past: Past, name: string, leaf: number): SuccessorRule | undefined {
  const by = past.handovers.filter((handover) => deliveredBefore(handover, name, leaf)).sort((a, b) => b.receipt!.leaf - a.receipt!.leaf)[0];
  if (!by?.receipt || by.request.mode === 'use') return undefined;
  const { leaf: since } = by.receipt;
  const rule = decidingRule(by.request.rules, name);
  const policies = past.policies.filter((each) => each === policyBefore(past, since) || (each.leaf > since && each.leaf < leaf));
  return policies.some(({ checked }) => sameContent(rule, ruleFor(checked.policy, name))) ? undefined : rule;
}

function deliveredBefore({ receipt, targets }: Handover, name: string, leaf: number): boolean {
  const old = targets.find((target) => target.name === name)?.statement;
  return receipt !== undefined && receipt.leaf < leaf
    && receipt.targets.some((outcome) => outcome.old === old && outcome.new !== null && (outcome.withdrawn === undefined || outcome.withdrawn.leaf >= leaf));
}
