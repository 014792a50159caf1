/** What was replaced since. A value is that of a version and of what was sealed again from it; it answers until all of those are retired. */
import { custodyOf, type CustodyState } from '../../custody/state.js';
import { newestVersion, type SecretVersion } from '../../seal/state.js';

export interface Replacement {
  /**
   * `same`: the newest version still has a value that was known. `overlap`: the newest has another, and an old one is not retired yet.
   * `replaced`: what was known is deployed nowhere any more.
   */
  readonly status: 'same' | 'overlap' | 'replaced';
  /** The newest version that counts; absent where none does yet. */
  readonly newest?: number;
  /** The first version with a value that was not known, after those that were. */
  readonly by?: number;
  /** Versions with a value that was known which are not retired. */
  readonly inUse: readonly number[];
}

/** `versions` of one secret, in order; `known` are some of them. */
export function replacementOf(versions: readonly SecretVersion[], known: readonly SecretVersion[], custody: CustodyState): Replacement {
  const values = valuesOf(versions);
  const knownValues = new Set(known.map((version) => values.get(version.digest)));
  const isKnown = (version: SecretVersion): boolean => knownValues.has(values.get(version.digest));
  const newest = newestVersion(versions);
  // What still waits for its custodians will count; what was withdrawn never will.
  const coming = versions.filter((version) => version.pending && version.leaf > (newest?.leaf ?? -1) && custodyOf(custody, version.digest) !== undefined);
  const inUse = versions.filter((version) => isKnown(version) && !version.retired && !version.pending).map(numberOf);
  const last = versions.findLast((version) => isKnown(version) && !version.pending);
  const by = versions.find((version) => last !== undefined && version.leaf > last.leaf && !version.pending);
  const same = (newest === undefined && coming.length === 0) || [...(newest ? [newest] : []), ...coming].some(isKnown);
  return {
    status: same ? 'same' : inUse.length > 0 ? 'overlap' : 'replaced',
    ...(newest ? { newest: numberOf(newest) } : {}),
    ...(!same && by ? { by: numberOf(by) } : {}),
    inUse,
  };
}

/** By statement digest, the digest of the statement with which the value came: a reseal, also that of a handover, has that of another. */
function valuesOf(versions: readonly SecretVersion[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const { digest, statement } of versions) {
    const { origin } = statement;
    values.set(digest, origin.how === 'reseal' ? (values.get(origin.of) ?? origin.of) : digest);
  }
  return values;
}

function numberOf({ statement }: SecretVersion): number {
  return statement.version;
}
