import { VaultError } from '../errors.js';
import { fromHex, sha256, toHex } from './hash.js';
import { nodeHash } from './merkle-hash.js';

/** A compact range as it is cached: size in leaves and the hashes of its perfect subtrees, largest first, as hex. */
export interface CompactRangeJson {
  readonly size: number;
  readonly hashes: readonly string[];
}

/**
 * The frontier of an RFC 6962 tree: the roots of the perfect subtrees that its leaves fall into, one per set bit of the size.
 * It is all that appending and the root need. Immutable.
 */
export class CompactRange {
  static readonly empty = new CompactRange(0, []);

  /** Number of leaves. */
  readonly size: number;
  readonly #hashes: readonly Uint8Array[];

  private constructor(size: number, hashes: readonly Uint8Array[]) {
    this.size = size;
    this.#hashes = hashes;
  }

  append(leafHash: Uint8Array): CompactRange {
    return this.appendAll([leafHash]);
  }

  appendAll(leafHashes: Iterable<Uint8Array>): CompactRange {
    const hashes = [...this.#hashes];
    let size = this.size;
    for (const leaf of leafHashes) {
      let node = leaf;
      // Each trailing one bit of the size is a perfect subtree that this leaf completes to twice its width.
      for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
        const left = hashes.pop();
        if (left === undefined) throw new VaultError('INTERNAL', 'a compact range has fewer hashes than its size needs');
        node = nodeHash(left, node);
      }
      hashes.push(node);
      size += 1;
    }
    return new CompactRange(size, hashes);
  }

  /** SHA-256 of nothing for the empty tree. */
  root(): Uint8Array {
    let root: Uint8Array | undefined;
    for (let i = this.#hashes.length - 1; i >= 0; i--) {
      const left = this.#hashes[i];
      if (left !== undefined) root = root === undefined ? left : nodeHash(left, root);
    }
    return root ?? sha256(new Uint8Array(0));
  }

  toJSON(): CompactRangeJson {
    return { size: this.size, hashes: this.#hashes.map(toHex) };
  }

  /** HASH_MISMATCH when the number or form of the hashes does not fit the size. That they are the right ones only a root shows. */
  static fromJSON(json: CompactRangeJson): CompactRange {
    const hashes = json.hashes.map((text) => fromHex(text));
    const sound = hashes.filter((hash) => hash?.length === 32) as Uint8Array[];
    if (!Number.isSafeInteger(json.size) || json.size < 0 || sound.length !== hashes.length || sound.length !== bitsSet(json.size)) {
      throw new VaultError('HASH_MISMATCH', `the ${hashes.length} hashes do not describe a tree of ${json.size} leaves`);
    }
    return new CompactRange(json.size, sound);
  }
}

function bitsSet(x: number): number {
  let count = 0;
  for (let rest = x; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
