/** Whose consent counts for what, and whether it is enough. */
import { isSatisfied } from '../primitives/threshold-tree.js';
import { actsFor, type HandoverAuthority } from './authority.js';
import { bindsDigest } from './binds.js';
import type { Consent, Handover, Release, Target } from './state.js';

/** The consents that live: what they were given to is still the same. */
export function livingConsents(handover: Handover, authority: HandoverAuthority): Consent[] {
  const binds = bindsDigest(handover, authority);
  return handover.consents.filter((consent) => consent.binds === binds);
}

/**
 * The persons whose consent to this target counts: enrolled custodians of it, or, where it is not under custody, members of a role that
 * owns it. Never the person who asks.
 */
export function consentersOf(handover: Handover, target: Target, consents: readonly Consent[], authority: HandoverAuthority): string[] {
  const persons = consents.filter((consent) => coversTarget(consent, target.statement)).map((consent) => consent.by.person);
  return [...new Set(persons)].filter((person) => person !== handover.by.person && mayConsent(person, target, authority));
}

function coversTarget(consent: Consent, statement: string): boolean {
  return consent.ownership.includes(statement) || consent.leaves.some((leaf) => leaf.statement === statement);
}

/** True for an enrolled custodian of the version, or, where it is not under custody, a human member of a role that owns the secret. */
export function mayConsent(person: string, target: Target, authority: HandoverAuthority): boolean {
  if (authority.isMachine(person) !== false) return false;
  const custody = authority.version(target.statement)?.custody;
  return custody ? custody.leaves.some((leaf) => leaf.person === person) : actsFor(authority, person, authority.rule(target.name)?.owners ?? []);
}

export function isConsented(handover: Handover, target: Target, consents: readonly Consent[], authority: HandoverAuthority): boolean {
  const persons = consentersOf(handover, target, consents, authority);
  const tree = authority.version(target.statement)?.custody?.tree;
  return tree ? isSatisfied(tree, (person) => persons.includes(person)) : persons.length >= (authority.rule(target.name)?.consents ?? Infinity);
}

/** True when these consents together are enough for every target. */
export function allConsented(handover: Handover, consents: readonly Consent[], authority: HandoverAuthority): boolean {
  return handover.targets.every((target) => isConsented(handover, target, consents, authority));
}

/** True when what was released opens the target: shares that satisfy its tree, or its file key. */
export function isReleased(target: Target, releases: readonly Release[], authority: HandoverAuthority): boolean {
  const custody = authority.version(target.statement)?.custody;
  if (!custody) return releases.some((release) => release.keys.some((key) => key.statement === target.statement));
  const paths = releases.flatMap((release) => release.shares.filter((share) => share.statement === target.statement).map((share) => share.path));
  const persons = custody.leaves.filter((leaf) => paths.includes(leaf.path)).map((leaf) => leaf.person);
  return isSatisfied(custody.tree, (person) => persons.includes(person));
}
