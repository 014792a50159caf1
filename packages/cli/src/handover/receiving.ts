/** The end: what was released is opened, checked and sealed for its receivers, and the policy comes to say so. */
import { resolve } from 'node:path';
import { completeHandover, type Completion, custodyReport, doHousekeeping, finalizeHandover, type Handover, isVaultError, openProposalOf, type ReceivedTarget, requireFinalizable, type Secret, showHandover, successorOf, type Vault, VaultError } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { EXIT_NEEDS_OTHERS, EXIT_VERIFICATION } from '../exit-codes.js';
import { showDifference } from '../people/policy-view.js';
import { ago, columns, short, thousands } from '../render.js';
import { reportHousekeeping, vaultForWriting } from '../writing.js';
import { chosenHandover } from './choosing.js';
import { names, shortId } from './words.js';

export interface CompleteWords {
  readonly out?: string;
}

export async function complete(context: CliContext, id: string | undefined, { out }: CompleteWords): Promise<number | void> {
  const vault = await context.vault({ write: true });
  const handover = chosenHandover(vault, 'complete', id);
  const use = handover.request.mode === 'use';
  const short8 = shortId({ id: handover.digest });
  if (!use && out !== undefined) throw new VaultError('USAGE', 'a transfer gives out no values: the receivers open them as they open everything', { hint: `oxp-vault handover complete ${short8}, then: oxp-vault open NAME` });
  const done = await completeHandover(vault, handover.digest, use ? { deliver: await delivery(context, handover.targets.length, out) } : {});
  const lines = columns(done.targets.map((target) => [`${context.paint.mark(passed(target) ? '+' : '!')} ${target.name}`, `${factsOf(target)}   ${whereTo(done, target)}`]), { gap: 3 });
  const receipt = `receipt ${short(done.receipt.digest)} is in the log at ${thousands(done.receipt.leaf)}, read back and verified.\n`;
  if (done.again) await context.say(`handover ${short8} has its receipt already, ${ago(done.handover.receipt?.time ?? 0, context.clock.now())}: nothing was done again.${use ? ' The values were given out then, and are not kept here.' : ''}`);
  // The value of a use has gone to standard output.
  if (use && out === undefined) await context.say(`${lines}${receipt}`);
  else await context.result({ ...done.receipt, handover: done.handover, targets: done.targets, destroyed: done.destroyed }, `${lines}${receipt}`);
  const failed = done.targets.filter((target) => !passed(target)).map((target) => target.name);
  if (use) await context.warn(`${names(done.targets.map((target) => target.name))} ${done.targets.length === 1 ? 'is' : 'are'} tainted now, until made anew: ${anewWords(done.targets.map((target) => target.name))}`);
  else await tellNext(context, vault, done);
  if (failed.length === 0) return undefined;
  await context.warn(`${names(failed)} did not pass, and the receipt says so. ${use ? 'Do not rely on it.' : `It stays with ${handoverOwners(done)}, who seal it anew; then ask again.`}`);
  return EXIT_VERIFICATION;
}

/** Of several, the first stands for the others. */
function anewWords([name = 'NAME']: readonly string[]): string {
  return `oxp-vault rotate ${name}, or oxp-vault seal ${name} --from FILE`;
}

function handoverOwners({ handover }: Completion): string {
  return handover.from.filter((role) => role !== handover.role).join(', ') || 'its givers';
}

function passed({ checks }: ReceivedTarget): boolean {
  return checks.every((check) => check.ok);
}

/** What was found, check by check, and the kind's own words. */
function factsOf({ checks, facts }: ReceivedTarget): string {
  const failed = checks.filter((check) => !check.ok).map((check) => `FAILED: ${check.check}`);
  return failed.length > 0 ? failed.join('; ') : [...checks.map((check) => check.check), ...(facts === '' ? [] : [facts])].join('; ');
}

function whereTo({ handover }: Completion, { version, pending }: ReceivedTarget): string {
  if (handover.mode === 'use') return '-> used, nothing moved';
  if (version === undefined) return '-> not handed over';
  return `-> v${version} ${pending ? (handover.custody ?? '') : [handover.role, ...handover.keepReaders.map((role) => `${role} reads`)].join(', ')}`;
}

async function tellNext(context: CliContext, vault: Vault, { handover }: Completion): Promise<void> {
  const view = showHandover(vault, handover.id);
  if (view.stage === 'done') return context.say(`handover ${shortId(view)} is done: nothing more is asked of you.`);
  const finalize = `oxp-vault handover finalize ${shortId(view)} --rotate`;
  const later = view.targets.filter((target) => target.outcome?.pending).map((target) => `${target.name} v${target.outcome?.version}`);
  if (later.length > 0) await context.say(`${names(later)} ${later.length === 1 ? 'counts' : 'count'} once acknowledged; until then your one-time key is kept, and abort takes ${later.length === 1 ? 'it' : 'them'} back.`);
  const pending = custodyReport(vault).filter((report) => view.targets.some(({ outcome }) => outcome?.pending && outcome.statement === report.statement));
  const custodians = [...new Set(pending.map((report) => report.tree))].join('; ');
  if (custodians === '') return context.next(finalize);
  await context.next(`${custodians}: oxp-vault custody ack`);
  if (!context.json) await context.say(`Then: ${finalize}`);
}

/** Where the values of a use go: files in a directory, or one value into a pipe. Decided before anything is opened. */
async function delivery(context: CliContext, targets: number, out: string | undefined): Promise<(values: ReadonlyMap<string, Secret>) => Promise<void>> {
  if (out !== undefined) {
    const { checkOutputDirectory, writeOutputDirectory } = await import('../files/output-directory.js');
    const target = resolve(context.io.cwd, out);
    await checkOutputDirectory(target);
    return async (values) => {
      const files = [...values].map(([path, value]) => ({ path, bytes: value.use((bytes) => Uint8Array.from(bytes)) }));
      await writeOutputDirectory(target, files);
      for (const { bytes } of files) bytes.fill(0);
    };
  }
  if (targets !== 1 || context.io.stdout.isTTY) {
    throw new VaultError('USAGE', 'it must be said where the values of a use go', { hint: targets === 1 ? 'Pipe it to the program that needs it, or: --out DIR' : 'Write them to files: --out DIR' });
  }
  return async (values) => {
    for (const value of values.values()) await value.use((bytes) => context.print(bytes));
  };
}

export async function finalize(context: CliContext, id: string | undefined, { rotate = false }: { readonly rotate?: boolean }): Promise<number | void> {
  const vault = await vaultForWriting(context);
  const handover = chosenHandover(vault, 'finalize', id);
  const short8 = shortId({ id: handover.digest });
  requireFinalizable(vault, handover);
  const again = `oxp-vault handover finalize ${short8}${rotate ? ' --rotate' : ''}`;
  const proposing = await mayPropose(context, vault, handover);
  if (proposing && !(await context.confirm(`Propose this policy, which handover ${short8} comes to?`))) return context.say('Nothing was changed.');
  const before = vault.policy.policy.number;
  const done = await finalizeHandover(vault, handover.digest, { rotate }).catch((error: unknown) => {
    // An admin of the givers has done their part: the rest is the receivers'.
    if (isVaultError(error, 'NOT_ALLOWED') && vault.policy.policy.number > before) return undefined;
    throw error;
  });
  if (!done) return policyMoved(context, vault, handover, again);
  const { waiting, turned, rotated, unrotated } = done;
  if (waiting) {
    await context.result(done, `policy ${waiting.number} (${short(waiting.digest)}) waits for ${waiting.need} of ${waiting.of.join(' ')}\n`);
    await context.next(`${waiting.of.join(' or ')}: oxp-vault policy sign ${short(waiting.digest)}. Then again: ${again}`);
    return EXIT_NEEDS_OTHERS;
  }
  const lines = columns([
    ...turned.map((role) => [`${context.paint.mark('~')} role ${role}`, 'has a new key']),
    ...rotated.map((line) => [`${context.paint.mark('+')} ${line.name}`, `v${line.version}, new value`]),
    ...[...unrotated].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, version, words }) => [`${context.paint.mark('!')} ${name}`, `v${version} still has the value that the givers knew: ${words}`]),
  ], { gap: 3 });
  await context.result(done, `${lines}handover ${shortId(done.handover)} is done: ${done.handover.role} owns what it received.\n`);
  if (rotated.length > 0) await context.say(`What was made anew counts as replaced once the old version is deployed nowhere: oxp-vault retire ${rotated.map((line) => line.name).join(' ')}`);
  await keepHouse(context, vault);
}

/** Shows what would be proposed to an admin who has it to propose. */
async function mayPropose(context: CliContext, vault: Vault, handover: Handover): Promise<boolean> {
  const next = openProposalOf(vault, handover) ? undefined : successorOf(vault, handover);
  if (!next || !vault.policy.policy.admins.of.includes((await context.identity()).card.person)) return false;
  await showDifference(context, vault, next);
  return true;
}

async function policyMoved(context: CliContext, vault: Vault, handover: Handover, again: string): Promise<number> {
  const { policy } = vault.policy;
  const members = handover.request.mode === 'transfer' ? (policy.roles[handover.request.role]?.members ?? []) : [];
  await context.result({ handover: showHandover(vault, handover.digest), done: false, policy: policy.number, waitsFor: members }, `policy ${policy.number} is in effect\n`);
  await context.next(`${members.join(' or ')}: ${again}`);
  return EXIT_NEEDS_OTHERS;
}

/** What the new policy makes due is done by this command and not by the next. */
async function keepHouse(context: CliContext, vault: Vault): Promise<void> {
  try {
    await reportHousekeeping(context, await doHousekeeping(vault));
  } catch (error) {
    if (!isVaultError(error)) throw error;
    await context.warn(`${error.code}: ${error.message}`);
  }
}
