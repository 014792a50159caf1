/** What a person could know by the log, and what it takes to make that knowledge worthless. */
import { isMaterialKind, materialKind, type Rotation } from '../material/index.js';
import { newestVersion, type SecretVersion } from '../seal/state.js';
import type { Vault } from '../vault.js';

export interface KnownSecret {
  readonly name: string;
  readonly kind: string;
  /** Versions that the person could have read, or sealed. */
  readonly versions: readonly number[];
  /** True while one of them is not retired: a new version replaces it only once it is deployed everywhere. */
  readonly inUse: boolean;
  /** How the person knows it, in words. */
  readonly how: string;
  /** How the next value is made. */
  readonly rotation: Rotation;
}

/** Every secret of which a person could have opened a version, by the grants in the log, or which they sealed. In order of name. */
export async function knownTo(vault: Vault, person: string): Promise<KnownSecret[]> {
  const highest = highestEpochs(vault, person);
  const found: KnownSecret[] = [];
  for (const name of vault.state.secrets.secrets.sortedKeys()) {
    const versions = vault.state.secrets.secrets.get(name) ?? [];
    const read = versions.filter((ver) => rolesThatRead(ver, highest).length > 0);
    const known = versions.filter((ver) => read.includes(ver) || ver.sealer.person === person);
    const { statement } = newestVersion(versions) ?? versions[0]!;
    if (known.length === 0) continue;
    const roles = [...new Set(read.flatMap((ver) => rolesThatRead(ver, highest)))].sort();
    found.push({
      name,
      kind: statement.kind,
      versions: known.map((ver) => ver.statement.version),
      inUse: known.some((ver) => !ver.retired),
      how: roles.length > 0 ? `member of ${roles.join(', ')}` : 'sealed it',
      rotation: isMaterialKind(statement.kind) ? (await materialKind(statement.kind)).rotation(statement.parameters, statement.public) : { how: 'by-hand', words: 'make a new value where it comes from' },
    });
  }
  return found;
}

/** The newest epoch of each role whose key the person was granted or made. A grant holds its epoch's key and all earlier ones. */
function highestEpochs(vault: Vault, person: string): Map<string, number> {
  const highest = new Map<string, number>();
  for (const [role, state] of vault.policy.roles) {
    for (const epoch of state.epochs) if (epoch.grants.has(person) || epoch.maker.person === person) highest.set(role, epoch.epoch);
  }
  return highest;
}

function rolesThatRead({ statement }: SecretVersion, highest: ReadonlyMap<string, number>): string[] {
  return 'readers' in statement ? statement.readers.filter((r) => r.epoch <= (highest.get(r.role) ?? 0)).map((r) => r.role) : [];
}
