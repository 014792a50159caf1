/** `sync --from`: what is still valid of a copy, or of a queue that was carried here. */
import { doHousekeeping, isRemote, normalAddress, type TakenOver, takeOverCopy, takeOverQueue, type Vault } from '@oxp-vault/core';
import { whatLiesAt } from './carried-queue.js';
import type { CliContext } from '../context.js';
import { EXIT_STORE } from '../exit-codes.js';
import { entries, short } from '../render.js';
import { countedOps, entryLabel, reportHousekeeping } from '../writing.js';

export async function takeOver(context: CliContext, from: string): Promise<number> {
  const { cwd } = context.io;
  const address = normalAddress(from, cwd);
  const vault = await context.vault({ write: true });
  const there = isRemote(address) ? 'vault' : await whatLiesAt(address, vault.id);
  const taken = there === 'vault' ? await takeOverCopy(vault, await context.store({ address, base: cwd })) : await takeOverQueue(vault, there.entries, context.path(address));
  await tell(context, vault, address, taken);
  if (there !== 'vault') for (const line of there.damaged) await context.warn(`Line ${line} of ${context.path(address)} holds no entry and was left out.`);
  // Only now: what came may have been waiting for its role keys and grants.
  await reportHousekeeping(context, await doHousekeeping(vault));
  return taken.incomplete.length > 0 ? EXIT_STORE : 0;
}

async function tell(context: CliContext, vault: Vault, from: string, { appended, rejected, present, incomplete, extended }: TakenOver): Promise<void> {
  const { size, root } = vault.point;
  const words = appended.length === 0 ? 'Nothing to take over' : `${entries(appended.length)} taken over (${countedOps(appended)})`;
  const rest = [...(rejected.length > 0 ? [`${rejected.length} rejected`] : []), ...(incomplete.length > 0 ? [`${incomplete.length} left out`] : [])];
  await context.result(
    { vault: vault.id, from, size, root, appended, rejected, present, incomplete, extended },
    `${[words, ...rest].join(', ')}. Log: ${entries(size)}, root ${short(root)}.\n`,
  );
  for (const { op, digest, person, reason } of rejected) await context.warn(`${entryLabel(op, digest)} by ${person} is not allowed here: ${reason}. It is kept; see: oxp-vault status`);
  for (const { op, digest, person, path } of incomplete) await context.warn(`${entryLabel(op, digest)} by ${person} was left out: its file ${path} is not there`);
}
