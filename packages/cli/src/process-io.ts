/** The streams of this process. */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { IDENTITY_DATA, VaultError } from '@oxp-vault/core';
import { type Input, type Io, type Output, OutputClosed } from './io.js';
import { errnoOf } from './files/private-file.js';

/** Milliseconds. */
const FULL_PIPE_PAUSE = 3;

export function processIo(): Io {
  const input: Input = { isTTY: isatty(0), read: readInput };
  const columns = isatty(2) ? process.stderr.columns : undefined;
  return {
    stdin: input,
    stdout: fdOutput(1, columns),
    stderr: fdOutput(2, columns),
    env: ownEnvironment(),
    // Asked late, so that the answer, or that there is none, is the command's to tell.
    get cwd() {
      return whereWeAre();
    },
  };
}

function whereWeAre(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new VaultError('STORE_IO', `cannot tell which directory this is: ${errnoOf(error)}`, { hint: 'It may have been removed. Change into one that is there.', cause: error });
  }
}

/** What unlocks an identity is for this process alone: whatever it starts copies the environment, and finds nothing to copy. */
function ownEnvironment(): Io['env'] {
  const env = { ...process.env };
  delete process.env[IDENTITY_DATA];
  if (env[IDENTITY_DATA] !== undefined) Object.defineProperty(env, IDENTITY_DATA, { enumerable: false });
  return env;
}

/**
 * Writes to a descriptor directly: what was written has left the process, so that nothing is lost when it exits. (Streams
 * would be set up at every start, and keep what a slow pipe has not taken yet.)
 */
export function fdOutput(fd: number, columns: number | undefined): Output {
  let turn: Promise<void> = Promise.resolve();
  return {
    isTTY: isatty(fd),
    ...(columns === undefined ? {} : { columns }),
    write(data) {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      turn = turn.then(() => writeAll(fd, bytes));
      return turn;
    },
  };
}

async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EPIPE') throw new OutputClosed();
      if (errno !== 'EAGAIN') throw new VaultError('STORE_IO', `cannot write ${fd === 1 ? 'the output' : 'to the terminal'}: ${errno}`, { cause: error });
      // Somebody made the pipe non-blocking, and it is full.
      await sleep(FULL_PIPE_PAUSE);
    }
  }
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
