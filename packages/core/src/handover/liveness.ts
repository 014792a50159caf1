/** Whether a handover may still go on. */
import { refusal, type Refusal } from '../errors.js';
import { actsFor, type HandoverAuthority, type HandoverContext } from './authority.js';
import { standInFor } from './stand-in.js';
import { delivered, stageOf, type Handover, type HandoversState, type Target } from './state.js';

export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** The handover with this id, or why there is none. */
export function findHandover(state: HandoversState, id: string): Handover | Refusal {
  return state.handovers.get(id) ?? refusal('ENTRY_NOT_FOUND', `there is no handover ${shortId(id)}`, 'See them all: oxp-vault handover list');
}

/** Why nothing more can be consented to, released or received, or undefined: it is over, too late, asked by who could not ask now, or overtaken by a newer version. */
export function openFault(handover: Handover, { time, authority }: Pick<HandoverContext, 'time' | 'authority'>): Refusal | undefined {
  const id = shortId(handover.digest);
  const stage = stageOf(handover);
  if (stage !== 'open') {
    return refusal('ALREADY_DONE', stage === 'aborted' ? `handover ${id} was aborted by ${handover.aborted?.by.person}` : `handover ${id} has its receipt already`, `See: oxp-vault handover show ${id}`);
  }
  if (time > handover.request.notAfter) return refusal('EXPIRED', `the time of handover ${id} is over`, `${handover.by.person} can ask again: oxp-vault handover request`);
  return requesterFault(handover, authority) ?? overtakenFault(handover, authority);
}

/**
 * Only the private half of the one-time recipient opens what is released, and it is with whoever asked, on the device that signed: nothing
 * leaves for somebody who could not ask any more, or for a device that was removed, perhaps because it is in other hands.
 */
function requesterFault({ by, digest, request, targets }: Handover, authority: HandoverAuthority): Refusal | undefined {
  const id = shortId(digest);
  if (!authority.lives(by)) {
    return refusal('NOT_ALLOWED', `the device ${by.device} of ${by.person}, which asked for handover ${id}, is not enrolled any more`, 'Who still wants it asks anew: oxp-vault handover request');
  }
  if (request.mode === 'transfer') {
    return authority.role(request.role)?.members.includes(by.person) ? undefined : refusal('NOT_ALLOWED', `${by.person}, who asked for handover ${id}, is no member of ${request.role} any more`, `Another member of ${request.role} can ask anew: oxp-vault handover request`);
  }
  const lost = targets.find(({ name }) => !actsFor(authority, by.person, authority.rule(name)?.owners ?? []));
  return lost && refusal('NOT_ALLOWED', `${by.person}, who asked for handover ${id}, does not own ${lost.name} any more`, 'An owner can ask anew: oxp-vault handover request');
}

/** A handover never reverts a rotation. */
function overtakenFault(handover: Handover, authority: HandoverAuthority): Refusal | undefined {
  const old = handover.targets.find(({ statement }) => authority.version(statement)?.newest !== true);
  return old && refusal('RACE_LOST', `${old.name} v${old.version} is no longer its newest version`, `${handover.by.person} asks anew for what is: oxp-vault handover request`);
}

/**
 * What a receipt has delivered and its custodians have not acknowledged is on its way: the version before it is not handed over a second time
 * meanwhile, for that would take it from those who are about to have it.
 */
export function onItsWayFault(state: HandoversState, targets: readonly Target[], authority: HandoverAuthority): Refusal | undefined {
  for (const { name } of targets) {
    const standIn = standInFor(state, name);
    const other = standIn && state.handovers.get(standIn.handover);
    const old = other?.targets.find((target) => target.name === name)?.statement;
    const outcome = other && delivered(other).find((each) => each.old === old);
    if (other && outcome && authority.version(outcome.new!)?.pending) {
      const id = shortId(other.digest);
      return refusal('PENDING', `${name} was handed over already (handover ${id}), and waits for its custodians`, `They type: oxp-vault custody ack. Or it is taken back: oxp-vault handover abort ${id}`);
    }
  }
  return undefined;
}
