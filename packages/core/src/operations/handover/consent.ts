/** Consenting: the client works out for itself what is asked, of whom and for whom, and the person agrees to exactly that. */
import { refusalToError, VaultError } from '../../errors.js';
import { bindsDigest } from '../../handover/binds.js';
import { openFault } from '../../handover/liveness.js';
import { livingConsents, mayConsent } from '../../handover/satisfied.js';
import type { Handover, Target } from '../../handover/state.js';
import { treeLeaves } from '../../primitives/threshold-tree.js';
import type { Vault } from '../../vault.js';
import { toSortedSet } from '../../wire.js';
import { authorityNow, contextNow, findHandover } from './find.js';
import { describeHandover, type HandoverView } from './view.js';
import { lastJoined } from '../people/role-history.js';

/** What a consent would be given to, as this client has found it; for showing before it is asked. */
export interface ConsentPlan {
  readonly handover: HandoverView;
  /** Of which this person holds a share. */
  readonly shares: readonly Target[];
  /** On which this person decides as an owner. */
  readonly owned: readonly Target[];
  /** Who would receive: the members of the role and, under custody, the group's custodians; the requester alone for a use. */
  readonly receivers: readonly string[];
  /** When somebody was last added to the receiving role, by the claimed time of that entry, whole seconds; absent for a use. */
  readonly lastJoined?: { readonly person: string; readonly time: number };
  /** Digest of all that the consent is given to: show it, and have it confirmed. */
  readonly binds: string;
}

/**
 * Works out what this person would consent to. Throws ENTRY_NOT_FOUND, EXPIRED (also by the clock of this machine), RACE_LOST where a newer
 * version is there, ALREADY_DONE, NOT_ALLOWED for who has no say or asks for it.
 */
export async function planConsent(vault: Vault, id: string): Promise<ConsentPlan> {
  const { person } = vault.requireActor();
  const handover = findHandover(vault, id);
  const authority = authorityNow(vault);
  const short = handover.digest.slice(0, 8);
  const fault = openFault(handover, contextNow(vault));
  if (fault) throw refusalToError(fault);
  if (handover.request.mode === 'transfer' && handover.by.person === person) {
    throw new VaultError('NOT_ALLOWED', `you ask for handover ${short}: others have to consent to it`, {
      hint: `See who: oxp-vault handover show ${short}`,
    });
  }
  const mine = handover.targets.filter((target) => mayConsent(person, target, authority));
  if (mine.length === 0) throw new VaultError('NOT_ALLOWED', `you (${person}) have no say in handover ${short}: you are neither a custodian nor an owner of what it asks for`);
  const given = livingConsents(handover, authority).filter((consent) => consent.by.person === person);
  const done = (target: Target): boolean => given.some((consent) => consent.ownership.includes(target.statement) || consent.leaves.some((leaf) => leaf.statement === target.statement));
  if (mine.every(done)) {
    throw new VaultError('ALREADY_DONE', `you have consented to handover ${short} already`, {
      hint: `See what it waits for: oxp-vault handover show ${short}`,
    });
  }
  const underCustody = (target: Target): boolean => authority.version(target.statement)?.custody !== undefined;
  const joined = handover.request.mode === 'transfer' ? await lastJoined(vault, handover.request.role) : undefined;
  return {
    handover: describeHandover(vault, handover),
    shares: mine.filter(underCustody),
    owned: mine.filter((target) => !underCustody(target)),
    receivers: receiversOf(vault, handover),
    ...(joined ? { lastJoined: joined } : {}),
    binds: bindsDigest(handover, authority),
  };
}

function receiversOf(vault: Vault, { request, by }: Handover): string[] {
  if (request.mode === 'use') return [by.person];
  const { policy } = vault.policy;
  const tree = request.custody === null ? undefined : policy.custody[request.custody];
  const custodians = tree ? treeLeaves(tree).map((leaf) => leaf.name) : [];
  return toSortedSet([...(policy.roles[request.role]?.members ?? []), ...custodians]);
}

/** Signs the consent that was planned, to exactly what was shown. CONSENT_STALE where that has changed since. Gives the handover. */
export async function consentTo(vault: Vault, plan: ConsentPlan): Promise<Handover> {
  const { person } = vault.requireActor();
  const authority = authorityNow(vault);
  const { id } = plan.handover;
  const leaves = plan.shares.map(({ statement }) => ({ statement, path: authority.version(statement)!.custody!.leaves.find((leaf) => leaf.person === person)!.path }));
  const body = { request: id, leaves, ownership: plan.owned.map((target) => target.statement).sort(), binds: plan.binds };
  await vault.append({ entries: [vault.sign('handover.consent', body)], files: [] });
  return findHandover(vault, id);
}
