/** The receiver asks: for exactly these versions, to exactly this destination, until then. */
import { refusal, type Refusal } from '../errors.js';
import { recipientFault, suiteOf } from '../primitives/age-recipient.js';
import { actsFor, type HandoverAuthority, type HandoverContext } from './authority.js';
import { onItsWayFault } from './liveness.js';
import { newestTargets } from './offer.js';
import type { HandoverRequest, TransferRequest } from './ops.js';
import { withHandover, type Handover, type HandoversState, type Target } from './state.js';
import { rulesFault } from './successor.js';

export function applyRequest(state: HandoversState, body: HandoverRequest, context: HandoverContext): HandoversState | Refusal {
  const { authority, actor, digest, leaf, time } = context;
  // What costs little to see comes first: the same large body can be named by many entries.
  const untimely = body.notAfter <= time ? refusal('EXPIRED', 'the request is over before it begins: its end lies before its own time') : oneTimeFault(body.recipient, authority);
  if (untimely) return untimely;
  const targets = newestTargets(body.targets, authority);
  if ('code' in targets) return targets;
  const fault = body.mode === 'use' ? useFault(body.offer, targets, context) : transferFault(state, body, targets, context);
  if (fault) return fault;
  const handover: Handover = { digest, leaf, time, by: actor, request: body, targets, consents: [], releases: [] };
  return withHandover(state, handover);
}

function useFault(offer: string | null, targets: readonly Target[], { authority, actor }: HandoverContext): Refusal | undefined {
  if (offer !== null) return refusal('BAD_VALUE', 'an offer is of a transfer, not of a use');
  const other = targets.find(({ name }) => !actsFor(authority, actor.person, authority.rule(name)?.owners ?? []));
  if (!other) return undefined;
  const owners = authority.rule(other.name)?.owners ?? [];
  const who = [...new Set(owners.flatMap((role) => authority.role(role)?.members ?? []))].filter((person) => authority.isMachine(person) === false).sort();
  return refusal('NOT_ALLOWED', `${actor.person} does not own ${other.name}: only an owner asks for its use`, `Who can (${owners.join(', ') || 'nobody owns it'}): ${who.join(' or ') || 'nobody'}. To have it moved to your role: --to ROLE in place of --use`);
}

function transferFault(state: HandoversState, body: TransferRequest, targets: readonly Target[], context: HandoverContext): Refusal | undefined {
  const { authority, actor } = context;
  const { role, custody } = body;
  const def = authority.role(role);
  if (!def) return refusal('ROLE_NOT_FOUND', `there is no role ${role}`);
  if (!def.members.includes(actor.person)) return refusal('NOT_ALLOWED', `${actor.person} is no member of ${role}: a handover is asked for by those who receive it`);
  if (body.offer !== null && state.offers.get(body.offer)?.role !== role) return refusal('ENTRY_NOT_FOUND', `there is no offer ${body.offer.slice(0, 8)} to ${role}`);
  const own = targets.find(({ statement }) => authority.version(statement)?.custody?.leaves.some((leaf) => leaf.person === actor.person));
  if (own) return refusal('NOT_ALLOWED', `${actor.person} is a custodian of ${own.name}, and so cannot ask for it`, `Another member of ${role} can.`);
  if (custody !== null && !authority.group(custody)) return refusal('ROLE_NOT_FOUND', `there is no custody group ${custody}`);
  const unknown = body.keepReaders.find((kept) => !authority.role(kept));
  if (unknown !== undefined) return refusal('ROLE_NOT_FOUND', `there is no role ${unknown} to be kept as a reader`);
  return epochFault(role, authority) ?? onItsWayFault(state, targets, authority) ?? rulesFault(body, targets, authority) ?? adminsFault(body.admins, authority);
}

/** The key of the receivers must be theirs alone: not their steward's, nor that of somebody who has left. */
function epochFault(role: string, authority: HandoverAuthority): Refusal | undefined {
  const epoch = authority.epochOf(role);
  const rekey = `One of its members makes the next: oxp-vault role rekey ${role}`;
  if (!epoch) return refusal('EPOCH_MISSING', `role ${role} has no key yet`, rekey);
  if (epoch.provisional) return refusal('EPOCH_STALE', `the key of role ${role} is provisional: its steward knows it`, rekey);
  if (epoch.stale) return refusal('EPOCH_STALE', `the key of role ${role} is stale: somebody who could hold it has left`, rekey);
  return undefined;
}

function adminsFault(admins: TransferRequest['admins'], authority: HandoverAuthority): Refusal | undefined {
  if (admins === null) return undefined;
  const stranger = admins.of.find((person) => authority.isMachine(person) !== false);
  if (stranger !== undefined) return refusal('NOT_ALLOWED', `${stranger} cannot become an admin: only humans who are enrolled can`);
  if (admins.need > admins.of.length || admins.need * 2 <= admins.of.length) {
    return refusal('THRESHOLD_TOO_LOW', `${admins.need} of ${admins.of.length} admins is not above half, or more than there are`);
  }
  return undefined;
}

function oneTimeFault(recipient: string, authority: HandoverAuthority): Refusal | undefined {
  if (authority.recipientKnown(recipient)) return refusal('KEY_TAKEN', 'the one-time recipient of the request is or was that of somebody');
  if (suiteOf(recipient) !== authority.suite) return refusal('MIXED_RECIPIENTS', `the one-time recipient is of another kind than this vault (${authority.suite})`);
  const unusable = recipientFault(recipient);
  return unusable === undefined ? undefined : refusal('WEAK_KEY', `nothing can be sealed to the one-time recipient: ${unusable}`);
}
