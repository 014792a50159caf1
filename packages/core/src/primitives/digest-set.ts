import { fromHex, toHex } from './hash.js';
import { PersistentMap } from './persistent-map.js';

/** Bytes of one digest. */
const WIDTH = 32;

/**
 * An immutable set of 32-byte digests, given as lower-case hex. A million of them take 32 MB: a sorted buffer of most, searched
 * by halving, and a small map of those added since. The buffer is also what a cache file holds.
 */
export class DigestSet {
  static readonly empty = new DigestSet(Buffer.alloc(0), PersistentMap.from<true>([]));

  readonly #base: Buffer;
  readonly #recent: PersistentMap<true>;

  private constructor(base: Buffer, recent: PersistentMap<true>) {
    this.#base = base;
    this.#recent = recent;
  }

  /** RangeError when one is not 64 lower-case hex digits. */
  static from(digests: Iterable<string>): DigestSet {
    const unique = [...new Set(digests)].sort();
    return new DigestSet(Buffer.concat(unique.map(parse)), PersistentMap.from<true>([]));
  }

  /**
   * Takes over what `toBuffer` gave. RangeError when the length is no multiple of 32. The order is trusted: a buffer from
   * outside needs a check of its own (a digest over it) before it comes here.
   */
  static fromBuffer(buffer: Uint8Array): DigestSet {
    if (buffer.length % WIDTH !== 0) throw new RangeError(`${buffer.length} bytes are no set of ${WIDTH}-byte digests`);
    return new DigestSet(Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length), PersistentMap.from<true>([]));
  }

  get size(): number {
    return this.#base.length / WIDTH + this.#recent.size;
  }

  /** False for what is not 64 lower-case hex digits. */
  has(digest: string): boolean {
    if (this.#recent.has(digest)) return true;
    const bytes = fromHex(digest);
    return bytes?.length === WIDTH && indexIn(this.#base, bytes).found;
  }

  /** The set with this digest; this set itself when it has it. RangeError when it is not 64 lower-case hex digits. */
  add(digest: string): DigestSet {
    const bytes = parse(digest);
    if (this.#recent.has(digest) || indexIn(this.#base, bytes).found) return this;
    const next = new DigestSet(this.#base, this.#recent.set(digest, true));
    // Merging costs a copy of the base, so it waits until there is a fair share to merge: constant work per added digest.
    return next.#recent.size < 1024 + this.#base.length / WIDTH / 64 ? next : DigestSet.fromBuffer(next.toBuffer());
  }

  /** All digests in ascending order, 32 bytes each. Not to be written to: it may be the set's own. */
  toBuffer(): Uint8Array {
    if (this.#recent.size === 0) return this.#base;
    const out = Buffer.allocUnsafe(this.size * WIDTH);
    let read = 0;
    let write = 0;
    for (const digest of this.#recent.sortedKeys()) {
      const bytes = parse(digest);
      const until = indexIn(this.#base, bytes).at;
      write += this.#base.copy(out, write, read, until);
      out.set(bytes, write);
      write += WIDTH;
      read = until;
    }
    this.#base.copy(out, write, read);
    return out;
  }

  *[Symbol.iterator](): IterableIterator<string> {
    const all = this.toBuffer();
    for (let at = 0; at < all.length; at += WIDTH) yield toHex(all.subarray(at, at + WIDTH));
  }
}

/** Byte offset of `digest` in the sorted buffer, or where it would have to stand. */
function indexIn(base: Buffer, digest: Uint8Array): { found: boolean; at: number } {
  let low = 0;
  let high = base.length / WIDTH;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const order = base.compare(digest, 0, WIDTH, middle * WIDTH, (middle + 1) * WIDTH);
    if (order === 0) return { found: true, at: middle * WIDTH };
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return { found: false, at: low * WIDTH };
}

function parse(digest: string): Uint8Array {
  const bytes = fromHex(digest);
  if (bytes?.length !== WIDTH) throw new RangeError(`a digest is ${WIDTH * 2} lower-case hex digits`);
  return bytes;
}
