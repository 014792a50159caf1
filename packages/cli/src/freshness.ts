/** How new an answer is, in one line. */
import type { Vault } from '@oxp-vault/core';
import type { CliContext } from './context.js';
import { ago, count } from './render.js';

export function freshnessWords(context: CliContext, vault: Vault, offline: boolean): string {
  const size = count(vault.point.size, 'entry', 'entries');
  const where = context.path(vault.store.address);
  if (!vault.confirmed) return `freshness unknown: nobody has said yet that this copy of ${size} at ${where} is the right one. Pass once what \`oxp-vault status\` prints elsewhere: --expect VAULT@SIZE:ROOT`;
  const fetched = vault.freshness?.fetched;
  const when = fetched === undefined ? 'read just now' : `fetched ${ago(fetched, context.clock.now())}`;
  if (offline) return `As of ${size}, ${when} from ${where}; nobody was asked for news (--offline).`;
  return `Newest as of ${size}, ${when} from ${where}.`;
}
