/** Opening through the agent, where there is one for this vault: then nobody is asked for a passphrase. */
import { agentSourceFor, type FileSource, type Vault } from '@oxp-vault/core';
import type { CliContext } from './context.js';

/** What opens these secrets instead of this process: undefined where no agent may, or where an identity is named. */
export async function agentFor(context: CliContext, vault: Vault, names: readonly string[]): Promise<FileSource | undefined> {
  return context.options.identity === undefined ? agentSourceFor(context.io.env, vault, names) : undefined;
}
