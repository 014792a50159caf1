/**
 * A second process for the tests of the directory store (bundled by processes.ts). With a command line it does one thing:
 *   swap DIR OLD NEXT | fill DIR COUNT NEXT | append DIR | hold DIR | state DIR TEXT
 * and without one it takes orders over the channel of `fork`.
 */
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isVaultError } from '../../../packages/core/src/errors.js';
import { directoryStore, fsLocalState } from '../../../packages/core/src/stores/index.js';
import { withLock } from '../../../packages/core/src/stores/lock.js';

export type Order =
  | { readonly do: 'swap'; readonly dir: string; readonly old: string | undefined; readonly next: string }
  | { readonly do: 'exclude'; readonly dir: string };

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const orNothing = (text: string): Uint8Array | undefined => (text === '' ? undefined : bytes(text));

/** Makes a file that must not be there, under the lock, and keeps it a while: EEXIST when two hold the lock. */
async function exclude(dir: string): Promise<string> {
  return withLock(dir, async () => {
    const guard = join(dir, 'guard');
    closeSync(openSync(guard, 'wx'));
    await sleep(3);
    unlinkSync(guard);
    return 'alone';
  });
}

async function obey(order: Order): Promise<unknown> {
  if (order.do === 'exclude') return exclude(order.dir);
  return directoryStore(order.dir).swapCheckpoint(order.old === undefined ? undefined : bytes(order.old), bytes(order.next));
}

const append = async (dir: string): Promise<void> => {
  const store = directoryStore(dir);
  const old = await store.get('log/checkpoint');
  const number = old === undefined ? 1 : Number(new TextDecoder().decode(old)) + 1;
  await store.putNew(`secrets/a/b/${number}.age`, bytes(`content ${number}`));
  await store.putNew(`log/${number}.jsonl`, bytes(`page ${number}`));
  if (!(await store.swapCheckpoint(old, bytes(String(number))))) throw new Error('lost without a rival');
  if (number > 1) await store.remove(`log/${number - 1}.jsonl`);
};

const commands: Record<string, (...args: string[]) => Promise<unknown>> = {
  swap: (dir, old, next) => directoryStore(dir).swapCheckpoint(orNothing(old), bytes(next)),
  fill: async (dir, count, next) => {
    const store = directoryStore(dir);
    const paths = Array.from({ length: Number(count) }, (_, i) => `secrets/s${i}/0001-00.age`);
    await Promise.all(paths.map((path) => store.putNew(path, bytes(path))));
    return store.swapCheckpoint(undefined, bytes(next));
  },
  append: (dir) => append(dir),
  put: (dir, path, size) => directoryStore(dir).putNew(path, new Uint8Array(Number(size)).fill(97)),
  hold: (dir) =>
    withLock(dir, async () => {
      process.stdout.write('held\n');
      await sleep(600_000);
    }),
  state: (dir, text) => fsLocalState(dir).write('pins/one.json', bytes(text)),
};

const [name, ...args] = process.argv.slice(2);
if (name === undefined) {
  process.on('message', (order: Order) => {
    obey(order).then(
      (result) => process.send!({ result }),
      (error: unknown) => process.send!({ error: String(error) }),
    );
  });
} else {
  try {
    process.stdout.write(`${JSON.stringify(await commands[name]!(...args))}\n`);
  } catch (error) {
    if (!isVaultError(error)) throw error;
    process.stdout.write(`${JSON.stringify(error)}\n`);
    process.exitCode = error.exitCode;
  }
}
