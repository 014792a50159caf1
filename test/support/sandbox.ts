import { mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { run, type RunOptions, type RunResult } from './run.js';
import { tempDir } from './tmp.js';

export interface SandboxOptions {
  /** Further variables, or overrides; undefined removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Put before the system's directories on PATH. */
  readonly path?: readonly string[];
}

/** One person's machine: a home of their own, and an environment in which nothing of the real user is seen. */
export interface Sandbox {
  readonly person: string;
  readonly home: string;
  /** Where their commands run unless `cwd` says otherwise: an empty directory outside their home. */
  readonly work: string;
  readonly env: Readonly<Record<string, string>>;
  /** A path in their home. */
  at(...segments: string[]): string;
  run(command: string, args?: readonly string[], options?: RunOptions): Promise<RunResult>;
}

/** PATH of the sandbox: this Node, the programs that tests look up, and the system's own; nothing from the user's home. */
function systemPath(extra: readonly string[]): string {
  const built = process.env['OXP_TEST_TOOLS'];
  const system = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return [...extra, dirname(process.execPath), ...system, ...(built === undefined ? [] : [join(built, 'bin')])].join(delimiter);
}

/** A fresh sandbox for one person, removed with the test (see tempDir). */
export function sandbox(person: string, options: SandboxOptions = {}): Sandbox {
  const root = tempDir(person);
  const home = join(root, 'home');
  const work = join(root, 'work');
  const xdg = {
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_STATE_HOME: join(home, '.local', 'state'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_DATA_HOME: join(home, '.local', 'share'),
    XDG_RUNTIME_DIR: join(root, 'run'),
    TMPDIR: join(root, 'tmp'),
  };
  for (const path of [home, work, ...Object.values(xdg)]) mkdirSync(path, { recursive: true, mode: 0o700 });

  const all: Record<string, string | undefined> = {
    HOME: home,
    USER: person,
    LOGNAME: person,
    ...xdg,
    PATH: systemPath(options.path ?? []),
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    TERM: 'dumb',
    NO_COLOR: '1',
    // Neither the machine's nor the user's git settings: a test that needs some writes them into its repository.
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: person,
    GIT_AUTHOR_EMAIL: `${person}@example.org`,
    GIT_COMMITTER_NAME: person,
    GIT_COMMITTER_EMAIL: `${person}@example.org`,
    ...options.env,
  };
  const env = Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined));
  return {
    person,
    home,
    work,
    env,
    at: (...segments) => join(home, ...segments),
    run: (command, args = [], runOptions = {}) => run(command, args, { cwd: work, ...runOptions, env: { ...env, ...runOptions.env } }),
  };
}
