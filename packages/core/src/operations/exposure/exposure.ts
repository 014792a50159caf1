/**
 * Who could still know this? Computed from the log: it counts grants, not openings, since whoever has the key can open without a
 * record; recorded openings are listed in addition. Nobody loses what they could read: old ciphertexts stay where copies of the vault
 * are, the history of Git included. What helps is a new value, and to retire the old one.
 */
import { VaultError } from '../../errors.js';
import { rotationOf, type Rotation } from '../../material/index.js';
import { rolesOf } from '../../policy/rules.js';
import { newestVersion, versionsOf, type SecretVersion } from '../../seal/state.js';
import { ruleInEffect } from '../../rule-in-effect.js';
import type { FoundedState } from '../../vault-state.js';
import { pathMatches } from '../../wire.js';
import type { Vault } from '../../vault.js';
import type { Enrolment } from '../people/enrolments.js';
import { gatherEvidence, type Evidence, type Exposure, type FindExposures, type How } from './evidence.js';
import { members, stewards } from './grants.js';
import { openers, openingsOf, type Opening } from './openings.js';
import { replacementOf, type Replacement } from './replaced.js';
import { sealers } from './sealing.js';
import { completers, custodians, enough, receivers, releasers, sharesOf } from './shares.js';
import { standing } from './standing.js';
import { findVersion } from '../opening/open.js';

/** Every way of having seen a version. */
const HOWS: readonly FindExposures[] = [sealers, members, stewards, standing, custodians, releasers, receivers, completers, openers];

export interface ExposureDevice {
  readonly device: string;
  /** Key id. */
  readonly key: string;
  readonly removed: boolean;
}

export interface ExposureHow {
  readonly how: How;
  /** `member of infra`. */
  readonly words: string;
  /** The role whose key it was. */
  readonly role?: string;
  readonly versions: readonly number[];
  /** False where it takes more than this person. */
  readonly alone: boolean;
  /** Devices by which; empty where the person as such is meant. */
  readonly devices: readonly ExposureDevice[];
}

export interface RecordedOpening {
  readonly version: number;
  readonly leaf: number;
  /** Claimed, whole seconds. */
  readonly time: number;
  readonly device: string;
  /** `session`: it may have been opened in a session that has not said what it opened. */
  readonly how: 'opened' | 'session' | 'drill';
  readonly purpose?: string;
  readonly online?: boolean;
}

/** What one person could know of one secret. */
export interface Knowledge {
  readonly name: string;
  /** Kind of material. */
  readonly kind: string;
  readonly person: string;
  readonly machine: boolean;
  /** Leaf at which they left, where it was before they left (and perhaps came back, with other keys). */
  readonly left?: number;
  /** Versions that they could have seen alone; where there are none, those of which they have a share. */
  readonly versions: readonly number[];
  /** False where they could not have seen any version alone. */
  readonly alone: boolean;
  readonly how: readonly ExposureHow[];
  readonly openings: readonly RecordedOpening[];
  /** True while they are enrolled, and read the newest version by their role, keep it as custodians, or seal it as writers. */
  readonly entitled: boolean;
  readonly replaced: Replacement;
  /** How the next value is made. */
  readonly rotation: Rotation;
}

/** People who are no longer entitled, or were asked for, and whose shares together open a version in use. */
export interface SharesTogether {
  readonly name: string;
  readonly version: number;
  readonly persons: readonly string[];
}

export interface ExposureReport {
  /** In order of secret, then person. */
  readonly knowledge: readonly Knowledge[];
  readonly together: readonly SharesTogether[];
}

export interface ExposureQuery {
  /** Secrets by name; `dns/` is all below. All unless given. */
  readonly names?: readonly string[];
  /** Persons, whether they are still there or not. All unless given. */
  readonly persons?: readonly string[];
}

/** Needs no private key. Throws SECRET_NOT_FOUND, PERSON_NOT_FOUND, STORE_INCOMPLETE, RACE_LOST. */
export async function exposureOf(vault: Vault, query: ExposureQuery = {}): Promise<ExposureReport> {
  for (const name of query.names ?? []) requireSecret(vault, name);
  const evidence = await gatherEvidence(vault);
  for (const person of query.persons ?? []) requirePerson(evidence, person);
  return exposureFrom(vault.state, evidence, query);
}

/** The same of a state and the log that it was folded from. */
export async function exposureFrom(state: FoundedState, evidence: Evidence, { names, persons }: ExposureQuery = {}): Promise<ExposureReport> {
  const wanted = (name: string): boolean => names === undefined || names.some((path) => pathMatches(path, name));
  const asked = (who: Enrolment): boolean => persons === undefined || persons.includes(who.person);

  const found = new Map<string, Map<Enrolment, Exposure[]>>();
  for (const find of HOWS) {
    for (const exposure of find(evidence)) {
      const { name } = exposure.version.statement;
      if (!wanted(name) || !asked(exposure.who)) continue;
      const ofSecret = found.get(name) ?? new Map<Enrolment, Exposure[]>();
      found.set(name, ofSecret);
      const ofPerson = ofSecret.get(exposure.who) ?? [];
      ofSecret.set(exposure.who, ofPerson);
      ofPerson.push(exposure);
    }
  }
  const openings = groupOpenings(openingsOf(evidence));
  const knowledge: Knowledge[] = [];
  for (const name of [...found.keys()].sort()) {
    const versions = versionsOf(state.secrets, name);
    const rotation = await rotationOf((newestVersion(versions) ?? versions.at(-1)!).statement);
    const ofSecret = [...found.get(name)!].sort(([a], [b]) => (a.person < b.person ? -1 : a.person > b.person ? 1 : a.since - b.since));
    for (const [who, exposures] of ofSecret) {
      knowledge.push(knowledgeOf(state, who, versions, exposures, openings.get(who)?.get(name) ?? [], rotation));
    }
  }
  return { knowledge, together: [...together(state, evidence, wanted, persons)] };
}

function requireSecret(vault: Vault, name: string): void {
  const { versions } = vault.state.secrets;
  if (versions.has(name) || name === '/' || (name.endsWith('/') && versions.sortedKeys().some((each) => pathMatches(name, each)))) return;
  findVersion(vault, name);
}

function requirePerson({ enrolments }: Evidence, person: string): void {
  if (enrolments.some((stay) => stay.person === person)) return;
  const known = [...new Set(enrolments.map((stay) => stay.person))].sort();
  throw new VaultError('PERSON_NOT_FOUND', `nobody called ${person} was ever enrolled in this vault`, { hint: `Who was: ${known.join(', ')}` });
}

function groupOpenings(openings: readonly Opening[]): Map<Enrolment, Map<string, Opening[]>> {
  const grouped = new Map<Enrolment, Map<string, Opening[]>>();
  for (const opening of openings) {
    const byName = grouped.get(opening.who) ?? new Map<string, Opening[]>();
    grouped.set(opening.who, byName);
    const { name } = opening.version.statement;
    const ofName = byName.get(name) ?? [];
    byName.set(name, ofName);
    ofName.push(opening);
  }
  return grouped;
}

function knowledgeOf(state: FoundedState, who: Enrolment, versions: readonly SecretVersion[], exposures: readonly Exposure[], openings: readonly Opening[], rotation: Rotation): Knowledge {
  const alone = exposures.some((exposure) => exposure.alone);
  const counted = exposures.filter((exposure) => exposure.alone || !alone).map((exposure) => exposure.version);
  const { name, kind } = versions[0]!.statement;
  return {
    name, kind: versions.at(-1)?.statement.kind ?? kind, person: who.person, machine: who.kind === 'machine',
    ...(who.until === undefined ? {} : { left: who.until }),
    versions: numbersOf(counted),
    alone,
    how: howOf(who, exposures),
    openings: openings.map(({ version, leaf, time, device, how, purpose, online }) => ({
      version: version.statement.version, leaf, time, device, how, ...(purpose === undefined ? {} : { purpose }), ...(online === undefined ? {} : { online }),
    })),
    entitled: who.until === undefined && (reads(state, who.person, versions) || seals(state, who.person, exposures, name)),
    replaced: replacementOf(versions, counted, state.custody),
    rotation,
  };
}

function numbersOf(versions: readonly SecretVersion[]): number[] {
  return [...new Set(versions.map((version) => version.statement.version))].sort((a, b) => a - b);
}

/** One line for what holds of several versions. That somebody opened what they could read anyway is told by the openings. */
function howOf(who: Enrolment, exposures: readonly Exposure[]): ExposureHow[] {
  const explained = new Set(exposures.filter(({ how, alone }) => how !== 'opened' && alone).map(({ version }) => version));
  const groups = new Map<string, Exposure[]>();
  for (const exposure of exposures) {
    if (exposure.how === 'opened' && explained.has(exposure.version)) continue;
    // What a device that is gone could open is told apart: it may be in other hands.
    const gone = devicesOf(who, exposure.keys).filter(({ removed }) => removed).map(({ key }) => key);
    const key = [exposure.alone, exposure.words, ...gone].join(' ');
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(exposure);
  }
  return [...groups.values()].map((group) => ({
    how: group[0]!.how,
    words: group[0]!.words,
    ...(group[0]!.role === undefined ? {} : { role: group[0]!.role }),
    versions: numbersOf(group.map(({ version }) => version)),
    alone: group[0]!.alone,
    devices: devicesOf(who, group.flatMap(({ keys }) => keys)),
  }));
}

function devicesOf({ devices }: Enrolment, keys: readonly string[]): ExposureDevice[] {
  return devices.filter(({ key }) => keys.includes(key)).map(({ device, key, until }) => ({ device, key, removed: until !== undefined }));
}

function reads(state: FoundedState, person: string, versions: readonly SecretVersion[]): boolean {
  const own = rolesOf(state.policy.policy, person);
  const statement = newestVersion(versions)?.statement ?? versions.at(-1)!.statement;
  return 'readers' in statement ? statement.readers.some(({ role }) => own.includes(role)) : statement.custody.leaves.some((leaf) => leaf.person === person);
}

/** Writers need not be readers, and still make the values. */
function seals(state: FoundedState, person: string, exposures: readonly Exposure[], name: string): boolean {
  const own = rolesOf(state.policy.policy, person);
  return exposures.some(({ how }) => how === 'generated' || how === 'imported' || how === 'resealed') && (ruleInEffect(state, name)?.writers.some((role) => own.includes(role)) ?? false);
}

/** Shares add up: those of the persons asked for, else of all who hold one and are custodians of the newest version no longer. */
function* together(state: FoundedState, evidence: Evidence, wanted: (name: string) => boolean, persons: readonly string[] | undefined): Iterable<SharesTogether> {
  for (const version of evidence.versions) {
    const { name } = version.statement;
    const versions = versionsOf(state.secrets, name);
    if (!('custody' in version.statement) || !wanted(name) || replacementOf(versions, [version], state.custody).status === 'replaced') continue;
    const held = sharesOf(evidence, version);
    const group = [...held.keys()].filter((who) => (persons ? persons.includes(who.person) : who.until !== undefined || !reads(state, who.person, versions)));
    if (group.length < 2 || group.some((who) => enough(version, held, [who])) || !enough(version, held, group)) continue;
    yield { name, version: version.statement.version, persons: group.map((who) => who.person).sort() };
  }
}

/** How many secrets somebody could have known, and what has become of them since. */
export interface ExposureSummary {
  /** Secrets of which a version could have been seen by one person alone. */
  readonly known: number;
  readonly same: number;
  /** A new value is there, and an old one answers until it is retired. */
  readonly overlap: number;
  readonly replaced: number;
  /** Secrets of which they have but a share. */
  readonly shares: number;
}

/** Of several persons, a secret counts as the worst of them has it. */
export function summariseExposure(knowledge: readonly Knowledge[]): ExposureSummary {
  const worst = new Map<string, Replacement['status']>();
  const order: readonly Replacement['status'][] = ['replaced', 'overlap', 'same'];
  for (const { name, alone, replaced } of knowledge) {
    const before = worst.get(name);
    if (alone && (before === undefined || order.indexOf(replaced.status) > order.indexOf(before))) worst.set(name, replaced.status);
  }
  const of = (status: Replacement['status']): number => [...worst.values()].filter((each) => each === status).length;
  const shares = new Set(knowledge.map(({ name }) => name)).size - worst.size;
  return { known: worst.size, same: of('same'), overlap: of('overlap'), replaced: of('replaced'), shares };
}
