/**
 * Closed schemas of the op bodies of a handover (docs/format.md, "Ops"). They are fixed from the first release on, so that
 * the bytes never change under anybody.
 */
import * as v from 'valibot';
import { BlobRef, Hex32, Name, Positive, Recipient, RulePath, sortedSet, Text, Time, TreePath, type JsonObject } from '../wire.js';

const Targets = v.pipe(sortedSet(Hex32), v.minLength(1));
const Roles = v.pipe(sortedSet(Name), v.minLength(1));
const successor = { path: RulePath, owners: Roles, writers: Roles, consents: Positive };
const SuccessorRule = v.union([v.strictObject({ ...successor, readers: Roles }), v.strictObject({ ...successor, custody: Name })]);

/** The giver starts. Binds nobody. `paths`: the names and paths that were offered; a request for them moves the rules at and below them. */
export const HandoverOffer = v.strictObject({ targets: Targets, paths: v.pipe(sortedSet(RulePath), v.minLength(1)), role: Name, reason: Text });

const requestCommon = { targets: Targets, recipient: Recipient, reason: Text, notAfter: Time, offer: v.nullable(Hex32) };
export const HandoverRequest = v.variant('mode', [
  v.strictObject({
    ...requestCommon,
    mode: v.literal('transfer'),
    role: Name,
    /** Custody group of the destination, for targets under custody; null where there is none. */
    custody: v.nullable(Name),
    keepReaders: sortedSet(Name),
    /** The rules of the successor policy for the targets, in order of path, each path once. */
    rules: v.pipe(v.array(SuccessorRule), v.minLength(1)),
    /** The successor's admins; null leaves them as they are. */
    admins: v.nullable(v.strictObject({ need: Positive, of: v.pipe(sortedSet(Name), v.minLength(1)) })),
  }),
  v.strictObject({ ...requestCommon, mode: v.literal('use') }),
]);

/** `binds` is the digest of what the consenter saw: the targets' rules and trees, kept roles, the destination's persons. */
export const HandoverConsent = v.strictObject({
  request: Hex32,
  leaves: v.array(v.strictObject({ statement: Hex32, path: TreePath })),
  ownership: sortedSet(Hex32),
  binds: Hex32,
});

export const HandoverRelease = v.strictObject({
  request: Hex32,
  /** Consent entries that together satisfy every target at this leaf. */
  consents: v.pipe(sortedSet(Hex32), v.minLength(1)),
  shares: v.array(v.strictObject({ statement: Hex32, path: TreePath, commitment: Hex32, recipient: Hex32, blob: BlobRef })),
  /** The age file key of a plain target, sealed to the one-time recipient. */
  keys: v.array(v.strictObject({ statement: Hex32, recipient: Hex32, blob: BlobRef })),
});

const SelfCheck = v.strictObject({ check: Text, ok: v.boolean() });
const AnyStatement = v.custom<JsonObject>((x) => typeof x === 'object' && x !== null && !Array.isArray(x));

/** The receipt. `new` is the full statement of the new version; null for a use without transfer. */
export const HandoverComplete = v.strictObject({
  request: Hex32,
  releases: v.pipe(sortedSet(Hex32), v.minLength(1)),
  targets: v.pipe(v.array(v.strictObject({ old: Hex32, new: v.nullable(AnyStatement), checks: v.array(SelfCheck) })), v.minLength(1)),
});

/** What could not be rotated is named by statement digest. */
export const HandoverFinalize = v.strictObject({ request: Hex32, policy: Hex32, unrotated: sortedSet(Hex32) });
export const HandoverAbort = v.strictObject({ request: Hex32, reason: Text });

/** What a drill opened and found, for `status`. */
export const VaultDrill = v.strictObject({ statements: sortedSet(Hex32), failed: sortedSet(Hex32) });

export type SuccessorRule = v.InferOutput<typeof SuccessorRule>;
export type HandoverOffer = v.InferOutput<typeof HandoverOffer>;
export type HandoverRequest = v.InferOutput<typeof HandoverRequest>;
export type TransferRequest = Extract<HandoverRequest, { mode: 'transfer' }>;
export type HandoverConsent = v.InferOutput<typeof HandoverConsent>;
export type HandoverRelease = v.InferOutput<typeof HandoverRelease>;
export type HandoverComplete = v.InferOutput<typeof HandoverComplete>;
export type HandoverFinalize = v.InferOutput<typeof HandoverFinalize>;
export type HandoverAbort = v.InferOutput<typeof HandoverAbort>;
export type VaultDrill = v.InferOutput<typeof VaultDrill>;
