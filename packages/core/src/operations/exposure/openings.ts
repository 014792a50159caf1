/** Recorded openings: what honest clients say of themselves, beside what the grants make possible. */
import { newestVersion, type SecretVersion } from '../../seal/state.js';
import { pathMatches } from '../../wire.js';
import type { Enrolment } from '../people/enrolments.js';
import type { Exposure, Evidence } from './evidence.js';
import type { WalkedLeaf } from '../log/walk.js';

export interface Opening {
  readonly who: Enrolment;
  readonly version: SecretVersion;
  readonly leaf: number;
  /** Claimed, whole seconds. */
  readonly time: number;
  readonly device: string;
  /** `session`: it may have been opened in a session that did not say what it opened. */
  readonly how: 'opened' | 'session' | 'drill';
  readonly purpose?: string;
  readonly online?: boolean;
}

/** In the order of the log. */
export function openingsOf(evidence: Evidence): Opening[] {
  // Whoever began a session ends it: nobody says for somebody else what they opened.
  const closed = new Set(evidence.walked.flatMap(({ entry, parsed }) => (entry && parsed?.op === 'secret.open' && 'session' in parsed.body ? [`${parsed.body.session} ${entry.keyid}`] : [])));
  return evidence.walked.flatMap((leaf) => openingsIn(evidence, leaf, closed));
}

function openingsIn(evidence: Evidence, { leaf, entry, parsed }: WalkedLeaf, closed: ReadonlySet<string>): Opening[] {
  if (!entry || (parsed?.op !== 'secret.open' && parsed?.op !== 'vault.drill')) return [];
  const { actor, time } = entry.payload;
  const who = evidence.enrolled(actor.person, leaf);
  if (!who) return [];
  const common = { who, leaf, time, device: actor.device };
  const named = (digests: readonly string[]): SecretVersion[] => digests.flatMap((digest) => evidence.version(digest) ?? []);
  if (parsed.op === 'vault.drill') return named(parsed.body.statements).map((version) => ({ ...common, version, how: 'drill' }));
  const { body } = parsed;
  const { purpose, online } = body;
  if (!('scope' in body)) return named(body.statements).map((version) => ({ ...common, version, how: 'opened', purpose, online }));
  // Until it has said what it opened, everything in its scope counts.
  if (closed.has(`${entry.digest} ${entry.keyid}`)) return [];
  return inScope(evidence, body.scope, leaf).map((version) => ({ ...common, version, how: 'session', purpose, online }));
}

/** The newest versions at a leaf of what these paths match. */
function inScope({ secrets }: Evidence, scope: readonly string[], leaf: number): SecretVersion[] {
  return [...secrets.versions].flatMap(([name, versions]) => {
    if (!scope.some((path) => pathMatches(path, name))) return [];
    return newestVersion(versions.filter((version) => version.leaf < leaf)) ?? [];
  });
}

/** Whoever says that they opened a version has seen it, however they came by it. */
export function* openers(evidence: Evidence): Iterable<Exposure> {
  for (const { who, version, how } of openingsOf(evidence)) {
    if (how !== 'session') yield { who, version, how: 'opened', words: 'opened it', alone: true, keys: [] };
  }
}
