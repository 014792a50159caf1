/** What `status` says of handovers: one line for each that goes on, what this person must do, offers, and what is tainted. */
import { looseReleases, stageOf, type Handover } from '../../handover/state.js';
import { rolesOf } from '../../policy/rules.js';
import { newestOf } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { releasesDue } from '../handover/release.js';
import { nextSteps } from '../handover/steps.js';
import { listOffers, taintsOf } from '../handover/view.js';
import type { StatusItem } from './item.js';
import { count } from '../../primitives/count.js';

export function* handoverItems(vault: Vault, who: string | undefined): Iterable<StatusItem> {
  const own = who === undefined ? [] : rolesOf(vault.policy.policy, who);
  for (const handover of vault.state.handovers.handovers.values()) {
    const stage = stageOf(handover);
    if (stage === 'open' || stage === 'completed') yield stepItem(vault, handover, who);
  }
  for (const offer of listOffers(vault)) {
    if (!offer.open) continue;
    const id = offer.digest.slice(0, 8);
    yield { mark: '-', mine: own.includes(offer.role), text: `${offer.person} offers ${offer.names.join(', ')} to ${offer.role}`, next: `oxp-vault handover accept ${id}` };
  }
  const loose = looseReleases(vault.state.handovers);
  if (loose.size === 0) return;
  for (const name of vault.state.secrets.versions.sortedKeys()) {
    const newest = newestOf(vault.state.secrets, name);
    const [taint] = newest ? taintsOf(vault, newest.digest, loose).filter((handover) => stageOf(handover) !== 'open') : [];
    if (!newest || !taint) continue;
    const how = taint.request.mode === 'use' ? `was used by ${taint.by.person}` : `was released to ${taint.by.person}, who has not received it`;
    const owns = vault.ruleFor(name)?.owners.some((role) => own.includes(role)) ?? false;
    yield { mark: '!', mine: owns, text: `${name} v${newest.statement.version} ${how} (handover ${taint.digest.slice(0, 8)}): it is tainted until its value is made anew`, next: `oxp-vault rotate ${name}` };
  }
}

function stepItem(vault: Vault, handover: Handover, who: string | undefined): StatusItem {
  const id = handover.digest.slice(0, 8);
  const { request, by, targets } = handover;
  const what = `handover ${id}: ${count(targets.length, 'secret')} ${request.mode === 'use' ? `for one use by ${by.person}` : `to ${request.role}`}`;
  const steps = nextSteps(vault, handover);
  const mine = steps.find((step) => step.person === who);
  // What this person has consented to leaves by itself with their next command.
  if (mine && releasesDue(vault, mine.person).includes(handover)) return { mark: '!', mine: true, text: `${what}: your release is due, and leaves with your next writing command`, next: mine.next };
  if (mine) return { mark: '!', mine: true, text: `${what}: ${mine.words}`, next: mine.next };
  const waits = `waits for ${steps.map((step) => step.person).join(' ') || 'nobody who can'}`;
  // What has left can be put together from now on, whoever was awaited to do it: whoever guards the glass must hear it break.
  if (stageOf(handover) === 'open' && handover.releases.length > 0) {
    const givers = [...new Set(handover.releases.map((release) => release.by.person))].sort();
    return { mark: '!', mine: false, text: `${what}: ${givers.join(', ')} ${givers.length === 1 ? 'has' : 'have'} released to ${by.person}; it ${waits}`, next: `oxp-vault handover show ${id}` };
  }
  return { mark: '-', mine: false, text: `${what} ${waits}`, next: `oxp-vault handover show ${id}` };
}
