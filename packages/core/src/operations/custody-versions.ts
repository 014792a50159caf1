/** Which versions under custody still count. */
import { custodyOf, type CustodyRecord } from '../custody/state.js';
import { newestVersion, type SecretVersion } from '../seal/state.js';
import type { Vault } from '../vault.js';

/** A version under custody that counts: a newest one, or one that waits to become it. */
export interface HeldVersion {
  readonly version: SecretVersion;
  readonly record: CustodyRecord;
}

/** All of them, in order of name and version. */
export function versionsUnderCustody(vault: Vault): HeldVersion[] {
  const { secrets } = vault.state.secrets;
  return secrets.sortedKeys().flatMap((name) => {
    const versions = secrets.get(name) ?? [];
    const from = newestVersion(versions)?.statement.version ?? 0;
    return versions.filter((version) => version.statement.version >= from).flatMap((version) => {
      const record = custodyOf(vault.state.custody, version.digest);
      return record ? [{ version, record }] : [];
    });
  });
}
