/** The record of an opening: signed, and safe on this machine at least, before a byte is shown. */
import { parseEntry } from '../../audit/entry.js';
import { dequeue, enqueue, type Queued } from '../../engine/queue.js';
import { isVaultError, type VaultError } from '../../errors.js';
import type { Vault } from '../../vault.js';

export interface Recording {
  /** Why, for the log. */
  readonly purpose?: string;
  /** True when the record must stay in the queue because the store is not to be touched. */
  readonly offline?: boolean;
  /** Keeps the record of an opening with `offline` instead of the queue of this machine, durably before it resolves. */
  readonly keep?: (queued: Queued) => Promise<void>;
  /** Told when the store could not be written: the opening goes on, and its record waits on this machine. */
  readonly onQueued?: (reason: VaultError) => void;
}

/** What is recorded: versions by statement digest, or the beginning or the end of a session (seal/ops.ts, SecretOpen). */
type Opened = { readonly statements: readonly string[] } | { readonly scope: readonly string[] } | { readonly session: string; readonly statements: readonly string[] };

/**
 * Fsynced into the queue first; then in the log at once where the store is at hand. A remote one gets it with the next write: a
 * reader need not wait for a push, nor be allowed to. What cannot be queued is not shown. Gives the digest of the entry.
 */
export async function record(vault: Vault, opened: Opened, { purpose = 'open', offline = false, keep, onQueued }: Recording): Promise<string> {
  const entry = vault.sign('secret.open', { ...opened, purpose, online: !offline });
  const { digest } = parseEntry(entry.line);
  if (offline && keep) await keep({ digest, entry, files: [] });
  // Where nothing lasts, only the log can keep it.
  else if (vault.local.volatile && !offline) await vault.append({ entries: [entry], files: [] }, { recordOnly: true });
  else {
    await enqueue(vault.local, vault.id, entry);
    if (!offline && !vault.store.refresh) await appendQueued();
  }
  return digest;

  async function appendQueued(): Promise<void> {
    try {
      await vault.append({ entries: [entry], files: [] }, { recordOnly: true });
    } catch (error) {
      // The record is safe in the queue, and the next write takes it along; a store that cannot be written must not stop a reader.
      if (!isVaultError(error) || (error.class !== 'store' && error.class !== 'conflict')) throw error;
      onQueued?.(error);
      return;
    }
    await dequeue(vault.local, vault.id, digest);
  }
}
