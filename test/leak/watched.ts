/** The real program, with everything that leaves it written down: output, files (also those that are gone again), programs it starts. */
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run, type RunResult } from '../support/run.js';
import type { Sandbox } from '../support/sandbox.js';
import { BIN } from '../cli/harness.js';
import type { Observation } from './needles.js';

export interface Watch extends Trace {
  readonly strace: string | undefined;
  /** Where strace writes. */
  readonly directory: string;
}

/** What is looked for in a trace, and what was found. */
export interface Trace {
  /** What lies below these is a place for plaintext: the person's own input, output that was asked for, memory. */
  readonly allowed: readonly string[];
  readonly observations: Observation[];
  /** What was seen of each kind: a watch that sees nothing proves nothing. */
  readonly counts: { writes: number; programs: number };
}

export interface WatchedOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  /** True: stdout holds the values that were asked for. */
  readonly values?: boolean;
}

let runs = 0;

/** Runs one command line; nothing that it gave away outside of what it was asked for stays unnoticed. */
export async function watched(watch: Watch, person: Sandbox, argv: readonly string[], options: WatchedOptions = {}): Promise<RunResult> {
  const { values = false, cwd = person.work, input } = options;
  const env = { ...person.env, OXP_VAULT_DEBUG: '1', ...options.env };
  const command = [process.execPath, BIN, ...argv];
  const trace = join(watch.directory, `${runs++}`);
  const [program, ...rest] = watch.strace === undefined ? command : [watch.strace, '-f', '-y', '-v', '-xx', '-s', '9999999', '-e', 'trace=execve,write,pwrite64,writev,pwritev,pwritev2,link,rename,renameat2,mkdir,openat', '--seccomp-bpf', '-o', trace, '--', ...command];
  const result = await run(program!, rest, { cwd, env, ...(input === undefined ? {} : { input }), timeout: 120_000 });
  const title = argv.slice(0, 3).join(' ');
  if (!values) watch.observations.push({ where: `stdout of ${title}`, bytes: result.stdout });
  watch.observations.push({ where: `stderr of ${title}`, bytes: Buffer.from(result.stderr) });
  if (watch.strace !== undefined) {
    readTrace(watch, title, readFileSync(trace, 'utf8'));
    rmSync(trace);
  }
  return result;
}

const CALL = /^(\d+) +(\w+)\((?:\d+<([^>]*)>|AT_FDCWD<[^>]*>)?/;
const STRING = /"((?:\\x[0-9a-f]{2})*)"/g;

/** `\\x61\\x62`, as -xx writes it. */
const unhex = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex');

/** Every write to a file and every program that was started, the first excepted. */
export function readTrace(watch: Trace, title: string, text: string): void {
  for (const [i, line] of text.split('\n').entries()) {
    const [, , call, hexPath = ''] = CALL.exec(line) ?? [];
    const path = unhex(hexPath).toString();
    // The first program is ours, started with what the person gave it. Output has been looked at already.
    if (call === undefined || i === 0) continue;
    const bytes = Buffer.concat([...line.matchAll(STRING)].flatMap(([, hex]) => [unhex(hex!), Buffer.of(0x0a)]));
    if (call === 'execve') watch.counts.programs++;
    else if (call.includes('write')) {
      if (/^(pipe|socket|anon_inode):/.test(path) || watch.allowed.some((place) => path.startsWith(`${place}/`))) continue;
      watch.counts.writes++;
    }
    watch.observations.push({ where: `${call} ${path} by ${title}`, bytes });
  }
}

/** Every file, name and link below a directory, except below those that are for plaintext. */
export function* filesBelow(directory: string, allowed: readonly string[]): Iterable<Observation> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (allowed.includes(path)) continue;
    yield { where: `the name of ${path}`, bytes: Buffer.from(name) };
    const stats = lstatSync(path);
    if (stats.isDirectory()) yield* filesBelow(path, allowed);
    else if (stats.isFile()) yield { where: `the file ${path}`, bytes: readFileSync(path) };
  }
}
