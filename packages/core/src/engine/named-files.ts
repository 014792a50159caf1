/** The files without which a leaf cannot be judged: they are part of the log. */
import { entryBody, objectPath, parseEntry, type Entry } from '../audit/entry.js';
import { isVaultError } from '../errors.js';
import { parseBody, type OpBody } from '../ops.js';
import { policyPath } from '../policy/policy.js';
import type { PolicyState } from '../policy/state.js';
import type { Store } from '../ports.js';
import { sha256Hex } from '../primitives/hash.js';
import type { VaultState } from '../state.js';
import { MissingFile } from './pages.js';

/**
 * The policy files and objects that an entry names. Those of an entry that does not parse are nobody's concern: it is void. A file
 * that is not what was signed counts as missing: were its leaf void instead, whoever can write to the store would decide what counts.
 */
export async function namedFiles(store: Store, data: Uint8Array, state: VaultState, policyFiles: Map<string, string>): Promise<{ paths: string[]; bySha256: Map<string, Uint8Array> }> {
  const paths: string[] = [];
  const bySha256 = new Map<string, Uint8Array>();
  const need = async (path: string, sha256: string): Promise<void> => {
    const bytes = await store.get(path);
    if (!bytes || sha256Hex(bytes) !== sha256) throw new MissingFile(path);
    paths.push(path);
    bySha256.set(sha256, bytes);
  };
  let entry: Entry;
  try {
    entry = parseEntry(data);
  } catch (error) {
    if (isVaultError(error)) return { paths, bySha256 };
    throw error;
  }
  if ('object' in entry.payload) await need(objectPath(entry.payload.object.sha256), entry.payload.object.sha256);
  const policy = namedPolicy(entry, bySha256, state.policy);
  if (policy) {
    const { path, sha256 } = policy;
    const first = policyFiles.get(path) ?? sha256;
    // Paths hold eight digits of the digest, which an insider can make collide. The store keeps one file a path, so the later
    // proposal goes without its file and is void: else nobody could ever load both.
    if (first === sha256) {
      policyFiles.set(path, sha256);
      await need(path, sha256);
    }
  }
  return { paths, bySha256 };
}

/** The policy file without which an entry cannot be judged; undefined where it is refused anyway, or needs none. */
function namedPolicy(entry: Entry, objects: Map<string, Uint8Array>, policy: PolicyState | undefined): { path: string; sha256: string } | undefined {
  const { op } = entry.payload;
  if (op !== 'vault.init' && op !== 'policy.propose') return undefined;
  let parsed: OpBody | undefined;
  try {
    parsed = parseBody(op, entryBody(entry, (sha256) => objects.get(sha256)));
  } catch (error) {
    if (isVaultError(error)) return undefined;
    throw error;
  }
  const named = (number: number, sha256: string): { path: string; sha256: string } => ({ path: policyPath(number, sha256), sha256 });
  if (parsed?.op === 'vault.init' && !policy) return named(1, parsed.body.policy);
  if (parsed?.op !== 'policy.propose' || !policy) return undefined;
  const { number, digest, previous } = parsed.body;
  return number === policy.policy.number + 1 && previous === policy.digest ? named(number, digest) : undefined;
}
