/** Stopping a handover, and taking back what still waits for its new custodians. */
import type { Vault } from '../../vault.js';
import { findHandover } from './find.js';
import { describeHandover, type HandoverView } from './view.js';
import { destroySpent } from './one-time.js';

/** By the requester or a consenter. Throws NOT_ALLOWED, ALREADY_DONE where nothing can be taken back. */
export async function abortHandover(vault: Vault, id: string, reason = ''): Promise<HandoverView> {
  vault.requireEnrolled();
  const handover = findHandover(vault, id);
  await vault.append({ entries: [vault.sign('handover.abort', { request: handover.digest, reason })], files: [] });
  await destroySpent(vault);
  return describeHandover(vault, findHandover(vault, handover.digest));
}
