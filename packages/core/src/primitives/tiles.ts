/**
 * A log as static files (https://c2sp.org/tlog-tiles): hash tiles of 256 nodes and bundles of 256 entries, from which anybody can
 * compute any proof.
 */
import { VaultError } from '../errors.js';
import { concatBytes } from './hash.js';
import { leafHash, nodeHash } from './merkle-hash.js';
import { rootOf, type SubtreeRoot } from './merkle.js';

/** Nodes or entries in a full tile. */
export const TILE_WIDTH = 256;
/** Entries are prefixed with their length as uint16. */
export const MAX_ENTRY_SIZE = 0xffff;
const HASH_SIZE = 32;

export interface TileFile {
  /** Below the log's prefix, without a leading slash. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** `tile/LEVEL/x001/234`, with `.p/WIDTH` for a partial tile. */
export function tilePath(level: number | 'entries', index: number, width: number = TILE_WIDTH): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? [];
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/**
 * All tiles and entry bundles of the tree over `leaves`: full ones as they fill up, the partial ones of this size last. At most
 * one bundle and one tile a level are held in memory. BAD_ENTRY for a leaf above 65,535 bytes.
 */
export function* tiles(leaves: Iterable<Uint8Array>): Generator<TileFile, void, undefined> {
  const levels: Level[] = [];
  let bundle: Uint8Array[] = [];
  let count = 0;
  for (const leaf of leaves) {
    bundle.push(prefixed(leaf, count));
    count += 1;
    if (bundle.length === TILE_WIDTH) {
      yield { path: tilePath('entries', count / TILE_WIDTH - 1), bytes: concatBytes(...bundle) };
      bundle = [];
    }
    yield* put(levels, 0, leafHash(leaf));
  }
  if (bundle.length > 0) yield { path: tilePath('entries', Math.floor(count / TILE_WIDTH), bundle.length), bytes: concatBytes(...bundle) };
  for (const [level, { hashes, done }] of levels.entries()) {
    if (hashes.length > 0) yield { path: tilePath(level, done, hashes.length), bytes: concatBytes(...hashes) };
  }
}

interface Level {
  /** Full tiles already written. */
  done: number;
  hashes: Uint8Array[];
}

/** Adds a node at a level; a tile that is full is written and becomes one node of the level above. */
function* put(levels: Level[], at: number, hash: Uint8Array): Generator<TileFile, void, undefined> {
  const level = (levels[at] ??= { done: 0, hashes: [] });
  level.hashes.push(hash);
  if (level.hashes.length < TILE_WIDTH) return;
  const full = level.hashes;
  yield { path: tilePath(at, level.done), bytes: concatBytes(...full) };
  level.hashes = [];
  level.done += 1;
  // The nodes of a full tile are a perfect subtree, whose root is that of a tree with these "leaves".
  yield* put(levels, at + 1, rootOf(full));
}

function prefixed(leaf: Uint8Array, index: number): Uint8Array {
  if (leaf.length > MAX_ENTRY_SIZE) throw new VaultError('BAD_ENTRY', `leaf ${index} has ${leaf.length} bytes; a bundle holds at most ${MAX_ENTRY_SIZE}`);
  const out = new Uint8Array(2 + leaf.length);
  out[0] = leaf.length >> 8;
  out[1] = leaf.length & 0xff;
  out.set(leaf, 2);
  return out;
}

/**
 * The subtree roots of a tree of `size` leaves, from its tiles: what `inclusionPath` and `consistencyPath` (merkle.ts) take.
 * `read` gives the bytes at a path; STORE_INCOMPLETE when it gives none, or not as many as the path says.
 */
export function subtreesFromTiles(read: (path: string) => Uint8Array | undefined, size: number): SubtreeRoot {
  const node = (level: number, at: number): Uint8Array => {
    const index = Math.floor(at / TILE_WIDTH);
    const width = Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH);
    const path = tilePath(level, index, width);
    const tile = read(path);
    if (tile?.length !== width * HASH_SIZE) throw new VaultError('STORE_INCOMPLETE', `the tile ${path} is missing or has a wrong length`);
    const offset = (at % TILE_WIDTH) * HASH_SIZE;
    return tile.slice(offset, offset + HASH_SIZE);
  };
  const root: SubtreeRoot = (from, to) => {
    const width = to - from;
    const level = Math.log2(width) / 8;
    if (Number.isInteger(level) && from % width === 0) return node(level, from / width);
    let k = 1;
    while (k * 2 < width) k *= 2;
    return nodeHash(root(from, from + k), root(from + k, to));
  };
  return root;
}
