/**
 * Who could still know this? Computed from the log: it counts grants, not openings, since whoever has the key can open without a
 * record; recorded openings are listed in addition. Nobody loses what they could read: old ciphertexts stay where copies of the vault
 * are, the history of Git included. What helps is a new value, and to retire the old one.
 */
import { VaultError } from '../../errors.js';
import { rotationOf } from '../../material/index.js';
import { compareText } from '../../primitives/compare.js';
import { newestVersion, versionsOf, type SecretVersion } from '../../seal/state.js';
import type { FoundedState } from '../../vault-state.js';
import { pathMatches } from '../../wire.js';
import type { Vault } from '../../vault.js';
import type { Enrolment } from '../people/enrolments.js';
import { gatherEvidence, type Evidence, type Exposure, type FindExposures } from './evidence.js';
import { members, stewards } from './grants.js';
import { knowledgeOf, reads, type Knowledge } from './knowledge.js';
import { openers, openingsOf } from './openings.js';
import { replacementOf } from './replaced.js';
import { sealers } from './sealing.js';
import { completers, custodians, enough, receivers, releasers, sharesOf } from './shares.js';
import { standing } from './standing.js';
import { findVersion } from '../opening/open.js';

/** Every way of having seen a version. */
const HOWS: readonly FindExposures[] = [sealers, members, stewards, standing, custodians, releasers, receivers, completers, openers];

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
  const asked = ({ who, version }: Exposure): boolean => wanted(version.statement.name) && (persons === undefined || persons.includes(who.person));
  const found = grouped(HOWS.flatMap((find) => [...find(evidence)].filter(asked)));
  const openings = grouped(openingsOf(evidence));
  const knowledge: Knowledge[] = [];
  for (const [name, ofSecret] of [...found].sort(([a], [b]) => compareText(a, b))) {
    const versions = versionsOf(state.secrets, name);
    const rotation = await rotationOf((newestVersion(versions) ?? versions.at(-1)!).statement);
    for (const [who, exposures] of [...ofSecret].sort(([a], [b]) => compareText(a.person, b.person) || a.since - b.since)) {
      knowledge.push(knowledgeOf(state, who, versions, exposures, openings.get(name)?.get(who) ?? [], rotation));
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

/** What was found of each secret, by person. */
function grouped<T extends { readonly who: Enrolment; readonly version: SecretVersion }>(items: readonly T[]): Map<string, Map<Enrolment, T[]>> {
  const secrets = new Map<string, Map<Enrolment, T[]>>();
  for (const item of items) {
    const { name } = item.version.statement;
    const persons = secrets.get(name) ?? new Map<Enrolment, T[]>();
    secrets.set(name, persons);
    const own = persons.get(item.who) ?? [];
    persons.set(item.who, own);
    own.push(item);
  }
  return secrets;
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
