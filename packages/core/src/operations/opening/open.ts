/** Opening: hash, then header, then decryption, all in memory; recorded before a byte is returned. */
import { inParallel } from '../../engine/parallel.js';
import { isVaultError, PUT_BACK, VaultError } from '../../errors.js';
import { ageDecrypt, ageHeaderStanzas, type AgeHeaderStanzas } from '../../primitives/age.js';
import { isContent } from '../../primitives/hash.js';
import { newestOf, newestVersion, versionOf, type SecretVersion } from '../../seal/state.js';
import { ciphertextPath, type Statement } from '../../seal/statement.js';
import { Secret } from '../../secret.js';
import type { Vault } from '../../vault.js';
import { pendingFault } from '../custody/report.js';
import { nearNames } from '../near-names.js';
import { needsGrant, ownReaders } from './faults.js';
import { record, type Recording } from './recording.js';
import { roleKeys, type RoleKeys } from '../people/role-keys.js';
import { standingOf } from './standing.js';
import { noSuchRole } from '../no-such.js';

export interface OpenRequest extends Recording {
  /** Secrets by name, each at its newest version unless `version` says otherwise. */
  readonly secrets: readonly { readonly name: string; readonly version?: number }[];
  /** Told the names that this machine opened under standing access: of these nothing is recorded. */
  readonly onStanding?: (names: readonly string[]) => void;
}

export interface OpenedVersion {
  readonly name: string;
  readonly version: number;
  readonly kind: string;
  readonly file: Secret;
  readonly public: Statement['public'];
  readonly parameters: Statement['parameters'];
  readonly newest: boolean;
  readonly retired: boolean;
}

/** Names of the secrets that a role may read at their newest version, in order. Throws ROLE_NOT_FOUND. */
export function readableBy(vault: Vault, role: string): string[] {
  if (!Object.hasOwn(vault.policy.policy.roles, role)) {
    throw noSuchRole(vault.policy, role);
  }
  return vault.state.secrets.versions.sortedKeys().filter((name) => {
    const statement = newestOf(vault.state.secrets, name)?.statement;
    return statement && 'readers' in statement && statement.readers.some((r) => r.role === role);
  });
}

/** The version that is meant. Throws SECRET_NOT_FOUND, VERSION_NOT_FOUND, PENDING. */
export function findVersion(vault: Vault, name: string, version?: number): SecretVersion {
  const versions = vault.state.secrets.versions.get(name);
  if (!versions) {
    const near = nearNames(name, vault.state.secrets.versions.sortedKeys());
    throw new VaultError('SECRET_NOT_FOUND', `there is no secret ${name}`, {
      hint: near.length > 0 ? `Did you mean: ${near.join(', ')}?` : 'See what there is: oxp-vault list',
    });
  }
  if (version !== undefined) {
    const found = versionOf(vault.state.secrets, name, version);
    if (!found) throw new VaultError('VERSION_NOT_FOUND', `${name} has no version ${version}: it has 1 to ${versions.length}`);
    return found;
  }
  const newest = newestVersion(versions);
  if (!newest) throw pendingFault(vault, name);
  return newest;
}

/**
 * Opens secrets for this person. The opening is in the log, or at least fsynced in the queue, before the promise resolves; a machine
 * with standing access writes nothing.
 * Throws NOT_A_READER, NEEDS_GRANT, BLOB_MISSING, HASH_MISMATCH, STANZA_MISMATCH, SEALER_FAULT and what `findVersion` throws.
 */
export async function openSecrets(vault: Vault, request: OpenRequest): Promise<OpenedVersion[]> {
  vault.requireActor();
  const found = request.secrets.map(({ name, version }) => findVersion(vault, name, version));
  // A deputy records by itself what it opens.
  const opened = await decryptVersions(vault, found);
  if (!vault.deputy) await recordOpening(vault, opened.map((o) => o.version), request);
  return opened.map(({ version, file }) => describeOpened(vault, version, file));
}

/** Decrypts without recording, unless a deputy does it: for what stays in memory, as a comparison before sealing. Nothing of it may be shown. */
export async function decryptVersions(vault: Vault, versions: readonly SecretVersion[]): Promise<{ version: SecretVersion; file: Secret }[]> {
  if (vault.deputy) {
    const files = await vault.deputy.open(versions.map(({ statement }) => ({ name: statement.name, version: statement.version })));
    return versions.map((version, i) => ({ version, file: files[i]!.file }));
  }
  const decrypt = decrypter(vault);
  return inParallel(versions, async (version) => ({ version, file: await decrypt(version) }));
}

/** Decrypts versions one by one, without recording: the grant of a role is opened once for all of them. Nothing may be shown. */
export function decrypter(vault: Vault): (version: SecretVersion) => Promise<Secret> {
  const rings = new Map<string, Promise<RoleKeys>>();
  const ring = (role: string): Promise<RoleKeys> => {
    const known = rings.get(role) ?? roleKeys(vault, role);
    rings.set(role, known);
    return known;
  };
  return (version) => decryptVersion(vault, version, ring);
}

async function decryptVersion(vault: Vault, version: SecretVersion, ring: (role: string) => Promise<RoleKeys>): Promise<Secret> {
  const { statement, sealer } = version;
  const key = await readingKey(vault, version, ring);
  const bytes = await signedCiphertext(vault, version);
  try {
    return Secret.take(await ageDecrypt(bytes, [key]));
  } catch (cause) {
    throw new VaultError('SEALER_FAULT', `${sealer.person} sealed ${statement.name} version ${statement.version} and named your role as a reader, but it cannot be opened with the role's key`, { cause, hint: `Ask ${sealer.person} to seal it again.` });
  }
}

/** The file of a version, as it was signed: hash, size and recipients. Throws BLOB_MISSING, HASH_MISMATCH, SEALER_FAULT, STANZA_MISMATCH. */
export async function signedCiphertext(vault: Vault, version: SecretVersion): Promise<Uint8Array> {
  const { statement, sealer } = version;
  const label = `${statement.name} version ${statement.version}`;
  const path = ciphertextPath(statement);
  const bytes = await vault.store.get(path);
  if (!bytes) throw new VaultError('BLOB_MISSING', `${label} is in the log, and its file ${path} is missing`, { hint: PUT_BACK });
  if (!isContent(bytes, statement.ciphertext)) {
    throw new VaultError('HASH_MISMATCH', `${path} is not the file that ${sealer.person} signed as ${label}`, {
      hint: 'It was changed after it was sealed. Nothing of it was decrypted.',
    });
  }
  const stanzas = await headerOf(bytes, `${sealer.person} sealed ${label} with a file that is not an age file`);
  const { type, count } = statement.ciphertext.stanzas;
  if (stanzas.count !== count || stanzas.types.some((t) => t !== type)) {
    throw new VaultError('STANZA_MISMATCH', `${path} has other recipients in its header than ${sealer.person} signed for ${label}`);
  }
  return bytes;
}

/** The bytes are those that were signed: whatever is wrong with them is their signer's fault. */
async function headerOf(bytes: Uint8Array, fault: string): Promise<AgeHeaderStanzas> {
  try {
    return await ageHeaderStanzas(bytes);
  } catch (cause) {
    if (isVaultError(cause, 'DECRYPT_FAILED')) throw new VaultError('SEALER_FAULT', fault, { cause });
    throw cause;
  }
}

/** The identity line of the role key that this version is sealed to, of a role that this person is in. */
export async function readingKey(vault: Vault, version: SecretVersion, ring: (role: string) => Promise<RoleKeys> = (role) => roleKeys(vault, role)): Promise<string> {
  const readers = ownReaders(vault, version);
  if (readers instanceof VaultError) throw readers;
  for (const reader of readers) {
    const key = (await ring(reader.role)).get(reader.recipient);
    if (key !== undefined) return key;
  }
  throw needsGrant(readers[0].role);
}

/** Before anything is returned: nothing for what a machine opens under standing access, an entry for everything else. */
async function recordOpening(vault: Vault, versions: readonly SecretVersion[], request: OpenRequest): Promise<void> {
  const free = versions.filter((ver) => standingOf(vault, ver.statement.name) !== undefined);
  if (free.length > 0) request.onStanding?.([...new Set(free.map((ver) => ver.statement.name))]);
  const statements = [...new Set(versions.filter((ver) => !free.includes(ver)).map((ver) => ver.digest))].sort();
  if (statements.length > 0) await record(vault, { statements }, request);
}

/** What was opened, with what is signed and public about it. */
export function describeOpened(vault: Vault, version: SecretVersion, file: Secret): OpenedVersion {
  const { statement } = version;
  const newest = newestOf(vault.state.secrets, statement.name) === version;
  return {
    name: statement.name, version: statement.version, kind: statement.kind, file,
    public: statement.public, parameters: statement.parameters, newest, retired: version.retired !== undefined,
  };
}
