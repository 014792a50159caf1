/** Which agent serves a vault, and what it may open of it. */
import { pathMatches } from '../wire.js';
import type { Deputy, FileSource } from '../deputy.js';
import { parseCard } from '../policy/card.js';
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
  if (!covers(agent, names)) return undefined;
  await bringUpTo(agent, vault);
  return agentSource(agent, vault.id);
}

/**
 * Who acts through this agent: undefined where it serves another vault, not all of these names and paths, somebody without a living device, or,
 * where something is to be written, only opens.
 */
export async function deputyFor(agent: Agent, vault: Vault, names: readonly string[], write: boolean): Promise<Deputy | undefined> {
  const { vault: served, person, device, writes } = agent.found;
  const living = vault.policy.people.get(person)?.devices.find((each) => each.device === device);
  if (served !== vault.id || !living || (write && writes !== true) || !covers(agent, names)) return undefined;
  await bringUpTo(agent, vault);
  return agent.deputy(vault.id, parseCard(living.card));
}

/** It looks for news once a minute, and what is asked of it goes by what is known here. */
async function bringUpTo(agent: Agent, vault: Vault): Promise<void> {
  if (agent.found.entries < vault.point.size) await agent.refresh();
}

function covers({ found }: Agent, names: readonly string[]): boolean {
  return names.every((name) => found.scope.some((path) => pathMatches(path, name)));
}
