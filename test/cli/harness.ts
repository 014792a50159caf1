/** Two ways to run the command: in this process with everything captured, and as the program that users get. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../../packages/cli/src/main.js';
import type { Io, Output } from '../../packages/cli/src/io.js';
import type { Prompter } from '../../packages/cli/src/prompt.js';
import { build, root } from '../packaging/built.js';
import type { RunOptions, RunResult } from '../support/run.js';
import type { Sandbox } from '../support/sandbox.js';

export interface MainOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  /** Answers to the questions to come, in order: then stdin and stderr are a terminal. A question too many rejects. */
  readonly answers?: readonly (string | boolean)[];
  /** True: stdout is a terminal as well. */
  readonly tty?: boolean;
  /** Whole seconds since 1970. */
  readonly now?: number;
}

export interface MainResult {
  readonly code: number;
  readonly stdout: Buffer;
  /** stdout as text. */
  readonly text: string;
  readonly stderr: string;
  /** The questions that were asked. */
  readonly asked: readonly string[];
}

/** Runs one command line of `person` in this process. */
export async function runMain(person: Sandbox, argv: readonly string[], options: MainOptions = {}): Promise<MainResult> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const asked: string[] = [];
  const answers = [...(options.answers ?? [])];
  const next = <T extends string | boolean>(question: string): Promise<T> => {
    asked.push(question);
    const answer = answers.shift();
    return answer === undefined ? Promise.reject(new Error(`nobody answers: ${question}`)) : Promise.resolve(answer as T);
  };
  const prompter: Prompter = { passphrase: (question) => next(question), text: (question) => next(question), confirm: (question) => next(question) };
  const interactive = options.answers !== undefined;
  const io: Io = {
    stdin: { isTTY: interactive, read: () => Promise.resolve(Buffer.from(options.input ?? '')) },
    stdout: collecting(out, options.tty ?? false),
    stderr: collecting(err, interactive),
    env: { ...person.env, ...options.env },
    cwd: options.cwd ?? person.work,
    prompter,
    ...(options.now === undefined ? {} : { clock: { now: () => options.now! } }),
  };
  const code = await main(argv, io);
  const stdout = Buffer.concat(out);
  return { code, stdout, text: stdout.toString(), stderr: Buffer.concat(err).toString(), asked };
}

function collecting(chunks: Buffer[], isTTY: boolean): Output {
  return {
    isTTY,
    write: (data) => {
      chunks.push(Buffer.from(data));
      return Promise.resolve();
    },
  };
}

/** `runMain`, for steps that a test only prepares with: rejects unless the exit code is 0. */
export async function mustRunMain(person: Sandbox, argv: readonly string[], options: MainOptions = {}): Promise<MainResult> {
  const result = await runMain(person, argv, options);
  if (result.code !== 0) throw new Error(`oxp-vault ${argv.join(' ')} gave ${result.code}\n${result.stderr}`);
  return result;
}

/** The program as it is built. `buildCli` first. */
export const BIN = join(root, 'packages', 'cli', 'dist', 'bin.js');

/** Makes sure that BIN is what the sources say. For a beforeAll. */
export async function buildCli(): Promise<void> {
  await build();
}

export function runBin(person: Sandbox, argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return person.run(process.execPath, [BIN, ...argv], options);
}

/** A directory with `oxp-vault` in it, for the PATH of a shell. */
export function binDirectory(parent: string): string {
  const directory = join(parent, 'bin');
  mkdirSync(directory, { recursive: true });
  const program = join(directory, 'oxp-vault');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
  chmodSync(program, 0o755);
  return directory;
}
