/**
 * A vault in a Git repository: its branch is the vault, one commit an append, the push is the compare-and-swap.
 *
 * Reads are of one commit, the newest that this machine has fetched when the checkpoint was last looked at: a reader that begins
 * with the checkpoint, as all do, sees one state, whatever is written meanwhile. Nothing that is put or removed leaves this
 * process before the next swap, which writes all of it as one commit. No work tree is ever read or touched.
 */
import { VaultError } from '../errors.js';
import type { Clock, Freshness, Store, StoreChange } from '../ports.js';
import type { GitBranch } from './git-branch.js';
import { parseGitAddress } from './git-address.js';
import { branchHere } from './git-here.js';
import { GitMirror } from './git-mirror.js';
import { Git, type GitSettings } from './git-process.js';
import { BranchReader } from './git-reader.js';
import type { Foreign } from './git-tree.js';
import { BranchWriter, checkSize, swapPlan } from './git-writer.js';
import { CHECKPOINT, checkPath, checkPrefix, checkWritable } from './path.js';

export interface GitStoreOptions extends GitSettings {
  /** Where mirrors of vaults are kept (a cache; 0700), each in a directory of its own below. */
  readonly mirrorDir: string;
  /** Never use the network: reads show what this machine has, writes are refused. */
  readonly offline?: boolean;
  readonly clock?: Clock;
}

export interface GitStore extends Store {
  refresh(maxAge: number): Promise<Freshness>;
  commit(change: StoreChange): Promise<boolean>;
  /** What lies on the branch and is no file of a vault: its path, or how one can print it, and why. It enters no commit of ours. */
  foreign(): Promise<ReadonlyMap<string, Foreign>>;
  /**
   * The states that this machine has seen whose checkpoint `accepts`, newest first. Somebody may have kept the checkpoint and taken
   * away a file, so each is to be loaded and verified like any store. Uses no network.
   */
  earlier(accepts: (checkpoint: Uint8Array) => boolean): AsyncIterable<Store>;
  /** Ends the helper process. The store can be used again. */
  close(): void;
}

/** A store at `git+<url>[#branch]`, or at an https, ssh or file URL with its branch. Throws BAD_ADDRESS. */
export function gitStore(options: GitStoreOptions & { readonly url: string; readonly branch?: string }): GitStore {
  const { url, branch } = parseGitAddress(`${options.url.startsWith('git+') ? '' : 'git+'}${options.url}${options.branch === undefined ? '' : `#${options.branch}`}`);
  if (url === undefined) throw new VaultError('BAD_ADDRESS', 'git+. names a repository only together with a directory', { hint: 'Use gitStoreHere.' });
  const clock = options.clock ?? systemClock;
  return new BranchStore(new GitMirror(new Git(options), url, branch, options.mirrorDir, clock), options, clock);
}

/** A store at `git+.[#branch]`, seen from `directory`. Throws BAD_ADDRESS, REMOTE_ADDED. */
export async function gitStoreHere(options: GitStoreOptions & { readonly directory: string; readonly branch?: string }): Promise<GitStore> {
  const clock = options.clock ?? systemClock;
  const { branch } = parseGitAddress(`git+.${options.branch === undefined ? '' : `#${options.branch}`}`);
  const { directory, mirrorDir } = options;
  return new BranchStore(await branchHere(new Git(options), { branch, directory, mirrorDir, clock }), options, clock);
}

const systemClock: Clock = { now: () => Math.floor(Date.now() / 1000) };

class BranchStore implements GitStore {
  readonly address: string;
  readonly #branch: GitBranch;
  readonly #reader: BranchReader;
  readonly #writer: BranchWriter;
  readonly #offline: boolean;
  readonly #clock: Clock;
  /** Put (bytes) or removed (undefined), and in no commit yet. */
  readonly #staged = new Map<string, Uint8Array | undefined>();

  constructor(branch: GitBranch, { offline = false }: GitStoreOptions, clock: Clock) {
    this.address = branch.address;
    this.#branch = branch;
    this.#offline = offline;
    this.#clock = clock;
    this.#reader = new BranchReader(branch, offline);
    this.#writer = new BranchWriter(branch, this.#reader, offline);
  }

  async get(path: string): Promise<Uint8Array | undefined> {
    checkPath(path);
    if (this.#staged.has(path)) return this.#staged.get(path)?.slice();
    const snapshot = path === CHECKPOINT ? await this.#reader.look() : await this.#reader.current();
    return snapshot.get(path);
  }

  async list(prefix: string): Promise<string[]> {
    checkPrefix(prefix);
    const paths = new Set((await this.#reader.current()).list(prefix));
    for (const [path, bytes] of this.#staged) {
      if (bytes === undefined) paths.delete(path);
      else if (path.startsWith(prefix)) paths.add(path);
    }
    return [...paths].sort();
  }

  async putNew(path: string, bytes: Uint8Array): Promise<void> {
    this.#staged.set(checkSize(checkWritable(path), bytes), Uint8Array.from(bytes));
  }

  async remove(path: string): Promise<void> {
    this.#staged.set(checkWritable(path), undefined);
  }

  async swapCheckpoint(old: Uint8Array | undefined, next: Uint8Array): Promise<boolean> {
    return this.#writer.inTurn(async () => {
      const staged = new Map(this.#staged);
      const done = await this.#writer.write(swapPlan(old, next, staged), undefined);
      // What was put again meanwhile waits for the next one.
      if (done) for (const [path, bytes] of staged) if (this.#staged.get(path) === bytes) this.#staged.delete(path);
      return done;
    });
  }

  async commit({ old, next, files, replaced, about }: StoreChange): Promise<boolean> {
    const change = new Map<string, Uint8Array | undefined>(replaced.map((path) => [checkWritable(path), undefined]));
    for (const { path, bytes } of files) change.set(checkSize(checkWritable(path), bytes), Uint8Array.from(bytes));
    return this.#writer.inTurn(() => this.#writer.write(swapPlan(old, next, change), about));
  }

  async refresh(maxAge: number): Promise<Freshness> {
    const age = this.#clock.now() - ((await this.#branch.fetched()) ?? -Infinity);
    // A clock that was set back makes every age negative: then nobody knows.
    const old = age >= maxAge || age < 0;
    if (old && !this.#offline && maxAge !== Infinity) await this.#writer.inTurn(() => this.#reader.fetch());
    const fetched = await this.#branch.fetched();
    return fetched === undefined ? {} : { fetched };
  }

  async foreign(): Promise<ReadonlyMap<string, Foreign>> {
    return new Map([...(await this.#reader.current()).tree.foreign].map(([path, why]) => [printable(path), why]));
  }

  earlier(accepts: (checkpoint: Uint8Array) => boolean): AsyncIterable<Store> {
    return this.#reader.earlier(accepts);
  }

  close(): void {
    this.#reader.close();
  }
}

/** These names anybody may have chosen, for the terminal of whoever reads them. */
function printable(path: string): string {
  return /^[\x20-\x7e]+$/.test(path) ? path : JSON.stringify(path).replace(/[^\x20-\x7e]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
