/** Verifying everything again from nothing: no cache is believed, and every file that the log names is read. */
import { loadLog, nothingKnown } from '../../engine/load.js';
import { inParallel } from '../../engine/parallel.js';
import { readCheckpoint } from '../../audit/checkpoint.js';
import type { Stray } from '../../engine/state-cache.js';
import { isContent } from '../../primitives/hash.js';
import type { VoidLeaf } from '../../state.js';
import type { Vault } from '../../vault.js';
import { logPaths, walkLog, type NamedFile } from './walk.js';

export interface FileFault {
  readonly path: string;
  /** What it is, in words. */
  readonly what: string;
  /** Leaf that names it. */
  readonly leaf: number;
}

export interface AuditReport {
  readonly vault: string;
  readonly entries: number;
  /** Merkle root, hex. */
  readonly root: string;
  readonly policy: number;
  /** Files that were read and compared with their signed digest. */
  readonly files: number;
  /** Named by an entry in effect, and not there. */
  readonly missing: readonly FileFault[];
  /** There, and not what was signed. */
  readonly damaged: readonly FileFault[];
  /** Leaves without effect. */
  readonly voids: readonly VoidLeaf[];
  /** Entries signed on another history: the trace of a fork, or of a copy whose entries were taken over. */
  readonly strays: readonly Stray[];
  /** In the store, and named by nothing. Harmless: what an interrupted writer leaves, or somebody put there. */
  readonly foreign: readonly string[];
  /** True when nothing is missing or damaged. */
  readonly ok: boolean;
}

/**
 * Every page, leaf, signature and checkpoint, and the bytes of every file. What makes the log itself unacceptable is thrown, as by
 * any load: BAD_CHECKPOINT, STORE_INCOMPLETE, FORK, ROLLBACK. `step` is told how many files are done.
 */
export async function verifyVault(vault: Vault, step: (done: number, total: number) => void = () => undefined): Promise<AuditReport> {
  await vault.refresh();
  // Held against what this machine has accepted: a cache that was tampered with is found out as well.
  const { log } = await loadLog(vault.store, async () => ({ known: nothingKnown, vouched: [{ ...vault.point, by: 'this machine' }] }));
  const leaves = await walkLog(vault, log.state.voids);
  const named = new Map<string, { file: NamedFile; leaf: number }>();
  const known = new Set(logPaths(vault));
  for (const { leaf, files, refused } of leaves) {
    for (const file of files) {
      known.add(file.path);
      // A void leaf may name what never existed.
      if (!refused) named.set(file.path, { file, leaf });
    }
  }
  const missing: FileFault[] = [];
  const damaged: FileFault[] = [];
  let done = 0;
  await inParallel([...named.values()], async ({ file, leaf }) => {
    const bytes = await vault.store.get(file.path);
    const fault = { path: file.path, what: file.what, leaf };
    if (!bytes) missing.push(fault);
    else if (!isContent(bytes, file)) damaged.push(fault);
    step(++done, named.size);
  });
  const foreign = [...(await vault.store.list('')).filter((path) => !known.has(path)), ...((await vault.store.foreign?.()) ?? new Map<string, string>()).keys()];
  const { size, root } = readCheckpoint(vault.checkpointBytes);
  const byLeaf = (a: FileFault, b: FileFault): number => a.leaf - b.leaf;
  return {
    vault: vault.id,
    entries: size,
    root,
    policy: vault.policy.policy.number,
    files: named.size,
    missing: missing.sort(byLeaf),
    damaged: damaged.sort(byLeaf),
    voids: [...log.state.voids].map(([, leaf]) => leaf).sort((a, b) => a.leaf - b.leaf),
    strays: log.strays,
    foreign,
    ok: missing.length === 0 && damaged.length === 0,
  };
}
