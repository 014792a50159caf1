/**
 * Closed schemas of the op bodies of custody (docs/format.md, "Ops"). They are fixed from the first release on, so that the
 * bytes never change under anybody.
 */
import * as v from 'valibot';
import { BlobRef, Hex32, Positive, SecretName, TreePath } from '../wire.js';

/** A custodian has opened its share and found that it matches its commitment. */
export const CustodyAck = v.strictObject({ statement: Hex32, path: TreePath });
/** The same later on: the share still opens. */
export const CustodyCheck = v.strictObject({ statement: Hex32, path: TreePath, ok: v.boolean() });
/** A custodian re-seals its share to its own present devices. */
export const CustodyShare = v.strictObject({ name: SecretName, version: Positive, path: TreePath, blob: BlobRef });

export type CustodyAck = v.InferOutput<typeof CustodyAck>;
export type CustodyCheck = v.InferOutput<typeof CustodyCheck>;
export type CustodyShare = v.InferOutput<typeof CustodyShare>;
