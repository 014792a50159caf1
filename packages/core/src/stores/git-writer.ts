/**
 * Moves a branch on: one commit, published where the branch lives if that still is what it was made for (the compare-and-swap).
 *
 * A push that fails may have been accepted all the same, its answer lost on the way. So after every failure the branch is looked at
 * again before anything else is decided, and what is tried again is the very same commit while it fits: it cannot be there twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { VaultError } from '../errors.js';
import type { GitBranch } from './git-branch.js';
import { readCommitter, writeCommit, type Committer, type NewCommit } from './git-commit.js';
import type { BranchReader } from './git-reader.js';
import { MAX_FILE, type Snapshot } from './git-tree.js';
import { CHECKPOINT } from './path.js';
import { count } from '../primitives/count.js';

/** What a write wants to do to a state: the commit to make; `lost` when it is not the expected one; `done` when nothing is to be done. */
export type Plan = (at: Snapshot) => Promise<Omit<NewCommit, 'parent' | 'message'> | 'lost' | 'done'>;

const TRIES = 10;
/** Milliseconds. */
const LONGEST_PAUSE = 1000;

export class BranchWriter {
  readonly #branch: GitBranch;
  readonly #reader: BranchReader;
  readonly #offline: boolean;
  #committer: Promise<Committer> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(branch: GitBranch, reader: BranchReader, offline: boolean) {
    this.#branch = branch;
    this.#reader = reader;
    this.#offline = offline;
  }

  /** Writers of one process go one after another: their pushes would only refuse each other. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** True when it is done; false when the state is not the one that `plan` expects. STORE_REMOTE, STORE_IO. */
  async write(plan: Plan, message: string | undefined): Promise<boolean> {
    if (this.#offline) {
      throw new VaultError('STORE_REMOTE', `${this.#branch.address} cannot be written offline`, {
        hint: 'Leave --offline out, or queue the entries: --offline --queue FILE',
      });
    }
    // Who has just looked at the branch pushes without looking again: the push finds out who was first.
    const { asked } = this.#reader;
    let at = asked ? await this.#reader.look() : await this.#reader.fetch();
    let planned = await plan(at);
    // What we know may be behind what the caller knows, and the caller wants to know what there is now.
    if (planned === 'lost' && asked) planned = await plan((at = await this.#reader.fetch()));
    let attempt = 1;
    let cut = 0;
    while (planned !== 'lost' && planned !== 'done') {
      const parent = at.commit;
      const commit = await this.#make({ ...planned, parent, message: message ?? 'oxp-vault' });
      for (;;) {
        const failed = await this.#branch.publish(commit, parent);
        if (!failed) {
          await this.#reader.lookAfterNews();
          return true;
        }
        // Refused, or accepted with the answer lost on the way: the branch itself knows.
        if (failed.again === 'anew') this.#reader.close();
        at = await this.#fetchOr(failed.error);
        if (await this.#contains(at.commit, commit)) return true;
        planned = await plan(at);
        if (planned === 'lost' || planned === 'done') break;
        if (failed.again === 'never' || (failed.again === 'once' && ++cut > 1) || ++attempt > TRIES) throw failed.error;
        await sleep(Math.min(LONGEST_PAUSE, 10 * 2 ** attempt) * Math.random());
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
      return await this.#reader.fetch();
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

/** Replaces the checkpoint if it still is `old`; `change`: files to put (bytes) or to remove (undefined) with it. */
export function swapPlan(old: Uint8Array | undefined, next: Uint8Array, change: ReadonlyMap<string, Uint8Array | undefined>): Plan {
  checkSize(CHECKPOINT, next);
  return async (at) => {
    if (!same(await checkpointOf(at), old)) return 'lost';
    const put = new Map([...change].filter((pair): pair is [string, Uint8Array] => pair[1] !== undefined));
    const remove = [...change].flatMap(([path, bytes]) => (bytes === undefined && at.tree.files.has(path) ? [path] : []));
    if (put.size === 0 && remove.length === 0 && at.tree.foreign.size === 0 && same(next, old)) return 'done';
    return { base: at.tree, put: put.set(CHECKPOINT, next), remove };
  };
}

/** BAD_VALUE for what is too large. */
export function checkSize(path: string, bytes: Uint8Array): string {
  if (bytes.length <= MAX_FILE) return path;
  throw new VaultError('BAD_VALUE', `${path} has ${count(bytes.length, 'byte')}, and a vault in Git takes files of up to ${MAX_FILE}`, {
    hint: 'Keep the large file elsewhere, encrypted under a key that the vault holds.',
  });
}

/** The checkpoint that a swap compares with. What is no plain file is none: it may be replaced. */
async function checkpointOf(at: Snapshot): Promise<Uint8Array | undefined> {
  return at.tree.files.has(CHECKPOINT) ? at.get(CHECKPOINT) : undefined;
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}
