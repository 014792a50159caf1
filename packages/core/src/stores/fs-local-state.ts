import type { Stats } from 'node:fs';
import { dirname } from 'node:path';
import { VaultError } from '../errors.js';
import type { LocalState } from '../ports.js';
import { syncDirectory } from './file-steps.js';
import { checkPath, checkPrefix } from './path.js';
import { PlainTree } from './plain-tree.js';

/**
 * Local state in the directory `dir`, which the first write makes with mode 0700; its files get 0600. STORE_IO when it, or a
 * directory in it, belongs to somebody else or others may write there: a pin that others can set back protects nobody.
 */
export function fsLocalState(dir: string): LocalState {
  return new FsLocalState(dir);
}

class FsLocalState implements LocalState {
  readonly #tree: PlainTree;

  constructor(dir: string) {
    this.#tree = new PlainTree(dir, { directoryMode: 0o700, fileMode: 0o600, judge: mustBeOurs });
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#tree.read(checkPath(path));
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    checkPath(path);
    const directories = await this.#tree.makeDirectories(path);
    await this.#tree.publish(await this.#tree.writeTemporary(path, bytes), path);
    // The name has to last too: an opening is on the disk before a byte is shown.
    for (const directory of directories) await syncDirectory(directory);
  }

  async remove(path: string): Promise<void> {
    if (await this.#tree.remove(checkPath(path))) await syncDirectory(dirname(this.#tree.at(path)));
  }

  async list(prefix: string): Promise<string[]> {
    return this.#tree.list(checkPrefix(prefix));
  }
}

const GROUP_OR_OTHERS_WRITE = 0o022;

export function mustBeOurs(path: string, stats: Stats): void {
  const us = process.geteuid?.();
  // No owners and modes of this kind on Windows.
  if (us === undefined) return;
  if (stats.uid !== us) {
    throw new VaultError('STORE_IO', `${path} belongs to user ${stats.uid}, not to user ${us} who runs this`, {
      hint: `Run as its owner, or: chown -R ${us} ${path}`,
    });
  }
  if ((stats.mode & GROUP_OR_OTHERS_WRITE) !== 0) {
    throw new VaultError('STORE_IO', `others may write in ${path}, where this machine keeps what it trusts`, { hint: `chmod 700 ${path}` });
  }
}
