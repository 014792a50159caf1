/** What an auditor checks of a handover beside the fold, in words of its own: of each act whether it was its signer's to do, when it was done. */
import type { Consent, Handover, Release } from '../../handover/state.js';
import { recipientDigest } from '../../handover/release.js';
import { stageOf } from '../../handover/state.js';
import { canonicalEqual } from '../../primitives/canonical-json.js';
import { isSatisfied } from '../../primitives/threshold-tree.js';
import type { SecretVersion } from '../../seal/state.js';
import { decidingRule } from '../../wire.js';
import { authorityAt, type Past, type PastAuthority } from './past-authority.js';

export interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly detail?: string;
}

/** What the checks are made on. */
export interface Grounds extends Past {
  /** By statement digest. */
  readonly version: (statement: string) => SecretVersion | undefined;
  /** Of one secret, in order. */
  readonly versions: (name: string) => readonly SecretVersion[];
}

/** Nothing left before enough had agreed who could, for somebody who could still ask, from anybody but who had it to give. */
export function* releaseChecks(handover: Handover, grounds: Grounds): Iterable<Check> {
  for (const release of handover.releases) {
    const at = authorityAt(grounds, release.leaf);
    const consents = handover.consents.filter((consent) => release.consents.includes(consent.digest));
    const before = consents.length === release.consents.length && consents.every((consent) => consent.leaf < release.leaf && consent.leaf > handover.leaf);
    const counted = consents.filter((consent) => consent.by.person !== handover.by.person && at.isHuman(consent.by));
    const enough = handover.targets.every(({ statement, name }) => isEnough(grounds.version(statement), name, counted, at));
    const who = release.by.person;
    yield { check: `entry ${release.leaf}: ${who} released after the consents that it names, and they were enough`, ok: before && enough };
    yield { check: `entry ${release.leaf}: ${handover.by.person} could still ask for it`, ok: mayAsk(handover, at) && release.time <= handover.request.notAfter && !isOvertaken(handover, release.leaf, grounds) };
    yield { check: `entry ${release.leaf}: what ${who} released was theirs to give`, ok: at.isHuman(release.by) && isOwn(release, consents, grounds, at) };
  }
}

function isEnough(version: SecretVersion | undefined, name: string, consents: readonly Consent[], at: PastAuthority): boolean {
  if (!version) return false;
  const { statement, digest } = version;
  if ('custody' in statement) {
    const { leaves, tree } = statement.custody;
    const persons = consents.filter(({ by, leaves: given }) => given.some((item) => item.statement === digest && leaves.some((leaf) => leaf.path === item.path && leaf.person === by.person)));
    return isSatisfied(tree, (person) => persons.some(({ by }) => by.person === person));
  }
  const rule = at.rule(name);
  const owners = consents.filter(({ by, ownership }) => ownership.includes(digest) && at.rolesOf(by.person).some((role) => rule?.owners.includes(role)));
  return rule !== undefined && new Set(owners.map(({ by }) => by.person)).size >= rule.consents;
}

function mayAsk({ by, request, targets }: Handover, at: PastAuthority): boolean {
  const own = at.rolesOf(by.person);
  const may = request.mode === 'transfer' ? own.includes(request.role) : targets.every(({ name }) => at.rule(name)?.owners.some((role) => own.includes(role)));
  return may && at.isHuman(by);
}

/** By a version for readers. One under custody counts from an acknowledgement on, and then the fold alone knows which. */
function isOvertaken({ targets }: Handover, leaf: number, { versions }: Grounds): boolean {
  return targets.some(({ name, version }) => versions(name).some(({ statement, leaf: sealed }) => statement.version > version && 'readers' in statement && sealed < leaf));
}

/** A share by its custodian, who has consented for it; a file key by a reader. */
function isOwn({ by, shares, keys }: Release, consents: readonly Consent[], { version }: Grounds, at: PastAuthority): boolean {
  const mine = consents.filter((consent) => consent.by.person === by.person).flatMap((consent) => consent.leaves);
  const ownShares = shares.every(({ statement, path, commitment }) => {
    const sealed = version(statement)?.statement;
    const leaf = sealed && 'custody' in sealed ? sealed.custody.leaves.find((each) => each.path === path) : undefined;
    return leaf?.person === by.person && leaf.commitment === commitment && mine.some((item) => item.statement === statement && item.path === path);
  });
  return ownShares && keys.every(({ statement }) => {
    const sealed = version(statement)?.statement;
    return sealed !== undefined && 'readers' in sealed && sealed.readers.some(({ role }) => at.rolesOf(by.person).includes(role));
  });
}

export function* receiptChecks(handover: Handover, grounds: Grounds): Iterable<Check> {
  const { receipt, request, finalized } = handover;
  if (!receipt) return;
  const releases = handover.releases.filter((release) => receipt.releases.includes(release.digest));
  const after = receipt.by.person === handover.by.person && releases.length === receipt.releases.length && releases.every((release) => release.leaf < receipt.leaf);
  yield { check: 'the receipt is by who asked, after the releases that it names, and they were enough', ok: after && handover.targets.every(({ statement }) => isReleased(grounds.version(statement), releases)) };
  yield { check: 'no share or key went anywhere but to the one-time recipient', ok: releases.every((release) => [...release.shares, ...release.keys].every((item) => item.recipient === recipientDigest(request.recipient))) };
  for (const outcome of receipt.targets) {
    const old = grounds.version(outcome.old)?.statement;
    const label = old ? `${old.name} v${old.version}` : outcome.old.slice(0, 8);
    const failed = outcome.checks.filter((check) => !check.ok).map((check) => check.check);
    if (outcome.new === null) {
      yield { check: `${label}: ${request.mode === 'use' ? 'was used, and nothing moved' : 'failed its checks, and was not handed over'}`, ok: request.mode === 'use' || failed.length > 0, ...(failed.length > 0 ? { detail: failed.join(', ') } : {}) };
      continue;
    }
    const got = grounds.version(outcome.new);
    const same = got !== undefined && got.leaf === receipt.leaf && got.statement.origin.how === 'reseal' && got.statement.origin.of === outcome.old;
    yield { check: `${label}: passed ${outcome.checks.length} checks and was sealed as v${got?.statement.version ?? '?'} by this very receipt`, ok: same && failed.length === 0 };
    yield { check: `${label}: was sealed to its destination and to nobody else`, ok: got !== undefined && isForDestination(handover, got) };
  }
  if (stageOf(handover) !== 'done' || request.mode === 'use') return;
  const received = finalized !== undefined && authorityAt(grounds, finalized.leaf).rolesOf(finalized.by.person).includes(request.role);
  yield { check: 'finalized by one of those who received', ok: received };
}

function isReleased(version: SecretVersion | undefined, releases: readonly Release[]): boolean {
  if (!version) return false;
  const { statement, digest } = version;
  if (!('custody' in statement)) return releases.some(({ keys }) => keys.some((item) => item.statement === digest));
  const given = releases.filter(({ shares }) => shares.some((item) => item.statement === digest)).map(({ by }) => by.person);
  return isSatisfied(statement.custody.tree, (person) => given.includes(person));
}

function isForDestination({ request }: Handover, { statement }: SecretVersion): boolean {
  const rule = request.mode === 'transfer' ? decidingRule(request.rules, statement.name) : undefined;
  if (!rule) return false;
  if ('custody' in rule) return 'custody' in statement && statement.custody.group === rule.custody;
  return 'readers' in statement && canonicalEqual(statement.readers.map(({ role }) => role), rule.readers);
}
