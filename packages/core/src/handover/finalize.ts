/** The receivers say that it is over: the policy says what the request named, and nothing waits for a custodian any more. */
import { refusal, type Refusal } from '../errors.js';
import { canonicalEqual } from '../primitives/canonical-json.js';
import { decidingRule, pathMatches } from '../wire.js';
import type { HandoverAuthority, HandoverContext } from './authority.js';
import { findHandover, shortId } from './liveness.js';
import type { HandoverFinalize, SuccessorRule, TransferRequest } from './ops.js';
import { sameContent } from './stand-in.js';
import { delivered, stageOf, withHandover, type Handover, type HandoversState, type Outcome } from './state.js';

export function applyFinalize(state: HandoversState, { request, ...body }: HandoverFinalize, context: HandoverContext): HandoversState | Refusal {
  const { authority, actor, digest, leaf, time } = context;
  const handover = findHandover(state, request);
  if ('code' in handover) return handover;
  const id = shortId(request);
  if (handover.request.mode === 'use' || stageOf(handover) !== 'completed') {
    return stageOf(handover) === 'open'
      ? refusal('PENDING', `handover ${id} has no receipt yet`, `oxp-vault handover show ${id}`)
      : refusal('ALREADY_DONE', `there is nothing left to finalize in handover ${id}`);
  }
  if (!authority.role(handover.request.role)?.members.includes(actor.person)) return refusal('NOT_ALLOWED', `${actor.person} is no member of ${handover.request.role}, which has received`);
  const unknown = body.unrotated.find((statement) => !authority.version(statement));
  if (unknown !== undefined) return refusal('VERSION_NOT_FOUND', `no version has the statement digest ${unknown.slice(0, 8)}`);
  if (body.policy !== authority.policy) return refusal('STALE_DRAFT', `the policy in effect is another than the one named`, 'Try again.');
  const fault = pendingFault(handover, authority) ?? leftBelow(state, handover, authority) ?? policyFault(state, handover, handover.request, authority);
  if (fault) return fault;
  return withHandover(state, { ...handover, finalized: { ...body, digest, leaf, time, by: actor } });
}

/** A new version that its custodians have not acknowledged is nothing that anybody could rely on. */
export function pendingFault(handover: Handover, authority: HandoverAuthority): Refusal | undefined {
  for (const outcome of delivered(handover)) {
    const version = authority.version(outcome.new!);
    if (version?.pending) {
      return refusal('PENDING', `${version.name} v${version.version} waits for its custodians`, `They type: oxp-vault custody ack. Or take it back: oxp-vault handover abort ${shortId(handover.digest)}`);
    }
  }
  return undefined;
}

/** What was delivered and not handed on since: of the rest a later receipt decides, and a policy that went back to this one would take it away again. */
export function kept(state: HandoversState, handover: Handover): Outcome[] {
  const later = handedOn(state, handover);
  return delivered(handover).filter((outcome) => !later.has(nameOf(handover, outcome.old)));
}

/** Names of secrets that receipts after this one have delivered. */
function handedOn(state: HandoversState, { receipt }: Handover): Set<string> {
  const names = new Set<string>();
  for (const other of state.handovers.values()) {
    if (receipt && other.receipt && other.receipt.leaf > receipt.leaf) for (const { old } of delivered(other)) names.add(nameOf(other, old));
  }
  return names;
}

/** The rules of the request that something was delivered under: what the policy must come to say. */
export function rulesToMove(state: HandoversState, handover: Handover, request: TransferRequest): SuccessorRule[] {
  const got = kept(state, handover).map((outcome) => nameOf(handover, outcome.old));
  const lost = handover.targets.map((t) => t.name).filter((name) => !got.includes(name));
  return request.rules.filter((rule) => got.some((name) => pathMatches(rule.path, name)) || !lost.some((name) => pathMatches(rule.path, name)));
}

function nameOf(handover: Handover, statement: string): string {
  return handover.targets.find((target) => target.statement === statement)?.name ?? '';
}

/** The handovers of which the policy in effect now says all that they move, marked as such: for good. */
export function markMoved(state: HandoversState, authority: HandoverAuthority, leaf: number): HandoversState {
  let next = state;
  for (const handover of state.handovers.values()) {
    const { request, moved } = handover;
    if (request.mode === 'use' || moved !== undefined || stageOf(handover) !== 'completed') continue;
    if (!policyFault(state, handover, request, authority)) next = withHandover(next, { ...handover, moved: leaf });
  }
  return next;
}

/** In words what the policy in effect does not yet say of what the request moves; nothing once it has said it. */
export function policyFault(state: HandoversState, handover: Handover, request: TransferRequest, authority: HandoverAuthority): Refusal | undefined {
  if (handover.moved !== undefined) return undefined;
  const id = shortId(handover.digest);
  const hint = `Propose it, or see who has to sign: oxp-vault handover finalize ${id}`;
  const rule = rulesToMove(state, handover, request).find((r) => !sameContent(r, decidingRule(authority.rules, r.path)));
  if (rule) return refusal('NEEDS_SIGNATURES', `the policy in effect does not say yet of ${rule.path} what handover ${id} names`, hint);
  const other = kept(state, handover).find(({ old }) => !sameContent(decidingRule(request.rules, nameOf(handover, old)), decidingRule(authority.rules, nameOf(handover, old))));
  if (other) return refusal('NEEDS_SIGNATURES', `the policy in effect has a rule of its own for ${nameOf(handover, other.old)}, other than handover ${id} names`, hint);
  if (request.admins && !canonicalEqual(request.admins, authority.admins)) return refusal('NEEDS_SIGNATURES', `the policy in effect has other admins than handover ${id} names`, hint);
  return undefined;
}

/**
 * A path moves with everything below it: whatever lies there and has not been handed over is named, and waited for. Handed over is what
 * a receipt under the same rule delivered, and what was sealed to exactly its readers since.
 */
export function leftBelow(state: HandoversState, handover: Handover, authority: HandoverAuthority): Refusal | undefined {
  const { request, receipt } = handover;
  if (request.mode === 'use' || !receipt) return undefined;
  const folders = rulesToMove(state, handover, request).filter((rule) => rule.path.endsWith('/'));
  const withdrawn = receipt.targets.filter((outcome) => outcome.new === null || outcome.withdrawn).map((outcome) => nameOf(handover, outcome.old));
  const handed = deliveredTo(state, request.role);
  const later = handedOn(state, handover);
  for (const { name, statement, leaf, readers, group } of authority.secrets()) {
    const rule = decidingRule(request.rules, name);
    if (!rule || !folders.some((folder) => pathMatches(folder.path, name)) || withdrawn.includes(name) || later.has(name)) continue;
    const exactly = 'custody' in rule ? group === rule.custody : canonicalEqual(readers, rule.readers);
    const since = exactly && leaf > receipt.leaf;
    if (!since && !handed.has(statement)) {
      return refusal('PENDING', `${name} lies below what handover ${shortId(handover.digest)} moves, and has not been handed over`, `Ask for it too: oxp-vault handover request ${name} --to ${request.role}`);
    }
  }
  return undefined;
}

/** Statements that receipts for this role have sealed. */
function deliveredTo(state: HandoversState, role: string): Set<string> {
  const all = new Set<string>();
  for (const handover of state.handovers.values()) {
    if (handover.request.mode === 'transfer' && handover.request.role === role) for (const outcome of delivered(handover)) all.add(outcome.new!);
  }
  return all;
}
