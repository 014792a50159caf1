/** Which handover is meant where no id was typed: the one that waits for this person to do just that. */
import { findHandover, type Handover, listHandovers, type Vault, VaultError } from '@oxp-vault/core';
import { headline } from './words.js';

export type Step = 'consent' | 'release' | 'complete' | 'finalize';

/** Throws ENTRY_NOT_FOUND where none waits, USAGE where several do, with a line for each. */
export function chosenHandover(vault: Vault, step: Step, id: string | undefined): Handover {
  if (id !== undefined) return findHandover(vault, id);
  const { person } = vault.requireActor();
  const mine = listHandovers(vault).filter(({ next }) => next.some((each) => each.person === person && each.next.startsWith(`oxp-vault handover ${step} `)));
  const [only, second] = mine;
  if (!only) throw new VaultError('ENTRY_NOT_FOUND', `no handover waits for you (${person}) to ${step}`, { hint: 'See them all: oxp-vault handover list' });
  if (second) {
    throw new VaultError('USAGE', `${mine.length} handovers wait for you: name one`, { details: mine.map(headline), hint: `For example: oxp-vault handover ${step} ${only.id.slice(0, 8)}` });
  }
  return findHandover(vault, only.id);
}
