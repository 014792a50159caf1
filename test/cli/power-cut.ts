/** What the tests of a power cut share: the places to fail at, and the machines to go back to. */
import { cpSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Effect } from '../support/crash.js';
import { tempDir } from '../support/tmp.js';

/** Every write; or the first of every kind, and all around each commit. */
export function placesToFail(effects: readonly Effect[], everywhere: boolean): number[] {
  const all = effects.map((_effect, i) => i + 1);
  if (everywhere) return all;
  const kind = ({ call, path = '' }: Effect): string => `${call} ${path.replace(/[0-9a-f]{6,}/g, 'X').replace(/\d+/g, 'N').replace(/(secrets|roles|\.tmp)\/.*/, '$1')}`;
  const kinds = effects.map(kind);
  const isCommit = (i: number): boolean => effects[i]?.call === 'rename' && (effects[i]?.path ?? '').endsWith('/log/checkpoint');
  return all.filter((n) => kinds.indexOf(kinds[n - 1]!) === n - 1 || n === all.length || isCommit(n - 1) || isCommit(n - 2));
}

/** Every file below a directory. */
export function* files(directory: string): Iterable<string> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (lstatSync(path).isDirectory()) yield* files(path);
    else yield path;
  }
}

/** The files of these directories, as they are now. */
export function snapshotOf(places: readonly string[]): { restore(): void } {
  const copy = tempDir('snapshot');
  places.forEach((from, i) => cpSync(from, join(copy, String(i)), { recursive: true }));
  return {
    restore: () => {
      for (const [i, to] of places.entries()) {
        for (const name of readdirSync(to)) rmSync(join(to, name), { recursive: true });
        cpSync(join(copy, String(i)), to, { recursive: true, preserveTimestamps: true });
      }
    },
  };
}
