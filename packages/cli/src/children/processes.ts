/** Other processes of this machine: whether they still run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { VaultError } from '@oxp-vault/core';
import { errnoOf } from '../files/private-file.js';

/** Milliseconds between two looks. No system tells a process of the end of one that is not its child. */
const PAUSE = 500;

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

/** The number of a running process, as `--while` takes it. Throws USAGE. */
export function parseProcess(text: string): number {
  const pid = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  if (pid === 0 || !isAlive(pid)) throw new VaultError('USAGE', '--while takes the number of a process that runs');
  return pid;
}

/** Resolves once it has ended, or when the signal says that nobody wants to know any more. */
export async function endOfProcess(pid: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && isAlive(pid)) {
    try {
      await sleep(PAUSE, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
