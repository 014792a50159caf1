/** Opening through the agent, where there is one for this vault: then nobody is asked for a passphrase. */
import { AGENT_VARIABLE, type Agent, agentSource, connectAgent, type FileSource, pathMatches, requireAgent, socketOf, type Vault } from '@oxp-vault/core';
import type { CliContext } from './context.js';

/**
 * The agent that OXP_VAULT_AGENT names, else the one of this user for the vault at `address`. Throws AGENT_UNREACHABLE for a named one
 * that is not there, AGENT_UNSAFE.
 */
export async function findAgent(context: CliContext, address: string): Promise<Agent | undefined> {
  const named = context.io.env[AGENT_VARIABLE];
  return named ? requireAgent(named) : ownAgent(context, address);
}

/** The one agent of this user for the vault at `address`, whatever is named. */
export function ownAgent(context: CliContext, address: string): Promise<Agent | undefined> {
  return connectAgent(socketOf(context.io.env, address));
}

/** What opens these secrets instead of this process: undefined where no agent may, or where an identity is named. */
export async function agentFor(context: CliContext, vault: Vault, names: readonly string[]): Promise<FileSource | undefined> {
  if (context.options.identity !== undefined) return undefined;
  const agent = await findAgent(context, vault.store.address);
  if (agent?.found.vault !== vault.id) return undefined;
  const covers = names.every((name) => agent.found.scope.some((path) => pathMatches(path, name)));
  return covers ? agentSource(agent, vault.id) : undefined;
}
