/** A drill: everything that this person may read is opened in memory, on a scratch copy, and each material's self-check run. */
import { isVaultError, VaultError } from '../errors.js';
import { inParallel } from '../engine/parallel.js';
import { isMaterialKind, materialKind } from '../material/index.js';
import type { SecretVersion } from '../seal/state.js';
import type { Secret } from '../secret.js';
import type { Vault } from '../vault.js';
import { toSortedSet } from '../wire.js';
import { decrypter } from './opening/open.js';
import { ownReaders } from './opening/faults.js';

export interface DrillLine {
  readonly name: string;
  readonly version: number;
  readonly kind: string;
  /** Statement digest. */
  readonly digest: string;
  /** True when it could be decrypted, whether it passed its self-check or not. */
  readonly opened: boolean;
  /** Why it is of no use as it is. */
  readonly fault?: VaultError;
}

/**
 * Opens every version that is in use and that this person's roles read; nothing is shown, written or recorded. `scratch` is the vault
 * as met by a machine that knows nothing of it. Throws NOT_ENROLLED, MACHINE_NOT_ALLOWED.
 */
export async function runDrill(scratch: Vault, onProgress?: (done: number, total: number) => void): Promise<DrillLine[]> {
  if (scratch.requireActor().kind === 'machine') throw new VaultError('MACHINE_NOT_ALLOWED', 'a drill is for people: it shows that somebody could rebuild from this vault');
  const versions = readableInUse(scratch);
  const decrypt = decrypter(scratch);
  let done = 0;
  return inParallel(versions, async (version) => {
    const line = await tryOne(scratch, version, decrypt);
    onProgress?.(++done, versions.length);
    return line;
  });
}

/** Signs what came of it into the log. `vault` is the vault itself, not the scratch copy. */
export async function recordDrill(vault: Vault, lines: readonly DrillLine[]): Promise<void> {
  const digests = (of: (line: DrillLine) => boolean): string[] => toSortedSet(lines.filter(of).map(({ digest }) => digest));
  const body = { statements: digests(({ opened }) => opened), failed: digests(({ fault }) => fault !== undefined) };
  await vault.append({ entries: [vault.sign('vault.drill', body)], files: [] });
}

/** In order of name and version. */
function readableInUse(vault: Vault): SecretVersion[] {
  const { versions } = vault.state.secrets;
  return versions.sortedKeys().flatMap((name) => (versions.get(name) ?? []).filter((version) => !version.pending && !version.retired && !(ownReaders(vault, version) instanceof VaultError)));
}

async function tryOne(vault: Vault, version: SecretVersion, decrypt: (version: SecretVersion) => Promise<Secret>): Promise<DrillLine> {
  const { name, version: number, kind } = version.statement;
  const line = { name, version: number, kind, digest: version.digest };
  let file: Secret;
  try {
    file = await decrypt(version);
  } catch (error) {
    if (!isVaultError(error)) throw error;
    return { ...line, opened: false, fault: error };
  }
  try {
    const fault = await checkFault(vault, version, file);
    return fault ? { ...line, opened: true, fault } : { ...line, opened: true };
  } finally {
    file.wipe();
  }
}

async function checkFault(vault: Vault, { statement }: SecretVersion, file: Secret): Promise<VaultError | undefined> {
  const { name, version, kind, parameters, public: publicParts } = statement;
  if (!isMaterialKind(kind)) return new VaultError('UNSUPPORTED', `this release knows no material of kind ${kind}`, { hint: 'Install a newer oxp-vault.' });
  const results = await (await materialKind(kind)).check({ kind, file, parameters, public: publicParts }, { now: vault.clock.now() });
  const failed = results.filter(({ ok }) => !ok);
  if (failed.length === 0) return undefined;
  return new VaultError('SELF_CHECK_FAILED', `${name} v${version} opens and fails its own check: ${failed.map(({ check }) => check).join(', ')}`, {
    details: failed.flatMap(({ detail }) => (detail === undefined ? [] : [detail])),
  });
}
