/** Handovers as people and programs look at them: what is asked, who has agreed, what has left, what came of it, and who must do what. */
import type { HandoverAuthority } from '../../handover/authority.js';
import { bindsDigest } from '../../handover/binds.js';
import { openFault } from '../../handover/liveness.js';
import { consentersOf, coverageOf, isConsented, isReleased, livingConsents, mayConsent, releasesBy, type Coverage } from '../../handover/satisfied.js';
import { looseReleases, stageOf, type Handover, type HandoverStage, type Offer, type Target } from '../../handover/state.js';
import { compareText } from '../../primitives/compare.js';
import { missingInWords, treeInWords } from '../../primitives/threshold-tree.js';
import type { Statement } from '../../seal/statement.js';
import type { Vault } from '../../vault.js';
import { authorityNow, contextNow, findHandover, versionByDigest } from './find.js';
import { nextSteps, type NextStep } from './steps.js';
import { count } from '../../primitives/count.js';

/** An entry of a handover. */
export interface ActView {
  readonly digest: string;
  readonly leaf: number;
  /** Claimed, whole seconds. */
  readonly time: number;
  readonly person: string;
  readonly device: string;
}

export interface TargetView {
  readonly name: string;
  readonly version: number;
  readonly kind: string;
  /** Statement digest. */
  readonly statement: string;
  /** `2 of alice bruno erin AND 1 of frank grace`, or `1 owner of infra`. */
  readonly needs: string;
  /** Whose consent to it counts now. */
  readonly consented: readonly string[];
  readonly satisfied: boolean;
  /** Whose consent is still needed: `bruno or erin, and frank or grace`. Empty where it is enough. */
  readonly awaits: string;
  /** Persons of whom a share or the file key has left. */
  readonly releasedBy: readonly string[];
  readonly released: boolean;
  /** What the receipt says of it. */
  readonly outcome?: {
    /** The version that the receivers have; absent where nothing was delivered. */
    readonly version?: number;
    readonly statement?: string;
    readonly pending: boolean;
    readonly withdrawn: boolean;
    readonly checks: readonly { readonly check: string; readonly ok: boolean }[];
  };
}

export interface HandoverView {
  /** Whole; its first eight digits are what people type. */
  readonly id: string;
  readonly mode: 'transfer' | 'use';
  readonly stage: HandoverStage;
  /** Why it cannot go on although it is open: too late, or a newer version is there. */
  readonly blocked?: { readonly code: string; readonly message: string };
  readonly request: ActView & { readonly reason: string; readonly notAfter: number };
  /** Digest of what a consent would be given to now: what `consent --expect DIGEST --yes` takes. Only while it is open. */
  readonly binds?: string;
  /** Roles that own it now. */
  readonly from: readonly string[];
  readonly role?: string;
  readonly custody?: string;
  readonly keepReaders: readonly string[];
  /** Of the successor policy. */
  readonly rules: Extract<Handover['request'], { mode: 'transfer' }>['rules'];
  readonly admins?: { readonly need: number; readonly of: readonly string[] };
  /** In order of name. */
  readonly targets: readonly TargetView[];
  /** `living`: what it was given to is still the same. */
  readonly consents: readonly (ActView & { readonly living: boolean })[];
  readonly releases: readonly (ActView & { readonly shares: readonly string[]; readonly keys: readonly string[] })[];
  readonly receipt?: ActView;
  readonly finalized?: ActView & { readonly policy: string; readonly unrotated: readonly string[] };
  readonly aborted?: ActView & { readonly reason: string };
  /** One line a person. */
  readonly next: readonly NextStep[];
}

export interface OfferView extends ActView {
  readonly role: string;
  readonly reason: string;
  readonly names: readonly string[];
  /** False once a request has taken it up. */
  readonly open: boolean;
}

/** Oldest first. */
export function listHandovers(vault: Vault): HandoverView[] {
  return inOrder(vault.state.handovers.handovers.values()).map((handover) => describeHandover(vault, handover));
}

/** Oldest first. */
export function listOffers(vault: Vault): OfferView[] {
  const taken = new Set([...vault.state.handovers.handovers.values()].map(({ request }) => request.offer));
  return inOrder(vault.state.handovers.offers.values()).map((offer: Offer) => ({
    ...viewOf(offer), role: offer.role, reason: offer.reason, open: !taken.has(offer.digest),
    names: offer.targets.map((statement) => versionByDigest(vault, statement).statement.name).sort(),
  }));
}

/** Throws ENTRY_NOT_FOUND, USAGE. */
export function showHandover(vault: Vault, id: string): HandoverView {
  return describeHandover(vault, findHandover(vault, id));
}

/**
 * The handovers by which a version has left its keepers without a transfer: a use, an abort, one that is still open. Until it is made anew it is
 * tainted; the same value sealed again is the same value. `loose`: from `looseReleases`, where many are asked for.
 */
export function taintsOf(vault: Vault, statement: string, loose: ReadonlyMap<string, readonly Handover[]> = looseReleases(vault.state.handovers)): Handover[] {
  const found: Handover[] = [];
  for (let digest: string | undefined = statement; digest !== undefined; ) {
    found.push(...(loose.get(digest) ?? []));
    const { origin }: Statement = versionByDigest(vault, digest).statement;
    digest = origin.how === 'reseal' ? origin.of : undefined;
  }
  return found;
}

export function describeHandover(vault: Vault, handover: Handover): HandoverView {
  const { request } = handover;
  const authority = authorityNow(vault);
  const living = livingConsents(handover, authority);
  const coverage = coverageOf(handover, living);
  const released = releasesBy(handover.releases);
  const outcomes = new Map(handover.receipt?.targets.map((outcome) => [outcome.old, outcome]));
  const names = new Map(handover.targets.map((target) => [target.statement, target.name]));
  const stage = stageOf(handover);
  const blocked = stage === 'open' ? openFault(handover, contextNow(vault)) : undefined;
  const nameOf = (item: { statement: string }): string => names.get(item.statement) ?? '';
  const transfer = request.mode === 'transfer' ? request : undefined;
  return {
    id: handover.digest,
    mode: request.mode,
    stage,
    ...(blocked ? { blocked: { code: blocked.code, message: blocked.message } } : {}),
    request: { ...viewOf(handover), reason: request.reason, notAfter: request.notAfter },
    ...(stage === 'open' ? { binds: bindsDigest(handover, authority) } : {}),
    from: [...new Set(handover.targets.flatMap((target) => authority.rule(target.name)?.owners ?? []))].sort(),
    ...(transfer ? { role: transfer.role } : {}),
    ...(transfer && transfer.custody !== null ? { custody: transfer.custody } : {}),
    keepReaders: transfer?.keepReaders ?? [],
    rules: transfer?.rules ?? [],
    ...(transfer?.admins ? { admins: transfer.admins } : {}),
    targets: [...handover.targets].sort((a, b) => compareText(a.name, b.name)).map(({ statement, name, version }) => {
      const target = { statement, name, version };
      const outcome = outcomes.get(statement);
      return {
        name, version, statement, kind: versionByDigest(vault, statement).statement.kind,
        needs: needsInWords(vault, statement, name),
        consented: consentersOf(target, coverage, authority),
        satisfied: isConsented(target, coverage, authority),
        awaits: stage === 'open' ? awaitedInWords(handover, target, coverage, authority) : '',
        releasedBy: released.get(statement) ?? [],
        released: isReleased(target, released, authority),
        ...(outcome ? { outcome: outcomeOf(vault, outcome) } : {}),
      };
    }),
    consents: handover.consents.map((consent) => ({ ...viewOf(consent), living: living.includes(consent) })),
    releases: handover.releases.map((release) => ({ ...viewOf(release), shares: release.shares.map(nameOf), keys: release.keys.map(nameOf) })),
    ...(handover.receipt ? { receipt: viewOf(handover.receipt) } : {}),
    ...(handover.finalized ? { finalized: { ...viewOf(handover.finalized), policy: handover.finalized.policy, unrotated: handover.finalized.unrotated } } : {}),
    ...(handover.aborted ? { aborted: { ...viewOf(handover.aborted), reason: handover.aborted.reason } } : {}),
    next: nextSteps(vault, handover),
  };
}

function outcomeOf(vault: Vault, outcome: NonNullable<Handover['receipt']>['targets'][number]): NonNullable<TargetView['outcome']> {
  const got = outcome.new === null ? undefined : versionByDigest(vault, outcome.new);
  return {
    ...(got ? { version: got.statement.version, statement: got.digest } : {}),
    pending: got?.pending === true && !outcome.withdrawn,
    withdrawn: outcome.withdrawn !== undefined,
    checks: outcome.checks,
  };
}

/** What it takes before a target may leave, as people say it. */
export function needsInWords(vault: Vault, statement: string, name: string): string {
  const version = versionByDigest(vault, statement).statement;
  if ('custody' in version) return treeInWords(version.custody.tree);
  const rule = vault.ruleFor(name);
  return rule ? `${count(rule.consents, 'owner')} of ${rule.owners.join(', ')}` : 'nobody owns it any more';
}

/** Who could still make the consents to a target enough. */
function awaitedInWords(handover: Handover, target: Target, coverage: Coverage, authority: HandoverAuthority): string {
  const given = consentersOf(target, coverage, authority);
  const can = (person: string): boolean => person !== handover.by.person && mayConsent(person, target, authority);
  const rule = authority.rule(target.name);
  const owners = [...new Set((rule?.owners ?? []).flatMap((role) => authority.role(role)?.members ?? []))].sort();
  const tree = authority.version(target.statement)?.custody?.tree ?? { need: rule?.consents ?? 1, of: owners };
  return missingInWords(tree, (person) => given.includes(person), can) ?? 'nobody who can';
}

function viewOf({ digest, leaf, time, by }: Pick<Handover, 'digest' | 'leaf' | 'time' | 'by'>): ActView {
  return { digest, leaf, time, person: by.person, device: by.device };
}

function inOrder<T extends { readonly leaf: number }>(acts: Iterable<T>): T[] {
  return [...acts].sort((a, b) => a.leaf - b.leaf);
}
