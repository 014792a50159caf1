/** The part of a vault's state that knows the handovers and what each has come to. Plain data: it is cached between runs. */
import { PersistentMap } from '../primitives/persistent-map.js';
import type { Signer } from '../wire.js';
import type { HandoverAbort, HandoverConsent, HandoverFinalize, HandoverOffer, HandoverRelease, HandoverRequest, SuccessorRule } from './ops.js';

/** An act: the entry that did it, where it stands, who signed it and when by their claim. */
export interface Act {
  /** Entry digest. */
  readonly digest: string;
  readonly leaf: number;
  /** Claimed, whole seconds. */
  readonly time: number;
  readonly by: Signer;
}

export type Offer = Act & HandoverOffer;
export type Consent = Act & Omit<HandoverConsent, 'request'>;
export type Release = Act & Omit<HandoverRelease, 'request'>;

/** A version that is asked for. */
export interface Target {
  /** Statement digest. */
  readonly statement: string;
  readonly name: string;
  readonly version: number;
}

/** What became of one target at the receipt. */
export interface Outcome {
  readonly old: string;
  /** The statement that was sealed for the receivers; null for a use, and where a self-check failed. */
  readonly new: string | null;
  readonly checks: readonly { readonly check: string; readonly ok: boolean }[];
  /** Set by an abort while the new version still waited for its custodians. */
  readonly withdrawn?: Act;
}

export type Receipt = Act & { readonly releases: readonly string[]; readonly targets: readonly Outcome[] };

/** One handover: its request is its name, and everything else follows in the order of the log. */
export interface Handover extends Act {
  readonly request: HandoverRequest;
  /** In the order of `request.targets`. */
  readonly targets: readonly Target[];
  readonly consents: readonly Consent[];
  readonly releases: readonly Release[];
  readonly receipt?: Receipt;
  /** The leaf after the receipt at which the policy first said all that was asked for. What admins change later is their own affair. */
  readonly moved?: number;
  readonly finalized?: Act & Omit<HandoverFinalize, 'request'>;
  /** The newest abort. After the receipt it concerns only what was withdrawn. */
  readonly aborted?: Act & Omit<HandoverAbort, 'request'>;
}

/** The newest drill of a person. */
export type Drill = Act & { readonly statements: readonly string[]; readonly failed: readonly string[] };

/** A rule of a request that decides in place of the policy's (stand-in.ts). */
export interface StandIn {
  readonly handover: string;
  readonly rule: SuccessorRule;
}

export interface HandoversState {
  /** By the digest of the request's entry. */
  readonly handovers: PersistentMap<Handover>;
  /** By entry digest. */
  readonly offers: PersistentMap<Offer>;
  /** By name of secret: rules that stand in for the policy's, the one that decides last. */
  readonly standIns: ReadonlyMap<string, readonly StandIn[]>;
  /** By person. */
  readonly drills: ReadonlyMap<string, Drill>;
}

export const noHandovers: HandoversState = {
  handovers: PersistentMap.from([]), offers: PersistentMap.from([]), standIns: new Map(), drills: new Map(),
};

/**
 * `open` until the receipt; `completed` until what was delivered is finalized; `done` after that, and after the receipt of a use.
 * `failed`: the receipt says that nothing passed its self-check. `aborted`: before the receipt, or everything was withdrawn.
 */
export type HandoverStage = 'open' | 'completed' | 'done' | 'failed' | 'aborted';

export function stageOf(handover: Handover): HandoverStage {
  const { receipt, finalized, aborted, request } = handover;
  if (!receipt) return aborted ? 'aborted' : 'open';
  if (finalized || request.mode === 'use') return 'done';
  if (delivered(handover).length > 0) return 'completed';
  return aborted ? 'aborted' : 'failed';
}

/** What the receivers have got and keep. */
export function delivered(handover: Handover): Outcome[] {
  return (handover.receipt?.targets ?? []).filter((outcome) => outcome.new !== null && !outcome.withdrawn);
}

/**
 * The handovers by which versions left those who keep them, without ending in a version of the receivers: a use, an abort, or one that is
 * still on its way; by statement digest. Releases count across requests.
 */
export function looseReleases(state: HandoversState): Map<string, Handover[]> {
  const loose = new Map<string, Handover[]>();
  for (const handover of [...state.handovers.values()].sort((a, b) => a.leaf - b.leaf)) {
    const kept = new Set(delivered(handover).map((outcome) => outcome.old));
    const left = new Set(handover.releases.flatMap((release) => [...release.shares, ...release.keys].map((item) => item.statement)));
    for (const statement of left) if (!kept.has(statement)) loose.set(statement, [...(loose.get(statement) ?? []), handover]);
  }
  return loose;
}

/** The same handover, changed. */
export function withHandover(state: HandoversState, handover: Handover): HandoversState {
  return { ...state, handovers: state.handovers.set(handover.digest, handover) };
}
