/** Power of two, so that a hash is cut down by a mask. */
const SHARDS = 1024;

type Shards<V> = readonly (ReadonlyMap<string, V> | undefined)[];

/**
 * An immutable map with string keys. A change copies one of 1024 shards and shares the rest, so that every state of a long fold
 * can be kept without copying it whole. Iteration follows the hash of the keys, not insertion: stable for equal contents put in
 * by any path except within a shard, and no order to show or to sign. Use `sortedKeys` for that.
 */
export class PersistentMap<V> implements Iterable<readonly [string, V]> {
  readonly size: number;
  readonly #shards: Shards<V>;

  private constructor(shards: Shards<V>, size: number) {
    this.#shards = shards;
    this.size = size;
  }

  /** Of several entries with one key the last counts. */
  static from<V>(entries: Iterable<readonly [string, V]>): PersistentMap<V> {
    const shards: (Map<string, V> | undefined)[] = Array.from({ length: SHARDS });
    for (const [key, value] of entries) {
      const at = shardOf(key);
      (shards[at] ??= new Map<string, V>()).set(key, value);
    }
    return new PersistentMap(shards, shards.reduce((sum, shard) => sum + (shard?.size ?? 0), 0));
  }

  get(key: string): V | undefined {
    return this.#shards[shardOf(key)]?.get(key);
  }

  has(key: string): boolean {
    return this.#shards[shardOf(key)]?.has(key) ?? false;
  }

  /** The map with this entry; this map itself when it already holds that very value. */
  set(key: string, value: V): PersistentMap<V> {
    const at = shardOf(key);
    const old = this.#shards[at];
    const known = old?.has(key) ?? false;
    if (known && Object.is(old?.get(key), value)) return this;
    const shard = new Map(old).set(key, value);
    return new PersistentMap(this.#shards.with(at, shard), known ? this.size : this.size + 1);
  }

  /** The map without this key; this map itself when it has no such key. */
  delete(key: string): PersistentMap<V> {
    const at = shardOf(key);
    const old = this.#shards[at];
    if (old?.has(key) !== true) return this;
    const shard = new Map(old);
    shard.delete(key);
    return new PersistentMap(this.#shards.with(at, shard.size === 0 ? undefined : shard), this.size - 1);
  }

  *entries(): IterableIterator<readonly [string, V]> {
    for (const shard of this.#shards) if (shard !== undefined) yield* shard;
  }

  *keys(): IterableIterator<string> {
    for (const shard of this.#shards) if (shard !== undefined) yield* shard.keys();
  }

  *values(): IterableIterator<V> {
    for (const shard of this.#shards) if (shard !== undefined) yield* shard.values();
  }

  [Symbol.iterator](): IterableIterator<readonly [string, V]> {
    return this.entries();
  }

  /** All keys in ascending code unit order. */
  sortedKeys(): string[] {
    return [...this.keys()].sort();
  }
}

/** FNV-1a over the code units, folded so that the high bits count too. */
function shardOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >> 8), 0x01000193);
  }
  return (hash ^ (hash >>> 10) ^ (hash >>> 20)) & (SHARDS - 1);
}
