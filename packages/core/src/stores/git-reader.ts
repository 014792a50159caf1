/** Reads a branch as one commit after another: the newest that this machine has, when somebody last looked. */
import { setTimeout as sleep } from 'node:timers/promises';
import { VaultError } from '../errors.js';
import type { GitBranch } from './git-branch.js';
import { EarlierStore } from './git-earlier.js';
import { damaged, failureOf } from './git-errors.js';
import { type GitObject, ObjectReader } from './git-objects.js';
import { EMPTY_TREE, readTree, Snapshot, type GitTree } from './git-tree.js';
import { CHECKPOINT } from './path.js';

/** Milliseconds. */
const JUST_NOW = 5000;
const TRIES = 10;

export class BranchReader {
  readonly #branch: GitBranch;
  readonly #offline: boolean;
  readonly #objects: ObjectReader;
  #snapshot: Snapshot | undefined;
  #looking: Promise<Snapshot> | undefined;
  #askedAt = -Infinity;

  constructor(branch: GitBranch, offline: boolean) {
    this.#branch = branch;
    this.#offline = offline;
    this.#objects = new ObjectReader(branch.git);
  }

  /** The state that was last looked at. */
  async current(): Promise<Snapshot> {
    return this.#snapshot ?? this.look();
  }

  /** The newest state on this machine; of a branch that it has never seen, the newest where that lives. */
  look(): Promise<Snapshot> {
    this.#looking ??= this.#lookNow().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** The newest state where the branch lives. */
  async fetch(): Promise<Snapshot> {
    await this.#branch.fetch();
    return this.lookAfterNews();
  }

  /** After this process has moved the branch, or asked for it: what is there now. */
  async lookAfterNews(): Promise<Snapshot> {
    this.#askedAt = performance.now();
    // One that began before the news may have seen the state before it.
    await this.#looking;
    return this.look();
  }

  /** True where what is here was the newest a moment ago. */
  get asked(): boolean {
    return performance.now() - this.#askedAt < JUST_NOW;
  }

  /** See GitStore. */
  async *earlier(accepts: (checkpoint: Uint8Array) => boolean): AsyncGenerator<EarlierStore> {
    const { git, ref, lostRefs, address } = this.#branch;
    const listed = await git.run(['rev-list', '--ignore-missing', `--glob=${lostRefs}*`, ref, '--']);
    if (listed.code !== 0) throw failureOf(listed, 'cannot read the history in', git.dir ?? '').error;
    for (const commit of listed.stdout.toString('latin1').split('\n')) {
      if (commit === '') continue;
      const checkpoint = await this.#objects.read(`${commit}:${CHECKPOINT}`);
      if (checkpoint?.type === 'blob' && accepts(checkpoint.bytes)) yield new EarlierStore(address, await this.#snapshotOf(commit));
    }
  }

  /** Ends the helper process; the next read starts another. */
  close(): void {
    this.#objects.close();
  }

  async #lookNow(): Promise<Snapshot> {
    const branch = this.#branch;
    if (!(await branch.known())) {
      if (this.#offline) {
        throw new VaultError('STORE_REMOTE', `this machine has no copy of ${branch.address} yet`, {
          hint: 'Run a command once without --offline.',
        });
      }
      await branch.fetch();
      this.#askedAt = performance.now();
    }
    const commit = await this.#tip();
    if (this.#snapshot === undefined || this.#snapshot.commit !== commit?.oid) this.#snapshot = await this.#snapshotOf(commit?.oid);
    return this.#snapshot;
  }

  async #snapshotOf(commit: string | undefined): Promise<Snapshot> {
    const tree: GitTree = commit === undefined ? EMPTY_TREE : await readTree(this.#branch.git, commit);
    return new Snapshot(commit, tree, (oid) => this.#objects.read(oid));
  }

  async #tip(): Promise<GitObject | undefined> {
    const { git, ref } = this.#branch;
    for (let attempt = 1; ; attempt++) {
      const commit = await this.#objects.read(`${ref}^{commit}`);
      if (commit !== undefined || (await git.run(['rev-parse', '--quiet', '--verify', '--end-of-options', ref])).code !== 0) return commit;
      // A reference to what is not there is a broken copy, not an empty vault; unless another process has made it in between.
      if (attempt === TRIES) throw damaged(git.dir);
      await sleep(5 * attempt);
    }
  }
}
