/** Connects the Terraform provider to vaults as the command finds and unlocks them. */
import { VaultError } from '@oxp-vault/core';
import type { Connect, ProviderSettings } from '@oxp-vault/terraform-hooks/provider';
import { agentFor } from '../agent.js';
import { CliContext } from '../context.js';
import type { Io } from '../io.js';
import { vaultPort } from './port.js';

const PURPOSE = 'terraform provider';

function contextFor(io: Io, { vault, expect, identity, passphraseFile }: ProviderSettings): CliContext {
  const options = { vault, expect, identity, passphraseFile };
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return new CliContext(io, given);
}

const roleFor = (io: Io, { role }: ProviderSettings): { role?: string } => {
  const named = role ?? io.env['OXP_VAULT_ROLE'];
  return named ? { role: named } : {};
};

/** Each configuration meets its vault anew. Nothing is asked: Terraform has the terminal. */
export function unattendedConnect(io: Io): Connect {
  const quiet: Io = { ...io, stdin: { isTTY: false, read: async () => new Uint8Array() } };
  return async (settings) => {
    const context = contextFor(quiet, settings);
    return vaultPort(context, await context.vault(), { purpose: PURPOSE, ...roleFor(io, settings) });
  };
}

/**
 * Unlocks once, unless an agent does the opening, and reads the vault anew for each run of Terraform. Several runs share it, so a provider block that names other
 * settings than those it was started with is refused.
 */
export async function attendedConnect(io: Io): Promise<Connect> {
  const context = contextFor(io, {});
  if (!(await agentFor(context, await context.vault(), []))) await context.identity();
  return async (settings) => {
    const [other] = Object.keys(settings).filter((key) => key !== 'role');
    if (other !== undefined) {
      throw new VaultError('USAGE', 'this provider was unlocked beforehand, and its provider block must not name a vault or an identity', { hint: 'Name them in the environment of `terraform-provider-oxpvault --reattach` instead, or unset TF_REATTACH_PROVIDERS.' });
    }
    return vaultPort(context, await context.vault(), { purpose: PURPOSE, ...roleFor(io, settings) });
  };
}
