/** How new an answer is, in one line. */
import type { Vault } from '@oxp-vault/core';
import type { CliContext } from './context.js';
import { ago, entries } from './render.js';

export function freshnessWords(context: CliContext, vault: Vault, offline: boolean): string {
  const size = entries(vault.point.size);
  const where = context.path(vault.store.address);
  if (!vault.confirmed) return `freshness unknown: nobody has said yet that this copy of ${size} at ${where} is the right one. Pass once what \`oxp-vault status\` prints elsewhere: --expect VAULT@SIZE:ROOT`;
  const when = fetchedWhen(context, vault);
  if (offline) return `As of ${size}, ${when} from ${where}; nobody was asked for news (--offline).`;
  return `Newest as of ${size}, ${when} from ${where}.`;
}

/** `fetched 4 s ago`, for the table of `status`, which names the place itself. */
export function asOf(context: CliContext, vault: Vault, offline: boolean): string {
  const when = fetchedWhen(context, vault);
  if (!vault.confirmed) return `${when}; freshness unknown`;
  return offline ? `${when}; nobody was asked for news (--offline)` : when;
}

function fetchedWhen(context: CliContext, vault: Vault): string {
  const fetched = vault.freshness?.fetched;
  if (fetched === undefined) return vault.store.refresh ? 'never fetched' : 'read just now';
  const seconds = context.clock.now() - fetched;
  // For a remote place seconds count: another laptop may have written in between.
  return `fetched ${seconds > 0 && seconds < 60 ? `${seconds} s ago` : ago(fetched, context.clock.now())}`;
}
