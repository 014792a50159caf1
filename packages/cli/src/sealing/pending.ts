/** What was sealed under custody counts only once its custodians have acknowledged: said wherever something was sealed. */
import { custodyReport, type Vault } from '@oxp-vault/core';
import type { CliContext } from '../context.js';

/** Names those of these secrets whose newest version is pending, and who is awaited. True where there is one. */
export async function sayPending(context: CliContext, vault: Vault, names: readonly string[]): Promise<boolean> {
  const me = vault.requireActor().person;
  const pending = custodyReport(vault).filter((report) => report.pending && names.includes(report.name) && vault.state.secrets.versions.get(report.name)?.at(-1)?.digest === report.statement);
  for (const { name, version, tree, awaited } of pending) {
    await context.say(`${name} v${version} is pending: it counts once ${tree} have typed oxp-vault custody ack; awaited: ${awaited.join(' ')}`);
  }
  if (pending.some(({ awaited }) => awaited.includes(me))) await context.next('oxp-vault custody ack');
  return pending.length > 0;
}
