/** What an auditor asks of a handover: everything judged again from the log and the files alone, nothing believed that was cached. */
import { loadLog, nothingKnown } from '../../engine/load.js';
import type { VerifiedLog } from '../../engine/state-cache.js';
import type { Act, Handover } from '../../handover/state.js';
import { isContent } from '../../primitives/hash.js';
import { versionOfStatement, versionsOf } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { VaultError } from '../../errors.js';
import { enrolmentsOf, readPolicies } from '../people/enrolments.js';
import { receiptChecks, releaseChecks, type Check, type Grounds } from './checks.js';
import { findHandover } from './find.js';
import { describeHandover, type HandoverView } from './view.js';
import { walkLog, type WalkedLeaf } from '../log/walk.js';
import { count } from '../../primitives/count.js';

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
  readonly checks: readonly Check[];
  /** True when every check is. */
  readonly ok: boolean;
}

/**
 * Folds the log from its first leaf, without cache, against the pin, and holds the handover against it: each act signed and in effect, every
 * release after consents that sufficed by the rules and people of that leaf, the receipt after releases that sufficed, and every file that they
 * name there as it was signed.
 * Throws ENTRY_NOT_FOUND and what makes the log itself unacceptable.
 */
export async function verifyHandover(vault: Vault, id: string): Promise<HandoverReport> {
  await vault.refresh();
  const { log } = await loadLog(vault.store, async () => ({ known: nothingKnown, vouched: [{ ...vault.point, by: 'this machine' }] }));
  const handover = log.state.handovers.handovers.get(findHandover(vault, id).digest);
  if (!handover) throw new VaultError('ENTRY_NOT_FOUND', `the log, judged anew, has no handover ${id.slice(0, 8)}`);
  const leaves = await walkLog(vault, log.state.voids);
  const grounds = await groundsOf(vault, log, leaves);
  const acts = actsOf(handover);
  const steps = acts.map(({ leaf, digest, by, time }) => ({ leaf, digest, op: leaves[leaf]?.parsed?.op ?? '', person: by.person, device: by.device, key: by.key, time }));
  const checks = [
    { check: `${count(acts.length, 'act stands in the log,', 'acts stand in the log, each')} signed by a device that was enrolled then`, ok: acts.every((act) => standsAt(leaves, act)) },
    ...releaseChecks(handover, grounds),
    ...receiptChecks(handover, grounds),
    ...(await fileChecks(vault, leaves, acts)),
  ];
  const { size, root } = vault.point;
  return { handover: describeHandover(vault, handover), entries: size, root, steps, checks, ok: checks.every((check) => check.ok) };
}

/** What there is to check on: of a log that was just folded, and of its leaves. */
export async function groundsOf(vault: Vault, { policies, state: { secrets, handovers } }: VerifiedLog, leaves: readonly WalkedLeaf[]): Promise<Grounds> {
  const inEffect = await readPolicies(vault, policies);
  return {
    policies: inEffect, enrolments: enrolmentsOf(inEffect, leaves.filter(({ refused }) => !refused)), handovers: [...handovers.handovers.values()],
    versions: (name) => versionsOf(secrets, name), version: (statement) => versionOfStatement(secrets, statement),
  };
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

async function fileChecks(vault: Vault, leaves: readonly WalkedLeaf[], acts: readonly Act[]): Promise<HandoverReport['checks']> {
  const named = acts.flatMap((act) => leaves[act.leaf]?.files ?? []);
  const wrong: string[] = [];
  for (const file of named) {
    const bytes = await vault.store.get(file.path);
    if (!bytes || !isContent(bytes, file)) wrong.push(file.path);
  }
  return [{ check: count(named.length, 'file that it names is there as it was signed', 'files that it names are there as they were signed'), ok: wrong.length === 0, ...(wrong.length > 0 ? { detail: wrong.join(', ') } : {}) }];
}
