import type { Store } from '../ports.js';
import { CHECKPOINT, checkPath, checkPrefix, checkWritable } from './path.js';

/** A store that lives as long as this process: for trying the library, and for tests. Same contract as the others. */
export function memoryStore(address = 'memory'): Store {
  return new MemoryStore(address);
}

class MemoryStore implements Store {
  readonly #files = new Map<string, Uint8Array>();

  constructor(readonly address: string) {}

  async get(path: string): Promise<Uint8Array | undefined> {
    // Copies on the way in and out: nobody's later change reaches the store.
    return this.#files.get(checkPath(path))?.slice();
  }

  async putNew(path: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(checkWritable(path), Uint8Array.from(bytes));
  }

  async list(prefix: string): Promise<string[]> {
    checkPrefix(prefix);
    return [...this.#files.keys()].filter((path) => path.startsWith(prefix)).sort();
  }

  async remove(path: string): Promise<void> {
    this.#files.delete(checkWritable(path));
  }

  async swapCheckpoint(old: Uint8Array | undefined, next: Uint8Array): Promise<boolean> {
    const present = this.#files.get(CHECKPOINT);
    const unchanged = old === undefined || present === undefined ? old === present : Buffer.compare(old, present) === 0;
    if (unchanged) this.#files.set(CHECKPOINT, Uint8Array.from(next));
    return unchanged;
  }
}
