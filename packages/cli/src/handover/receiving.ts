/** The end: what was released is opened, checked and sealed for its receivers, and the policy comes to say so. */
import { resolve } from 'node:path';
import { completeHandover, type Completion, doHousekeeping, finalizeHandover, findHandover, isVaultError, openProposalOf, type ReceivedTarget, type Secret, showHandover, successorOf, type Vault, VaultError } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { EXIT_NEEDS_OTHERS } from '../exit-codes.js';
import { showDifference } from '../policy-view.js';
import { columns, short, thousands } from '../render.js';
import { reportHousekeeping, vaultForWriting } from '../writing.js';
import { names, shortId } from './words.js';

export interface CompleteWords {
  readonly out?: string;
}

export async function complete(context: CliContext, id: string, { out }: CompleteWords): Promise<number | void> {
  const vault = await context.vault({ write: true });
  const handover = findHandover(vault, id);
  const use = handover.request.mode === 'use';
  if (!use && out !== undefined) throw new VaultError('USAGE', 'a transfer gives out no values: the receivers open them as they open everything', { hint: `oxp-vault handover complete ${id}, then: oxp-vault open NAME` });
  const done = await completeHandover(vault, handover.digest, use ? { deliver: await delivery(context, handover.targets.length, out) } : {});
  const lines = columns(done.targets.map((target) => [context.paint.mark(passed(target) ? '+' : '!'), target.name, factsOf(target), whereTo(done, target)]));
  const receipt = `receipt ${short(done.receipt.digest)} is in the log at ${thousands(done.receipt.leaf)}, read back and verified.\n`;
  // The value of a use has gone to standard output.
  if (use && out === undefined) await context.say(`${lines}${receipt}`);
  else await context.result({ ...done.receipt, handover: done.handover, targets: done.targets, destroyed: done.destroyed }, `${lines}${receipt}`);
  if (use) await context.warn(`${names(done.targets.map((target) => target.name))} is tainted now: make its value anew when you can.`);
  else await tellNext(context, vault, done);
  return done.targets.every(passed) ? undefined : EXIT_NEEDS_OTHERS;
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
  const acks = view.next.filter((step) => step.next.includes('custody ack')).map((step) => step.person);
  const finalize = `oxp-vault handover finalize ${shortId(view)} --rotate`;
  await context.next(acks.length > 0 ? `${acks.join(', ')}: oxp-vault custody ack. Then: ${finalize}` : finalize);
}

/** Where the values of a use go: files in a directory, or one value into a pipe. Decided before anything is opened. */
async function delivery(context: CliContext, targets: number, out: string | undefined): Promise<(values: ReadonlyMap<string, Secret>) => Promise<void>> {
  if (out !== undefined) {
    const { checkOutputDirectory, writeOutputDirectory } = await import('../output-directory.js');
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

export async function finalize(context: CliContext, id: string, { rotate = false }: { readonly rotate?: boolean }): Promise<number | void> {
  const vault = await vaultForWriting(context);
  const handover = findHandover(vault, id);
  const next = handover.receipt && !openProposalOf(vault, handover) ? successorOf(vault, handover) : undefined;
  if (next && vault.policy.policy.admins.of.includes((await context.identity()).card.person)) {
    await showDifference(context, vault, next);
    if (!(await context.confirm(`Propose this policy, which handover ${shortId({ id: handover.digest })} comes to?`))) return context.say('Nothing was changed.');
  }
  const done = await finalizeHandover(vault, handover.digest, { rotate });
  const { waiting, turned, rotated, unrotated } = done;
  if (waiting) {
    await context.result(done, `policy ${waiting.number} (${short(waiting.digest)}) waits for ${waiting.need} of ${waiting.of.join(' ')}\n`);
    await context.next(`${waiting.of.join(' or ')}: oxp-vault policy sign ${short(waiting.digest)}. Then again: oxp-vault handover finalize ${shortId(done.handover)}${rotate ? ' --rotate' : ''}`);
    return EXIT_NEEDS_OTHERS;
  }
  const lines = columns([
    ...turned.map((role) => [context.paint.mark('~'), `role ${role}`, 'has a new key']),
    ...rotated.map((line) => [context.paint.mark('+'), line.name, `v${line.version}, new value`]),
    ...unrotated.map(({ name, version, words }) => [context.paint.mark('!'), name, `v${version} still has the value that the givers knew: ${words}`]),
  ]);
  await context.result(done, `${lines}handover ${shortId(done.handover)} is done.\n`);
  if (rotated.length > 0) await context.say('What was made anew counts as replaced once the old version is retired: oxp-vault retire NAME, when it is deployed nowhere.');
  await keepHouse(context, vault);
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
