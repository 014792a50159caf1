/** What `status` says of standing access: where it ends soon, has ended, or counts no longer. */
import type { Vault } from '../../vault.js';
import { listStanding } from '../opening/standing.js';
import { days, type StatusItem } from './item.js';

const DAY = 86_400;
/** Seconds before and after its end during which it is named. */
const STANDING_NOTICE = 14 * DAY;

/** Around its end, because from then on jobs have to be able to write; for a while after it, because then they fail. */
export function* standingItems(vault: Vault, who: string | undefined): Iterable<StatusItem> {
  const now = vault.clock.now();
  for (const { machine, path, by, notAfter, state } of listStanding(vault)) {
    const next = `oxp-vault standing ${machine} ${path} --not-after 90d`;
    if (state === 'stands' && notAfter - now < STANDING_NOTICE) {
      yield { mark: '-', mine: by === who, text: `the standing access of ${machine} to ${path} ends in ${days(notAfter - now)}`, next };
    } else if (state === 'expired' && now - notAfter < STANDING_NOTICE) {
      yield { mark: '-', mine: by === who, text: `the standing access of ${machine} to ${path} has ended: its openings are recorded`, next };
    } else if (state === 'lapsed') {
      yield { mark: '-', mine: by === who, text: `the standing access of ${machine} to ${path} does not count: ${by}, who gave it, owns it no longer`, next: `oxp-vault standing ${machine}` };
    }
  }
}
