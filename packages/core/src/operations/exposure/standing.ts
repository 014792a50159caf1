/** Standing access: a machine's openings that nobody records. Its whole scope counts, as long as it stood, as far as its grants open it. */
import { pathMatches } from '../../wire.js';
import type { SecretVersion } from '../../seal/state.js';
import type { Enrolment } from '../people/enrolments.js';
import type { Exposure, Evidence } from './evidence.js';
import { members } from './grants.js';

interface Span {
  readonly machine: Enrolment;
  readonly path: string;
  readonly by: string;
  readonly from: number;
  /** Leaf at which it was ended or its machine left. */
  to: number;
  /** Claimed time up to which it was given, whole seconds. */
  readonly notAfter: number;
}

export function* standing(evidence: Evidence): Iterable<Exposure> {
  const spans = spansOf(evidence);
  if (spans.length === 0) return;
  for (const { who, version, keys } of members(evidence)) {
    const { name } = version.statement;
    const paths = spans.filter((span) => span.machine === who && pathMatches(span.path, name) && covers(span, version)).map((span) => span.path);
    if (paths.length > 0) yield { who, version, how: 'standing', words: `standing access to ${[...new Set(paths)].join(', ')}, whose openings are not recorded`, alone: true, keys };
  }
}

/** A version could be opened under it unless it was retired before, or sealed only after. */
function covers({ from, to, notAfter }: Span, { leaf, time, retired }: SecretVersion): boolean {
  return leaf < to && time < notAfter && (retired === undefined || from < retired.leaf);
}

/** Which of several counts for a name is the fold's to say. Here each counts until its signer, or somebody for the very same path, ends it. */
function spansOf({ walked, enrolled }: Evidence): Span[] {
  const spans: Span[] = [];
  for (const { leaf, entry, parsed } of walked) {
    if (parsed?.op !== 'secret.standing' || !entry) continue;
    const by = entry.payload.actor.person;
    const { machine, scope, notAfter } = parsed.body;
    const who = enrolled(machine, leaf);
    if (!who) continue;
    const paths = scope.length === 0 ? ['/'] : scope;
    const replaced = (span: Span): boolean => paths.some((path) => path === span.path || (by === span.by && pathMatches(path, span.path)));
    for (const span of spans) if (span.machine === who && replaced(span)) span.to = Math.min(span.to, leaf);
    if (scope.length > 0 && notAfter > 0) for (const path of scope) spans.push({ machine: who, path, by, from: leaf, to: who.until ?? Infinity, notAfter });
  }
  return spans;
}
