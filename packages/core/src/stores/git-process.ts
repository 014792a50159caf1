/**
 * Running the user's own git: its keys, credential helpers and settings apply, and nothing of the repository that happens to
 * surround this process does.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { VaultError } from '../errors.js';
import { Messages } from './git-messages.js';
import { errnoOf } from './io-error.js';

export interface GitSettings {
  /** The program. `git` on the path unless given. */
  readonly program?: string;
  /** The environment of the user; that of this process unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Git and ssh may ask on the terminal. */
  readonly interactive?: boolean;
  /** Milliseconds without a sign of life after which a command is given up. */
  readonly timeout?: number;
  /** Told how far a transfer is, as git puts it (`Receiving objects:  45% (12/26)`); undefined when it has ended. */
  readonly onProgress?: (text: string | undefined) => void;
  readonly signal?: AbortSignal;
  /** Further settings, by the environment: some hold credentials, which the list of processes must not show. */
  readonly config?: readonly (readonly [key: string, value: string])[];
}

export interface GitResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Killed because nothing was heard of it for too long, because the caller's signal said so, or because it said more than anybody could want. */
  readonly stopped: 'timeout' | 'aborted' | 'output' | undefined;
}

export interface RunOptions {
  readonly input?: Iterable<string | Uint8Array>;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Bytes of output after which it is killed. */
  readonly maxOutput?: number;
}

/** Milliseconds. A slow line is no reason to give up, for git reports how far it is; a server may be silent while its hooks run. */
export const GIT_TIMEOUT = 120_000;
const GRACE = 2000;
/** A list of a million files is below this; what is above it is no vault. */
const MAX_OUTPUT = 256 * 1024 * 1024;

/** What would move git to another repository, index, object directory or history, or change how it reads paths. */
const CLEARED = [
  'GIT_DIR', 'GIT_WORK_TREE', 'GIT_COMMON_DIR', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_NAMESPACE', 'GIT_PREFIX',
  'GIT_IMPLICIT_WORK_TREE', 'GIT_INTERNAL_SUPER_PREFIX', 'GIT_GRAFT_FILE', 'GIT_SHALLOW_FILE', 'GIT_REPLACE_REF_BASE', 'GIT_NO_REPLACE_OBJECTS', 'GIT_QUARANTINE_PATH',
  'GIT_CONFIG', 'GIT_DEFAULT_HASH', 'GIT_ATTR_SOURCE', 'GIT_LITERAL_PATHSPECS', 'GIT_GLOB_PATHSPECS', 'GIT_NOGLOB_PATHSPECS', 'GIT_ICASE_PATHSPECS',
  'GIT_PUSH_OPTION_COUNT', 'GIT_REF_PARANOIA',
  // Fixed dates would be those of another commit.
  'GIT_AUTHOR_DATE', 'GIT_COMMITTER_DATE',
];

/** Given to every command, so that a user's settings for daily work do not change what these commands mean. */
const FIXED_CONFIG = [
  // Hooks are for people's own work. None of them expects a commit without a work tree.
  'core.hooksPath=/dev/null',
  // The log says what is acceptable; a tip that is refused here could not be mended either.
  'fetch.fsckObjects=false', 'transfer.fsckObjects=false',
  'fetch.writeCommitGraph=false', 'fetch.prune=false', 'fetch.pruneTags=false', 'core.filesRefLockTimeout=2000', 'core.packedRefsTimeout=5000',
].flatMap((setting) => ['-c', setting]);

export class Git {
  readonly #settings: GitSettings;
  readonly #env: Record<string, string>;
  readonly dir: string | undefined;

  /** `dir`: the repository; undefined for commands that look for one themselves. */
  constructor(settings: GitSettings, dir?: string) {
    this.#settings = settings;
    this.#env = environment(settings);
    this.dir = dir;
  }

  /** The same git, at work on another repository. */
  at(dir: string): Git {
    return new Git(this.#settings, dir);
  }

  /** With further settings. */
  with(config: NonNullable<GitSettings['config']>): Git {
    return new Git({ ...this.#settings, config: [...(this.#settings.config ?? []), ...config] }, this.dir);
  }

  get timeout(): number {
    return this.#settings.timeout ?? GIT_TIMEOUT;
  }

  /** Runs a command to its end. An exit code is a result; STORE_IO only where git cannot be started at all. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<GitResult> {
    const child = this.start(args, options);
    return new Promise((resolve, reject) => {
      const out: Buffer[] = [];
      let outSize = 0;
      const messages = new Messages(this.#settings.onProgress);
      let stopped: GitResult['stopped'];
      const stop = (why: NonNullable<GitResult['stopped']>): void => {
        stopped ??= why;
        this.#signal(child, 'SIGTERM');
        setTimeout(() => {
          this.#signal(child, 'SIGKILL');
          // What the child had started may still hold the other end.
          child.stdout.destroy();
          child.stderr.destroy();
        }, GRACE).unref();
      };
      const timer = setTimeout(() => stop('timeout'), this.timeout);
      const heard = (): void => {
        if (stopped === undefined) timer.refresh();
      };
      const abort = (): void => stop('aborted');
      const { signal } = this.#settings;
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort, { once: true });
      const done = (): void => {
        clearTimeout(timer);
        messages.end();
        signal?.removeEventListener('abort', abort);
      };
      child.stdout.on('data', (chunk: Buffer) => {
        heard();
        outSize += chunk.length;
        if (outSize <= (options.maxOutput ?? MAX_OUTPUT)) out.push(chunk);
        else {
          stopped ??= 'output';
          this.#signal(child, 'SIGKILL');
        }
      });
      child.stderr.on('data', (chunk: Buffer) => {
        heard();
        messages.take(chunk);
      });
      child.on('error', (error) => {
        done();
        reject(cannotStart(error, this.#settings.program ?? 'git'));
      });
      child.on('close', (code) => {
        done();
        resolve({ code: code ?? -1, stdout: Buffer.concat(out), stderr: messages.text, stopped });
      });
      // A command that ends without reading all of its input breaks the pipe: its exit code tells the story.
      child.stdin.on('error', (error) => {
        if (errnoOf(error) !== 'EPIPE' && errnoOf(error) !== 'ECONNRESET') reject(error);
      });
      feed(child, options.input ?? []);
    });
  }

  /** Starts a command that stays. */
  start(args: readonly string[], options: RunOptions = {}): ChildProcessWithoutNullStreams {
    const { program = 'git', interactive = false } = this.#settings;
    const place = this.dir === undefined ? [] : [`--git-dir=${this.dir}`];
    return spawn(program, [...FIXED_CONFIG, ...place, ...args], {
      env: { ...this.#env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      // A session of its own: ssh finds no terminal to ask at, and what it started can be ended with it.
      detached: !interactive && process.platform !== 'win32',
      windowsHide: true,
    });
  }

  #signal(child: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void {
    const { pid } = child;
    if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      if (this.#settings.interactive || process.platform === 'win32') child.kill(signal);
      else process.kill(-pid, signal);
    } catch (error) {
      // It ended in this very moment.
      if (errnoOf(error) !== 'ESRCH') throw error;
    }
  }
}

function feed(child: ChildProcessWithoutNullStreams, input: Iterable<string | Uint8Array>): void {
  for (const chunk of input) child.stdin.write(chunk);
  child.stdin.end();
}

function environment(settings: GitSettings): Record<string, string> {
  const env: Record<string, string | undefined> = { ...(settings.env ?? process.env) };
  for (const name of CLEARED) delete env[name];
  // Messages in English, which git-errors.ts understands; names and paths in the user's own encoding.
  if (env['LC_ALL']) env['LC_CTYPE'] = env['LC_ALL'];
  delete env['LC_ALL'];
  delete env['LANGUAGE'];
  env['LC_MESSAGES'] = 'C';
  // Whatever a setting rewrites an address to: nothing that runs a program named in it (ext::).
  env['GIT_ALLOW_PROTOCOL'] = 'https:ssh:file';
  env['GIT_OPTIONAL_LOCKS'] = '0';
  env['GIT_DEFAULT_REF_FORMAT'] = 'files';
  if (!settings.interactive) env['GIT_TERMINAL_PROMPT'] = '0';
  let count = Number(env['GIT_CONFIG_COUNT'] ?? 0) || 0;
  for (const [key, value] of settings.config ?? []) {
    env[`GIT_CONFIG_KEY_${count}`] = key;
    env[`GIT_CONFIG_VALUE_${count}`] = value;
    count += 1;
  }
  if (count > 0) env['GIT_CONFIG_COUNT'] = String(count);
  return Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

export function cannotStart(error: unknown, program: string): VaultError {
  const errno = errnoOf(error) ?? 'unknown error';
  const hint = errno === 'ENOENT' ? 'Install git 2.31 or newer, or put it on the PATH.' : 'Check that it may be run.';
  return new VaultError('STORE_IO', `git (${program}) cannot be started: ${errno}`, { hint, cause: error });
}
