/** Working through the agent, where there is one for this vault: then nobody is asked for a passphrase. */
import { agentSourceFor, type Deputy, deputyFor, type FileSource, findAgent, isVaultError, knownCard, type Vault } from '@oxp-vault/core';
import type { CliContext } from './context.js';

/** What opens these secrets instead of this process: undefined where no agent may, or where an identity is named. */
export async function agentFor(context: CliContext, vault: Vault, names: readonly string[]): Promise<FileSource | undefined> {
  return context.options.identity === undefined ? agentSourceFor(context.io.env, vault, names) : undefined;
}

/** What acts for whoever runs this below these names and paths, and signs with `write`; undefined as above, or where the agent is of somebody else. */
export async function deputyOf(context: CliContext, vault: Vault, names: readonly string[], write: boolean): Promise<Deputy | undefined> {
  if (context.options.identity !== undefined) return undefined;
  const agent = await findAgent(context.io.env, vault.store.address);
  const deputy = agent && (await deputyFor(agent, vault, names, write));
  return deputy && (await mayBe(context, deputy.card.id)) ? deputy : undefined;
}

/** Nobody writes in the name of another because an agent of theirs was left running: the identity that would be asked for is that of the agent, or there is none. */
async function mayBe(context: CliContext, id: string): Promise<boolean> {
  try {
    return (await knownCard(context.local(), await context.identityFile()))?.id === id;
  } catch (error) {
    if (isVaultError(error, 'IDENTITY_NOT_FOUND')) return true;
    throw error;
  }
}
