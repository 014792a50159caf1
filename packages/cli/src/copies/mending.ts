/** `sync --restore` and `--repin`: a store, or the memory of this machine, is put right. Neither needs an identity. */
import { normalAddress, planRepin, type Remembering, repin, type Repinning, type Restored, restoreVault } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { EXIT_STORE } from '../exit-codes.js';
import { startProgress } from '../progress.js';
import { count, entries, short } from '../render.js';

export async function restore(context: CliContext, from: string | undefined): Promise<number> {
  const { cwd } = context.io;
  const options = await remembering(context);
  const copy = from === undefined ? undefined : await context.store({ address: normalAddress(from, cwd), base: cwd });
  const progress = startProgress(context.io.stderr, 'files looked at:');
  let done: Restored;
  try {
    done = await restoreVault({ ...options, ...(copy ? { copy } : {}), step: (files, total) => progress.update(files, total) });
  } finally {
    await progress.end();
  }
  const { vault, size, root, fault, source, files, swept, missing } = done;
  const state = `${entries(size)}, root ${short(root)}`;
  const where = context.path(options.store.address);
  const words = restoredWords(done, where, state);
  await context.result({ vault, size, root, source, files, swept, ...(fault ? { fault: fault.toJSON() } : {}), missing: missing.map(({ path, what }) => ({ path, what })) }, `${words}\n`);
  if (fault) await context.say(`It was ${fault.code}: ${fault.message}. Find out how that came about.`);
  if (swept.length > 0) await context.say(`Taken away, for it is no file of a vault: ${swept.join(', ')}`);
  for (const { path, what } of missing) await context.warn(`${what} is still missing: ${path}`);
  if (missing.length > 0) await context.next('oxp-vault sync --restore --from COPY');
  return missing.length > 0 ? EXIT_STORE : 0;
}

function restoredWords({ fault, files, swept, missing }: Restored, where: string, state: string): string {
  if (fault) return `put back at ${where}: ${state}${files > 0 ? `, and ${count(files, 'file')}` : ''}; read back and verified`;
  if (files > 0) return `put ${count(files, 'file')} back at ${where} (${state})`;
  if (missing.length > 0) return `found nothing to put back at ${where} (${state})`;
  return swept.length > 0 ? `cleared up at ${where}: ${state}, and all its files` : `nothing to put back at ${where}: ${state}, and all its files`;
}

export async function acceptAgreed(context: CliContext, point: string): Promise<void> {
  const options = await remembering(context);
  const plan = await planRepin(options, point);
  await context.say(inWords(context, options.store.address, plan));
  if (!(await context.confirm('Accept that log?'))) return context.say('Nothing was changed.');
  await repin(options, plan);
  const { vault, present, before, givenUp } = plan;
  await context.result({ vault, accepted: plan.point, present, ...(before ? { before } : {}), givenUp }, `accepted: ${entries(present.size)}, root ${short(present.root)}\n`);
  if (before && before.size > plan.common) await context.next('what is still valid of the other history: oxp-vault sync --from COPY');
}

function inWords(context: CliContext, address: string, { point, present, before, common, atLeast, givenUp }: Repinning): string {
  const lines = [
    `  agreed   ${entries(point.size)}, root ${short(point.root)}`,
    `  there    ${entries(present.size)}, root ${short(present.root)}, at ${context.path(address)}`,
    ...(before ? [`  seen     ${entries(before.size)}, root ${short(before.root)}, on this machine`] : []),
  ];
  const lost = before ? before.size - Math.min(common, before.size) : 0;
  if (lost > 0) lines.push(`This machine gives up ${atLeast ? 'at most ' : ''}${entries(lost)} that it has seen${common > 0 && !atLeast ? `, from entry ${common} on` : ''}.`);
  if (givenUp.length > 0) lines.push(`Sealed there, and not in the log that is accepted, as far as this machine remembers: ${givenUp.join(', ')}.`);
  if (lost === 0) lines.push('Nothing that this machine has seen is given up.');
  return lines.join('\n');
}

async function remembering(context: CliContext): Promise<Remembering> {
  const expect = await context.expect();
  return { store: await context.store(), local: context.local(), clock: context.clock, ...(expect === undefined ? {} : { expect }) };
}
