/** What the protocols of Terraform and OpenTofu need of a vault, read in this process and opened here or by the agent. */
import { openValue, type Opening, planOpening, readableBy, type Vault, VaultError } from '@oxp-vault/core';
import type { SecretPort, SecretRef } from '@oxp-vault/terraform-hooks';
import { agentFor } from '../agent.js';
import type { CliContext } from '../context.js';

export interface PortOptions {
  /** What the log says the secrets were opened for. */
  readonly purpose: string;
  readonly offline?: boolean;
  /** Only what this role reads. */
  readonly role?: string;
}

/** Openings are recorded as those of `open` are: in the log, or in the queue where the store cannot be written. */
export function vaultPort(context: CliContext, vault: Vault, { purpose, offline = false, role }: PortOptions): SecretPort {
  let reader: Promise<Vault> | undefined;
  // One at a time: two records of this process would only compete for the next place in the log.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(step: () => Promise<T>): Promise<T> => {
    const result = turn.then(step, step);
    turn = result;
    return result;
  };
  const plan = async (ref: SecretRef, format = 'raw'): Promise<Opening> => {
    if (role !== undefined) requireReadable(vault, role, ref.name);
    return planOpening(vault, [ref], format, { target: 'stream' });
  };
  const unlocked = (): Promise<Vault> => (reader ??= context.identity().then((identity) => vault.as(identity)));
  return {
    look: async (ref) => {
      const [item] = (await plan(ref)).items;
      const { name, version, kind, public: publicParts } = item!.version.statement;
      return { name, version, kind, public: publicParts, private: item!.private };
    },
    read: (ref, format) =>
      inTurn(async () => {
        const opening = await plan(ref, format);
        const hidden = opening.items.filter((item) => item.private).map((item) => item.version.statement.name);
        const source = hidden.length > 0 && !offline ? await agentFor(context, vault, hidden) : undefined;
        const value = await openValue(hidden.length > 0 && !source ? await unlocked() : vault, opening, { purpose, offline }, source);
        return value.use((bytes) => {
          const copy = Uint8Array.from(bytes);
          value.wipe();
          return copy;
        });
      }),
  };
}

function requireReadable(vault: Vault, role: string, name: string): void {
  if (!vault.state.secrets.versions.has(name) || readableBy(vault, role).includes(name)) return;
  throw new VaultError('NOT_A_READER', `${name} is nothing that role ${role} reads, and only that is given here`, { hint: 'Leave out the role, or name another.' });
}
