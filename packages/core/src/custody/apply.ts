/** What custodians sign of their shares, judged at its leaf. */
import { refusal, type Refusal } from '../errors.js';
import type { ThresholdTree } from '../primitives/threshold-tree.js';
import type { BlobRef, Signer } from '../wire.js';
import type { CustodyAck, CustodyCheck, CustodyShare } from './ops.js';
import { custodyOf, leafAt, type CustodyLeaf, type CustodyRecord, type CustodyState, type DevicesOf } from './state.js';

export interface CustodyContext {
  readonly leaf: number;
  readonly time: number;
  readonly actor: Signer;
  readonly devicesOf: DevicesOf;
}

/** A version under custody, as its statement has it. */
export interface SealedVersion {
  readonly name: string;
  readonly version: number;
  readonly custody: {
    readonly group: string;
    readonly tree: ThresholdTree;
    readonly recipient: string;
    readonly leaves: readonly { readonly path: string; readonly person: string; readonly blob: BlobRef; readonly commitment: string }[];
  };
}

/** A version was sealed under custody: each share file is for the devices that its custodian has at this leaf. */
export function registerVersion(state: CustodyState, statement: string, sealed: SealedVersion, context: Pick<CustodyContext, 'leaf' | 'devicesOf'>): CustodyState {
  const { group, tree, recipient } = sealed.custody;
  const leaves = sealed.custody.leaves.map(({ path, person, commitment, blob }): CustodyLeaf => ({
    path, person, commitment, sealed: blob, share: { blob, leaf: context.leaf, devices: context.devicesOf(person) },
  }));
  return { versions: state.versions.set(statement, { name: sealed.name, version: sealed.version, group, tree, recipient, leaves }) };
}

export function applyAck(state: CustodyState, body: CustodyAck, context: CustodyContext): CustodyState | Refusal {
  const held = heldLeaf(state, body.statement, body.path, context);
  if ('code' in held) return held;
  const { record, leaf } = held;
  if (leaf.acknowledged) return refusal('ALREADY_DONE', `${leaf.person} has acknowledged the share of ${labelOf(record)} already`);
  return withLeaf(state, body.statement, record, { ...leaf, acknowledged: markOf(context) });
}

export function applyCheck(state: CustodyState, body: CustodyCheck, context: CustodyContext): CustodyState | Refusal {
  const held = heldLeaf(state, body.statement, body.path, context);
  if ('code' in held) return held;
  return withLeaf(state, body.statement, held.record, { ...held.leaf, checked: { ...markOf(context), ok: body.ok } });
}

/** `statement` is the digest of the version that the body names, where there is such a version. */
export function applyShare(state: CustodyState, body: CustodyShare, statement: string | undefined, context: CustodyContext): CustodyState | Refusal {
  if (statement === undefined) return refusal('VERSION_NOT_FOUND', `${body.name} has no version ${body.version}`);
  const held = heldLeaf(state, statement, body.path, context);
  if ('code' in held) return held;
  const share = { blob: body.blob, leaf: context.leaf, devices: context.devicesOf(held.leaf.person) };
  return withLeaf(state, statement, held.record, { ...held.leaf, share });
}

/** The leaf, if it is the signer's own, and the share is sealed to the very device that signs: another one could not have opened it. */
function heldLeaf(state: CustodyState, statement: string, path: string, { actor }: CustodyContext): { record: CustodyRecord; leaf: CustodyLeaf } | Refusal {
  const record = custodyOf(state, statement);
  if (!record) return refusal('VERSION_NOT_FOUND', `no version under custody has the statement digest ${statement.slice(0, 8)}`);
  const leaf = leafAt(record, path);
  if (leaf?.person !== actor.person) {
    return refusal('NOT_ALLOWED', leaf ? `the share ${path} of ${labelOf(record)} is that of ${leaf.person}, not of ${actor.person}` : `${labelOf(record)} has no share ${path}`);
  }
  if (!leaf.share.devices.includes(actor.key)) {
    return refusal('NOT_ALLOWED', `the share of ${actor.person} of ${labelOf(record)} is not sealed to device ${actor.device}`, 'Run any writing command with a device that can open it: it seals the share to all your devices.');
  }
  return { record, leaf };
}

function withLeaf(state: CustodyState, statement: string, record: CustodyRecord, changed: CustodyLeaf): CustodyState {
  const leaves = record.leaves.map((leaf) => (leaf.path === changed.path ? changed : leaf));
  return { versions: state.versions.set(statement, { ...record, leaves }) };
}

function markOf({ leaf, time }: CustodyContext): { leaf: number; time: number } {
  return { leaf, time };
}

function labelOf({ name, version }: CustodyRecord): string {
  return `${name} v${version}`;
}
