/** What the fold of a log gives: plain data, each part owned by one domain. */
import type { CustodyState } from './custody/state.js';
import type { ErrorCode } from './errors.js';
import { noHandovers, type HandoversState } from './handover/state.js';
import type { PolicyState } from './policy/state.js';
import { DigestSet } from './primitives/digest-set.js';
import { PersistentMap } from './primitives/persistent-map.js';
import type { SecretsState } from './seal/state.js';

export interface VoidLeaf {
  readonly leaf: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** Entry digest, where the entry is truly its signer's: those very bytes never count again. */
  readonly digest?: string;
}

export interface VaultState {
  /** Leaves folded so far. */
  readonly size: number;
  /** Undefined before `vault.init`. */
  readonly policy: PolicyState | undefined;
  readonly secrets: SecretsState;
  /** Who holds the shares of versions under custody. */
  readonly custody: CustodyState;
  readonly handovers: HandoversState;
  readonly digests: DigestSet;
  /** By leaf index, in decimal. */
  readonly voids: PersistentMap<VoidLeaf>;
}

/** The state from the first entry on: a vault always has a policy. */
export type FoundedState = VaultState & { readonly policy: PolicyState };

export function isFounded(state: VaultState): state is FoundedState {
  return state.policy !== undefined;
}

export const emptyState: VaultState = {
  size: 0,
  policy: undefined,
  secrets: { versions: PersistentMap.from([]), statements: PersistentMap.from([]), ciphertexts: DigestSet.empty, standing: new Map() },
  custody: { versions: PersistentMap.from([]) },
  handovers: noHandovers,
  digests: DigestSet.empty,
  voids: PersistentMap.from([]),
};
