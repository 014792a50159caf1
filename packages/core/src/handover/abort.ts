/** Stopping: at any time before the receipt, and afterwards for what still waits for its custodians. */
import { refusal, type Refusal } from '../errors.js';
import type { HandoverContext } from './authority.js';
import { findHandover, shortId } from './liveness.js';
import type { HandoverAbort } from './ops.js';
import { withdrawStandIn } from './stand-in.js';
import { delivered, stageOf, withHandover, type Act, type HandoversState } from './state.js';

export interface Abortion {
  readonly state: HandoversState;
  /** New statements that no longer count. */
  readonly withdrawn: readonly string[];
}

export function judgeAbort(state: HandoversState, { request, ...body }: HandoverAbort, context: HandoverContext): Abortion | Refusal {
  const { authority, actor, digest, leaf, time } = context;
  const handover = findHandover(state, request);
  if ('code' in handover) return handover;
  const id = shortId(request);
  if (handover.by.person !== actor.person && !handover.consents.some((consent) => consent.by.person === actor.person)) {
    return refusal('NOT_ALLOWED', `${actor.person} has neither asked for handover ${id} nor consented to it`, `Who can: ${[...new Set([handover.by.person, ...handover.consents.map((c) => c.by.person)])].join(', ')}`);
  }
  const act: Act = { digest, leaf, time, by: actor };
  const stage = stageOf(handover);
  if (stage === 'open') return { state: withHandover(state, { ...handover, aborted: { ...act, ...body } }), withdrawn: [] };
  const waiting = stage === 'completed' ? delivered(handover).filter((outcome) => authority.version(outcome.new!)?.pending === true) : [];
  if (!handover.receipt || waiting.length === 0) {
    return refusal('ALREADY_DONE', stage === 'aborted' ? `handover ${id} is aborted already` : `handover ${id} has its receipt, and nothing of it waits for custodians: there is nothing to take back`);
  }
  const targets = handover.receipt.targets.map((outcome) => (waiting.includes(outcome) ? { ...outcome, withdrawn: act } : outcome));
  let next = withHandover(state, { ...handover, receipt: { ...handover.receipt, targets }, aborted: { ...act, ...body } });
  for (const { old } of waiting) {
    const name = handover.targets.find((target) => target.statement === old)?.name;
    if (name !== undefined) next = withdrawStandIn(next, name, handover.digest);
  }
  return { state: next, withdrawn: waiting.map((outcome) => outcome.new!) };
}
