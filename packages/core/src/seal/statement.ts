/** The signed statement of one version of a secret: what it is, which ciphertext, for whom (docs/format.md, "Statement"). */
import * as v from 'valibot';
import { canonicalJson } from '../primitives/canonical-json.js';
import { taggedHash, toHex } from '../primitives/hash.js';
import { thresholdTreeSchema } from '../primitives/threshold-tree.js';
import { BlobRef, Count, Hex32, Name, Positive, Recipient, SecretName, TreePath, type JsonObject } from '../wire.js';

/** Public parts and generator parameters: any JSON object that canonical JSON can hold. */
const PublicObject = v.custom<JsonObject>((x) => typeof x === 'object' && x !== null && !Array.isArray(x));

export const Origin = v.variant('how', [
  v.strictObject({ how: v.literal('generated') }),
  v.strictObject({ how: v.literal('imported') }),
  /** The same value again; `of` is the digest of the statement that held it. */
  v.strictObject({ how: v.literal('reseal'), of: Hex32 }),
]);

export const Ciphertext = v.strictObject({
  sha256: Hex32,
  size: Count,
  /** One type only: mixing classic and post-quantum recipients is refused. */
  stanzas: v.strictObject({ type: v.picklist(['X25519', 'mlkem768x25519']), count: Positive }),
});
export type Ciphertext = v.InferOutput<typeof Ciphertext>;

export const Reader = v.strictObject({ role: Name, epoch: Positive, recipient: Recipient });
export type Reader = v.InferOutput<typeof Reader>;

export const Custody = v.strictObject({
  group: Name,
  scheme: v.literal('split-v1'),
  recipient: Recipient,
  tree: thresholdTreeSchema(Name),
  leaves: v.pipe(v.array(v.strictObject({ path: TreePath, person: Name, blob: BlobRef, commitment: Hex32 })), v.minLength(1)),
});
export type Custody = v.InferOutput<typeof Custody>;

const common = {
  name: SecretName,
  version: Positive,
  /** Digest of the statement before; null for version 1. */
  previous: v.nullable(Hex32),
  origin: Origin,
  kind: Name,
  parameters: PublicObject,
  public: PublicObject,
  ciphertext: Ciphertext,
};
export const Statement = v.union([
  v.strictObject({ ...common, readers: v.pipe(v.array(Reader), v.minLength(1)) }),
  v.strictObject({ ...common, custody: Custody }),
]);
export type Statement = v.InferOutput<typeof Statement>;

const TAG = 'oxp-vault/statement/v1';

/** SHA-256 of the tag, NUL, the canonical statement; hex. */
export function statementDigest(statement: Statement): string {
  return toHex(taggedHash(TAG, canonicalJson(statement)));
}

/** `0001` */
export function versionDigits(version: number): string {
  return String(version).padStart(4, '0');
}

/** `secrets/dns/rfc2136_tsig_secret/0001-3f9a2c1b.age` */
export function ciphertextPath(statement: Statement): string {
  return `secrets/${statement.name}/${versionDigits(statement.version)}-${statement.ciphertext.sha256.slice(0, 8)}.age`;
}

/** `secrets/pki/root/0001-shares/alice-3f9a2c1b.age` */
export function sharePath(name: string, version: number, person: string, sha256: string): string {
  return `secrets/${name}/${versionDigits(version)}-shares/${person}-${sha256.slice(0, 8)}.age`;
}
