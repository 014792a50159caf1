/** Which versions under custody still count. */
import type { CustodyRecord } from '../../custody/state.js';
import { compareText } from '../../primitives/compare.js';
import { newestVersion, versionsOf, type SecretVersion } from '../../seal/state.js';
import type { Vault } from '../../vault.js';

/** A version under custody that counts: a newest one, or one that waits to become it. */
export interface HeldVersion {
  readonly version: SecretVersion;
  readonly record: CustodyRecord;
}

/** All of them, in order of name and version. A vault has few beside its other secrets, so it is these that are walked over. */
export function versionsUnderCustody(vault: Vault): HeldVersion[] {
  const held = [...vault.state.custody.versions].flatMap(([digest, record]) => {
    const versions = versionsOf(vault.state.secrets, record.name);
    const version = versions.find((each) => each.digest === digest);
    const counts = version && version.statement.version >= (newestVersion(versions)?.statement.version ?? 0);
    return counts ? [{ version, record }] : [];
  });
  return held.sort((a, b) => compareText(a.record.name, b.record.name) || a.record.version - b.record.version);
}
