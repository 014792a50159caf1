/** Makes commits in a repository without any index or work tree: one `git fast-import` writes the files, the trees and the commit. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { VaultError } from '../errors.js';
import { failureOf, linesOf } from './git-errors.js';
import type { Git } from './git-process.js';
import type { GitTree } from './git-tree.js';

export interface NewCommit {
  readonly parent: string | undefined;
  /** The tree of the parent. Its foreign files are not taken along. */
  readonly base: GitTree;
  readonly put: ReadonlyMap<string, Uint8Array>;
  readonly remove: Iterable<string>;
  readonly message: string;
}

/** Whose name commits bear, and whether they are signed, as the user has told git. */
export interface Committer {
  /** `Name <address>`. */
  readonly ident: string;
  readonly sign: boolean;
}

/** For machines where nobody has told git who they are: the entries say it, signed. */
const NOBODY = 'oxp-vault <oxp-vault@localhost>';

export async function readCommitter(git: Git): Promise<Committer> {
  const [ident, sign] = await Promise.all([git.run(['var', 'GIT_COMMITTER_IDENT']), git.run(['config', '--type=bool', '--get', 'commit.gpgsign'])]);
  const [, name] = /^([^<>\n]*<[^<>\n]*>) \d+ [+-]\d{4}\n$/.exec(ident.stdout.toString('utf8')) ?? [];
  return { ident: ident.code === 0 && name !== undefined ? name : NOBODY, sign: sign.stdout.toString('utf8').trim() === 'true' };
}

/** The id of the new commit, which no reference names yet. STORE_IO, STORE_REMOTE. */
export async function writeCommit(git: Git, committer: Committer, change: NewCommit, now: number): Promise<string> {
  const result = await git.run(['fast-import', '--quiet', '--force', '--date-format=raw', '--cat-blob-fd=1'], { input: script(committer, change, now) });
  const [, commit, tree] = /^([0-9a-f]{40,64})\n040000 tree ([0-9a-f]{40,64})\t\n$/.exec(result.stdout.toString('utf8')) ?? [];
  if (result.code !== 0 || commit === undefined || tree === undefined) {
    await removeCrashReport(git, result.stderr);
    const { error } = failureOf({ ...result, stdout: Buffer.alloc(0) }, 'cannot write the commit in', git.dir ?? '');
    throw new VaultError('STORE_IO', error.message, { details: error.details, ...(error.hint === undefined ? {} : { hint: error.hint }) });
  }
  return committer.sign ? signedCommit(git, committer, change, tree) : commit;
}

/** Fast-import leaves one in the repository whenever it fails, and nobody would ever collect them. */
async function removeCrashReport(git: Git, said: string): Promise<void> {
  const [, file] = /^fast-import: dumping crash report to (.+\/fast_import_crash_\d+)$/m.exec(said) ?? [];
  if (file !== undefined && git.dir !== undefined && dirname(file) === git.dir) await rm(file, { force: true });
}

async function signedCommit(git: Git, { ident }: Committer, { parent, message }: NewCommit, tree: string): Promise<string> {
  const [, name = '', email = ''] = /^(.*?) ?<(.*)>$/.exec(ident) ?? [];
  const env = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
  const result = await git.run(['commit-tree', '-S', ...(parent === undefined ? [] : ['-p', parent]), '-F', '-', tree], { input: [tidy(message)], env });
  const commit = result.stdout.toString('utf8').trim();
  if (result.code === 0 && /^[0-9a-f]{40,64}$/.test(commit)) return commit;
  throw new VaultError('STORE_IO', 'git cannot sign the commit, as commit.gpgsign wants it', {
    details: linesOf(result.stderr),
    hint: 'Sign some commit of your own with `git commit -S` to see what is missing. The entries of a vault are signed anyway.',
  });
}

/** See git-fast-import(1). Paths are a vault's, so none needs quoting. */
function* script({ ident }: Committer, { parent, base, put, remove, message }: NewCommit, now: number): Generator<string | Uint8Array> {
  const ref = `refs/oxp-vault/tmp-${randomBytes(12).toString('hex')}`;
  const text = Buffer.from(tidy(message));
  yield `commit ${ref}\nmark :1\ncommitter ${ident} ${now} +0000\ndata ${text.length}\n`;
  yield text;
  yield '\n';
  if (parent !== undefined) yield `from ${parent}\n`;
  // Without foreign files only what changes is written.
  if (base.foreign.size > 0) {
    yield 'deleteall\n';
    for (const [path, { oid }] of base.files) yield `M 100644 ${oid} ${path}\n`;
  }
  for (const path of remove) yield `D ${path}\n`;
  for (const [path, bytes] of put) {
    yield `M 100644 inline ${path}\ndata ${bytes.length}\n`;
    yield bytes;
    yield '\n';
  }
  // A reset without `from` forgets the branch, so that no reference is ever written.
  yield `get-mark :1\nls :1 ""\nreset ${ref}\n\n`;
}

/** One line, or several, of plain text. */
function tidy(message: string): string {
  const lines = message.split(/\r?\n/).map((line) => line.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ').trimEnd());
  const text = lines.join('\n').trim().slice(0, 4000);
  return `${text === '' ? 'oxp-vault' : text}\n`;
}
