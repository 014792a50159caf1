/** Proofs and copies of the log for people and tools that trust nobody here. */
import { VaultError } from '../../errors.js';
import { inclusionProof, leafHash } from '../../primitives/merkle.js';
import { tiles, type TileFile } from '../../primitives/tiles.js';
import { formatTlogProof } from '../../primitives/tlog-proof.js';
import { versionOf } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { findVersion } from '../opening/open.js';
import { walkLog } from './walk.js';
import { entries } from '../../primitives/count.js';

/**
 * The leaf that is meant: an index, the beginning of an entry's digest (8 digits or more), or `NAME[@VERSION]` for the entry that
 * sealed it. Throws ENTRY_NOT_FOUND, SECRET_NOT_FOUND, VERSION_NOT_FOUND.
 */
export async function findLeaf(vault: Vault, what: string): Promise<number> {
  if (/^\d+$/.test(what) && Number(what) < vault.point.size) return Number(what);
  if (/^[0-9a-f]{8,64}$/.test(what)) {
    const found = (await walkLog(vault)).filter(({ entry }) => entry?.digest.startsWith(what));
    if (found.length === 1) return found[0]!.leaf;
    if (found.length > 1) throw new VaultError('ENTRY_NOT_FOUND', `${found.length} entries have a digest that begins so`, { hint: 'Give more of its digits.' });
  }
  if (/^\d+$/.test(what)) throw new VaultError('ENTRY_NOT_FOUND', `the log has ${entries(vault.point.size)}; the first is 0, the last ${vault.point.size - 1}`);
  const [name = '', version] = what.split('@');
  const number = version === undefined ? undefined : Number(version.replace(/^v/, ''));
  const found = number === undefined ? findVersion(vault, name) : (versionOf(vault.state.secrets, name, number) ?? findVersion(vault, name, number));
  return found.leaf;
}

/** A C2SP tlog-proof of one leaf under the accepted checkpoint. */
export async function proveLeaf(vault: Vault, leaf: number): Promise<Uint8Array> {
  const leaves = await walkLog(vault);
  const hashes = leaves.map(({ data }) => leafHash(data));
  return formatTlogProof({ index: leaf, path: inclusionProof(hashes, leaf, leaves.length), checkpoint: vault.checkpointBytes });
}

/** The log in the layout of C2SP tlog-tiles. The checkpoint comes last: who copies in this order never shows more than there is. */
export async function* exportTiles(vault: Vault): AsyncGenerator<TileFile, void, undefined> {
  const leaves = await walkLog(vault);
  yield* tiles(leaves.map((leaf) => leaf.data));
  yield { path: 'checkpoint', bytes: vault.checkpointBytes };
}
