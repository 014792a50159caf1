/** Shares and file keys leave for the receiver: only now that enough have consented, by the log, at this very leaf. */
import { refusal, type Refusal } from '../errors.js';
import { sha256Hex, utf8 } from '../primitives/hash.js';
import { actsFor, type HandoverContext } from './authority.js';
import { findHandover, openFault, shortId } from './liveness.js';
import type { HandoverRelease } from './ops.js';
import { allConsented, livingConsents, releasesBy } from './satisfied.js';
import { withHandover, type Consent, type Handover, type HandoversState, type Release } from './state.js';

/** SHA-256 of the one-time recipient, hex: releases name what they were sealed to. */
export function recipientDigest(recipient: string): string {
  return sha256Hex(utf8(recipient));
}

export function applyRelease(state: HandoversState, { request, ...body }: HandoverRelease, context: HandoverContext): HandoversState | Refusal {
  const { authority, actor, digest, leaf, time } = context;
  const handover = findHandover(state, request);
  if ('code' in handover) return handover;
  const closed = openFault(handover, context);
  if (closed) return closed;
  const living = livingConsents(handover, authority);
  const named = living.filter((consent) => body.consents.includes(consent.digest));
  if (named.length < body.consents.length) {
    return refusal('CONSENT_STALE', `a release for handover ${shortId(request)} rests on a consent that is not to it, or that has died since`, 'It has to be given again.');
  }
  if (!allConsented(handover, named, authority)) {
    return refusal('NEEDS_CONSENT', `the consents to handover ${shortId(request)} are not enough: nothing leaves before they are`, `Who is still needed: oxp-vault handover show ${shortId(request)}`);
  }
  const fault = itemsFault(handover, body, living, context);
  if (fault) return fault;
  const release: Release = { ...body, digest, leaf, time, by: actor };
  return withHandover(state, { ...handover, releases: [...handover.releases, release] });
}

function itemsFault(handover: Handover, body: Omit<HandoverRelease, 'request'>, living: readonly Consent[], context: HandoverContext): Refusal | undefined {
  const items = [...body.shares, ...body.keys];
  if (items.length === 0) return refusal('BAD_ENTRY', 'a release releases something');
  if (new Set(items.map((item) => item.statement)).size < items.length) return refusal('BAD_ENTRY', 'a release names a version once');
  const to = recipientDigest(handover.request.recipient);
  if (items.some((item) => item.recipient !== to)) return refusal('WRONG_STATEMENT', `a release for handover ${shortId(handover.digest)} is sealed to another recipient than the request names`);
  const before = releasesBy(handover.releases);
  const again = items.find((item) => before.get(item.statement)?.includes(context.actor.person));
  if (again) return refusal('ALREADY_DONE', `${context.actor.person} has released this for handover ${shortId(handover.digest)} already`);
  const asked = new Set(handover.targets.map((target) => target.statement));
  const consented = new Set(living.filter((c) => c.by.person === context.actor.person).flatMap((c) => c.leaves.map((leaf) => leaf.statement)));
  for (const share of body.shares) {
    const fault = shareFault(handover, share, asked, consented, context);
    if (fault) return fault;
  }
  for (const { statement } of body.keys) {
    const fault = keyFault(handover, statement, asked, context);
    if (fault) return fault;
  }
  return undefined;
}

/** A custodian gives its own share, and only where it has consented for it. */
function shareFault(handover: Handover, share: HandoverRelease['shares'][number], asked: ReadonlySet<string>, consented: ReadonlySet<string>, { authority, actor }: HandoverContext): Refusal | undefined {
  const { statement, path, commitment } = share;
  const version = asked.has(statement) ? authority.version(statement) : undefined;
  const held = version?.custody?.leaves.find((leaf) => leaf.path === path);
  if (held?.person !== actor.person) return refusal('NOT_ALLOWED', `${actor.person} holds no share ${path} of ${version?.name ?? 'that'} in handover ${shortId(handover.digest)}`);
  if (!consented.has(statement)) return refusal('NEEDS_CONSENT', `${actor.person} has not consented to handover ${shortId(handover.digest)} as a custodian of ${version?.name}`);
  if (held.commitment !== commitment) return refusal('WRONG_STATEMENT', `the share that ${actor.person} releases is not the one of ${version?.name} that was sealed`);
  return undefined;
}

/** The file key of what is not under custody: from anybody who can read it, since its owners have agreed. */
function keyFault(handover: Handover, statement: string, asked: ReadonlySet<string>, { authority, actor }: HandoverContext): Refusal | undefined {
  const version = asked.has(statement) ? authority.version(statement) : undefined;
  if (!version || version.custody) return refusal('NOT_ALLOWED', `handover ${shortId(handover.digest)} asks for no file key of that`);
  return actsFor(authority, actor.person, version.readers) ? undefined : refusal('NOT_ALLOWED', `${actor.person} does not read ${version.name}, and has no file key of it to release`);
}

/** True for the path of a released share or file key. */
export function isRelease(path: string): boolean {
  return path.startsWith('handovers/');
}

/** `handovers/4f2a91c0/alice-3f9a2c1b.age` */
export function releasePath(request: string, person: string, sha256: string): string {
  return `handovers/${request.slice(0, 8)}/${person}-${sha256.slice(0, 8)}.age`;
}
