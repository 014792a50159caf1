/** The places where a team can keep a vault, each seen from several machines: what holds in one has to hold in all. */
import { join } from 'node:path';
import { directoryStore } from '../../packages/core/src/stores/directory.js';
import { gitStoreHere } from '../../packages/core/src/stores/git.js';
import type { Store } from '../../packages/core/src/ports.js';
import { bareRemote, git, GIT_ENV, storeOn } from '../unit/stores/git-support.js';
import { tempDir } from './tmp.js';
import { missingTools, tool } from './tools.js';

export interface Place {
  readonly base: string;
  /** The directory, or the repository. */
  readonly dir: string;
  /** The vault's place as this machine reaches it. */
  machine(name: string): Promise<Store>;
}

const inGit: readonly (readonly [string, () => Place])[] = [
  ['a Git remote', () => {
    const base = tempDir('place');
    const dir = bareRemote(base);
    return { base, dir, machine: async (name) => storeOn(dir, join(base, `mirrors-${name}`)) };
  }],
  ['a repository without a remote', () => {
    const base = tempDir('place');
    const dir = join(base, 'repository');
    git(base, ['init', '-q', '-b', 'main', dir]);
    return { base, dir, machine: (name) => gitStoreHere({ directory: dir, mirrorDir: join(base, `mirrors-${name}`), env: GIT_ENV }) };
  }],
];

/** For `describe.each`. */
export const PLACES: readonly (readonly [string, () => Place])[] = [
  ['a directory', () => {
    const base = tempDir('place');
    const dir = join(base, 'vault');
    return { base, dir, machine: async () => directoryStore(dir) };
  }],
  ...(tool('git') ? inGit : []),
];
if (!tool('git')) process.stderr.write(`skipped: vaults in Git, which ${missingTools(['git'])}\n`);
