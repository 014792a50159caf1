/** What lies in a store and belongs to nothing: replaced pages, and what writers wrote who never got to their checkpoint. */
import type { Vault } from '../../vault.js';
import { logPaths, walkLog } from './walk.js';

/** A page of a log, of whatever checkpoint. */
export const PAGE = /^log\/\d{10,}-[0-9a-f]{16}-\d{10,}\.jsonl$/;
/** The shapes that only a vault writes. Anything else in the directory is somebody's, and stays. */
export const OURS = [
  PAGE,
  /^objects\/[0-9a-f]{64}\.json$/,
  /^policy\/\d{4,}-[0-9a-f]{8}\.json$/,
  /^roles\/[^/]+\/\d{4,}\/[^/]+-[0-9a-f]{8}\.age$/,
  /^secrets\/.+\/\d{4,}(-shares\/[^/]+)?-[0-9a-f]{8}\.age$/,
  /^handovers\/[0-9a-f]{8}\/[^/]+-[0-9a-f]{8}\.age$/,
];

export interface Garbage {
  readonly paths: readonly string[];
  /** True when only pages are listed, because the log holds ops that a newer release wrote and whose files this one cannot know. */
  readonly pagesOnly: boolean;
}

/**
 * Files of the vault's own shapes that no entry names. A file written a moment ago may belong to a writer who is about to
 * commit: the caller spares what is young.
 */
export async function findGarbage(vault: Vault): Promise<Garbage> {
  const there = await vault.store.list('');
  // After the listing: what a writer has committed meanwhile is then named.
  await vault.refresh();
  const leaves = await walkLog(vault);
  const named = new Set([...logPaths(vault), ...leaves.flatMap((leaf) => leaf.files.map((file) => file.path))]);
  const pagesOnly = leaves.some(({ refused }) => refused?.code === 'UNKNOWN_OP' || refused?.code === 'UNSUPPORTED');
  const shapes = pagesOnly ? [PAGE] : OURS;
  return { paths: there.filter((path) => !named.has(path) && shapes.some((shape) => shape.test(path))), pagesOnly };
}

/** Removes what `findGarbage` has found: one by one, or as one act where the store keeps a history. False when a writer was first. */
export async function removeGarbage(vault: Vault, paths: readonly string[]): Promise<boolean> {
  const { store, checkpointBytes } = vault;
  if (store.commit) return store.commit({ old: checkpointBytes, next: checkpointBytes, files: [], replaced: paths, about: 'removed files that no entry names' });
  for (const path of paths) await store.remove(path);
  return true;
}
