/**
 * A branch in a repository elsewhere, with a bare repository in the cache as its mirror.
 *
 * Several processes of a user share a mirror without a lock of ours: a new mirror is made beside its place and renamed into it, and
 * the reference is moved by git, which compares the old value and loses rather than going back.
 */
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { VaultError } from '../errors.js';
import type { Clock } from '../ports.js';
import { sha256Hex, utf8 } from '../primitives/hash.js';
import { lstatOrNothing } from './file-steps.js';
import { mustBeOurs } from './fs-local-state.js';
import { gitAddress, maskUrls, withoutPassword } from './git-address.js';
import type { GitBranch, Published } from './git-branch.js';
import { branchMissing, failureOf, type GitTrouble } from './git-errors.js';
import type { Git } from './git-process.js';
import { errnoOf, storeError } from './io-error.js';
import { TEMPORARY } from './path.js';
import { PlainTree } from './plain-tree.js';

/** A name for the remote that no user's settings have, so that its address need not stand on the command line. */
const REMOTE = 'oxp-vault-mirror';
const TIP = 'refs/oxp-vault/tip';
const LOST = 'refs/oxp-vault/lost/';
const FETCHED = 'fetched';
const REPOSITORY = 'repository.git';
/** Milliseconds after which a leftover of a killed process is swept away. */
const OLD = 3_600_000;
const TRIES = 8;
/** Loose objects. A replaced page is nearly the page before it, so packing wins much, and early. */
const CROWD = 2000;

/** What git says when the two sides name objects by different hashes. */
const OTHER_HASH = /mismatched algorithms|hash algorithm|object.format/i;

/** What may be better at the next try. What git says that nobody knows may be a new word for a broken connection. */
const AGAIN: Partial<Record<GitTrouble, 'at once' | 'once'>> = { moved: 'at once', locked: 'at once', busy: 'at once', cut: 'once', other: 'once' };

const OPTIONS = ['--progress', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', '--no-recurse-submodules', '--show-forced-updates'];

export class GitMirror implements GitBranch {
  readonly address: string;
  readonly git: Git;
  readonly ref = TIP;
  readonly lostRefs = LOST;
  readonly #branch: string;
  readonly #place: string;
  readonly #tree: PlainTree;
  readonly #clock: Clock;

  /** `root`: where mirrors are kept; this one in a directory of its own. `url` is checked (git-address.ts). */
  constructor(git: Git, url: string, branch: string, root: string, clock: Clock, pushUrl?: string) {
    const shown = withoutPassword(url);
    this.address = gitAddress(shown, branch);
    this.#place = maskUrls(shown);
    this.#branch = branch;
    this.#clock = clock;
    this.#tree = new PlainTree(join(root, sha256Hex(utf8(this.address)).slice(0, 32)), { directoryMode: 0o700, fileMode: 0o600, judge: mustBeOurs });
    this.git = git
      .with([[`remote.${REMOTE}.url`, url], ...(pushUrl === undefined ? [] : [[`remote.${REMOTE}.pushurl`, pushUrl] as const]), ['core.logAllRefUpdates', 'false']])
      .at(this.#tree.at(REPOSITORY));
  }

  async known(): Promise<boolean> {
    return (await this.#tree.read(FETCHED)) !== undefined && (await this.#exists());
  }

  async fetched(): Promise<number | undefined> {
    const bytes = await this.#tree.read(FETCHED);
    const seconds = bytes === undefined ? NaN : Number(new TextDecoder().decode(bytes));
    return Number.isSafeInteger(seconds) ? seconds : undefined;
  }

  async fetch(): Promise<void> {
    const now = this.#clock.now();
    if (await this.#exists()) await this.#update();
    else await this.#make();
    await this.#note(now);
  }

  async publish(commit: string, parent: string | undefined): Promise<Published> {
    const now = this.#clock.now();
    const result = await this.git.run(['push', '--porcelain', '--progress', '--no-verify', '--no-follow-tags', '--no-recurse-submodules', '--', REMOTE, `${commit}:refs/heads/${this.#branch}`]);
    if (result.code !== 0) {
      const { trouble, error } = failureOf(result, 'cannot push to', this.#place);
      // An empty repository does not tell which hashes it uses until something is pushed.
      if (parent === undefined && OTHER_HASH.test(result.stderr) && (await this.#makeAnew())) return { error, again: 'anew' };
      return { error, again: AGAIN[trouble] ?? 'never' };
    }
    await this.#advance(commit, parent);
    await this.#note(now);
    await this.#tidy();
    return undefined;
  }

  async #advance(commit: string, parent: string | undefined): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const result = await this.git.run(['update-ref', TIP, commit, parent ?? '']);
      // Where it has moved meanwhile, another process has fetched this commit, or one after it.
      if (result.code === 0 || (await this.#tip()) !== parent) return;
      if (attempt > TRIES) throw failureOf(result, 'pushed, and cannot update the mirror', this.#tree.root).error;
      await this.#removeOldLock(result.stderr);
      await sleep(20 * attempt * (0.5 + Math.random()));
    }
  }

  async #update(): Promise<void> {
    let forced = '';
    for (let attempt = 1; ; attempt++) {
      const before = await this.#tip();
      // Later fetches bring the commits between: cut off at one commit each time, git could not tell an addition from a rewrite.
      const depth = before === undefined ? ['--depth=1'] : [];
      const result = await this.git.run(this.#fetching(depth, forced));
      if (result.code === 0) {
        if ((await this.#tip()) !== before) await this.#tidy();
        return;
      }
      if (branchMissing(result)) {
        if (before === undefined || (await this.#keepLost(before, true))) return;
      } else if (before !== undefined && /\[rejected\]/.test(result.stderr)) {
        // Rewritten or set back. What was there before is kept: `sync --restore` may need it.
        if (await this.#keepLost(before, false)) forced = '+';
      } else {
        const failure = failureOf(result, 'cannot fetch from', this.#place);
        const busy = failure.trouble === 'busy' || failure.trouble === 'moved';
        if (!busy || attempt > TRIES) throw failure.error;
        await this.#removeOldLock(result.stderr);
        await sleep(20 * attempt * (0.5 + Math.random()));
      }
    }
  }

  #fetching(depth: readonly string[], forced: string): string[] {
    return ['fetch', ...OPTIONS, ...depth, '--', REMOTE, `${forced}refs/heads/${this.#branch}:${TIP}`];
  }

  /** True when the reference was moved out of the way by us; false when another process has moved it. */
  async #keepLost(before: string, remove: boolean): Promise<boolean> {
    const lines = [`update ${LOST}${before} ${before}`, ...(remove ? [`delete ${TIP} ${before}`] : [`verify ${TIP} ${before}`])];
    const { code } = await this.git.run(['update-ref', '--stdin'], { input: [`${lines.join('\n')}\n`] });
    return code === 0;
  }

  async #tip(): Promise<string | undefined> {
    const loose = await this.#looseTip();
    if (loose !== undefined) return loose;
    const { code, stdout } = await this.git.run(['rev-parse', '--quiet', '--verify', '--end-of-options', `${TIP}^{commit}`]);
    return code === 0 ? stdout.toString('latin1').trim() : undefined;
  }

  /** Saves a process. A loose reference always goes before a packed one. */
  async #looseTip(): Promise<string | undefined> {
    try {
      const text = await readFile(this.#tree.at(`${REPOSITORY}/${TIP}`), 'latin1');
      return /^[0-9a-f]{40,64}\n$/.test(text) ? text.trim() : undefined;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw storeError(error, 'cannot read', this.#tree.at(REPOSITORY));
    }
  }

  /** True when the mirror, which held nothing, now uses the other hash. */
  async #makeAnew(): Promise<boolean> {
    const repository = this.#tree.at(REPOSITORY);
    const [format, refs] = await Promise.all([this.git.run(['rev-parse', '--show-object-format']), this.git.run(['for-each-ref'])]);
    if (refs.code !== 0 || refs.stdout.length > 0 || format.stdout.toString('utf8').trim() !== 'sha1') return false;
    await rm(repository, { recursive: true });
    await this.#make(['sha256']);
    return true;
  }

  async #make(formats: readonly string[] = ['sha1', 'sha256']): Promise<void> {
    await this.#tree.makeDirectories(REPOSITORY);
    await this.#sweep();
    const temporary = this.#tree.at(`${TEMPORARY}${randomBytes(12).toString('hex')}`);
    try {
      const git = this.git.at(temporary);
      for (const format of formats) {
        const made = await git.run(['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, temporary]);
        if (made.code !== 0) throw new VaultError('STORE_IO', failureOf(made, 'cannot make the mirror', temporary).error.message, { details: [made.stderr.trim().slice(0, 300)] });
        const result = await git.run(this.#fetching(['--depth=1'], ''));
        if (result.code === 0 || branchMissing(result)) break;
        if (format === formats.at(-1) || !OTHER_HASH.test(result.stderr)) throw failureOf(result, 'cannot fetch from', this.#place).error;
        await rm(temporary, { recursive: true });
      }
      await rename(temporary, this.#tree.at(REPOSITORY));
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      const errno = errnoOf(error);
      if (errno !== 'ENOTEMPTY' && errno !== 'EEXIST') throw storeError(error, 'cannot make the mirror', this.#tree.root);
      // Another process was first. What it has fetched may be older than what we have seen.
      await this.#update();
    }
  }

  async #exists(): Promise<boolean> {
    try {
      return (await lstatOrNothing(this.#tree.at(`${REPOSITORY}/HEAD`))) !== undefined;
    } catch (error) {
      throw storeError(error, 'cannot read', this.#tree.at(REPOSITORY));
    }
  }

  async #note(now: number): Promise<void> {
    await this.#tree.makeDirectories(FETCHED);
    await this.#tree.publish(await this.#tree.writeTemporary(FETCHED, utf8(`${now}\n`), false), FETCHED);
  }

  /** What killed processes of ours have left. */
  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#tree.root)) {
      if (!name.startsWith(TEMPORARY)) continue;
      const stats = await lstatOrNothing(this.#tree.at(name));
      if (stats !== undefined && Date.now() - stats.mtimeMs > OLD) await rm(this.#tree.at(name), { recursive: true, force: true });
    }
  }

  /** A lock that a killed git left: its holder would have been stopped long ago. */
  async #removeOldLock(said: string): Promise<void> {
    const [, file] = /unable to create '([^']+\.lock)'/i.exec(said) ?? [];
    if (file === undefined || !file.startsWith(`${this.#tree.at(REPOSITORY)}/`)) return;
    const stats = await lstatOrNothing(file);
    if (stats !== undefined && Date.now() - stats.mtimeMs > 2 * this.git.timeout) await rm(file, { force: true });
  }

  /** Packs the mirror where it has many loose objects, in the background. */
  async #tidy(): Promise<void> {
    let loose: string[];
    try {
      loose = await readdir(this.#tree.at(`${REPOSITORY}/objects/17`));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      throw storeError(error, 'cannot read', this.#tree.at(REPOSITORY));
    }
    // Git's own rule of thumb, without starting a git. A failure costs room, nothing else, and comes again the next time.
    if (loose.length > CROWD / 256) await this.git.run(['-c', `gc.auto=${CROWD}`, 'gc', '--auto', '--quiet']);
  }
}

