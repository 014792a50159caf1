/** Custodians and owners agree: each for their own leaf or ownership, to what they saw. */
import { refusal, type Refusal } from '../errors.js';
import { bindsDigest } from './binds.js';
import type { HandoverAuthority, HandoverContext } from './authority.js';
import { findHandover, openFault, shortId } from './liveness.js';
import type { HandoverConsent } from './ops.js';
import { livingConsents, mayConsent } from './satisfied.js';
import { withHandover, type Consent, type Handover, type HandoversState } from './state.js';

export function applyConsent(state: HandoversState, { request, ...body }: HandoverConsent, context: HandoverContext): HandoversState | Refusal {
  const { authority, actor, digest, leaf, time } = context;
  const handover = findHandover(state, request);
  if ('code' in handover) return handover;
  const fault = openFault(handover, context) ?? ownFault(handover, actor.person) ?? itemsFault(handover, body, actor.person, authority);
  if (fault) return fault;
  if (body.binds !== bindsDigest(handover, authority)) {
    return refusal('CONSENT_STALE', `what handover ${shortId(request)} is about has changed since it was looked at: the rules of its targets, or who receives them`, `Look again: oxp-vault handover consent ${shortId(request)}`);
  }
  const given = livingConsents(handover, authority).filter((consent) => consent.by.person === actor.person);
  const said = new Set(given.flatMap((consent) => [...consent.ownership, ...consent.leaves.map((item) => item.statement)]));
  if ([...body.ownership, ...body.leaves.map((item) => item.statement)].every((statement) => said.has(statement))) return refusal('ALREADY_DONE', `${actor.person} has consented to handover ${shortId(request)} already`);
  const consent: Consent = { ...body, digest, leaf, time, by: actor };
  return withHandover(state, { ...handover, consents: [...handover.consents, consent] });
}

/** Who asks for a transfer has no say in it. In a use they may consent, and it does not count. */
function ownFault(handover: Handover, person: string): Refusal | undefined {
  return handover.request.mode === 'transfer' && handover.by.person === person
    ? refusal('NOT_ALLOWED', `${person} asks for handover ${shortId(handover.digest)}, and so cannot consent to it`)
    : undefined;
}

function itemsFault(handover: Handover, { leaves, ownership }: Pick<HandoverConsent, 'leaves' | 'ownership'>, person: string, authority: HandoverAuthority): Refusal | undefined {
  if (leaves.length + ownership.length === 0) return refusal('BAD_ENTRY', 'a consent says to what');
  const targets = new Map(handover.targets.map((target) => [target.statement, target]));
  for (const { statement, path } of leaves) {
    const target = targets.get(statement);
    const held = target && authority.version(statement)?.custody?.leaves.find((l) => l.path === path);
    if (held?.person !== person || !authority.isCustodian(statement, person)) return refusal('NOT_ALLOWED', `${person} holds no share ${path} of ${target ? target.name : 'that'} in handover ${shortId(handover.digest)}`);
  }
  if (new Set(leaves.map((l) => l.statement)).size < leaves.length) return refusal('BAD_ENTRY', 'a consent names a share once');
  for (const statement of ownership) {
    const target = targets.get(statement);
    if (!target || authority.version(statement)?.custody || !mayConsent(person, target, authority)) {
      return refusal('NOT_ALLOWED', `${person} does not decide as an owner on ${target ? target.name : `what is not in handover ${shortId(handover.digest)}`}`);
    }
  }
  return undefined;
}
