/** `git+.`: the repository one stands in. Its `origin` decides; where it has none, its own branch is the vault. */
import { pathToFileURL } from 'node:url';
import { dirname } from 'node:path';
import { VaultError } from '../errors.js';
import type { Clock } from '../ports.js';
import { gitAddress, maskUrls, remoteOf, samePlace, withoutPassword } from './git-address.js';
import type { GitBranch, Published } from './git-branch.js';
import { failureOf } from './git-errors.js';
import { GitMirror } from './git-mirror.js';
import type { Git } from './git-process.js';
import { CHECKPOINT } from './path.js';

/** What a repository's own settings say about reaching a server and about its people: the mirror, which stands elsewhere, needs them too. */
const WANTED = /^(?:https?\.|credential\.|url\.|ssh\.|gpg\.|user\.|author\.|committer\.|commit\.gpgsign$|core\.(?:sshcommand|askpass|gitproxy)$)/;

export interface Surroundings {
  readonly branch: string;
  /** Where one stands. */
  readonly directory: string;
  readonly mirrorDir: string;
  readonly clock: Clock;
}

/** BAD_ADDRESS where there is no repository; REMOTE_ADDED where its branch was the vault before it had an `origin`. */
export async function branchHere(git: Git, { branch, directory, mirrorDir, clock }: Surroundings): Promise<GitBranch> {
  const found = await git.run(['rev-parse', '--path-format=absolute', '--git-common-dir', '--is-bare-repository'], { cwd: directory });
  const [common, bare] = found.stdout.toString('utf8').split('\n');
  if (found.code !== 0 || !common) {
    const { error } = failureOf(found, 'cannot use', directory);
    throw new VaultError('BAD_ADDRESS', `git+. means the repository one stands in, and ${directory} is in none that git can use`, { details: error.details, hint: 'Change into a repository, or name the vault: --vault git+URL' });
  }
  const here = git.at(common);
  const settings = await ownSettings(here);
  const origin = settings.get('remote.origin.url')?.at(-1);
  if (origin === undefined) return new LocalBranch(here, common, branch, clock);

  // Relative remotes count from the top of the work tree, for which the parent of `.git` stands.
  const base = bare === 'true' ? common : dirname(common);
  const url = remoteOf(origin, base);
  const push = pushUrl(settings, url, base);
  if (settings.get(`branch.${branch.toLowerCase()}.remote`) === undefined) await refuseLeftBehind(here, branch, url, common);
  const config = [...settings].filter(([key]) => WANTED.test(key)).flatMap(([key, values]) => values.map((value) => [key, value] as const));
  return new GitMirror(git.with(config), url, branch, mirrorDir, clock, push);
}

/** A vault is one place. What is read here and written there would never see its own writes. */
function pushUrl(settings: ReadonlyMap<string, string[]>, url: string, base: string): string | undefined {
  const configured = settings.get('remote.origin.pushurl')?.at(-1);
  if (configured === undefined) return undefined;
  const push = remoteOf(configured, base);
  if (samePlace(url, push)) return push;
  const [from, to] = [url, push].map((each) => maskUrls(withoutPassword(each)));
  throw new VaultError('BAD_ADDRESS', `origin is fetched from ${from} and pushed to ${to}, which are two places`, {
    hint: 'Say which of them holds the vault: --vault git+URL',
  });
}

/** The settings of this repository alone, with what it includes; a user's general ones hold in every repository. Keys in lower case. */
async function ownSettings(git: Git): Promise<Map<string, string[]>> {
  const { stdout } = await git.run(['config', '--includes', '--null', '--show-scope', '--list']);
  const fields = stdout.toString('utf8').split('\0');
  const found = new Map<string, string[]>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i] !== 'local' && fields[i] !== 'worktree') continue;
    const [key = '', ...value] = fields[i + 1]!.split('\n');
    const name = /^branch\./i.test(key) ? key.toLowerCase() : key;
    found.set(name, [...(found.get(name) ?? []), value.join('\n')]);
  }
  return found;
}

/** A vault that was made here before there was a remote is not left behind without a word. */
async function refuseLeftBehind(git: Git, branch: string, url: string, common: string): Promise<void> {
  const ref = `refs/heads/${branch}`;
  if ((await git.run(['cat-file', '-e', `${ref}:${CHECKPOINT}`])).code !== 0) return;
  // Pushed by hand, and nothing written since: the remote has it all.
  if ((await git.run(['merge-base', '--is-ancestor', ref, `refs/remotes/origin/${branch}`])).code === 0) return;
  const [from, to] = [gitAddress(fileUrl(common), branch), gitAddress(withoutPassword(url), branch)];
  throw new VaultError('REMOTE_ADDED', `the vault is the branch ${branch} of this repository, and since it was made the repository has got a remote, ${maskUrls(withoutPassword(url))}`, {
    hint: `Move the vault there: oxp-vault clone ${from} ${to}; or go on with it here: --vault ${from}`,
  });
}

function fileUrl(directory: string): string {
  return pathToFileURL(directory).href;
}

class LocalBranch implements GitBranch {
  readonly address: string;
  readonly git: Git;
  readonly ref: string;
  readonly lostRefs = 'refs/oxp-vault/lost/';
  readonly #clock: Clock;
  readonly #branch: string;

  constructor(git: Git, common: string, branch: string, clock: Clock) {
    // Here is where the vault is, not a copy of it: on the disk before anybody is told.
    this.git = git.with([['core.fsync', 'all']]);
    this.address = gitAddress(fileUrl(common), branch);
    this.ref = `refs/heads/${branch}`;
    this.#branch = branch;
    this.#clock = clock;
  }

  async known(): Promise<boolean> {
    return true;
  }

  async fetch(): Promise<void> {
    // What there is to know is here.
  }

  async fetched(): Promise<number> {
    return this.#clock.now();
  }

  async publish(commit: string, parent: string | undefined): Promise<Published> {
    const checkedOut = await this.git.run(['for-each-ref', '--format=%(worktreepath)', this.ref]);
    const where = checkedOut.stdout.toString('utf8').trim();
    if (where !== '') {
      const error = new VaultError('STORE_IO', `the branch ${this.#branch} of the vault is checked out in ${where}`, {
        hint: `Nobody works in it by hand. Go back to another branch there: git -C ${where} switch -`,
      });
      return { error, again: 'never' };
    }
    const result = await this.git.run(['update-ref', '-m', 'oxp-vault', this.ref, commit, parent ?? '']);
    if (result.code === 0) return undefined;
    const { trouble, error } = failureOf(result, 'cannot write the branch of the vault in', this.git.dir ?? '');
    return { error, again: trouble === 'moved' || trouble === 'locked' || trouble === 'busy' ? 'at once' : 'never' };
  }
}

