/**
 * Rules that stand in for the policy's. From the leaf of a receipt the request's rule for a secret decides, until the policy's equals it
 * or a later receipt replaces it: else the givers' next seal could undo the handover before the admins have signed anything.
 */
import { canonicalEqual } from '../primitives/canonical-json.js';
import type { SuccessorRule } from './ops.js';
import type { HandoversState, StandIn } from './state.js';

/** The rule that stands in for the policy's for a secret of this name, if one does. */
export function standInFor(state: Pick<HandoversState, 'standIns'>, name: string): StandIn | undefined {
  return state.standIns.get(name)?.at(-1);
}

/** True when two rules let the same roles do the same, wherever they stand. */
export function sameContent(a: SuccessorRule | undefined, b: SuccessorRule | undefined): boolean {
  return a !== undefined && b !== undefined && canonicalEqual({ ...a, path: '' }, { ...b, path: '' });
}

export function addStandIn(state: HandoversState, name: string, standIn: StandIn): HandoversState {
  const standIns = new Map(state.standIns).set(name, [...(state.standIns.get(name) ?? []), standIn]);
  return { ...state, standIns };
}

/** Without what one handover has put there; what it had replaced counts again. */
export function withdrawStandIn(state: HandoversState, name: string, handover: string): HandoversState {
  const left = (state.standIns.get(name) ?? []).filter((standIn) => standIn.handover !== handover);
  const standIns = new Map(state.standIns);
  if (left.length === 0) standIns.delete(name);
  else standIns.set(name, left);
  return { ...state, standIns };
}

/** Without those that the policy has caught up with. `policyRule` gives the rule of the policy alone. */
export function settleStandIns(state: HandoversState, policyRule: (name: string) => SuccessorRule | undefined): HandoversState {
  const left = [...state.standIns].filter(([name, stack]) => !sameContent(stack.at(-1)?.rule, policyRule(name)));
  return left.length === state.standIns.size ? state : { ...state, standIns: new Map(left) };
}
