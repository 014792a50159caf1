/**
 * The part of a vault's state that knows who holds the shares of which version, and what has come of them. Plain data: it is cached
 * between runs. What this module answers is what a handover asks of a version under custody.
 */
import { isSatisfied, type ThresholdTree } from '../primitives/threshold-tree.js';
import type { PersistentMap } from '../primitives/persistent-map.js';
import type { BlobRef } from '../wire.js';

/** A leaf of the log, with the claimed time of its entry in whole seconds. */
export interface Mark {
  readonly leaf: number;
  readonly time: number;
}

export interface ShareFile {
  readonly blob: BlobRef;
  readonly leaf: number;
  /** Key ids of the devices that it is sealed to: those that its custodian had at that leaf. */
  readonly devices: readonly string[];
}

/** One leaf of the tree: the share of one custodian. */
export interface CustodyLeaf {
  readonly path: string;
  readonly person: string;
  /** Hex. */
  readonly commitment: string;
  /** The newest file: that of the sealing, or what the custodian has sealed to its devices since. */
  readonly share: ShareFile;
  /** The file of the sealing. */
  readonly sealed: BlobRef;
  readonly acknowledged?: Mark;
  /** The newest of its custodian's checks. */
  readonly checked?: Mark & { readonly ok: boolean };
}

/** A version under custody. Whether it is pending says the version itself (seal/state.ts). */
export interface CustodyRecord {
  readonly name: string;
  readonly version: number;
  readonly group: string;
  readonly tree: ThresholdTree;
  /** The recipient that the payload is sealed to, and whose identity the shares give. */
  readonly recipient: string;
  /** In order of the tree. */
  readonly leaves: readonly CustodyLeaf[];
}

export interface CustodyState {
  /** By statement digest. */
  readonly versions: PersistentMap<CustodyRecord>;
}

/** Key ids of a person's living devices; empty for who is not enrolled. */
export type DevicesOf = (person: string) => readonly string[];

/** Undefined for a version that is not under custody. */
export function custodyOf(state: CustodyState, statement: string): CustodyRecord | undefined {
  return state.versions.get(statement);
}

export function leafAt<L extends { readonly path: string }>(record: { readonly leaves: readonly L[] }, path: string): L | undefined {
  return record.leaves.find((leaf) => leaf.path === path);
}

/** A person has at most one leaf in a tree. */
export function leafOf(record: CustodyRecord, person: string): CustodyLeaf | undefined {
  return record.leaves.find((leaf) => leaf.person === person);
}

/**
 * True when the custodian is enrolled with a device that the newest share file is sealed to. A device counts, not a name: who has
 * lost every such device cannot open the share, and a newcomer with an old name never could.
 */
export function canAct(leaf: CustodyLeaf, devicesOf: DevicesOf): boolean {
  const living = devicesOf(leaf.person);
  return leaf.share.devices.some((key) => living.includes(key));
}

/** True when those of the persons who can act satisfy the tree together. */
export function couldOpen(record: CustodyRecord, persons: (person: string) => boolean, devicesOf: DevicesOf): boolean {
  return isSatisfied(record.tree, (person) => {
    const leaf = leafOf(record, person);
    return leaf !== undefined && persons(person) && canAct(leaf, devicesOf);
  });
}

/** True when custodians who satisfy the tree, and can act still, have acknowledged their shares. */
export function isAcknowledged(record: CustodyRecord, devicesOf: DevicesOf): boolean {
  return couldOpen(record, (person) => leafOf(record, person)?.acknowledged !== undefined, devicesOf);
}

/** Custodians who can act and have not acknowledged, in order of the tree. */
export function awaited(record: CustodyRecord, devicesOf: DevicesOf): CustodyLeaf[] {
  return record.leaves.filter((leaf) => leaf.acknowledged === undefined && canAct(leaf, devicesOf));
}
