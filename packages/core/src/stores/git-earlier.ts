import { VaultError } from '../errors.js';
import type { Store } from '../ports.js';
import type { Snapshot } from './git-tree.js';
import { checkPath, checkPrefix } from './path.js';

/** A state of the vault that this machine has seen, as it was. Its writing verbs refuse. */
export class EarlierStore implements Store {
  constructor(
    readonly address: string,
    private readonly snapshot: Snapshot,
  ) {}

  async get(path: string): Promise<Uint8Array | undefined> {
    return this.snapshot.get(checkPath(path));
  }

  async list(prefix: string): Promise<string[]> {
    return this.snapshot.list(checkPrefix(prefix));
  }

  async putNew(): Promise<never> {
    return this.#refuse();
  }

  async remove(): Promise<never> {
    return this.#refuse();
  }

  async swapCheckpoint(): Promise<never> {
    return this.#refuse();
  }

  #refuse(): never {
    throw new VaultError('STORE_IO', `commit ${this.snapshot.commit?.slice(0, 12)} of ${this.address} is past and cannot be written`);
  }
}
