/** The files of one commit: those that a vault may have, and what else somebody has put there. */
import { VaultError } from '../errors.js';
import type { GitObject } from './git-objects.js';
import type { Git } from './git-process.js';
import { isStorePath } from './path.js';

/** Bytes. Common servers take no file above this size, and nothing of a vault comes near it. */
export const MAX_FILE = 100 * 1024 * 1024;

export interface TreeFile {
  readonly oid: string;
  readonly size: number;
}

export interface GitTree {
  /** Plain files (100644) with a path that a vault may have. */
  readonly files: ReadonlyMap<string, TreeFile>;
  /** Everything else by its path: why it is no part of the vault. */
  readonly foreign: ReadonlyMap<string, Foreign>;
}

export type Foreign = 'link' | 'submodule' | 'executable' | 'huge' | 'name' | 'twice' | 'no file' | 'many';

const LINE = /^(\d{6}) (\S+) ([0-9a-f]{40,64}) +(\d+|-)\t([^]*)$/;
const KINDS: Readonly<Record<string, Foreign>> = { '120000': 'link', '160000': 'submodule', '100755': 'executable' };

export const EMPTY_TREE: GitTree = { files: new Map(), foreign: new Map() };

/** Bytes of names: those of a million files. A few trees that hold one another are a thousand million, made with a few commands. */
const MAX_NAMES = 64 * 1024 * 1024;
/** Paths that are no vault's. */
const MAX_FOREIGN = 10_000;
const ROOT = '.';
/** Such a commit has no file at all that counts: the next commit over it starts from nothing. */
const FLOOD: GitTree = { files: new Map(), foreign: new Map([[ROOT, 'many']]) };

/** Throws STORE_REMOTE where the commit has no readable tree. */
export async function readTree(git: Git, commit: string): Promise<GitTree> {
  // Names alone first: sizes come so slowly that nobody would wait for the end of a flood.
  if ((await git.run(['ls-tree', '-r', '-z', '--name-only', '--full-tree', commit], { maxOutput: MAX_NAMES })).stopped === 'output') return FLOOD;
  const { code, stdout, stderr, stopped } = await git.run(['ls-tree', '-r', '-l', '-z', '--full-tree', commit]);
  if (stopped === 'output') return FLOOD;
  if (code !== 0) throw new VaultError('STORE_REMOTE', `the files of commit ${commit.slice(0, 12)} cannot be listed`, { details: stderr.trim() === '' ? [] : [stderr.trim().slice(0, 300)], hint: RESTORE });
  const files = new Map<string, TreeFile>();
  const foreign = new Map<string, Foreign>();
  for (const line of stdout.toString('utf8').split('\0')) {
    if (line === '') continue;
    const [, mode, type, oid, size, path] = LINE.exec(line) ?? [];
    if (mode === undefined || type === undefined || oid === undefined || size === undefined || path === undefined) throw new VaultError('INTERNAL', 'git lists files in a form that is not understood');
    const fault = files.has(path) || foreign.has(path) ? 'twice' : faultOf(mode, type, Number(size), path);
    if (fault === undefined) {
      files.set(path, { oid, size: Number(size) });
    } else {
      files.delete(path);
      foreign.set(path, fault);
      if (foreign.size > MAX_FOREIGN) return FLOOD;
    }
  }
  return { files, foreign };
}

function faultOf(mode: string, type: string, size: number, path: string): Foreign | undefined {
  // Lower-case letters only: of two names that differ in case, at most one is a vault's.
  if (!isStorePath(path)) return 'name';
  const kind = KINDS[mode];
  if (kind) return kind;
  if (mode !== '100644' || type !== 'blob') return 'no file';
  return size > MAX_FILE ? 'huge' : undefined;
}

/** One commit as a store shows it; it never changes. */
export class Snapshot {
  constructor(
    /** Undefined where there is no branch. */
    readonly commit: string | undefined,
    readonly tree: GitTree,
    readonly read: (oid: string) => Promise<GitObject | undefined>,
  ) {}

  /** Undefined when there is no such file. LINK_REFUSED, STORE_REMOTE for what is no plain file; STORE_IO. */
  async get(path: string): Promise<Uint8Array | undefined> {
    const file = this.tree.files.get(path);
    if (file === undefined) {
      this.#refuseForeign(path);
      return undefined;
    }
    const object = await this.read(file.oid);
    if (object?.type !== 'blob') {
      throw new VaultError('STORE_IO', `the copy of ${path} on this machine is damaged`, {
        hint: 'Remove the mirror directory: it is only a copy. Then run the command again.',
      });
    }
    return object.bytes;
  }

  /** All paths below `prefix`, ascending. */
  list(prefix: string): string[] {
    return [...this.tree.files.keys()].filter((path) => path.startsWith(prefix)).sort();
  }

  #refuseForeign(path: string): void {
    const { foreign } = this.tree;
    if (foreign.size === 0) return;
    if (foreign.has(ROOT)) throw new VaultError('STORE_REMOTE', 'the branch of the vault holds more files than any vault has', { hint: RESTORE });
    for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
      const fault = foreign.get(at);
      if (fault === undefined) continue;
      const link = fault === 'link' || fault === 'submodule';
      throw new VaultError(link ? 'LINK_REFUSED' : 'STORE_REMOTE', `${at} in the branch of the vault is ${WORDS[fault]}`, { hint: RESTORE });
    }
  }
}

const RESTORE = 'No honest client puts that there. Find out who did; put the last good state back: oxp-vault sync --restore';

const WORDS: Readonly<Record<Foreign, string>> = {
  link: 'a link',
  submodule: 'a submodule',
  executable: 'an executable file',
  huge: `larger than ${MAX_FILE} bytes`,
  name: 'no path of a vault',
  twice: 'there twice',
  'no file': 'no plain file',
  many: 'more than any vault has',
};
