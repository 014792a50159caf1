/** Whether a handover may still go on. */
import { refusal, type Refusal } from '../errors.js';
import type { HandoverAuthority, HandoverContext } from './authority.js';
import { stageOf, type Handover, type HandoversState } from './state.js';

export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** The handover with this id, or why there is none. */
export function findHandover(state: HandoversState, id: string): Handover | Refusal {
  return state.handovers.get(id) ?? refusal('ENTRY_NOT_FOUND', `there is no handover ${shortId(id)}`, 'See them all: oxp-vault handover list');
}

/** Why nothing more can be consented to, released or received, or undefined: it is over, too late, or overtaken by a newer version. */
export function openFault(handover: Handover, { time, authority }: Pick<HandoverContext, 'time' | 'authority'>): Refusal | undefined {
  const id = shortId(handover.digest);
  const stage = stageOf(handover);
  if (stage !== 'open') {
    return refusal('ALREADY_DONE', stage === 'aborted' ? `handover ${id} was aborted by ${handover.aborted?.by.person}` : `handover ${id} has its receipt already`, `See: oxp-vault handover show ${id}`);
  }
  if (time > handover.request.notAfter) return refusal('EXPIRED', `the time of handover ${id} is over`, `${handover.by.person} can ask again: oxp-vault handover request`);
  return overtakenFault(handover, authority);
}

/** A handover never reverts a rotation. */
function overtakenFault(handover: Handover, authority: HandoverAuthority): Refusal | undefined {
  const old = handover.targets.find(({ statement }) => authority.version(statement)?.newest !== true);
  return old && refusal('RACE_LOST', `${old.name} v${old.version} is no longer its newest version`, `${handover.by.person} asks anew for what is: oxp-vault handover request`);
}
