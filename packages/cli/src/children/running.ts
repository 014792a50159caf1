/** Running another program in our place: its streams, its signals, its end. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { errnoOf } from '../files/private-file.js';

/** As `env` and a shell say it. */
export const EXIT_CANNOT_RUN = 126;
export const EXIT_NOT_FOUND = 127;
const EXIT_SIGNAL = 128;

/** What somebody sends us is meant for the program that we stand in for. */
const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

export interface RunOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Values that are replaced by `***` in what the program prints. Its output is then no terminal. */
  readonly mask: readonly Uint8Array[];
}

/** Runs a program to its end and gives its exit code; 127 where there is none of that name, 126 where it cannot be run. */
export async function runInPlace([program, ...args]: readonly [string, ...string[]], { env, cwd, mask }: RunOptions): Promise<number | { readonly failed: typeof EXIT_CANNOT_RUN | typeof EXIT_NOT_FOUND }> {
  const out = mask.length > 0 ? 'pipe' : 'inherit';
  // Before the program runs: Node drops what a short one has printed, and its end, where nobody listens yet.
  const masking = mask.length > 0 ? await import('./masking.js') : undefined;
  const child = spawn(program, args, { env, cwd, stdio: ['inherit', out, out] });
  const handlers = FORWARDED.map((signal) => [signal, (): void => void child.kill(signal)] as const);
  // Ctrl-C at a terminal reaches the program as well, which takes a second one for impatience.
  handlers.push(['SIGINT' as (typeof FORWARDED)[number], (): void => void (isatty(0) || child.kill('SIGINT'))]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  try {
    const copied = masking ? [masking.copyMasked(child.stdout!, process.stdout, mask), masking.copyMasked(child.stderr!, process.stderr, mask)] : [];
    const code = await new Promise<number | { failed: typeof EXIT_CANNOT_RUN | typeof EXIT_NOT_FOUND }>((resolve) => {
      child.once('error', (error) => resolve({ failed: errnoOf(error) === 'ENOENT' ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN }));
      child.once('exit', (exit, signal) => resolve(exit ?? EXIT_SIGNAL + constants.signals[signal!]));
    });
    if (typeof code === 'number') await Promise.all(copied);
    return code;
  } finally {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  }
}
