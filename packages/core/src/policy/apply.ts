/** The policy chain: propose, sign, withdraw, and the leaf at which a proposal takes effect. */
import { refusal, type Refusal } from '../errors.js';
import { sha256Hex } from '../primitives/hash.js';
import { PersistentMap } from '../primitives/persistent-map.js';
import type { PolicyPropose, PolicySign, PolicyWithdraw, VaultInit } from './ops.js';
import { adminsAgree, adminsComeFirst, agrees, managersAgree, someManagersAgree } from './agreement.js';
import { markStale, peopleUnder } from './people.js';
import { checkPolicyFile, encodePolicy, policyFormat, POLICY_FORMAT, type CheckedPolicy, type Policy } from './policy.js';
import type { PolicyState, Proposal } from './state.js';
import type { Signer } from '../wire.js';
import { judgeTransition, type Change, type CurrentTree, type StandInRule } from './transition.js';

/** What a policy op needs beside the slice: the leaf, the policy files named so far, and the trees that must stay satisfiable. */
export interface PolicyContext {
  readonly leaf: number;
  readonly actor: Signer;
  /** A policy file by digest; always there for an accepted checkpoint. */
  file(digest: string): Uint8Array | undefined;
  currentTrees(): Iterable<CurrentTree>;
  /** Rules that completed handovers have put in the place of the policy's. */
  standIns(): Iterable<StandInRule>;
}

export function applyInit(body: VaultInit, context: Pick<PolicyContext, 'leaf' | 'actor' | 'file'>): PolicyState | Refusal {
  const checked = readPolicy(body.policy, context);
  if ('code' in checked) return checked;
  if (checked.policy.number !== 1) return refusal('BAD_POLICY', `a vault begins with policy 1, not ${checked.policy.number}`);
  if (!checked.policy.admins.of.includes(context.actor.person)) return refusal('NOT_ALLOWED', 'a vault is made by one of its admins');
  const people = peopleUnder(undefined, checked, context.leaf);
  if ('code' in people) return people;
  return { vault: checked.digest, policy: checked.policy, digest: checked.digest, since: context.leaf, ...people, claimed: PersistentMap.from([]), proposals: [], roles: new Map() };
}

export function applyPropose(state: PolicyState, body: PolicyPropose, context: PolicyContext): PolicyState | Refusal {
  if (state.proposals.some((p) => p.digest === body.digest)) return refusal('ALREADY_DONE', 'this very policy is proposed already', 'Sign it instead: oxp-vault policy sign');
  if (body.number !== state.policy.number + 1 || body.previous !== state.digest) {
    return refusal('STALE_DRAFT', `policy ${body.number} does not follow policy ${state.policy.number}, which is in effect`, 'Take the policy in effect as the base: oxp-vault policy show');
  }
  const bytes = policyBytes(body.digest, context);
  if (!(bytes instanceof Uint8Array)) return bytes;
  const format = policyFormat(bytes);
  const base = { digest: body.digest, number: body.number, leaf: context.leaf, proposer: context.actor, signers: [context.actor] };
  if (format !== undefined && format > POLICY_FORMAT) {
    if (!state.policy.admins.of.includes(context.actor.person)) return refusal('NOT_ALLOWED', 'only an admin proposes a policy of a higher format');
    return settle({ ...state, proposals: [...state.proposals, { ...base, format }] }, body.digest, context);
  }
  const next = judgeSuccessor(state, checkPolicyFile(bytes), context);
  if ('code' in next) return next;
  if (!hasSay(state, next, context.actor.person)) {
    return refusal('NOT_ALLOWED', `${context.actor.person} is no admin, and this is more than a managed role's membership`, 'Send your draft to an admin.');
  }
  const proposal: Proposal = { ...base, policy: next.checked.policy, format: next.checked.policy.format };
  return settle({ ...state, proposals: [...state.proposals, proposal] }, body.digest, context);
}

export function applySign(state: PolicyState, body: PolicySign, context: PolicyContext): PolicyState | Refusal {
  const proposal = state.proposals.find((p) => p.digest === body.digest);
  if (!proposal) return refusal('STALE_DRAFT', `no open proposal has the digest ${body.digest.slice(0, 8)}`, 'See what is open: oxp-vault policy log');
  if (proposal.signers.some((s) => s.key === context.actor.key)) return refusal('ALREADY_DONE', `${context.actor.person} has signed this policy already`);
  if (proposal.policy === undefined) {
    if (!state.policy.admins.of.includes(context.actor.person)) return refusal('NOT_ALLOWED', `the signature of ${context.actor.person} does not count for this policy`);
  } else {
    // Judged again: since it was proposed, devices and versions may have changed.
    const next = judgeAgain(state, proposal.policy, context);
    if ('code' in next) return next;
    if (!hasSay(state, next, context.actor.person)) return refusal('NOT_ALLOWED', `the signature of ${context.actor.person} does not count for this policy`);
  }
  const signed = { ...proposal, signers: [...proposal.signers, context.actor] };
  return settle({ ...state, proposals: state.proposals.map((p) => (p === proposal ? signed : p)) }, body.digest, context);
}

export function applyWithdraw(state: PolicyState, body: PolicyWithdraw, context: PolicyContext): PolicyState | Refusal {
  const proposal = state.proposals.find((p) => p.digest === body.digest);
  if (!proposal) return refusal('STALE_DRAFT', `no open proposal has the digest ${body.digest.slice(0, 8)}`);
  if (proposal.proposer.person !== context.actor.person) return refusal('NOT_ALLOWED', `only ${proposal.proposer.person} can withdraw this proposal`);
  return settle({ ...state, proposals: state.proposals.filter((p) => p !== proposal) }, undefined, context);
}

interface Successor {
  readonly checked: CheckedPolicy;
  readonly change: Change;
}

function policyBytes(digest: string, context: Pick<PolicyContext, 'file'>): Uint8Array | Refusal {
  const bytes = context.file(digest);
  if (!bytes || sha256Hex(bytes) !== digest) return refusal('HASH_MISMATCH', `policy file ${digest.slice(0, 8)} is missing or not what was signed`);
  return bytes;
}

function readPolicy(digest: string, context: Pick<PolicyContext, 'file'>): CheckedPolicy | Refusal {
  const bytes = policyBytes(digest, context);
  return bytes instanceof Uint8Array ? checkPolicyFile(bytes) : bytes;
}

/** Of an open proposal: its policy is in the state, so that a later leaf, whichever it is, needs no file to judge it again. */
function judgeAgain(state: PolicyState, policy: Policy, context: PolicyContext): Successor | Refusal {
  return judgeSuccessor(state, checkPolicyFile(encodePolicy(policy)), context);
}

function judgeSuccessor(state: PolicyState, checked: CheckedPolicy | Refusal, context: PolicyContext): Successor | Refusal {
  if ('code' in checked) return checked;
  const people = peopleUnder(state, checked, context.leaf);
  if ('code' in people) return people;
  const change = judgeTransition(state, checked, context.currentTrees(), people.people, context.standIns());
  return 'code' in change ? change : { checked, change };
}

/** True when this person's signature can count under the old or the new policy. */
function hasSay(state: PolicyState, next: Successor, person: string): boolean {
  if (state.policy.admins.of.includes(person) || next.checked.policy.admins.of.includes(person)) return true;
  return next.change.by === 'managers' && next.change.roles.some((role) => state.policy.roles[role]?.managed?.of.includes(person));
}

/**
 * Puts the first proposal into effect that has all the signatures it needs, in the order of the log. A refusal only where it is
 * the proposal of this very leaf, `own`, that cannot take effect.
 */
function settle(state: PolicyState, own: string | undefined, context: PolicyContext): PolicyState | Refusal {
  for (const proposal of state.proposals) {
    if (proposal.policy === undefined) {
      // What a newer release makes of it we cannot know: with the present admins' agreement we stop rather than guess.
      if (agrees(state, proposal, state.policy.admins)) return { ...state, upgrade: { format: proposal.format, leaf: context.leaf } };
      continue;
    }
    const byAdmins = adminsAgree(state, proposal, proposal.policy);
    // Cheap tests before the expensive one: a single manager can leave any number of proposals open, and each act asks of all of them.
    if (!byAdmins && (adminsComeFirst(state, proposal) || !someManagersAgree(state, proposal))) continue;
    const next = judgeAgain(state, proposal.policy, context);
    if ('code' in next) {
      if (proposal.digest === own) return next;
      continue;
    }
    if (byAdmins || managersAgree(state, proposal, next.change)) return takeEffect(state, next.checked, context.leaf);
  }
  return state;
}

function takeEffect(state: PolicyState, next: CheckedPolicy, leaf: number): PolicyState | Refusal {
  const people = peopleUnder(state, next, leaf);
  if ('code' in people) return people;
  return markStale({ ...state, ...people, policy: next.policy, digest: next.digest, since: leaf, proposals: [] }, leaf);
}
