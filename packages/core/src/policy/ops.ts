/** Closed schemas of the op bodies that concern who is who: policy, devices, roles (docs/format.md, "Ops"). */
import * as v from 'valibot';
import { BlobRef, Hex32, Name, Positive, Recipient } from '../wire.js';

export const VaultInit = v.strictObject({ policy: Hex32 });
export const PolicyPropose = v.strictObject({ number: Positive, digest: Hex32, previous: Hex32 });
export const PolicySign = v.strictObject({ digest: Hex32 });
export const PolicyWithdraw = v.strictObject({ digest: Hex32 });

/** `card` is the card line as exchanged. */
export const DeviceAdd = v.strictObject({ card: v.pipe(v.string(), v.maxLength(8192)) });
/** `key` is the key id of the device. */
export const DeviceRemove = v.strictObject({ key: Hex32 });

export const RoleEpoch = v.strictObject({
  role: Name,
  epoch: Positive,
  recipient: Recipient,
  /** True when a steward makes it. Must say what the log shows anyway, so that it cannot pretend. */
  provisional: v.boolean(),
});
export const RoleGrant = v.strictObject({ role: Name, epoch: Positive, recipient: Recipient, person: Name, blob: BlobRef });

export type VaultInit = v.InferOutput<typeof VaultInit>;
export type PolicyPropose = v.InferOutput<typeof PolicyPropose>;
export type PolicySign = v.InferOutput<typeof PolicySign>;
export type PolicyWithdraw = v.InferOutput<typeof PolicyWithdraw>;
export type DeviceAdd = v.InferOutput<typeof DeviceAdd>;
export type DeviceRemove = v.InferOutput<typeof DeviceRemove>;
export type RoleEpoch = v.InferOutput<typeof RoleEpoch>;
export type RoleGrant = v.InferOutput<typeof RoleGrant>;
