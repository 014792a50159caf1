/** The receipt: what was received, that it works, and the versions that the receivers have sealed for themselves. */
import { refusal, type Refusal } from '../errors.js';
import { decidingRule, type JsonObject } from '../wire.js';
import type { HandoverContext } from './authority.js';
import { findHandover, onItsWayFault, openFault, shortId } from './liveness.js';
import type { HandoverComplete, SuccessorRule } from './ops.js';
import { isReleased, releasesBy } from './satisfied.js';
import { addStandIn, settleStandIns } from './stand-in.js';
import { withHandover, type Handover, type HandoversState, type Receipt, type Target } from './state.js';

/** A new version on the authority of the request. Whether the statement may stand is judged by the rules of sealing. */
export interface Delivery {
  readonly target: Target;
  readonly statement: JsonObject;
  readonly rule: SuccessorRule;
}

export interface Completion {
  readonly handover: Handover;
  readonly deliveries: readonly Delivery[];
}

/** Who may, whether the releases are enough, and that every target has its outcome. The state with it: `recordReceipt`. */
export function judgeComplete(state: HandoversState, body: HandoverComplete, context: HandoverContext): Completion | Refusal {
  const { authority, actor } = context;
  const handover = findHandover(state, body.request);
  if ('code' in handover) return handover;
  const id = shortId(handover.digest);
  if (handover.by.person !== actor.person) return refusal('NOT_ALLOWED', `handover ${id} is completed by ${handover.by.person}, who has asked for it`);
  const closed = openFault(handover, context);
  if (closed) return closed;
  const { request } = handover;
  const twice = request.mode === 'transfer' ? onItsWayFault(state, handover.targets, authority) : undefined;
  if (twice) return twice;
  const named = handover.releases.filter((release) => body.releases.includes(release.digest));
  if (named.length < body.releases.length) return refusal('NEEDS_CONSENT', `the receipt of handover ${id} names a release that is none of its own`);
  const released = releasesBy(named);
  const lacking = handover.targets.find((target) => !isReleased(target, released, authority));
  if (lacking) return refusal('NEEDS_CONSENT', `what was released for handover ${id} does not open ${lacking.name} yet`, `Who is still needed: oxp-vault handover show ${id}`);
  const deliveries: Delivery[] = [];
  for (const [i, target] of handover.targets.entries()) {
    const outcome = body.targets[i];
    if (outcome?.old !== target.statement) return refusal('BAD_ENTRY', 'a receipt names every target of its request, in that order');
    const fault = outcomeFault(outcome, target, request.mode);
    if (fault) return fault;
    if (outcome.new === null || request.mode === 'use') continue;
    // A request that leaves a target without a rule is never in the log.
    deliveries.push({ target, statement: outcome.new, rule: decidingRule(request.rules, target.name)! });
  }
  return body.targets.length === handover.targets.length ? { handover, deliveries } : refusal('BAD_ENTRY', 'a receipt names every target of its request once');
}

/**
 * What fails its self-check is not handed over: the receipt says so and delivers nothing for it. Without that, a wrong key would
 * replace a good one, and nobody could show that it arrived wrong.
 */
function outcomeFault(outcome: HandoverComplete['targets'][number], target: Target, mode: 'transfer' | 'use'): Refusal | undefined {
  const failed = outcome.checks.find((check) => !check.ok);
  if (outcome.checks.length === 0) return refusal('BAD_ENTRY', `the receipt says nothing of how ${target.name} was checked`);
  if (mode === 'use') return outcome.new === null ? undefined : refusal('BAD_ENTRY', `a use seals no new version of ${target.name}`);
  if (failed && outcome.new !== null) return refusal('SELF_CHECK_FAILED', `${target.name} fails its check "${failed.check}", and cannot be handed over`);
  if (!failed && outcome.new === null) return refusal('BAD_ENTRY', `${target.name} passes its checks, and the receipt seals no new version of it`);
  return undefined;
}

/** The state with the receipt. `sealed`: digests of the new statements by that of the old. `policyRule`: of the policy alone. */
export function recordReceipt(
  state: HandoversState, { handover, deliveries }: Completion, body: HandoverComplete, sealed: ReadonlyMap<string, string>, context: HandoverContext,
  policyRule: (name: string) => SuccessorRule | undefined,
): HandoversState {
  const { digest, leaf, time, actor } = context;
  const targets = body.targets.map(({ old, checks }) => ({ old, new: sealed.get(old) ?? null, checks }));
  const receipt: Receipt = { digest, leaf, time, by: actor, releases: body.releases, targets };
  let next = withHandover(state, { ...handover, receipt });
  for (const { target, rule } of deliveries) next = addStandIn(next, target.name, { handover: handover.digest, rule });
  return settleStandIns(next, policyRule);
}
