/** What `status` says of custody: what is pending, what waits for this person, what was not checked for long, and who is too few. */
import { rolesOf } from '../../policy/rules.js';
import type { Vault } from '../../vault.js';
import { custodyReport, type CustodianReport, type CustodyReport } from '../custody/report.js';
import type { StatusItem } from './item.js';

const DAY = 86_400;
/** A share that nobody has opened for this long may not open any more. */
const CHECK_EVERY = 90 * DAY;

export function* custodyItems(vault: Vault, who: string | undefined): Iterable<StatusItem> {
  for (const report of custodyReport(vault)) {
    const label = `${report.name} v${report.version}`;
    yield* pendingItems(report, label, who);
    yield* checkItems(report, label, who, vault.clock.now());
    const owns = who !== undefined && (vault.ruleFor(report.name)?.owners.some((role) => rolesOf(vault.policy.policy, who).includes(role)) ?? false);
    for (const alarm of report.alarms) if (alarm.lost) yield { mark: '!', mine: owns, text: `custodians of ${label}: ${alarm.text}`, next: 'oxp-vault custody status' };
  }
}

function* pendingItems(report: CustodyReport, label: string, who: string | undefined): Iterable<StatusItem> {
  const mine = report.custodians.some((each) => each.person === who && each.canAct && each.acknowledged === null);
  if (report.pending) {
    yield { mark: '!', mine, text: `${label} is pending until ${report.tree} have acknowledged their shares; awaited: ${report.awaited.join(' ') || 'nobody who can'}`, next: 'oxp-vault custody ack' };
  } else if (mine) {
    yield { mark: '-', mine, text: `you have not acknowledged your share of ${label}`, next: 'oxp-vault custody ack' };
  }
}

function* checkItems(report: CustodyReport, label: string, who: string | undefined, now: number): Iterable<StatusItem> {
  const next = 'oxp-vault custody check';
  for (const each of report.custodians) {
    if (each.checked?.ok === false) yield { mark: '!', mine: each.person === who, text: `the share of ${label} of ${each.person} did not open when it was last checked`, next };
  }
  const late = report.custodians.filter((each) => each.canAct && each.checked?.ok !== false && isLate(each, now));
  if (late.length > 0) {
    const names = late.map((each) => each.person);
    yield { mark: '!', mine: who !== undefined && names.includes(who), text: `nobody has looked for ${CHECK_EVERY / DAY} days whether the share of ${label} of ${names.join(', ')} still opens`, next };
  }
}

/** Who has never acknowledged is awaited, not late. */
function isLate({ acknowledged, checked }: CustodianReport, now: number): boolean {
  const last = Math.max(acknowledged?.time ?? 0, checked?.time ?? 0);
  return last > 0 && now - last > CHECK_EVERY;
}
