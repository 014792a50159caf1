/** Receiving: open and check in memory, seal for the receivers, one entry with statements and receipt; read it back before anything is destroyed. */
import type { NewFile } from '../../engine/append.js';
import { refusalToError, VaultError } from '../../errors.js';
import { openFault } from '../../handover/liveness.js';
import type { HandoverComplete, SuccessorRule } from '../../handover/ops.js';
import { isReleased, releasesBy } from '../../handover/satisfied.js';
import { stageOf, type Handover, type Outcome } from '../../handover/state.js';
import { isMaterialKind, materialKind } from '../../material/index.js';
import type { CheckResult } from '../../material/material.js';
import { compareText } from '../../primitives/compare.js';
import { equalBytes, isContent } from '../../primitives/hash.js';
import type { SealRule } from '../../seal/state.js';
import { sharePath, type Statement } from '../../seal/statement.js';
import type { Secret } from '../../secret.js';
import type { Vault } from '../../vault.js';
import { decidingRule, type JsonObject } from '../../wire.js';
import { authorityNow, contextNow, findHandover, versionByDigest } from './find.js';
import { openTarget, type OpenedTarget } from './open.js';
import { release } from './release.js';
import { describeHandover, type HandoverView } from './view.js';
import { destroyOneTime, hasOneTime, isSpent, loadOneTime } from './one-time.js';
import { decryptVersions, signedCiphertext } from '../opening/open.js';
import { readingFault } from '../opening/faults.js';
import { makeVersion } from '../sealing/seal.js';

export interface ReceivedTarget {
  readonly name: string;
  readonly kind: string;
  readonly checks: readonly CheckResult[];
  /** In words, by the kind, of what passed: "12 hosts, 4 groups". */
  readonly facts: string;
  /** The receivers' version; absent for a use, and where a check failed. */
  readonly version?: number;
  /** True while its custodians have not acknowledged it. */
  readonly pending: boolean;
}

export interface Completion {
  readonly handover: HandoverView;
  /** In order of name. */
  readonly targets: readonly ReceivedTarget[];
  /** The receipt is in the log, and what it names was read back. */
  readonly receipt: { readonly digest: string; readonly leaf: number };
  /** True where the receipt was there before: nothing was received a second time. */
  readonly again: boolean;
  /** True when the one-time identity is gone; else it waits for the new custodians. */
  readonly destroyed: boolean;
}

export interface CompleteOptions {
  /**
   * Of a use: is given the values, by name, once the receipt is in the log and before the one-time identity is destroyed. They are wiped
   * when it resolves.
   */
  readonly deliver?: (values: ReadonlyMap<string, Secret>) => Promise<void>;
}

/**
 * Completes a handover that this person asked for, or goes on where an interrupted run stopped: the log says how far it got. Throws
 * NEEDS_CONSENT while releases are missing, IDENTITY_NOT_FOUND on another machine, EXPIRED, RACE_LOST, what opening the releases throws, and
 * SELF_CHECK_FAILED where nothing at all passed its checks: that is then on the record, and nothing was handed over.
 */
export async function completeHandover(vault: Vault, id: string, options: CompleteOptions = {}): Promise<Completion> {
  let handover = findHandover(vault, id);
  const short = handover.digest.slice(0, 8);
  if (handover.by.person !== vault.requireActor().person) throw new VaultError('NOT_ALLOWED', `handover ${short} is completed by ${handover.by.person}, who has asked for it`);
  if (handover.request.mode === 'use' && !options.deliver) throw new VaultError('USAGE', `handover ${short} is a use: say where its values go`);
  if (handover.receipt && !(await unfinishedUse(vault, handover))) {
    await readBack(vault, handover.digest, []);
    return { ...(await finish(vault, handover.digest)), again: true };
  }
  if (!handover.receipt) {
    const closed = openFault(handover, contextNow(vault));
    if (closed) throw refusalToError(closed);
    handover = await withReleases(vault, handover);
  }
  const oneTime = await loadOneTime(vault, handover);
  const opened: OpenedTarget[] = [];
  try {
    for (const target of handover.targets) opened.push(await openTarget(vault, handover, target, oneTime));
    if (!handover.receipt) await record(vault, handover, opened);
    await readBack(vault, handover.digest, opened);
    await options.deliver?.(new Map(opened.flatMap(({ target, file }) => (file ? [[target.name, file] as const] : []))));
  } finally {
    oneTime.wipe();
    for (const { file } of opened) file?.wipe();
  }
  return finish(vault, handover.digest);
}

/** A use that was recorded, and whose values may never have arrived. */
async function unfinishedUse(vault: Vault, handover: Handover): Promise<boolean> {
  return handover.request.mode === 'use' && (await hasOneTime(vault, handover.digest));
}

/** With what the receiver can release to itself: it reads that already, and its owners have agreed. NEEDS_CONSENT while more is missing. */
async function withReleases(vault: Vault, handover: Handover): Promise<Handover> {
  const missing = (h: Handover): string[] => {
    const released = releasesBy(h.releases);
    return h.targets.filter((target) => !isReleased(target, released, authorityNow(vault))).map((target) => target.name);
  };
  if (missing(handover).length === 0) return handover;
  await release(vault, handover.digest, 'all');
  const now = findHandover(vault, handover.digest);
  const left = missing(now).sort();
  if (left.length === 0) return now;
  const short = now.digest.slice(0, 8);
  throw new VaultError('NEEDS_CONSENT', `not enough was released yet for ${left.join(', ')}`, {
    details: describeHandover(vault, now).next.map((step) => `${step.person}  ${step.next}`),
    hint: `See who is awaited: oxp-vault handover show ${short}`,
  });
}

async function record(vault: Vault, handover: Handover, opened: readonly OpenedTarget[]): Promise<void> {
  const files: NewFile[] = [];
  const body: HandoverComplete = { request: handover.digest, releases: handover.releases.map((each) => each.digest).sort(), targets: [] };
  for (const { target, version, file, checks } of opened) {
    const outcome = { old: target.statement, checks: checks.map(({ check, ok }) => ({ check, ok })) };
    const passed = file !== undefined && checks.every((check) => check.ok);
    if (handover.request.mode === 'use' || !passed) {
      body.targets.push({ ...outcome, new: null });
      continue;
    }
    const { name, kind, parameters, public: publicParts } = version.statement;
    const rule = decidingRule(handover.request.rules, name)!;
    const made = await makeVersion(vault, { name, kind, file, parameters, public: publicParts, origin: { resealOf: target.statement } }, sealRule(vault, rule));
    files.push(...made.files);
    body.targets.push({ ...outcome, new: made.statement as unknown as JsonObject });
  }
  await vault.append({ entries: [vault.sign('handover.complete', body)], files });
}

function sealRule(vault: Vault, rule: SuccessorRule): SealRule {
  const { path, owners, writers } = rule;
  if (!('custody' in rule)) return { path, owners, writers, readers: rule.readers };
  const tree = vault.policy.policy.custody[rule.custody];
  if (!tree) throw new VaultError('ROLE_NOT_FOUND', `there is no custody group ${rule.custody} any more`);
  return { path, owners, writers, custody: { group: rule.custody, tree } };
}

/** What the receipt names is really there, and is what was opened: asked of the store, not of what this process has in memory. */
async function readBack(vault: Vault, id: string, opened: readonly OpenedTarget[]): Promise<void> {
  await vault.refresh();
  const { receipt } = findHandover(vault, id);
  if (!receipt) {
    throw new VaultError('STORE_IO', `the receipt of handover ${id.slice(0, 8)} was written, and is not there`, {
      hint: 'Nothing is lost: type the same again.',
    });
  }
  for (const outcome of receipt.targets) {
    if (outcome.new === null || outcome.withdrawn) continue;
    const version = versionByDigest(vault, outcome.new);
    await signedCiphertext(vault, version);
    await checkShareFiles(vault, version.statement);
    const file = opened.find(({ target }) => target.statement === outcome.old)?.file;
    if ('custody' in version.statement || readingFault(vault, version)) continue;
    const [again] = await decryptVersions(vault, [version]);
    const same = !file || again!.file.use((a) => file.use((b) => equalBytes(a, b)));
    again!.file.wipe();
    if (!same) throw new VaultError('SELF_CHECK_FAILED', `${version.statement.name} reads back as something else than what was sealed`);
  }
}

async function checkShareFiles(vault: Vault, statement: Statement): Promise<void> {
  if (!('custody' in statement)) return;
  for (const { person, blob } of statement.custody.leaves) {
    const path = sharePath(statement.name, statement.version, person, blob.sha256);
    const bytes = await vault.store.get(path);
    if (!bytes || !isContent(bytes, blob)) {
      throw new VaultError('BLOB_MISSING', `the share ${path} was written, and is not there as it was`, {
        hint: 'Nothing is lost: type the same again.',
      });
    }
  }
}

/** The receipt is in the log. Only now, and only once new custodians have said that their shares open, is the one-time identity destroyed. */
async function finish(vault: Vault, id: string): Promise<Completion> {
  const handover = findHandover(vault, id);
  const receipt = handover.receipt!;
  const spent = isSpent(vault, handover);
  if (spent) await destroyOneTime(vault, id);
  const targets: ReceivedTarget[] = [];
  for (const outcome of receipt.targets) targets.push(await received(vault, outcome));
  targets.sort((a, b) => compareText(a.name, b.name));
  if (stageOf(handover) === 'failed') {
    const failed = targets.flatMap((target) => target.checks.filter((check) => !check.ok).map((check) => `${target.name}  ${check.check}`));
    throw new VaultError('SELF_CHECK_FAILED', `nothing of handover ${id.slice(0, 8)} passes its checks, so nothing was handed over; the receipt says so`, {
      details: failed, hint: 'Its owners seal it anew; then ask again: oxp-vault handover request',
    });
  }
  return { handover: describeHandover(vault, handover), targets, again: false, receipt: { digest: receipt.digest, leaf: receipt.leaf }, destroyed: spent };
}

async function received(vault: Vault, outcome: Outcome): Promise<ReceivedTarget> {
  const old = versionByDigest(vault, outcome.old).statement;
  const got = outcome.new === null ? undefined : versionByDigest(vault, outcome.new);
  const facts = isMaterialKind(old.kind) ? (await materialKind(old.kind)).facts(old.public) : '';
  return { name: old.name, kind: old.kind, checks: outcome.checks, facts, ...(got ? { version: got.statement.version } : {}), pending: got?.pending === true && !outcome.withdrawn };
}
