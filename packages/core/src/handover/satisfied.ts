/** Whose consent counts for what, and whether it is enough. */
import { isSatisfied } from '../primitives/threshold-tree.js';
import { actsFor, type HandoverAuthority } from './authority.js';
import { bindsDigest } from './binds.js';
import type { Consent, Handover, Release, Target } from './state.js';

/** The consents that live: what they were given to is still the same, and so is the device that gave them. */
export function livingConsents(handover: Handover, authority: HandoverAuthority): Consent[] {
  const binds = bindsDigest(handover, authority);
  return handover.consents.filter((consent) => consent.binds === binds && authority.lives(consent.by));
}

/** Who has said something about which target, by statement digest. Made once for many targets: a handover of everything has thousands. */
export type Coverage = ReadonlyMap<string, readonly string[]>;

/** Persons by the targets that they consented to. Never the person who asks. */
export function coverageOf(handover: Handover, consents: readonly Consent[]): Coverage {
  const given = consents.filter((consent) => consent.by.person !== handover.by.person);
  return groupBy(given.flatMap(({ by, ownership, leaves }) => [...ownership, ...leaves.map((leaf) => leaf.statement)].map((statement) => [statement, by.person] as const)));
}

/** Persons by the targets of which they released a share or the file key. */
export function releasesBy(releases: readonly Release[]): Coverage {
  return groupBy(releases.flatMap(({ by, shares, keys }) => [...shares, ...keys].map((item) => [item.statement, by.person] as const)));
}

function groupBy(pairs: readonly (readonly [string, string])[]): Coverage {
  const groups = new Map<string, string[]>();
  for (const [statement, person] of pairs) {
    const known = groups.get(statement);
    if (!known) groups.set(statement, [person]);
    else if (!known.includes(person)) known.push(person);
  }
  return groups;
}

/** The persons whose consent to this target counts: enrolled custodians of it, or, where it is not under custody, members of a role that owns it. */
export function consentersOf(target: Target, coverage: Coverage, authority: HandoverAuthority): string[] {
  return (coverage.get(target.statement) ?? []).filter((person) => mayConsent(person, target, authority));
}

/** True for a custodian of the version who can open their share, or, where it is not under custody, a human member of a role that owns the secret. */
export function mayConsent(person: string, target: Target, authority: HandoverAuthority): boolean {
  if (authority.isMachine(person) !== false) return false;
  const custody = authority.version(target.statement)?.custody;
  return custody ? authority.isCustodian(target.statement, person) : actsFor(authority, person, authority.rule(target.name)?.owners ?? []);
}

export function isConsented(target: Target, coverage: Coverage, authority: HandoverAuthority): boolean {
  const persons = consentersOf(target, coverage, authority);
  const tree = authority.version(target.statement)?.custody?.tree;
  return tree ? isSatisfied(tree, (person) => persons.includes(person)) : persons.length >= (authority.rule(target.name)?.consents ?? Infinity);
}

/** True when these consents together are enough for every target. */
export function allConsented(handover: Handover, consents: readonly Consent[], authority: HandoverAuthority): boolean {
  const coverage = coverageOf(handover, consents);
  return handover.targets.every((target) => isConsented(target, coverage, authority));
}

/** True when what was released opens the target: shares that satisfy its tree, or its file key. A custodian has one share, and releases no other. */
export function isReleased(target: Target, released: Coverage, authority: HandoverAuthority): boolean {
  const persons = released.get(target.statement) ?? [];
  const tree = authority.version(target.statement)?.custody?.tree;
  return tree ? isSatisfied(tree, (person) => persons.includes(person)) : persons.length > 0;
}
