/** A vault's branch at a remote, and machines that reach it: for the tests of the Git store. */
import { join } from 'node:path';
import type { Store } from '../../../packages/core/src/ports.js';
import type { GitStore } from '../../../packages/core/src/stores/git.js';
import { CHECKPOINT, bareRemote, storeOn } from './git-support.js';
import { bytes, scratch, text } from './support.js';

/** A directory of its own for each test that asks. */
export const fresh = scratch();

export interface Place {
  readonly remote: string;
  readonly mirrors: string;
  readonly store: GitStore;
  /** Another machine. */
  other(): GitStore;
}

export function place(...options: string[]): Place {
  const base = fresh();
  const remote = bareRemote(base, 'remote.git', ...options);
  let machines = 0;
  const other = (): GitStore => storeOn(remote, join(base, `mirrors-${++machines}`));
  return { remote, mirrors: join(base, 'mirrors-1'), store: other(), other };
}

export const page = (n: number, content = `page ${n}\n`) => ({ path: `log/0000000000-${String(n).padStart(16, '0')}-0000000000.jsonl`, bytes: bytes(content) });

/** What the engine does: the new page, the checkpoint, and the page before it gone. */
export async function append(store: Store, n: number): Promise<boolean> {
  return store.commit!({ old: n === 1 ? undefined : bytes(`checkpoint ${n - 1}`), next: bytes(`checkpoint ${n}`), files: [page(n)], replaced: n === 1 ? [] : [page(n - 1).path] });
}

export async function first<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}

export async function checkpoint(store: Store): Promise<string | undefined> {
  return text(await store.get(CHECKPOINT));
}
