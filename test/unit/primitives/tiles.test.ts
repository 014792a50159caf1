import { describe, expect, it } from 'vitest';
import { isVaultError } from '../../../packages/core/src/errors.js';
import { fromHex, toHex, utf8 } from '../../../packages/core/src/primitives/hash.js';
import {
  consistencyPath,
  consistencyProof,
  inclusionPath,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
} from '../../../packages/core/src/primitives/merkle.js';
import { subtreesFromTiles, tilePath, tiles } from '../../../packages/core/src/primitives/tiles.js';

const leaf = (i: number): Uint8Array => utf8(`entry ${i}`);
const leaves = (n: number): Uint8Array[] => Array.from({ length: n }, (_, i) => leaf(i));
const hexes = (list: readonly Uint8Array[]): string[] => list.map(toHex);

function* repeated(n: number): Generator<Uint8Array> {
  const one = Uint8Array.of(7);
  for (let i = 0; i < n; i++) yield one;
}

describe('tilePath', () => {
  it.each<[number | 'entries', number, number, string]>([
    [0, 0, 256, 'tile/0/000'],
    [0, 1234067, 256, 'tile/0/x001/x234/067'],
    [1, 999, 256, 'tile/1/999'],
    [1, 1000, 256, 'tile/1/x001/000'],
    [2, 0, 17, 'tile/2/000.p/17'],
    ['entries', 273, 112, 'tile/entries/273.p/112'],
  ])('level %s, index %i, width %i', (level, index, width, path) => {
    expect(tilePath(level, index, width)).toBe(path);
  });
});

describe('tiles', () => {
  it('of nothing are none', () => {
    expect([...tiles([])]).toEqual([]);
  });

  it('of three entries are these bytes', () => {
    expect([...tiles([utf8('a'), new Uint8Array(0), utf8('bc')])].map(({ path, bytes }) => [path, toHex(bytes)])).toEqual([
      ['tile/entries/000.p/3', `0001${toHex(utf8('a'))}00000002${toHex(utf8('bc'))}`],
      ['tile/0/000.p/3', [utf8('a'), new Uint8Array(0), utf8('bc')].map((data) => toHex(leafHash(data))).join('')],
    ]);
  });

  it('of 256 entries are one full tile, one full bundle, and its root one level up', () => {
    const files = new Map([...tiles(leaves(256))].map(({ path, bytes }) => [path, bytes]));
    expect([...files.keys()].sort()).toEqual(['tile/0/000', 'tile/1/000.p/1', 'tile/entries/000']);
    expect(files.get('tile/0/000')?.length).toBe(8192);
    expect(toHex(files.get('tile/1/000.p/1') ?? new Uint8Array(0))).toBe(toHex(rootOf(leaves(256).map(leafHash))));
  });

  it('of 70,000 entries are those that the specification counts', () => {
    const count = new Map<string, number>();
    const partial: string[] = [];
    for (const { path, bytes } of tiles(repeated(70_000))) {
      const kind = path.split('/')[1] ?? '';
      if (path.includes('.p/')) partial.push(path);
      else count.set(kind, (count.get(kind) ?? 0) + 1);
      if (kind !== 'entries') expect(bytes.length).toBe(32 * Number(/\.p\/(\d+)/.exec(path)?.[1] ?? 256));
    }
    expect(Object.fromEntries(count)).toEqual({ 0: 273, 1: 1, entries: 273 });
    expect(partial.sort()).toEqual(['tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1', 'tile/entries/273.p/112']);
  });

  it('hold entries of up to 65,535 bytes', () => {
    const [bundle] = [...tiles([new Uint8Array(65_535)])];
    expect(toHex(bundle?.bytes.subarray(0, 2) ?? new Uint8Array(0))).toBe('ffff');
    try {
      expect([...tiles([leaf(0), new Uint8Array(65_536)])]).toBeUndefined();
    } catch (error) {
      expect(isVaultError(error, 'BAD_ENTRY')).toBe(true);
    }
  });
});

describe('proofs from tiles', () => {
  it.each([1, 2, 255, 256, 257, 511, 512, 700])('are those from the leaves, for %i of them', (size) => {
    const data = leaves(size);
    const hashes = data.map(leafHash);
    const files = new Map([...tiles(data)].map(({ path, bytes }) => [path, bytes]));
    const subtree = subtreesFromTiles((path) => files.get(path), size);
    expect(toHex(subtree(0, size))).toBe(toHex(rootOf(hashes)));
    for (const index of new Set([0, 1, 128, 255, 256, 511, size - 1].filter((i) => i < size))) {
      expect(hexes(inclusionPath(subtree, index, size))).toEqual(hexes(inclusionProof(hashes, index, size)));
      expect(hexes(consistencyPath(subtree, index + 1, size))).toEqual(hexes(consistencyProof(hashes, index + 1, size)));
    }
  });

  it('across 256 full tiles need few of them', () => {
    const files = new Map([...tiles(repeated(65_537))].map(({ path, bytes }) => [path, bytes]));
    const read: string[] = [];
    const subtree = subtreesFromTiles((path) => {
      read.push(path);
      return files.get(path);
    }, 65_537);
    let perfect = leafHash(Uint8Array.of(7));
    for (let i = 0; i < 16; i++) perfect = nodeHash(perfect, perfect);
    expect(toHex(subtree(0, 65_537))).toBe(toHex(nodeHash(perfect, leafHash(Uint8Array.of(7)))));
    expect(read).toEqual(['tile/2/000.p/1', 'tile/0/256.p/1']);
  });

  it('say which tile is missing or cut off', () => {
    const subtree = (tile: Uint8Array | undefined) => subtreesFromTiles(() => tile, 3);
    for (const tile of [undefined, new Uint8Array(95), new Uint8Array(97)]) {
      expect(() => subtree(tile)(0, 3)).toThrow(/tile\/0\/000\.p\/3/);
    }
    expect(fromHex(toHex(subtree(new Uint8Array(96))(2, 3)))).toEqual(new Uint8Array(32));
  });
});
