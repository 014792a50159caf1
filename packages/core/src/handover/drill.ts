/** Drills: somebody has opened all that is theirs to open, on a scratch copy, and says what of it works. */
import { refusal, type Refusal } from '../errors.js';
import type { HandoverContext } from './authority.js';
import type { VaultDrill } from './ops.js';
import type { HandoversState } from './state.js';

export function applyDrill(state: HandoversState, body: VaultDrill, { authority, actor, digest, leaf, time }: HandoverContext): HandoversState | Refusal {
  const unknown = [...body.statements, ...body.failed].find((statement) => !authority.version(statement));
  if (unknown !== undefined) return refusal('VERSION_NOT_FOUND', `no version has the statement digest ${unknown.slice(0, 8)}`);
  return { ...state, drills: new Map(state.drills).set(actor.person, { ...body, digest, leaf, time, by: actor }) };
}
