/** Folding the new leaves of a log into the state that is known, and holding the result against its checkpoint. */
import { checkpointSignedBy, claimedSigners, type VaultCheckpoint } from '../audit/checkpoint.js';
import { PUT_BACK, VaultError } from '../errors.js';
import { policyFormat, POLICY_FORMAT } from '../policy/policy.js';
import type { Store } from '../ports.js';
import { sha256Hex, toHex } from '../primitives/hash.js';
import { leafHash } from '../primitives/merkle-hash.js';
import { judge, type VaultState } from '../state.js';
import { forked, upgradeRequired, type Vouched } from './load-faults.js';
import { namedFiles } from './named-files.js';
import { readNewLeaves } from './pages.js';
import { strayOf } from './roots.js';
import type { Stray, VerifiedLog } from './state-cache.js';

/** Throws BAD_CHECKPOINT, WRONG_VAULT, FORK, UPGRADE_REQUIRED, and what reading pages throws. */
export async function fold(store: Store, checkpoint: VaultCheckpoint, known: VerifiedLog, vouched: readonly Vouched[]): Promise<VerifiedLog> {
  const { lines, pages, partial } = await readNewLeaves(store, checkpoint, known);
  const files = new Set(known.files);
  const policyFiles = new Map(known.policyFiles);
  const policies = [...known.policies];
  const authentic: boolean[] = [];
  const roots: Uint8Array[] = [known.roots];
  const strays: Stray[] = [...known.strays];
  let { state, tree } = known;
  let before = state;
  for (const data of lines) {
    const named = await namedFiles(store, data, state, policyFiles);
    before = state;
    const judged = judge(state, { data, file: (sha256) => named.bySha256.get(sha256) });
    state = judged.next;
    authentic.push(judged.authentic);
    if (before.size === 0 && !state.policy) refuseNewerFormat(checkpoint.vault, named.bySha256);
    if (state.policy && state.policy.digest !== before.policy?.digest) policies.push({ digest: state.policy.digest, leaf: before.size });
    for (const path of named.paths) files.add(path);
    tree = tree.append(leafHash(data));
    roots.push(tree.root());
    const point = vouched.find((p) => p.size === state.size && p.root !== toHex(tree.root()));
    if (point) throw forked(checkpoint, point);
    if (state.policy?.upgrade) break;
  }
  const allRoots = Buffer.concat(roots);
  for (const [i, data] of lines.entries()) {
    // What is not truly the claimed signer's says nothing about that person.
    const stray = authentic[i] ? strayOf(data, known.state.size + i, allRoots, policies) : undefined;
    if (stray) strays.push(stray);
  }
  if (state.policy?.upgrade === undefined) {
    if (toHex(tree.root()) !== checkpoint.root) {
      throw new VaultError('BAD_CHECKPOINT', 'the pages of the log do not have the root that its checkpoint names', { hint: PUT_BACK });
    }
    if (![before, state].some((s) => signedByEnrolled(checkpoint, s))) {
      throw new VaultError('BAD_CHECKPOINT', 'the checkpoint is not signed by anybody enrolled in this vault', { hint: PUT_BACK });
    }
    if (state.policy?.vault !== checkpoint.vault) throw new VaultError('WRONG_VAULT', `the checkpoint names vault ${checkpoint.vault.slice(0, 8)}, and the log is another`);
  }
  return { accepted: sha256Hex(checkpoint.bytes), state, tree, pages, partial, files: [...files].sort(), policyFiles, policies, roots: allRoots, strays };
}

function signedByEnrolled(checkpoint: VaultCheckpoint, state: VaultState): boolean {
  return claimedSigners(checkpoint).some(({ person, device }) =>
    (state.policy?.people.get(person)?.devices ?? []).some((d) => d.device === device && checkpointSignedBy(checkpoint, { person, device }, d.publicKey)),
  );
}

/** A vault of a format that this release does not know has no policy here at all, and deserves a better word than "forged". */
function refuseNewerFormat(vault: string, files: ReadonlyMap<string, Uint8Array>): void {
  const first = files.get(vault);
  const format = first && policyFormat(first);
  if (format !== undefined && format > POLICY_FORMAT) throw upgradeRequired(format);
}
