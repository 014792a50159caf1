/** What an auditor asks of a handover: everything judged again from the log and the files alone, nothing believed that was cached. */
import { loadLog, nothingKnown } from '../../engine/load.js';
import { stageOf, type Act, type Handover } from '../../handover/state.js';
import { isSatisfied } from '../../primitives/threshold-tree.js';
import { sha256Hex } from '../../primitives/hash.js';
import { type SecretVersion, versionOfStatement } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { VaultError } from '../../errors.js';
import { findHandover } from './find.js';
import { describeHandover, type HandoverView } from './view.js';
import { walkLog, type WalkedLeaf } from '../log/walk.js';

export interface VerifiedStep {
  readonly leaf: number;
  /** Entry digest. */
  readonly digest: string;
  readonly op: string;
  readonly person: string;
  readonly device: string;
  /** Key id of the signer. */
  readonly key: string;
  /** Claimed, whole seconds. */
  readonly time: number;
}

export interface HandoverReport {
  readonly handover: HandoverView;
  /** The log that it was judged on. */
  readonly entries: number;
  readonly root: string;
  /** The acts in effect, in order. */
  readonly steps: readonly VerifiedStep[];
  readonly checks: readonly { readonly check: string; readonly ok: boolean; readonly detail?: string }[];
  /** True when every check is. */
  readonly ok: boolean;
}

/**
 * Folds the log from its first leaf, without cache, against the pin, and holds the handover against it: each act signed and in effect, every
 * release after consents that sufficed, the receipt after releases that sufficed, and every file that they name there as it was signed.
 * Throws ENTRY_NOT_FOUND and what makes the log itself unacceptable.
 */
export async function verifyHandover(vault: Vault, id: string): Promise<HandoverReport> {
  await vault.refresh();
  const { log } = await loadLog(vault.store, async () => ({ known: nothingKnown, vouched: [{ ...vault.point, by: 'this machine' }] }));
  const handover = log.state.handovers.handovers.get(findHandover(vault, id).digest);
  if (!handover) throw new VaultError('ENTRY_NOT_FOUND', `the log, judged anew, has no handover ${id.slice(0, 8)}`);
  const version: VersionOf = (statement) => versionOfStatement(log.state.secrets, statement);
  const leaves = await walkLog(vault, log.state.voids);
  const acts = actsOf(handover);
  const steps = acts.map(({ leaf, digest, by, time }) => ({ leaf, digest, op: leaves[leaf]?.parsed?.op ?? '', person: by.person, device: by.device, key: by.key, time }));
  const checks = [
    { check: `${acts.length} acts stand in the log, each signed by a device that was enrolled then`, ok: acts.every((act) => standsAt(leaves, act)) },
    ...orderChecks(handover, version),
    ...receiptChecks(handover, version),
    ...(await fileChecks(vault, leaves, acts)),
  ];
  const { size, root } = vault.point;
  return { handover: describeHandover(vault, handover), entries: size, root, steps, checks, ok: checks.every((check) => check.ok) };
}

function actsOf(handover: Handover): Act[] {
  const { consents, releases, receipt, finalized, aborted } = handover;
  const all: Act[] = [handover, ...consents, ...releases, ...(receipt ? [receipt] : []), ...(finalized ? [finalized] : []), ...(aborted ? [aborted] : [])];
  return all.sort((a, b) => a.leaf - b.leaf);
}

function standsAt(leaves: readonly WalkedLeaf[], act: Act): boolean {
  const leaf = leaves[act.leaf];
  return leaf?.entry?.digest === act.digest && leaf.refused === undefined && leaf.entry.keyid === act.by.key;
}

type VersionOf = (statement: string) => SecretVersion | undefined;

/** Beside the fold, in words of its own: nothing left before enough had agreed. */
function* orderChecks(handover: Handover, version: VersionOf): Iterable<HandoverReport['checks'][number]> {
  for (const release of handover.releases) {
    const consents = handover.consents.filter((consent) => release.consents.includes(consent.digest));
    const before = consents.length === release.consents.length && consents.every((consent) => consent.leaf < release.leaf && consent.leaf > handover.leaf);
    const enough = handover.targets.every(({ statement }) => {
      const persons = consents.filter((c) => c.by.person !== handover.by.person && (c.ownership.includes(statement) || c.leaves.some((l) => l.statement === statement))).map((c) => c.by.person);
      const sealed = version(statement)?.statement;
      return sealed && 'custody' in sealed ? isSatisfied(sealed.custody.tree, (person) => persons.includes(person)) : persons.length > 0;
    });
    yield { check: `entry ${release.leaf}: ${release.by.person} released after the consents that it names, and they were enough`, ok: before && enough };
  }
}

function* receiptChecks(handover: Handover, version: VersionOf): Iterable<HandoverReport['checks'][number]> {
  const { receipt, request } = handover;
  if (!receipt) return;
  const releases = handover.releases.filter((release) => receipt.releases.includes(release.digest));
  yield { check: 'the receipt is by who asked, after the releases that it names', ok: receipt.by.person === handover.by.person && releases.length === receipt.releases.length && releases.every((release) => release.leaf < receipt.leaf) };
  yield { check: 'no share or key went anywhere but to the one-time recipient', ok: releases.every((release) => [...release.shares, ...release.keys].every((item) => item.recipient === sha256Hex(new TextEncoder().encode(request.recipient)))) };
  for (const outcome of receipt.targets) {
    const old = version(outcome.old)?.statement;
    const label = old ? `${old.name} v${old.version}` : outcome.old.slice(0, 8);
    const failed = outcome.checks.filter((check) => !check.ok).map((check) => check.check);
    if (outcome.new === null) {
      yield { check: `${label}: ${request.mode === 'use' ? 'was used, and nothing moved' : 'failed its checks, and was not handed over'}`, ok: request.mode === 'use' || failed.length > 0, ...(failed.length > 0 ? { detail: failed.join(', ') } : {}) };
      continue;
    }
    const got = version(outcome.new);
    const same = got !== undefined && got.leaf === receipt.leaf && got.statement.origin.how === 'reseal' && got.statement.origin.of === outcome.old;
    yield { check: `${label}: passed ${outcome.checks.length} checks and was sealed as v${got?.statement.version ?? '?'} by this very receipt`, ok: same && failed.length === 0 };
  }
  if (stageOf(handover) === 'done' && request.mode === 'transfer') yield { check: 'finalized by one of those who received', ok: handover.finalized !== undefined };
}

async function fileChecks(vault: Vault, leaves: readonly WalkedLeaf[], acts: readonly Act[]): Promise<HandoverReport['checks']> {
  const named = acts.flatMap((act) => leaves[act.leaf]?.files ?? []);
  const wrong: string[] = [];
  for (const { path, sha256, size } of named) {
    const bytes = await vault.store.get(path);
    if (!bytes || sha256Hex(bytes) !== sha256 || (size !== undefined && bytes.length !== size)) wrong.push(path);
  }
  return [{ check: `${named.length} files that it names are there as they were signed`, ok: wrong.length === 0, ...(wrong.length > 0 ? { detail: wrong.join(', ') } : {}) }];
}
