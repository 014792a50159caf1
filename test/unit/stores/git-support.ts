/** Bare remotes and stores on them, on this machine, for the tests of the Git store. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gitStore, type GitStore, type GitStoreOptions } from '../../../packages/core/src/stores/git.js';
import { requireTool } from '../../support/tools.js';

/** Nothing of this machine's git settings; a person who commits. */
export const GIT_ENV = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'carol', GIT_AUTHOR_EMAIL: 'carol@example.org', GIT_COMMITTER_NAME: 'carol', GIT_COMMITTER_EMAIL: 'carol@example.org',
};
export const BRANCH = 'oxp-vault';
export const CHECKPOINT = 'log/checkpoint';

/** What git prints, without the last newline. Throws unless it succeeds. */
export function git(dir: string, args: readonly string[], input?: string | Uint8Array): string {
  return execFileSync(requireTool('git'), ['-C', dir, ...args], { env: GIT_ENV, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], ...(input === undefined ? {} : { input }) }).trimEnd();
}

export function gitCode(dir: string, ...args: string[]): number | null {
  return spawnSync(requireTool('git'), ['-C', dir, ...args], { env: GIT_ENV }).status;
}

/** An empty bare repository, which runs nothing in the background. */
export function bareRemote(parent: string, name = 'remote.git', ...options: string[]): string {
  const dir = join(parent, name);
  git(parent, ['init', '-q', '--bare', ...options, dir]);
  for (const setting of ['gc.auto', 'maintenance.auto']) git(dir, ['config', setting, '0']);
  return dir;
}

export function hook(remote: string, name: string, script: string): void {
  const file = join(remote, 'hooks', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

export function urlOf(remote: string): string {
  return pathToFileURL(remote).href;
}

export function storeOn(remote: string, mirrorDir: string, options: Partial<GitStoreOptions> & { branch?: string } = {}): GitStore {
  return gitStore({ url: urlOf(remote), mirrorDir, env: GIT_ENV, ...options });
}

/** The paths on the branch, with their modes, as git shows them. */
export function filesOn(remote: string, branch = BRANCH): string[] {
  return git(remote, ['ls-tree', '-r', '--full-tree', branch]).split('\n').map((line) => line.replace(/^(\d+) \S+ \S+\t/, '$1 '));
}

export function tipOf(remote: string, branch = BRANCH): string {
  return git(remote, ['rev-parse', `refs/heads/${branch}`]);
}

export function commitsOn(remote: string, branch = BRANCH): number {
  return Number(git(remote, ['rev-list', '--count', branch]));
}

export interface Entry {
  readonly mode?: '100644' | '100755' | '120000' | '160000' | '40000';
  readonly path: string;
  /** The path itself unless given. */
  readonly content?: string;
  /** An object that is there already, instead. */
  readonly oid?: string;
}

/** What lies on the branch, to plant it again with a change. */
export function entriesOn(remote: string, branch = BRANCH): Entry[] {
  return git(remote, ['ls-tree', '-r', '--full-tree', branch]).split('\n').map((line) => {
    const [, mode, oid, path] = /^(\d+) \S+ (\S+)\t(.*)$/.exec(line) ?? [];
    return { mode: mode as NonNullable<Entry['mode']>, oid: oid!, path: path! };
  });
}

/** What somebody with push rights puts on the branch: a commit of exactly these entries. Returns it. */
export function plant(remote: string, entries: readonly Entry[], { parent, branch = BRANCH }: { parent?: string; branch?: string } = {}): string {
  const lines = entries.map(({ mode = '100644', path, content = path, oid }) => {
    const object = mode === '160000' ? '1'.repeat(40) : (oid ?? git(remote, ['hash-object', '-w', '--stdin'], content));
    return { mode, oid: object, segments: path.split('/') };
  });
  const commit = git(remote, ['commit-tree', '-m', 'planted', ...(parent === undefined ? [] : ['-p', parent]), treeOf(remote, lines)]);
  git(remote, ['update-ref', `refs/heads/${branch}`, commit]);
  return commit;
}

/** Written byte by byte: `git mktree` refuses what attackers like. */
function treeOf(remote: string, entries: readonly { mode: string; oid: string; segments: readonly string[] }[]): string {
  const names = [...new Set(entries.map(({ segments }) => segments[0]!))].sort();
  const rows = names.flatMap((name) => {
    const mine = entries.filter(({ segments }) => segments[0] === name);
    const files = mine.filter(({ segments }) => segments.length === 1).map(({ mode, oid }) => ({ mode, oid, name }));
    const below = mine.filter(({ segments }) => segments.length > 1).map((entry) => ({ ...entry, segments: entry.segments.slice(1) }));
    return below.length === 0 ? files : [...files, { mode: '40000', oid: treeOf(remote, below), name }];
  });
  const bytes = Buffer.concat(rows.flatMap(({ mode, oid, name }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]));
  return git(remote, ['hash-object', '-t', 'tree', '--literally', '-w', '--stdin'], bytes);
}
