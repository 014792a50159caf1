/** The part of a vault's state that knows the secrets and their versions. Plain data: it is cached between runs. */
import type { DigestSet } from '../primitives/digest-set.js';
import type { PersistentMap } from '../primitives/persistent-map.js';
import type { ThresholdTree } from '../primitives/threshold-tree.js';
import type { Statement } from './statement.js';
import type { Signer } from '../wire.js';

export interface SecretVersion {
  readonly statement: Statement;
  /** Statement digest. */
  readonly digest: string;
  readonly leaf: number;
  /** Claimed time of the sealing entry, whole seconds. */
  readonly time: number;
  readonly sealer: Signer;
  /** Under custody, until a satisfying set of custodians has acknowledged. A pending version supersedes nothing. */
  readonly pending: boolean;
  /** Deployed nowhere any more. */
  readonly retired?: { readonly leaf: number; readonly by: string };
}

/** What one entry says of one path of its scope. */
export interface Standing {
  readonly machine: string;
  /** As in a rule. */
  readonly path: string;
  /** Whole seconds; from then on it does not count. 0: ended. */
  readonly notAfter: number;
  /** Its signer. */
  readonly by: string;
  readonly leaf: number;
  /** This path, first, and those of the rules below it, each with whether its signer owned it at this leaf: the longest that matches a name decides. */
  readonly owned: readonly { readonly path: string; readonly owned: boolean }[];
}

export interface SecretsState {
  /** Versions in order, by secret name. */
  readonly versions: PersistentMap<readonly SecretVersion[]>;
  /** Where a statement digest belongs. */
  readonly statements: PersistentMap<{ readonly name: string; readonly version: number }>;
  /** SHA-256 of every ciphertext: a file belongs to one version of one secret. */
  readonly ciphertexts: DigestSet;
  /** By machine, in the order of the log; no machine without any. */
  readonly standing: ReadonlyMap<string, readonly Standing[]>;
}

/** What the seal rules need to know of the policy and the roles, as values. */
export interface SealAuthority {
  rule(name: string): SealRule | undefined;
  /** Paths of all rules, and the names that are ruled one by one. */
  rulePaths(): readonly string[];
  rolesOf(person: string): readonly string[];
  epochOf(role: string): { readonly epoch: number; readonly recipient: string; readonly stale: boolean } | undefined;
  isMachine(person: string): boolean | undefined;
  /** True for a recipient that was ever a person's or a role's. */
  recipientKnown(recipient: string): boolean;
  readonly suite: 'x25519' | 'hybrid';
}

export interface SealRule {
  readonly path: string;
  readonly owners: readonly string[];
  readonly writers: readonly string[];
  readonly readers?: readonly string[];
  readonly custody?: { readonly group: string; readonly tree: ThresholdTree };
}

/** The state where the version with this statement digest is in effect: its custodians have acknowledged. */
export function settleVersion(state: SecretsState, digest: string): SecretsState {
  const at = state.statements.get(digest);
  if (!at) return state;
  const versions = versionsOf(state, at.name);
  return { ...state, versions: state.versions.set(at.name, versions.map((ver) => (ver.digest === digest ? { ...ver, pending: false } : ver))) };
}

/** The newest version that is not pending. Undefined where none is acknowledged yet. */
export function newestVersion(versions: readonly SecretVersion[]): SecretVersion | undefined {
  return versions.findLast((ver) => !ver.pending);
}

/** Versions of a secret in order; none where there is no such secret. */
export function versionsOf(state: Pick<SecretsState, 'versions'>, name: string): readonly SecretVersion[] {
  return state.versions.get(name) ?? [];
}

/** The newest version of a secret that is not pending. */
export function newestOf(state: Pick<SecretsState, 'versions'>, name: string): SecretVersion | undefined {
  return newestVersion(versionsOf(state, name));
}

export function versionOf(state: Pick<SecretsState, 'versions'>, name: string, version: number): SecretVersion | undefined {
  return versionsOf(state, name).find((ver) => ver.statement.version === version);
}

/** The version with this statement digest. */
export function versionOfStatement(state: SecretsState, statement: string): SecretVersion | undefined {
  const at = state.statements.get(statement);
  return at && versionOf(state, at.name, at.version);
}
