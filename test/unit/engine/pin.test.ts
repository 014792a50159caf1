/** The pin while several processes of one user move it: whatever the order of their steps, it never goes back. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { advancePin, readPin, replacePin, type PinPoint } from '../../../packages/core/src/engine/pin.js';
import type { LocalState } from '../../../packages/core/src/ports.js';
import { memoryLocal } from '../../support/vaults.js';

const VAULT = 'ab'.repeat(32);
const point = (size: number): PinPoint => ({ size, root: String(size).padStart(64, '0') });
const advance = (local: LocalState, size: number, confirmed = false): Promise<unknown> => advancePin(local, 'somewhere', VAULT, point(size), 0, confirmed);

/** Each step of a process waits for its turn. */
function scheduled(local: LocalState, scheduler: fc.Scheduler, seen: () => Promise<void>): LocalState {
  const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    await scheduler.schedule(Promise.resolve(), what);
    const result = await work();
    await seen();
    return result;
  };
  return {
    read: (path) => step('read', () => local.read(path)),
    write: (path, bytes) => step('write', () => local.write(path, bytes)),
    remove: (path) => step('remove', () => local.remove(path)),
    list: (prefix) => step('list', () => local.list(prefix)),
  };
}

it('never goes back and never forgets that it was confirmed, however the steps of several processes fall', async () => {
  const move = fc.record({ size: fc.integer({ min: 1, max: 9 }), confirmed: fc.boolean() });
  await fc.assert(fc.asyncProperty(fc.scheduler(), fc.array(move, { minLength: 2, maxLength: 5 }), async (scheduler, moves) => {
    const local = memoryLocal();
    let [size, confirmed] = [0, false];
    const seen = async (): Promise<void> => {
      const pin = await readPin(local, VAULT);
      expect(pin?.size ?? 0).toBeGreaterThanOrEqual(size);
      expect(pin?.confirmed ?? false).toBe(confirmed || (pin?.confirmed ?? false));
      [size, confirmed] = [pin?.size ?? 0, pin?.confirmed ?? false];
    };
    const processes = Promise.all(moves.map(({ size: to, confirmed: sure }) => advance(scheduled(local, scheduler, seen), to, sure)));
    await scheduler.waitFor(processes);
    expect(await readPin(local, VAULT)).toMatchObject({ ...point(Math.max(...moves.map((each) => each.size))), confirmed: moves.some((each) => each.confirmed) });
    // One more move clears up what a slow process has left.
    await advance(local, 10);
    expect((await local.list(`vaults/${VAULT}/pins/`)).length).toBe(1);
  }), { numRuns: 300 });
});

it('is found by a reader while it moves', async () => {
  const local = memoryLocal();
  await advance(local, 1, true);
  let next = 2;
  const moving: LocalState = {
    ...local,
    // Between listing and reading somebody else moves it on.
    list: async (prefix) => {
      const paths = await local.list(prefix);
      if (next < 9) await advance(local, next++);
      return paths;
    },
  };
  expect(await readPin(moving, VAULT)).toMatchObject({ size: 8, confirmed: true });
});

it('goes back only where people say so, and is there all the time', async () => {
  const local = memoryLocal();
  await advance(local, 5);
  const watched: LocalState = {
    ...local,
    remove: async (path) => {
      expect(await readPin(local, VAULT)).toBeDefined();
      await local.remove(path);
    },
  };
  await replacePin(watched, VAULT, point(3), 0);
  expect(await readPin(local, VAULT)).toMatchObject({ size: 3, confirmed: true });
});
