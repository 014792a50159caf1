/** One value for one piece of work: recorded before it is there, wiped when the work is done. */
import { agentSourceFor } from '../agent/find.js';
import { openValue } from '../operations/opening/one-value.js';
import { parseView, planOpening, type View } from '../operations/opening/views.js';
import type { Recording } from '../operations/opening/recording.js';
import type { Secret } from '../secret.js';
import type { Vault } from '../vault.js';

export interface WithSecretOptions extends Recording {
  /** The newest unless given. */
  readonly version?: number;
  /** Where an agent may be named; that of this process unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Gives `work` the value of `NAME` or `NAME#FIELD` and wipes it afterwards, whatever happens. With the identity of the vault; without one
 * through the agent that serves it. Throws what `openSecrets` throws, BAD_NAME, FIELD_NOT_FOUND, AGENT_UNREACHABLE, and what `work` throws.
 */
export async function withSecret<T>(vault: Vault, name: string, work: (value: Secret) => T | Promise<T>, options: WithSecretOptions = {}): Promise<T> {
  const { version, env = process.env, ...recording } = options;
  const view: View = { ...parseView(name), ...(version === undefined ? {} : { version }) };
  const opening = await planOpening(vault, [view], 'raw', { target: 'stream' });
  const source = vault.identity === undefined ? await agentSourceFor(env, vault, [view.name]) : undefined;
  const value = await openValue(vault, opening, { purpose: 'library', ...recording }, source);
  try {
    return await work(value);
  } finally {
    value.wipe();
  }
}
