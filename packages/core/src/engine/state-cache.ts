/** The verified state, cached between runs. Never trusted beyond this machine: the pin decides, and a cache that does not fit it is dropped. */
import { deserialize, serialize } from 'node:v8';
import type { CustodyRecord } from '../custody/state.js';
import type { StandIn } from '../handover/state.js';
import type { Drill, Handover, HandoversState, Offer } from '../handover/state.js';
import type { LocalState } from '../ports.js';
import type { PolicyState } from '../policy/state.js';
import { CompactRange, type CompactRangeJson } from '../primitives/compact-range.js';
import { DigestSet } from '../primitives/digest-set.js';
import { concatBytes, equalBytes, taggedHash, utf8 } from '../primitives/hash.js';
import { PersistentMap } from '../primitives/persistent-map.js';
import type { SecretVersion, Standing } from '../seal/state.js';
import type { VaultState, VoidLeaf } from '../state.js';

/** Raised whenever the state or the fold changes its meaning: older caches are then dropped and the log is folded anew. */
const CACHE_VERSION = 16;
const CACHE_TAG = 'oxp-vault/state-cache';
const DIGEST_SIZE = 32;

/** The state with what it takes to verify only what is new. */
export interface VerifiedLog {
  /** SHA-256 of the checkpoint file under which all this was verified. */
  readonly accepted: string;
  readonly state: VaultState;
  readonly tree: CompactRange;
  /** SHA-256 of every full page, in order. */
  readonly pages: readonly string[];
  /** Leaf hashes, hex, of the page that is not full yet. */
  readonly partial: readonly string[];
  /** Policy files and objects that entries name. */
  readonly files: readonly string[];
  /** Full digest by path of the policy files: of two whose paths are equal only the first is that of the log. */
  readonly policyFiles: ReadonlyMap<string, string>;
  /** The policies that took effect, in order, each with its leaf: what the claims of entries are held against. */
  readonly policies: readonly { readonly digest: string; readonly leaf: number }[];
  /** The Merkle root at every size from 0 on, 32 bytes each: what `seen` and `--expect` are held against. */
  readonly roots: Uint8Array;
  /** Entries whose claims fit no point of this log, the checkpoint or the policy they name: the trace of a fork. */
  readonly strays: readonly Stray[];
}

export interface Stray {
  readonly leaf: number;
  readonly person: string;
  readonly seen: { readonly size: number; readonly root: string };
  /** The policy that the signer claims to have seen in effect. */
  readonly policy: { readonly number: number; readonly digest: string };
}

/** What can be serialized only as a list. */
type PersistentPart = 'keys' | 'recipients' | 'claimed';

interface Frozen {
  version: number;
  accepted: string;
  size: number;
  policy: (Omit<PolicyState, PersistentPart> & Record<PersistentPart, readonly (readonly [string, string])[]>) | undefined;
  secrets: readonly (readonly [string, readonly SecretVersion[]])[];
  standing: ReadonlyMap<string, readonly Standing[]>;
  custody: readonly (readonly [string, CustodyRecord])[];
  handovers: readonly (readonly [string, Handover])[];
  offers: readonly (readonly [string, Offer])[];
  standIns: ReadonlyMap<string, readonly StandIn[]>;
  drills: ReadonlyMap<string, Drill>;
  digests: Uint8Array;
  voids: readonly (readonly [string, VoidLeaf])[];
  tree: CompactRangeJson;
  pages: readonly string[];
  partial: readonly string[];
  files: readonly string[];
  policyFiles: ReadonlyMap<string, string>;
  policies: readonly { readonly digest: string; readonly leaf: number }[];
  roots: Uint8Array;
  strays: readonly Stray[];
}

function cachePath(vault: string): string {
  return `vaults/${vault}/state.bin`;
}

export async function writeStateCache(local: LocalState, vault: string, log: VerifiedLog): Promise<void> {
  const { accepted, state, tree, pages, partial, files, policyFiles, policies, roots, strays } = log;
  const frozen: Frozen = {
    version: CACHE_VERSION,
    accepted,
    size: state.size,
    policy: state.policy && { ...state.policy, keys: [...state.policy.keys], recipients: [...state.policy.recipients], claimed: [...state.policy.claimed] },
    secrets: [...state.secrets.versions],
    standing: state.secrets.standing,
    custody: [...state.custody.versions],
    handovers: [...state.handovers.handovers],
    offers: [...state.handovers.offers],
    standIns: state.handovers.standIns,
    drills: state.handovers.drills,
    digests: state.digests.toBuffer(),
    voids: [...state.voids],
    tree: tree.toJSON(),
    pages,
    partial,
    files,
    policyFiles,
    policies,
    roots,
    strays,
  };
  const body = serialize(frozen);
  await local.write(cachePath(vault), concatBytes(checksum(vault, body), body));
}

/** Forgets what was verified: for a machine that is told to accept another history. */
export async function dropStateCache(local: LocalState, vault: string): Promise<void> {
  await local.remove(cachePath(vault));
}

/** Binds the cache to its vault and shows damage. Who can write here could also take the pin away: against them it proves nothing. */
function checksum(vault: string, body: Uint8Array): Uint8Array {
  return taggedHash(CACHE_TAG, utf8(vault), body);
}

/** Undefined when there is none that this release can read, or it is damaged, or another vault's. */
export async function readStateCache(local: LocalState, vault: string): Promise<VerifiedLog | undefined> {
  const bytes = await local.read(cachePath(vault));
  if (!bytes || bytes.length < DIGEST_SIZE) return undefined;
  const body = bytes.subarray(DIGEST_SIZE);
  if (!equalBytes(checksum(vault, body), bytes.subarray(0, DIGEST_SIZE))) return undefined;
  let frozen: Frozen;
  try {
    frozen = deserialize(body) as Frozen;
  } catch {
    // Written by another Node release: it is only a cache, and folding the log anew gives the same state.
    return undefined;
  }
  if (frozen.version !== CACHE_VERSION) return undefined;
  const versions = PersistentMap.from(frozen.secrets);
  const statements = PersistentMap.from(frozen.secrets.flatMap(([name, versions]) => versions.map((ver) => [ver.digest, { name, version: ver.statement.version }] as const)));
  const ciphertexts = DigestSet.from(frozen.secrets.flatMap(([, versions]) => versions.map((ver) => ver.statement.ciphertext.sha256)));
  const state: VaultState = {
    size: frozen.size,
    policy: thawPolicy(frozen),
    secrets: { versions, statements, ciphertexts, standing: frozen.standing },
    custody: { versions: PersistentMap.from(frozen.custody) },
    handovers: thawHandovers(frozen),
    digests: DigestSet.fromBuffer(frozen.digests),
    voids: PersistentMap.from(frozen.voids),
  };
  const { accepted, pages, partial, files, policyFiles, policies, roots, strays } = frozen;
  return { accepted, state, tree: CompactRange.fromJSON(frozen.tree), pages, partial, files, policyFiles, policies, roots, strays };
}

function thawPolicy({ policy }: Frozen): PolicyState | undefined {
  if (!policy) return undefined;
  const { keys, recipients, claimed } = policy;
  return { ...policy, keys: PersistentMap.from(keys), recipients: PersistentMap.from(recipients), claimed: PersistentMap.from(claimed) };
}

function thawHandovers({ handovers, offers, standIns, drills }: Frozen): HandoversState {
  return { handovers: PersistentMap.from(handovers), offers: PersistentMap.from(offers), standIns, drills };
}
