/** Opening what was released: shares and file keys into the value, in memory, each checked against what was signed; then the self-checks. */
import { checkShare, combineShares, type GivenShare } from '../../custody/combine.js';
import { parseShareLine } from '../../custody/share.js';
import { custodyOf } from '../../custody/state.js';
import { isVaultError, PUT_BACK, VaultError, isFileFault } from '../../errors.js';
import { parseFileKey } from '../../handover/file-key.js';
import { releasePath } from '../../handover/release.js';
import type { Handover, Release, Target } from '../../handover/state.js';
import { hasEmbeddedCredential } from '../../material/kube-auth.js';
import { isMaterialKind, materialKind } from '../../material/index.js';
import type { CheckResult } from '../../material/material.js';
import { ageDecrypt, decryptWithFileKey } from '../../primitives/age.js';
import { isContent } from '../../primitives/hash.js';
import type { SecretVersion } from '../../seal/state.js';
import { Secret } from '../../secret.js';
import type { Vault } from '../../vault.js';
import type { BlobRef } from '../../wire.js';
import { versionByDigest } from './find.js';
import { signedCiphertext } from '../opening/open.js';
import { count } from '../../primitives/count.js';

export interface OpenedTarget {
  readonly target: Target;
  readonly version: SecretVersion;
  /** Absent where what was released does not open it, although it is what was dealt and signed. The caller wipes it. */
  readonly file?: Secret;
  readonly checks: readonly CheckResult[];
}

/**
 * Opens one target with the one-time identity. What is spoilt is passed over where the rest is enough, else thrown with the name of who
 * released it: SHARE_MISMATCH, HASH_MISMATCH, BLOB_MISSING, DECRYPT_FAILED. What opens to nothing right is no exception but a failed check,
 * because it belongs on the record.
 */
export async function openTarget(vault: Vault, handover: Handover, target: Target, oneTime: Secret): Promise<OpenedTarget> {
  const version = versionByDigest(vault, target.statement);
  const opened = 'custody' in version.statement ? await fromShares(vault, handover, version, oneTime) : await fromFileKey(vault, handover, version, oneTime);
  if (!opened.file) return { target, version, checks: [opened.check] };
  return { target, version, file: opened.file, checks: [opened.check, ...(await selfChecks(vault, version, opened.file))] };
}

interface FromRelease {
  readonly file?: Secret;
  readonly check: CheckResult;
}

async function fromShares(vault: Vault, handover: Handover, version: SecretVersion, oneTime: Secret): Promise<FromRelease> {
  const record = custodyOf(vault.state.custody, version.digest);
  if (!record) throw new VaultError('VERSION_NOT_FOUND', `nobody holds shares of ${version.statement.name} v${version.statement.version}`);
  const given: GivenShare[] = [];
  let spoilt: VaultError | undefined;
  for (const release of handover.releases) {
    for (const item of release.shares.filter((share) => share.statement === version.digest)) {
      try {
        const plain = await readRelease(vault, handover, release, item.blob, oneTime);
        const share = { path: item.path, share: parseShareLine({ vault: vault.id, name: record.name, version: record.version, path: item.path }, plain) };
        plain.fill(0);
        checkShare(vault.id, record, share);
        if (!given.some((other) => other.path === item.path)) given.push(share);
      } catch (error) {
        spoilt = blame(error, release);
      }
    }
  }
  const check = count(given.length, 'share matches its commitment', 'shares, all match their commitments');
  try {
    const identity = await combineShares(vault.id, record, given);
    return { file: Secret.take(await ageDecrypt(await signedCiphertext(vault, version), [identity])), check: { check, ok: true } };
  } catch (error) {
    // Too few that are right: those that are not are to blame, and others may still come.
    if (isVaultError(error, 'NEEDS_SHARES')) throw spoilt ?? error;
    if (isVaultError(error, 'SEALER_FAULT') || isVaultError(error, 'DECRYPT_FAILED')) return { check: { check: 'its shares open it', ok: false, detail: error.message } };
    throw error;
  } finally {
    for (const { share } of given) share.fill(0);
  }
}

async function fromFileKey(vault: Vault, handover: Handover, version: SecretVersion, oneTime: Secret): Promise<FromRelease> {
  const { name, version: number } = version.statement;
  const bytes = await signedCiphertext(vault, version);
  let spoilt: VaultError | undefined;
  for (const release of handover.releases) {
    for (const item of release.keys.filter((key) => key.statement === version.digest)) {
      try {
        const plain = await readRelease(vault, handover, release, item.blob, oneTime);
        const key = parseFileKey({ vault: vault.id, name, version: number }, plain);
        plain.fill(0);
        return { file: Secret.take(await decryptWithFileKey(bytes, key)), check: { check: 'opens with the file key that was released', ok: true } };
      } catch (error) {
        spoilt = blame(error, release);
      }
    }
  }
  throw spoilt ?? new VaultError('NEEDS_CONSENT', `nobody has released the file key of ${name} v${number} yet`);
}

async function readRelease(vault: Vault, handover: Handover, release: Release, blob: BlobRef, oneTime: Secret): Promise<Uint8Array> {
  const path = releasePath(handover.digest, release.by.person, blob.sha256);
  const bytes = await vault.store.get(path);
  if (!bytes) throw new VaultError('BLOB_MISSING', `${path} is in the log, and missing`, { hint: PUT_BACK });
  if (!isContent(bytes, blob)) throw new VaultError('HASH_MISMATCH', `${path} is not what ${release.by.person} released`);
  return oneTime.useText((line) => ageDecrypt(bytes, [line]));
}

/** A fault of one release, with the name of who made it. Trouble with the store is nobody's, and thrown. */
function blame(error: unknown, release: Release): VaultError {
  if (!isFileFault(error)) throw error;
  return new VaultError(error.code, `what ${release.by.person} released is of no use: ${error.message}`, { cause: error, hint: 'Somebody else who consented can release theirs: oxp-vault handover release ID' });
}

/** The kind's own checks of the file against the signed public parts. */
async function selfChecks(vault: Vault, { statement }: SecretVersion, file: Secret): Promise<CheckResult[]> {
  const { kind: name, parameters, public: publicParts } = statement;
  if (!isMaterialKind(name)) return [];
  const kind = await materialKind(name);
  const results = await kind.check({ kind: name, file, parameters, public: publicParts }, { now: vault.clock.now() });
  // A file that only names a program to ask hands over nothing.
  return name === 'kubeconfig' ? [...results, { check: 'has a credential inside', ok: hasEmbeddedCredential(publicParts) }] : results;
}
