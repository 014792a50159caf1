import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { bundle } from '../../support/bundle.js';
import type { Order } from './worker.js';

/** The program of worker.ts, runnable. */
export function buildWorker(dir: string): Promise<string> {
  return bundle(new URL('./worker.ts', import.meta.url), join(dir, 'worker.mjs'));
}

/** A process that takes orders one by one. */
export class Helper {
  readonly #child: ChildProcess;

  constructor(worker: string) {
    this.#child = fork(worker);
  }

  async obey(order: Order): Promise<unknown> {
    const answer = once(this.#child, 'message');
    this.#child.send(order);
    const [{ result, error }] = (await answer) as [{ result?: unknown; error?: string }];
    if (error !== undefined) throw new Error(error);
    return result;
  }

  async end(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

/** A process that holds the lock of `dir` from now on, until the caller kills it. */
export async function holdLock(worker: string, dir: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [worker, 'hold', dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

export async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
