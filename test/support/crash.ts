/** Stops a Node program right before any one of its writes, from outside (crash.mjs). */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface CrashOptions {
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  input?: string | Uint8Array;
  /** Starting another program is an effect too. */
  countSpawns?: boolean;
  /** Exit codes of a run that counts as good, when counting. Only 0 unless given. */
  allowedCodes?: readonly number[];
}

export interface Effect {
  readonly call: string;
  readonly path?: string;
}

export interface CrashRun {
  /** True when the process killed itself at the Nth effect; false when it ended before it got there. */
  readonly crashed: boolean;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const preload = new URL('./crash.mjs', import.meta.url).href;

/** The number of durable effects of one undisturbed run. `cmd` is Node, or a script that `node` runs by its first line. */
export function countWrites(cmd: string, args: readonly string[], options: CrashOptions = {}): number {
  return withReport('COUNT', cmd, args, options, Number);
}

/** The durable effects of one undisturbed run, in order. */
export function traceWrites(cmd: string, args: readonly string[], options: CrashOptions = {}): Effect[] {
  return withReport('TRACE', cmd, args, options, (text) =>
    text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Effect),
  );
}

/** Runs the program until right before its `n`th durable effect, counted from 1. */
export function runCrashingAt(n: number, cmd: string, args: readonly string[], options: CrashOptions = {}): CrashRun {
  return run(cmd, args, options, { OXP_TEST_CRASH_AT: String(n) });
}

function withReport<T>(kind: 'COUNT' | 'TRACE', cmd: string, args: readonly string[], options: CrashOptions, read: (text: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'oxp-crash-'));
  try {
    const file = join(dir, 'report');
    const done = run(cmd, args, options, { [`OXP_TEST_CRASH_${kind}`]: file });
    if (done.code === null || !(options.allowedCodes ?? [0]).includes(done.code)) {
      throw new Error(`${cmd} ${args.join(' ')} ended with ${done.code}: ${done.stderr}`);
    }
    return read(readFileSync(file, 'utf8'));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function run(cmd: string, args: readonly string[], options: CrashOptions, extra: Record<string, string>): CrashRun {
  const env = { ...process.env, ...options.env, ...extra };
  env['NODE_OPTIONS'] = `${env['NODE_OPTIONS'] ?? ''} --import=${preload}`.trim();
  if (options.countSpawns) env['OXP_TEST_CRASH_SPAWN'] = '1';
  const done = spawnSync(cmd, args, {
    env,
    encoding: 'utf8',
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  if (done.error) throw done.error;
  return { crashed: done.signal === 'SIGKILL', code: done.status, stdout: done.stdout, stderr: done.stderr };
}
