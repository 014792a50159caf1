import { describe, expect, it } from 'vitest';
import { isVaultError } from '../../../packages/core/src/errors.js';
import { fromHex, sha256, toHex } from '../../../packages/core/src/primitives/hash.js';
import {
  CompactRange,
  consistencyProof,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../../../packages/core/src/primitives/merkle.js';

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array(0);
const hexes = (list: readonly Uint8Array[]): string[] => list.map(toHex);

/** The tree that the Certificate Transparency projects test with (merkletree tests of certificate-transparency-go). */
const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((data) => leafHash(bytes(data)));
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const root = (size: number): Uint8Array => bytes(roots[size] ?? '');
const leaf = (index: number): Uint8Array => leaves[index] ?? new Uint8Array(0);

describe('known tree', () => {
  it.each(roots.map((hex, size) => [size, hex] as const))('has the root of size %i', (size, hex) => {
    expect(toHex(rootOf(leaves.slice(0, size)))).toBe(hex);
  });

  it.each<[index: number, size: number, path: string[]]>([
    [0, 1, []],
    [0, 8, [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]],
    [5, 8, [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]],
    [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
    [1, 5, [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ]],
  ])('has the audit path of leaf %i in size %i', (index, size, path) => {
    expect(hexes(inclusionProof(leaves, index, size))).toEqual(path);
    expect(verifyInclusion(leaf(index), index, size, path.map(bytes), root(size))).toBe(true);
  });

  it.each<[m: number, n: number, path: string[]]>([
    [1, 1, []],
    [1, 8, [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]],
    [6, 8, [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]],
    [2, 5, [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ]],
  ])('has the consistency proof from %i to %i', (m, n, path) => {
    expect(hexes(consistencyProof(leaves, m, n))).toEqual(path);
    expect(verifyConsistency(m, n, root(m), root(n), path.map(bytes))).toBe(true);
  });
});

describe('edges', () => {
  it('treats the empty tree and the same tree as the definition of a prefix demands', () => {
    expect(verifyConsistency(0, 0, root(0), root(0), [])).toBe(true);
    expect(verifyConsistency(0, 5, root(0), root(5), [])).toBe(true);
    expect(verifyConsistency(5, 5, root(5), root(5), [])).toBe(true);
    expect(verifyConsistency(0, 0, root(0), root(1), [])).toBe(false);
    expect(verifyConsistency(0, 5, root(1), root(5), [])).toBe(false);
    expect(verifyConsistency(0, 5, root(0), root(5), [leaf(0)])).toBe(false);
    expect(verifyConsistency(5, 5, root(5), root(6), [])).toBe(false);
    expect(verifyConsistency(5, 5, root(5), root(5), [leaf(0)])).toBe(false);
  });

  it('answers false, not an exception, to sizes that make no sense', () => {
    for (const [m, n] of [[6, 5], [-1, 5], [1.5, 5], [1, 5.5], [NaN, 5], [1, Infinity], [1, 2 ** 53]] as const) {
      expect(verifyConsistency(m, n, root(1), root(5), [])).toBe(false);
      expect(verifyInclusion(leaf(0), m, n, [], root(5))).toBe(false);
    }
    expect(verifyInclusion(leaf(0), 0, 0, [], root(0))).toBe(false);
    expect(verifyInclusion(leaf(0), 1, 1, [], root(1))).toBe(false);
  });

  it('does not follow a path beyond the root, even to a root made for it', () => {
    const extra = leaf(7);
    const path = [...inclusionProof(leaves, 2, 5), extra];
    expect(verifyInclusion(leaf(2), 2, 5, path, nodeHash(extra, root(5)))).toBe(false);
    expect(verifyInclusion(leaf(2), 2, 5, path, nodeHash(root(5), extra))).toBe(false);
    const consistency = [...consistencyProof(leaves, 3, 5), extra];
    for (const m of [nodeHash(extra, root(3)), root(3)]) {
      for (const n of [nodeHash(extra, root(5)), nodeHash(root(5), extra)]) expect(verifyConsistency(3, 5, m, n, consistency)).toBe(false);
    }
  });

  it('does not call a larger tree a prefix of a smaller one with the same root', () => {
    expect(verifyConsistency(2, 1, root(1), root(1), [])).toBe(false);
  });

  it('counts beyond 32 bits', () => {
    // A leaf far to the right of a lopsided tree: 2^40 leaves of which only the path matters.
    const path = Array.from({ length: 40 }, (_, i) => sha256(Uint8Array.of(i)));
    let expected = leaf(1);
    const index = 2 ** 39 + 2 ** 33 + 1;
    for (const [level, hash] of path.entries()) {
      const right = Math.floor(index / 2 ** level) % 2 === 1;
      expected = sha256(Uint8Array.from([1, ...(right ? hash : expected), ...(right ? expected : hash)]));
    }
    expect(verifyInclusion(leaf(1), index, 2 ** 40, path, expected)).toBe(true);
    expect(verifyInclusion(leaf(1), index - 2 ** 33, 2 ** 40, path, expected)).toBe(false);
  });

  it('refuses to prove what is not in the tree', () => {
    expect(() => inclusionProof(leaves, 5, 5)).toThrow(RangeError);
    expect(() => inclusionProof(leaves, -1, 5)).toThrow(RangeError);
    expect(() => inclusionProof(leaves, 0, 9)).toThrow(RangeError);
    expect(() => consistencyProof(leaves, 6, 5)).toThrow(RangeError);
    expect(() => consistencyProof(leaves, 1, 9)).toThrow(RangeError);
  });

  it('keeps leaves and nodes apart', () => {
    const asLeaf = leafHash(Uint8Array.from([...leaf(0), ...leaf(1)]));
    expect(toHex(asLeaf)).not.toBe(roots[2]);
    expect(verifyInclusion(asLeaf, 0, 1, [], root(2))).toBe(false);
  });
});

describe('CompactRange', () => {
  it('is immutable', () => {
    const three = CompactRange.empty.appendAll(leaves.slice(0, 3));
    const four = three.append(leaf(3));
    three.append(leaf(5));
    expect([three.size, toHex(three.root())]).toEqual([3, roots[3]]);
    expect([four.size, toHex(four.root())]).toEqual([4, roots[4]]);
    expect([CompactRange.empty.size, toHex(CompactRange.empty.root())]).toEqual([0, roots[0]]);
  });

  it.each([
    ['too few hashes', { size: 3, hashes: [roots[1]] }],
    ['too many hashes', { size: 2, hashes: [roots[1], roots[1]] }],
    ['a hash that is no hex', { size: 1, hashes: ['Z'.repeat(64)] }],
    ['a short hash', { size: 1, hashes: ['00'] }],
    ['a negative size', { size: -1, hashes: [] }],
    ['a size that is no integer', { size: 0.5, hashes: [] }],
  ])('does not come back from %s', (_, json) => {
    try {
      CompactRange.fromJSON(json as { size: number; hashes: string[] });
      expect.unreachable();
    } catch (error) {
      expect(isVaultError(error, 'HASH_MISMATCH')).toBe(true);
    }
  });
});
