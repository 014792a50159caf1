/** What `status` says of drills: how long ago somebody last showed that everything opens, and what did not. */
import type { Drill } from '../../handover/state.js';
import { versionOfStatement } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import type { StatusItem } from './item.js';

const DAY = 86_400;
/** Seconds after which nobody should rely on the last one. */
const DRILL_NOTICE = 90 * DAY;
/** A vault with fewer secrets is looked at every day anyway, or hardly at all. */
const WORTH_A_DRILL = 3;

export interface DrillSummary {
  readonly person: string;
  /** Claimed, whole seconds. */
  readonly time: number;
  readonly opened: number;
  readonly failed: number;
}

/** The newest drill of anybody. */
export function lastDrill(vault: Vault): DrillSummary | undefined {
  const last = newest(vault);
  return last && { person: last.by.person, time: last.time, opened: last.statements.length, failed: last.failed.length };
}

function newest({ state }: Vault): Drill | undefined {
  return [...state.handovers.drills.values()].reduce<Drill | undefined>((best, drill) => (best === undefined || drill.leaf > best.leaf ? drill : best), undefined);
}

export function* drillItems(vault: Vault, who: string | undefined): Iterable<StatusItem> {
  const { versions } = vault.state.secrets;
  for (const [person, drill] of vault.state.handovers.drills) {
    // What has been retired since matters to nobody.
    const failed = drill.failed.flatMap((digest) => {
      const version = versionOfStatement(vault.state.secrets, digest);
      return version && !version.retired ? [`${version.statement.name} v${version.statement.version}`] : [];
    });
    if (failed.length > 0 && vault.policy.people.has(person)) {
      const named = failed.length > 3 ? `${failed.slice(0, 3).join(', ')} and ${failed.length - 3} more` : failed.join(', ');
      yield { mark: '!', mine: person === who, text: `the last drill of ${person} failed for ${named}`, next: 'oxp-vault drill' };
    }
  }
  const human = who !== undefined && vault.policy.people.get(who)?.kind === 'human';
  if (versions.size < WORTH_A_DRILL) return;
  const last = newest(vault);
  const since = last?.time ?? Math.min(...[...versions.values()].flatMap((ofOne) => ofOne.map(({ time }) => time)));
  const days = Math.floor((vault.clock.now() - since) / DAY);
  if (days * DAY < DRILL_NOTICE) return;
  const text = last ? `the last drill was ${days} days ago, by ${last.by.person}` : `nobody has ever held a drill, and the first secret is ${days} days old`;
  yield { mark: '-', mine: human, text: `${text}: whether all of this could be rebuilt from is not known`, next: 'oxp-vault drill' };
}
