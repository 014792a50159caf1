import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment of the child. Default: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What the child reads on stdin, which is then closed. Default: nothing. */
  readonly input?: string | Uint8Array;
  /** Milliseconds until the child and its whole process group are killed. Default 60,000. */
  readonly timeout?: number;
}

export interface RunResult {
  /** Exit code; 128 + signal number where a signal ended the child, as a shell reports it. */
  readonly code: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly timedOut: boolean;
  readonly stdout: Buffer;
  /** stdout as UTF-8. */
  readonly text: string;
  readonly stderr: string;
}

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGPIPE: 13, SIGTERM: 15 };

/**
 * Runs a program and waits for it. An exit code is a result, never an exception; only a program that cannot be started
 * rejects. The child leads a process group of its own, without a terminal, so that no prompt can reach one.
 */
export function run(command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
  const { cwd, env = process.env, input, timeout = 60_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { ...(cwd === undefined ? {} : { cwd }), env: { ...env }, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, timeout);
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    // A child that ends without reading its input breaks the pipe: its exit code tells the story.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const stdout = Buffer.concat(out);
      resolve({
        code: code ?? 128 + ((signal === null ? undefined : SIGNAL_NUMBERS[signal]) ?? 0),
        signal: signal ?? undefined,
        timedOut,
        stdout,
        text: stdout.toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
      });
    });
    child.stdin.end(input ?? '');
  });
}

/** `run`, for steps that a test only prepares with: rejects unless the child exits with 0, quoting what it said. */
export async function mustRun(command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    const why = result.timedOut ? 'ran out of time' : `exited with ${result.code}`;
    throw new Error(`${[command, ...args].join(' ')} ${why}\n${result.stderr}${result.text}`);
  }
  return result;
}
