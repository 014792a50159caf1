/** For what somebody has typed and could not type again: where the store cannot be written, it waits in the queue. */
import type { Acts, Batch } from '../../engine/append.js';
import { enqueue } from '../../engine/queue.js';
import { isVaultError, type VaultError } from '../../errors.js';
import type { Vault } from '../../vault.js';

/**
 * Appends the batch. Where the store cannot be written now, its entries are kept in the queue with their (encrypted) files for the
 * next writing command, and the fault is given back. Throws what the log refuses.
 */
export async function appendOrQueue(vault: Vault, what: Batch | Acts): Promise<VaultError | undefined> {
  if (vault.deputy && 'acts' in what) {
    const { point, waits } = await vault.deputy.append(what, { keep: true });
    if (!waits) await vault.catchUp(point);
    return waits;
  }
  const batch = 'acts' in what ? vault.signed(what) : what;
  try {
    await vault.append(batch);
    return undefined;
  } catch (error) {
    // Where nothing lasts, nothing can wait.
    if (vault.local.volatile || !isVaultError(error) || (error.class !== 'store' && error.code !== 'LOCKED')) throw error;
    for (const entry of batch.entries) await enqueue(vault.local, vault.id, entry, batch.files);
    return error;
  }
}
