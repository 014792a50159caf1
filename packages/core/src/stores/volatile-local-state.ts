/**
 * Local state where nothing can be kept, as in a container whose disk may only be read: what is written lasts as long as this process.
 * What an earlier run has left in `base` still counts.
 */
import type { LocalState } from '../ports.js';
import { checkPath, checkPrefix } from './path.js';

export function volatileLocalState(base?: LocalState): LocalState {
  return new VolatileLocalState(base);
}

class VolatileLocalState implements LocalState {
  readonly volatile = true;
  readonly #base: LocalState | undefined;
  /** Undefined: removed. */
  readonly #written = new Map<string, Uint8Array | undefined>();

  constructor(base: LocalState | undefined) {
    this.#base = base;
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    checkPath(path);
    return this.#written.has(path) ? this.#written.get(path)?.slice() : this.#base?.read(path);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.#written.set(checkPath(path), Uint8Array.from(bytes));
  }

  async remove(path: string): Promise<void> {
    this.#written.set(checkPath(path), undefined);
  }

  async list(prefix: string): Promise<string[]> {
    checkPrefix(prefix);
    const paths = new Set(await this.#base?.list(prefix));
    for (const [path, bytes] of this.#written) {
      if (bytes === undefined) paths.delete(path);
      else if (path.startsWith(prefix)) paths.add(path);
    }
    return [...paths].sort();
  }
}
