import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../packages/core/src/ports.js';
import { directoryStore, memoryStore } from '../../../packages/core/src/stores/index.js';
import { missingTools, tool } from '../../support/tools.js';
import { bareRemote, storeOn } from './git-support.js';
import { bytes, failure, scratch, text } from './support.js';

const fresh = scratch();
const implementations: readonly [string, () => Store][] = [
  ['directory', () => directoryStore(join(fresh(), 'not', 'yet', 'there'))],
  ['memory', () => memoryStore()],
  ...(tool('git') ? [['git', gitOnFreshRemote] as [string, () => Store]] : []),
];
if (!tool('git')) process.stderr.write(`skipped: the contract on the Git store, which ${missingTools(['git'])}\n`);

function gitOnFreshRemote(): Store {
  const base = fresh();
  return storeOn(bareRemote(base), join(base, 'mirrors'));
}

describe.each(implementations)('the %s store', (_, make) => {
  it('is empty before the first write', async () => {
    const store = make();
    expect(await store.get('log/checkpoint')).toBeUndefined();
    expect(await store.list('')).toEqual([]);
    expect(await store.list('secrets/')).toEqual([]);
    await store.remove('secrets/a/0001-0.age');
  });

  it('gives back what was put, also nothing at all', async () => {
    const store = make();
    await store.putNew('secrets/dns/key/0001-3f9a2c1b.age', bytes('one'));
    await store.putNew('objects/empty.json', new Uint8Array(0));
    expect(text(await store.get('secrets/dns/key/0001-3f9a2c1b.age'))).toBe('one');
    expect(await store.get('objects/empty.json')).toEqual(new Uint8Array(0));
    expect(await store.get('secrets/dns/key/0002-3f9a2c1b.age')).toBeUndefined();
  });

  it('keeps its bytes apart from the caller\'s', async () => {
    const store = make();
    const mine = bytes('one');
    await store.putNew('objects/a', mine);
    mine.fill(0);
    const got = (await store.get('objects/a'))!;
    expect(text(got)).toBe('one');
    got.slice().fill(0);
    expect(Buffer.isBuffer(got)).toBe(false);
    got.fill(0);
    expect(text(await store.get('objects/a'))).toBe('one');
  });

  it('takes the same file twice, and replaces garbage under its name', async () => {
    const store = make();
    await store.putNew('objects/a', bytes('garb'));
    await store.putNew('objects/a', bytes('true bytes'));
    await store.putNew('objects/a', bytes('true bytes'));
    expect(text(await store.get('objects/a'))).toBe('true bytes');
    expect(await store.list('')).toEqual(['objects/a']);
  });

  it('lists what is below a prefix, sorted by code units', async () => {
    const store = make();
    for (const path of ['log/b', 'log/a-b/c', 'log/a', 'log/a/d', 'logs/x', 'log/a.b'].filter((path) => path !== 'log/a')) {
      await store.putNew(path, bytes(path));
    }
    expect(await store.list('log/')).toEqual(['log/a-b/c', 'log/a.b', 'log/a/d', 'log/b']);
    expect(await store.list('log/a/')).toEqual(['log/a/d']);
    expect(await store.list('')).toEqual(['log/a-b/c', 'log/a.b', 'log/a/d', 'log/b', 'logs/x']);
    expect(await store.list('none/')).toEqual([]);
  });

  it('removes, and removes nothing twice', async () => {
    const store = make();
    await store.putNew('objects/a', bytes('a'));
    await store.remove('objects/a');
    await store.remove('objects/a');
    expect(await store.list('')).toEqual([]);
  });

  it('swaps the checkpoint only from what it is', async () => {
    const store = make();
    expect(await store.swapCheckpoint(bytes('none'), bytes('one'))).toBe(false);
    expect(await store.list('')).toEqual([]);
    expect(await store.swapCheckpoint(undefined, bytes('one'))).toBe(true);
    expect(await store.swapCheckpoint(undefined, bytes('two'))).toBe(false);
    expect(await store.swapCheckpoint(bytes('on'), bytes('two'))).toBe(false);
    expect(text(await store.get('log/checkpoint'))).toBe('one');
    expect(await store.swapCheckpoint(bytes('one'), bytes('two'))).toBe(true);
    expect(text(await store.get('log/checkpoint'))).toBe('two');
    expect(await store.list('')).toEqual(['log/checkpoint']);
  });

  it('lets exactly one of many concurrent swaps win', async () => {
    const store = make();
    const results = await Promise.all(Array.from({ length: 8 }, (_, i) => store.swapCheckpoint(undefined, bytes(`by ${i}`))));
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(text(await store.get('log/checkpoint'))).toBe(`by ${results.indexOf(true)}`);
  });

  it('takes many files at once', async () => {
    const store = make();
    const paths = Array.from({ length: 300 }, (_, i) => `secrets/s${String(i).padStart(3, '0')}/0001-00.age`);
    await Promise.all(paths.map((path) => store.putNew(path, bytes(path))));
    expect(await store.list('secrets/')).toEqual(paths);
    expect((await Promise.all(paths.map((path) => store.get(path)))).map(text)).toEqual(paths);
  });

  it.each([
    '', '/', '/etc/passwd', '..', 'a/..', '../a', 'a/../b', 'a..b', '.', './a', 'a/./b', 'a//b', 'a/', '.git/config', '.tmp-1', 'a/.tmp-1', 'a\\b', 'A', 'a b', 'a\0', 'a\n',
    'é', '-o', 'c:a', 'a'.repeat(256), `${'a/'.repeat(600)}a`,
  ].map((path) => [path.slice(0, 40), path] as const))('refuses the path %j', async (_, path) => {
    const store = make();
    expect((await failure(store.get(path))).code).toBe('BAD_NAME');
    expect((await failure(store.putNew(path, bytes('x')))).code).toBe('BAD_NAME');
    expect((await failure(store.remove(path))).code).toBe('BAD_NAME');
  });

  it.each(['a', '/', '../', 'a/../', 'a//', '.git/'])('refuses the prefix %j', async (prefix) => {
    expect((await failure(make().list(prefix))).code).toBe('BAD_NAME');
  });

  it.each(['log/checkpoint', 'lock'])('keeps %s to itself', async (path) => {
    const store = make();
    await store.swapCheckpoint(undefined, bytes('one'));
    expect((await failure(store.putNew(path, bytes('x')))).code).toBe('BAD_NAME');
    expect((await failure(store.remove(path))).code).toBe('BAD_NAME');
    expect(text(await store.get('log/checkpoint'))).toBe('one');
  });
});
