import type { VaultError } from '../errors.js';
import type { Git } from './git-process.js';

/** The branch that is a vault, and the repository on this machine through which it is read and written. */
export interface GitBranch {
  readonly address: string;
  /** At work on the repository that holds the objects. */
  readonly git: Git;
  /** What the branch is called in that repository. */
  readonly ref: string;
  /** False while this machine has never looked at the branch. */
  known(): Promise<boolean>;
  /** Looks at the branch where it lives and brings what is new here. STORE_REMOTE, STORE_IO. */
  fetch(): Promise<void>;
  /** When this machine last knew that what it has is the newest, whole seconds by its own clock. */
  fetched(): Promise<number | undefined>;
  /** Moves the branch from `parent` (undefined: from not being there) to `commit`, a child of it. */
  publish(commit: string, parent: string | undefined): Promise<Published>;
  /** References under which commits are kept that the branch has lost. */
  readonly lostRefs: string;
}

/**
 * Undefined: done. Otherwise why not, and whether looking and trying again makes sense. `anew`: the repository on this machine has
 * been made anew, so that the commit is gone.
 */
export type Published = { readonly error: VaultError; readonly again: 'at once' | 'once' | 'anew' | 'never' } | undefined;
