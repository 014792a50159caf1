/** Loading: checkpoint, pages, files, fold, signer, pin. Only what is new since the last accepted checkpoint is verified again. */
import { CHECKPOINT_PATH, readCheckpoint, type VaultCheckpoint } from '../audit/checkpoint.js';
import { pagePath, PAGE_SIZE, pageStart } from '../audit/page.js';
import { isVaultError, VaultError, type ErrorCode, othersWereWriting } from '../errors.js';
import type { Store } from '../ports.js';
import { CompactRange } from '../primitives/compact-range.js';
import { sha256Hex } from '../primitives/hash.js';
import { emptyState, isFounded, type FoundedState } from '../state.js';
import { fold } from './fold.js';
import { forked, incomplete, rollback, upgradeRequired, type Vouched } from './load-faults.js';
import { MissingFile } from './pages.js';
import { rootWas } from './roots.js';
import type { VerifiedLog } from './state-cache.js';

export type { Vouched } from './load-faults.js';

/** A reader that is always too slow for the writers gives up in the end, after a second or so. */
const ATTEMPTS = 40;

export const nothingKnown: VerifiedLog = {
  accepted: '',
  state: emptyState,
  tree: CompactRange.empty,
  pages: [],
  partial: [],
  files: [],
  policyFiles: new Map(),
  policies: [],
  roots: CompactRange.empty.root(),
  strays: [],
};

export interface LoadedLog {
  readonly checkpoint: VaultCheckpoint;
  readonly log: FoundedLog;
}

type FoundedLog = VerifiedLog & { readonly state: FoundedState };

function isFoundedLog(log: VerifiedLog): log is FoundedLog {
  return isFounded(log.state);
}

/**
 * Reads and verifies the log of a store. Throws VAULT_NOT_FOUND, BAD_CHECKPOINT, STORE_INCOMPLETE, ROLLBACK, FORK,
 * UPGRADE_REQUIRED. Writers may go on between two reads here; then it starts again from the checkpoint.
 */
export async function loadLog(store: Store, knownOf: (vault: string) => Promise<{ known: VerifiedLog; vouched: readonly Vouched[] }>): Promise<LoadedLog> {
  for (let attempt = 1; ; attempt++) {
    const bytes = await store.get(CHECKPOINT_PATH);
    if (!bytes) throw new VaultError('VAULT_NOT_FOUND', `there is no vault at ${store.address}`, { hint: 'To make one: oxp-vault init' });
    const checkpoint = readCheckpoint(bytes);
    const { known, vouched } = await knownOf(checkpoint.vault);
    try {
      return { checkpoint, log: await verified(store, checkpoint, known, vouched) };
    } catch (error) {
      // A writer on this machine may have moved the log, and the pin with it, since the checkpoint was read.
      if (!(error instanceof MissingFile) && !isVaultError(error, 'ROLLBACK')) throw error;
      const moved = (await store.get(CHECKPOINT_PATH)) ?? new Uint8Array();
      if (sha256Hex(moved) === sha256Hex(bytes)) throw error instanceof MissingFile ? incomplete(error.path) : error;
      if (attempt >= ATTEMPTS) throw othersWereWriting();
      await new Promise((resolve) => setTimeout(resolve, attempt));
    }
  }
}

/**
 * `extend`, and where that fails a second look from nothing. Without it a damaged cache would blame the vault, and a tip that
 * anybody with push rights can make up would be called another history, which only people enrolled in the vault can write.
 */
async function verified(store: Store, checkpoint: VaultCheckpoint, known: VerifiedLog, vouched: readonly Vouched[]): Promise<FoundedLog> {
  try {
    return await extend(store, checkpoint, known, vouched);
  } catch (error) {
    if (!isVaultError(error) || !SECOND_LOOK.has(error.code)) throw error;
    const alone = await extend(store, checkpoint, nothingKnown, []);
    const contradicted = vouched.find((point) => !rootWas(alone.roots, point));
    if (contradicted) throw forked(checkpoint, contradicted);
    return alone;
  }
}

const SECOND_LOOK: ReadonlySet<ErrorCode> = new Set(['FORK', 'BAD_CHECKPOINT', 'STORE_INCOMPLETE', 'WRONG_VAULT']);

async function extend(store: Store, checkpoint: VaultCheckpoint, before: VerifiedLog, vouched: readonly Vouched[]): Promise<FoundedLog> {
  // What is known saves work only below a longer log, or under the very checkpoint that it was verified with. Another one of the
  // same size may bear no signature and name another last page, which the next writer would build upon.
  const same = before.accepted === sha256Hex(checkpoint.bytes);
  const known = checkpoint.size > before.state.size || same ? before : nothingKnown;
  for (const point of vouched) {
    // Shorter, and not what this log was at that size: no older copy, but another history. The second look decides.
    if (checkpoint.size < point.size && checkpoint.size <= before.state.size && !rootWas(before.roots, checkpoint)) throw forked(checkpoint, point);
    if (checkpoint.size < point.size) throw rollback(checkpoint, point, store);
    if (point.size <= known.state.size && !rootWas(known.roots, point)) throw forked(checkpoint, point);
  }
  const log = checkpoint.size > known.state.size ? await fold(store, checkpoint, known, vouched) : known;
  await requireComplete(store, checkpoint, log);
  if (log.state.policy?.upgrade) throw upgradeRequired(log.state.policy.upgrade.format);
  // The fold accepts no log without the policy that the vault is named after.
  if (!isFoundedLog(log)) throw new VaultError('INTERNAL', 'a verified log has no policy');
  return log;
}

/** A checkpoint counts only while everything that it stands on is there (design: "part of the log"). */
async function requireComplete(store: Store, checkpoint: VaultCheckpoint, log: VerifiedLog): Promise<void> {
  const there = new Set([...(await store.list('log/')), ...(await store.list('policy/')), ...(await store.list('objects/'))]);
  for (const [i, digest] of log.pages.entries()) {
    const path = pagePath(i * PAGE_SIZE, digest);
    if (!there.has(path)) throw new MissingFile(path);
  }
  const last = pagePath(pageStart(checkpoint.size - 1), checkpoint.page);
  for (const path of [last, ...log.files]) if (!there.has(path)) throw new MissingFile(path);
}
