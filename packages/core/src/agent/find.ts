/** Which agent serves a vault, and what it may open of it. */
import { pathMatches } from '../wire.js';
import type { FileSource } from '../operations/opening/views.js';
import type { Vault } from '../vault.js';
import { agentSource, connectAgent, requireAgent, type Agent } from './client.js';
import { AGENT_VARIABLE, socketOf } from './socket.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The agent that OXP_VAULT_AGENT names, else the one of this user for the vault at `address`. Throws AGENT_UNREACHABLE for a named one
 * that is not there, AGENT_UNSAFE.
 */
export async function findAgent(env: Environment, address: string): Promise<Agent | undefined> {
  const named = env[AGENT_VARIABLE];
  return named ? requireAgent(named) : ownAgent(env, address);
}

/** The one agent of this user for the vault at `address`, whatever is named. */
export function ownAgent(env: Environment, address: string): Promise<Agent | undefined> {
  return connectAgent(socketOf(env, address));
}

/** What opens these secrets instead of this process; undefined where no agent serves this vault, or not all of these. */
export async function agentSourceFor(env: Environment, vault: Vault, names: readonly string[]): Promise<FileSource | undefined> {
  const agent = await findAgent(env, vault.store.address);
  if (agent?.found.vault !== vault.id) return undefined;
  const covers = names.every((name) => agent.found.scope.some((path) => pathMatches(path, name)));
  return covers ? agentSource(agent, vault.id) : undefined;
}
