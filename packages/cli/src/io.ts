/** What a command reads from and writes to, injected so that tests can run commands in their own process. */
import type { Clock } from '@oxp-vault/core';
import type { Prompter } from './prompt.js';

export interface Output {
  readonly isTTY: boolean;
  /** Width in characters, where it is a terminal. */
  readonly columns?: number;
  /** Resolves once all of it is handed over. Throws OutputClosed when nobody reads any more. */
  write(data: string | Uint8Array): Promise<void>;
}

export interface Input {
  readonly isTTY: boolean;
  /** Everything up to the end. */
  read(): Promise<Uint8Array>;
}

export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Asks the person at the terminal. Given by tests; otherwise loaded when a question comes up. */
  readonly prompter?: Prompter;
  readonly clock?: Clock;
}

/** The reader of our output has gone away, as `head` does. Not an error of anybody. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}
