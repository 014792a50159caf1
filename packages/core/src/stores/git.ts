/**
 * A vault in a Git repository: its branch is the vault, one commit an append, the push is the compare-and-swap.
 *
 * Reads are of one commit, the newest that this machine has fetched when the checkpoint was last looked at: a reader that begins
 * with the checkpoint, as all do, sees one state, whatever is written meanwhile. Nothing that is put or removed leaves this
 * process before the next swap, which writes all of it as one commit. No work tree is ever read or touched.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { VaultError } from '../errors.js';
import type { Clock, Freshness, Store, StoreChange } from '../ports.js';
import type { GitBranch } from './git-branch.js';
import { parseGitAddress } from './git-address.js';
import { type EarlierState, EarlierStore } from './git-earlier.js';
import { readCommitter, writeCommit, type Committer, type NewCommit } from './git-commit.js';
import { branchHere } from './git-here.js';
import { damaged, failureOf } from './git-errors.js';
import { GitMirror } from './git-mirror.js';
import { type GitObject, ObjectReader } from './git-objects.js';
import { Git, type GitSettings } from './git-process.js';
import { EMPTY_TREE, MAX_FILE, readTree, Snapshot, type Foreign, type GitTree } from './git-tree.js';
import { CHECKPOINT, checkPath, checkPrefix, checkWritable } from './path.js';

export interface GitStoreOptions extends GitSettings {
  /** Where mirrors of vaults are kept (a cache; 0700), each in a directory of its own below. */
  readonly mirrorDir: string;
  /** Never use the network: reads show what this machine has, writes are refused. */
  readonly offline?: boolean;
  readonly clock?: Clock;
}

export type { EarlierState };

export interface GitStore extends Store {
  refresh(maxAge: number): Promise<Freshness>;
  commit(change: StoreChange): Promise<boolean>;
  /** The commit that reads are of now; undefined where the branch does not exist. */
  tip(): Promise<string | undefined>;
  /** What lies on the branch and is no file of a vault: its path and why. It enters no commit of ours. */
  foreign(): Promise<ReadonlyMap<string, Foreign>>;
  /**
   * The states that this machine has seen whose checkpoint `accepts`, newest first. Somebody may have kept the checkpoint and taken
   * away a file, so each is to be loaded and verified like any store. Uses no network.
   */
  earlier(accepts: (checkpoint: Uint8Array) => boolean): AsyncIterable<EarlierState>;
  /**
   * Puts exactly the files of `state` back, as one commit on the branch if its tip is still `over` (undefined: if there is no
   * branch). False when it is not: then somebody else has written, and what is there must be judged again.
   */
  restore(state: EarlierState, over: string | undefined): Promise<boolean>;
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

/** Milliseconds. Who has just looked at the branch pushes without looking again: the push finds out who was first. */
const JUST_NOW = 5000;
const TRIES = 10;

/** What a write wants to do to a state: the commit to make; `lost` when it is not the expected one; `done` when nothing is to be done. */
type Plan = (at: Snapshot) => Promise<Omit<NewCommit, 'parent' | 'message'> | 'lost' | 'done'>;

class BranchStore implements GitStore {
  readonly address: string;
  readonly #branch: GitBranch;
  readonly #reader: ObjectReader;
  readonly #options: GitStoreOptions;
  readonly #clock: Clock;
  /** Put (bytes) or removed (undefined), and in no commit yet. */
  readonly #staged = new Map<string, Uint8Array | undefined>();
  #snapshot: Snapshot | undefined;
  #looking: Promise<Snapshot> | undefined;
  #lookedAt = -Infinity;
  #committer: Promise<Committer> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(branch: GitBranch, options: GitStoreOptions, clock: Clock) {
    this.address = branch.address;
    this.#branch = branch;
    this.#options = options;
    this.#clock = clock;
    this.#reader = new ObjectReader(branch.git);
  }

  async get(path: string): Promise<Uint8Array | undefined> {
    checkPath(path);
    if (this.#staged.has(path)) return this.#staged.get(path)?.slice();
    const snapshot = path === CHECKPOINT ? await this.#look() : await this.#current();
    return snapshot.get(path);
  }

  async list(prefix: string): Promise<string[]> {
    checkPrefix(prefix);
    const paths = new Set((await this.#current()).list(prefix));
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
    return this.#inTurn(async () => {
      const staged = new Map(this.#staged);
      const done = await this.#write(this.#swap(old, next, staged), undefined);
      // What was put again meanwhile waits for the next one.
      if (done) for (const [path, bytes] of staged) if (this.#staged.get(path) === bytes) this.#staged.delete(path);
      return done;
    });
  }

  async commit({ old, next, files, replaced, about }: StoreChange): Promise<boolean> {
    const change = new Map<string, Uint8Array | undefined>(replaced.map((path) => [checkWritable(path), undefined]));
    for (const { path, bytes } of files) change.set(checkSize(checkWritable(path), bytes), Uint8Array.from(bytes));
    return this.#inTurn(() => this.#write(this.#swap(old, next, change), about));
  }

  async refresh(maxAge: number): Promise<Freshness> {
    const age = this.#clock.now() - ((await this.#branch.fetched()) ?? -Infinity);
    // A clock that was set back makes every age negative: then nobody knows.
    const old = age >= maxAge || age < 0;
    if (old && !this.#options.offline && maxAge !== Infinity) await this.#inTurn(() => this.#fetch());
    const fetched = await this.#branch.fetched();
    return fetched === undefined ? {} : { fetched };
  }

  async tip(): Promise<string | undefined> {
    return (await this.#current()).commit;
  }

  async foreign(): Promise<ReadonlyMap<string, Foreign>> {
    return (await this.#current()).tree.foreign;
  }

  async *earlier(accepts: (checkpoint: Uint8Array) => boolean): AsyncGenerator<EarlierState> {
    const { git, ref, lostRefs } = this.#branch;
    const listed = await git.run(['rev-list', '--ignore-missing', `--glob=${lostRefs}*`, ref, '--']);
    if (listed.code !== 0) throw failureOf(listed, 'cannot read the history in', git.dir ?? '').error;
    for (const commit of listed.stdout.toString('latin1').split('\n')) {
      if (commit === '') continue;
      const checkpoint = await this.#reader.read(`${commit}:${CHECKPOINT}`);
      if (checkpoint?.type === 'blob' && accepts(checkpoint.bytes)) yield new EarlierStore(this.address, commit, await this.#snapshotOf(commit));
    }
  }

  async restore(state: EarlierState, over: string | undefined): Promise<boolean> {
    const { tree } = await this.#snapshotOf(state.commitId);
    return this.#inTurn(() =>
      this.#write(async (at) => {
        if (at.commit !== over) return 'lost';
        return { base: tree, ofParent: false, put: new Map(), remove: [] };
      }, 'put back the last accepted state'),
    );
  }

  close(): void {
    this.#reader.close();
  }

  // Reading

  async #current(): Promise<Snapshot> {
    return this.#snapshot ?? this.#look();
  }

  /** The newest state on this machine. */
  #look(): Promise<Snapshot> {
    this.#looking ??= this.#lookNow().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #lookNow(): Promise<Snapshot> {
    const branch = this.#branch;
    if (!(await branch.known())) {
      if (this.#options.offline) throw new VaultError('STORE_REMOTE', `this machine has no copy of ${this.address} yet`, { hint: 'Run a command once without --offline.' });
      await branch.fetch();
      this.#lookedAt = performance.now();
    }
    const commit = await this.#tipCommit();
    if (this.#snapshot === undefined || this.#snapshot.commit !== commit?.oid) this.#snapshot = await this.#snapshotOf(commit?.oid);
    return this.#snapshot;
  }

  async #tipCommit(): Promise<GitObject | undefined> {
    const { git, ref } = this.#branch;
    for (let attempt = 1; ; attempt++) {
      const commit = await this.#reader.read(`${ref}^{commit}`);
      if (commit !== undefined || (await git.run(['rev-parse', '--quiet', '--verify', '--end-of-options', ref])).code !== 0) return commit;
      // A reference to what is not there is a broken copy, not an empty vault; unless another process has made it in between.
      if (attempt === TRIES) throw damaged(git.dir);
      await sleep(5 * attempt);
    }
  }

  async #snapshotOf(commit: string | undefined): Promise<Snapshot> {
    const tree: GitTree = commit === undefined ? EMPTY_TREE : await readTree(this.#branch.git, commit);
    return new Snapshot(commit, tree, (oid) => this.#reader.read(oid));
  }

  async #fetch(): Promise<Snapshot> {
    await this.#branch.fetch();
    this.#lookedAt = performance.now();
    // One that began before the fetch may have seen the state before it.
    await this.#looking;
    return this.#look();
  }

  // Writing

  /** Writers of one process go one after another: their pushes would only refuse each other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  #swap(old: Uint8Array | undefined, next: Uint8Array, change: ReadonlyMap<string, Uint8Array | undefined>): Plan {
    checkSize(CHECKPOINT, next);
    return async (at) => {
      if (!same(await checkpointOf(at), old)) return 'lost';
      const put = new Map([...change].filter((pair): pair is [string, Uint8Array] => pair[1] !== undefined));
      const remove = [...change].flatMap(([path, bytes]) => (bytes === undefined && at.tree.files.has(path) ? [path] : []));
      if (put.size === 0 && remove.length === 0 && at.tree.foreign.size === 0 && same(next, old)) return 'done';
      return { base: at.tree, ofParent: true, put: put.set(CHECKPOINT, next), remove };
    };
  }

  async #write(plan: Plan, message: string | undefined): Promise<boolean> {
    if (this.#options.offline) throw new VaultError('STORE_REMOTE', `${this.address} cannot be written offline`, { hint: 'Leave --offline out, or queue the entries: --offline --queue FILE' });
    const justLooked = performance.now() - this.#lookedAt < JUST_NOW;
    let at = justLooked ? await this.#look() : await this.#fetch();
    let planned = await plan(at);
    // What we know may be behind what the caller knows, and the caller wants to know what there is now.
    if (planned === 'lost' && justLooked) planned = await plan((at = await this.#fetch()));
    let attempt = 1;
    let cut = 0;
    while (planned !== 'lost' && planned !== 'done') {
      const parent = at.commit;
      const commit = await this.#make({ ...planned, parent, message: message ?? 'oxp-vault' });
      for (;;) {
        const failed = await this.#branch.publish(commit, parent);
        if (!failed) {
          this.#lookedAt = performance.now();
          await this.#looking;
          await this.#look();
          return true;
        }
        // Refused, or accepted with the answer lost on the way: the branch itself knows.
        if (failed.again === 'anew') this.#reader.close();
        at = await this.#fetchOr(failed.error);
        if (await this.#contains(at.commit, commit)) return true;
        planned = await plan(at);
        if (planned === 'lost' || planned === 'done') break;
        if (failed.again === 'never' || (failed.again === 'once' && ++cut > 1) || ++attempt > TRIES) throw failed.error;
        await sleep(Math.min(1000, 10 * 2 ** attempt) * Math.random());
        // The very same commit again, while it still fits: should the first one land late, it is no second one.
        if (at.commit !== parent || failed.again === 'anew') break;
      }
    }
    return planned === 'done';
  }

  async #make(change: NewCommit): Promise<string> {
    const { git } = this.#branch;
    this.#committer ??= readCommitter(git);
    return writeCommit(git, await this.#committer, change, Math.floor(Date.now() / 1000));
  }

  async #fetchOr(before: VaultError): Promise<Snapshot> {
    try {
      return await this.#fetch();
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      // The push failed first, and its story is the one to tell.
      throw new VaultError(before.code, before.message, {
        details: [...before.details, 'and whether the server has it all the same is not known: it cannot be asked'],
        ...(before.hint === undefined ? {} : { hint: before.hint }),
        cause: error,
      });
    }
  }

  /** True when `commit` is the tip, or somebody has gone on from it. */
  async #contains(tip: string | undefined, commit: string): Promise<boolean> {
    if (tip === undefined || tip === commit) return tip === commit;
    return (await this.#branch.git.run(['merge-base', '--is-ancestor', commit, tip])).code === 0;
  }
}

/** The checkpoint that a swap compares with. What is no plain file is none: it may be replaced. */
async function checkpointOf(at: Snapshot): Promise<Uint8Array | undefined> {
  return at.tree.files.has(CHECKPOINT) ? at.get(CHECKPOINT) : undefined;
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}

function checkSize(path: string, bytes: Uint8Array): string {
  if (bytes.length <= MAX_FILE) return path;
  throw new VaultError('BAD_VALUE', `${path} has ${bytes.length} bytes, and a vault in Git takes files of up to ${MAX_FILE}`, { hint: 'Keep the large file elsewhere, encrypted under a key that the vault holds.' });
}
