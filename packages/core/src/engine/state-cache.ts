/** The verified state, cached between runs. Never trusted beyond this machine: the pin decides, and a cache that does not fit it is dropped. */
import { deserialize, serialize } from 'node:v8';
import type { LocalState } from '../ports.js';
import type { PolicyState } from '../policy/state.js';
import { CompactRange, type CompactRangeJson } from '../primitives/compact-range.js';
import { DigestSet } from '../primitives/digest-set.js';
import { PersistentMap } from '../primitives/persistent-map.js';
import type { SecretVersion, Standing } from '../seal/state.js';
import type { VaultState, VoidLeaf } from '../state.js';

/** Raised whenever the state or the fold changes its meaning: older caches are then dropped and the log is folded anew. */
const CACHE_VERSION = 1;

/** The state with what it takes to verify only what is new. */
export interface VerifiedLog {
  readonly state: VaultState;
  readonly tree: CompactRange;
  /** SHA-256 of every full page, in order. */
  readonly pages: readonly string[];
  /** Leaf hashes, hex, of the page that is not full yet. */
  readonly partial: readonly string[];
  /** Policy files and objects that entries name. */
  readonly files: readonly string[];
  /** First 16 bytes of the Merkle root at every size from 0 on: what `seen` and `--expect` are held against. */
  readonly roots: Uint8Array;
  /** Entries whose `seen` is no checkpoint of this log: the trace of a fork. */
  readonly strays: readonly Stray[];
}

export interface Stray {
  readonly leaf: number;
  readonly person: string;
  readonly seen: { readonly size: number; readonly root: string };
}

interface Frozen {
  version: number;
  size: number;
  policy: PolicyState | undefined;
  secrets: readonly (readonly [string, readonly SecretVersion[]])[];
  standing: ReadonlyMap<string, Standing>;
  digests: Uint8Array;
  voids: readonly (readonly [string, VoidLeaf])[];
  tree: CompactRangeJson;
  pages: readonly string[];
  partial: readonly string[];
  files: readonly string[];
  roots: Uint8Array;
  strays: readonly Stray[];
}

function cachePath(vault: string): string {
  return `vaults/${vault}/state.bin`;
}

export async function writeStateCache(local: LocalState, vault: string, log: VerifiedLog): Promise<void> {
  const { state, tree, pages, partial, files, roots, strays } = log;
  const frozen: Frozen = {
    version: CACHE_VERSION,
    size: state.size,
    policy: state.policy,
    secrets: [...state.secrets.secrets],
    standing: state.secrets.standing,
    digests: state.digests.toBuffer(),
    voids: [...state.voids],
    tree: tree.toJSON(),
    pages,
    partial,
    files,
    roots,
    strays,
  };
  await local.write(cachePath(vault), serialize(frozen));
}

/** Undefined when there is none that this release can read. */
export async function readStateCache(local: LocalState, vault: string): Promise<VerifiedLog | undefined> {
  const bytes = await local.read(cachePath(vault));
  if (!bytes) return undefined;
  let frozen: Frozen;
  try {
    frozen = deserialize(bytes) as Frozen;
  } catch {
    // Written by another Node release or cut short: it is only a cache, and folding the log anew gives the same state.
    return undefined;
  }
  if (frozen.version !== CACHE_VERSION) return undefined;
  const secrets = PersistentMap.from(frozen.secrets);
  const statements = PersistentMap.from(frozen.secrets.flatMap(([name, versions]) => versions.map((ver) => [ver.digest, { name, version: ver.statement.version }] as const)));
  const state: VaultState = {
    size: frozen.size,
    policy: frozen.policy,
    secrets: { secrets, statements, standing: frozen.standing },
    digests: DigestSet.fromBuffer(frozen.digests),
    voids: PersistentMap.from(frozen.voids),
  };
  return { state, tree: CompactRange.fromJSON(frozen.tree), pages: frozen.pages, partial: frozen.partial, files: frozen.files, roots: frozen.roots, strays: frozen.strays };
}
