/** What the rules of a handover ask of the rest of the state, as values. ops.ts answers. */
import type { ThresholdTree } from '../primitives/threshold-tree.js';
import type { Signer } from '../wire.js';
import type { SuccessorRule } from './ops.js';

/** A version of a secret, as far as a handover concerns it. */
export interface TargetVersion {
  readonly name: string;
  readonly version: number;
  /** The newest that counts: acknowledged, and not superseded. */
  readonly newest: boolean;
  /** Waits for its custodians. */
  readonly pending: boolean;
  /** Of a version under custody. */
  readonly custody?: {
    readonly tree: ThresholdTree;
    readonly leaves: readonly { readonly path: string; readonly person: string; readonly commitment: string }[];
  };
  /** Roles that it is sealed to; empty under custody. */
  readonly readers: readonly string[];
}

export interface HandoverAuthority {
  readonly suite: 'x25519' | 'hybrid';
  /** Digest of the policy in effect. */
  readonly policy: string;
  readonly admins: { readonly need: number; readonly of: readonly string[] };
  /** The rules of the policy in effect, in order of path. */
  readonly rules: readonly SuccessorRule[];
  /** The rule that decides for this secret, or path, at this leaf: what a handover has put in the place of the policy's included. */
  rule(name: string): SuccessorRule | undefined;
  rolesOf(person: string): readonly string[];
  /** Undefined where the policy in effect has no such role. */
  role(name: string): { readonly members: readonly string[]; readonly managed?: { readonly need: number } } | undefined;
  /** The tree of a custody group of the policy in effect. */
  group(name: string): ThresholdTree | undefined;
  epochOf(role: string): { readonly stale: boolean; readonly provisional: boolean } | undefined;
  /** Undefined for who is not enrolled. */
  isMachine(person: string): boolean | undefined;
  /** True while the very device that signed is enrolled: a newcomer under an old name is somebody else. */
  lives(signer: Signer): boolean;
  /** True when the person is a custodian of the version with a living device that their share is sealed to. */
  isCustodian(statement: string, person: string): boolean;
  /** True for a recipient that ever was somebody's: a person's, a role's, another request's. */
  recipientKnown(recipient: string): boolean;
  /**
   * What `make` gives, made once for this key as long as neither the policy nor a rule that stands in changes. Every act of a handover of
   * everything asks what it binds, and a log full of small acts must not take hours to fold.
   */
  once(key: string, make: () => string): string;
  /** By statement digest. */
  version(statement: string): TargetVersion | undefined;
  /** Every secret: its newest version that counts, with the digest of its statement, and the leaf of that. */
  secrets(): Iterable<{ readonly name: string; readonly statement: string; readonly leaf: number; readonly readers: readonly string[]; readonly group?: string }>;
}

export interface HandoverContext {
  readonly leaf: number;
  /** Claimed time of the entry, whole seconds. */
  readonly time: number;
  /** Entry digest. */
  readonly digest: string;
  readonly actor: Signer;
  readonly authority: HandoverAuthority;
}

/** True when the person is a member of one of these roles. */
export function actsFor(authority: HandoverAuthority, person: string, roles: readonly string[]): boolean {
  const own = authority.rolesOf(person);
  return roles.some((role) => own.includes(role));
}
