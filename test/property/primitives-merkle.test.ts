/** The tree code against the recursive definitions of RFC 6962, written down as they stand there. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../packages/core/src/primitives/hash.js';
import {
  CompactRange,
  consistencyProof,
  inclusionProof,
  leafHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../../packages/core/src/primitives/merkle.js';

const h = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest());

function split(n: number): number {
  return 2 ** Math.ceil(Math.log2(n) - 1);
}

function mth(d: readonly Uint8Array[]): Uint8Array {
  const [only] = d;
  if (only === undefined) return h();
  if (d.length === 1) return h(Uint8Array.of(0), only);
  const k = split(d.length);
  return h(Uint8Array.of(1), mth(d.slice(0, k)), mth(d.slice(k)));
}

function path(m: number, d: readonly Uint8Array[]): Uint8Array[] {
  if (d.length === 1) return [];
  const k = split(d.length);
  return m < k ? [...path(m, d.slice(0, k)), mth(d.slice(k))] : [...path(m - k, d.slice(k)), mth(d.slice(0, k))];
}

function subproof(m: number, d: readonly Uint8Array[], known: boolean): Uint8Array[] {
  if (m === d.length) return known ? [] : [mth(d)];
  const k = split(d.length);
  return m <= k ? [...subproof(m, d.slice(0, k), known), mth(d.slice(k))] : [...subproof(m - k, d.slice(k), false), mth(d.slice(0, k))];
}

const data = (n: number): Uint8Array[] => Array.from({ length: n }, (_, i) => Uint8Array.of(i & 0xff, i >> 8));
const D = data(300);
const leaves = D.map(leafHash);
const hexes = (list: readonly Uint8Array[]): string[] => list.map(toHex);
const size = fc.integer({ min: 1, max: D.length });

describe('against RFC 6962', () => {
  it('agrees on every root up to 300', () => {
    let range = CompactRange.empty;
    for (let n = 0; n <= D.length; n++) {
      const expected = toHex(mth(D.slice(0, n)));
      expect(toHex(rootOf(leaves.slice(0, n)))).toBe(expected);
      expect(toHex(range.root())).toBe(expected);
      range = CompactRange.fromJSON(JSON.parse(JSON.stringify(range)) as ReturnType<CompactRange['toJSON']>);
      const next = leaves[n];
      if (next !== undefined) range = range.append(next);
    }
  });

  it('agrees on every proof up to 40, and the proofs verify', () => {
    for (let n = 1; n <= 40; n++) {
      const d = D.slice(0, n);
      const root = mth(d);
      for (let m = 0; m <= n; m++) {
        const leaf = leaves[m];
        if (m < n && leaf !== undefined) {
          const proof = inclusionProof(leaves, m, n);
          expect(hexes(proof)).toEqual(hexes(path(m, d)));
          expect(verifyInclusion(leaf, m, n, proof, root)).toBe(true);
        }
        const proof = consistencyProof(leaves, m, n);
        expect(hexes(proof)).toEqual(m === 0 ? [] : hexes(subproof(m, d, true)));
        expect(verifyConsistency(m, n, mth(D.slice(0, m)), root, proof)).toBe(true);
      }
    }
  });

  it('agrees on proofs in larger trees', () => {
    fc.assert(
      fc.property(size, fc.nat(), (n, pick) => {
        const index = pick % n;
        const m = 1 + (pick % n);
        expect(hexes(inclusionProof(leaves, index, n))).toEqual(hexes(path(index, D.slice(0, n))));
        expect(hexes(consistencyProof(leaves, m, n))).toEqual(hexes(subproof(m, D.slice(0, n), true)));
      }),
      { numRuns: 40 },
    );
  });
});

describe('verification refuses', () => {
  const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((b, i) => (i === at % bytes.length ? b ^ 1 : b));

  it('every altered inclusion proof', () => {
    fc.assert(
      fc.property(size, fc.nat(), fc.nat(), (n, pick, at) => {
        const index = pick % n;
        const leaf = leaves[index] ?? new Uint8Array(0);
        const root = rootOf(leaves.slice(0, n));
        const proof = inclusionProof(leaves, index, n);
        const other = leaves[(index + 1) % leaves.length] ?? leaf;
        const variants: boolean[] = [
          verifyInclusion(flip(leaf, at), index, n, proof, root),
          verifyInclusion(leaf, index, n, proof, flip(root, at)),
          verifyInclusion(leaf, index, n, [...proof, other], root),
          verifyInclusion(leaf, index, n, [other, ...proof], root),
          ...proof.map((_, i) => verifyInclusion(leaf, index, n, proof.map((p, j) => (i === j ? flip(p, at) : p)), root)),
          ...proof.map((_, i) => verifyInclusion(leaf, index, n, proof.filter((__, j) => i !== j), root)),
          ...Array.from({ length: n }, (_, i) => i !== index && verifyInclusion(leaf, i, n, proof, root)),
        ];
        expect(variants).not.toContain(true);
      }),
      { numRuns: 60 },
    );
  });

  it('every altered consistency proof', () => {
    fc.assert(
      fc.property(size, fc.nat(), fc.nat(), (n, pick, at) => {
        const m = 1 + (pick % n);
        const rootM = rootOf(leaves.slice(0, m));
        const rootN = rootOf(leaves.slice(0, n));
        const proof = consistencyProof(leaves, m, n);
        const extra = leaves[at % leaves.length] ?? rootM;
        const variants: boolean[] = [
          verifyConsistency(m, n, flip(rootM, at), rootN, proof),
          verifyConsistency(m, n, rootM, flip(rootN, at), proof),
          verifyConsistency(m, n, rootM, rootN, [...proof, extra]),
          verifyConsistency(m, n, rootM, rootN, [extra, ...proof]),
          ...proof.map((_, i) => verifyConsistency(m, n, rootM, rootN, proof.map((p, j) => (i === j ? flip(p, at) : p)))),
          ...proof.map((_, i) => verifyConsistency(m, n, rootM, rootN, proof.filter((__, j) => i !== j))),
          m > 1 && verifyConsistency(m - 1, n, rootM, rootN, proof),
        ];
        expect(variants).not.toContain(true);
      }),
      { numRuns: 60 },
    );
  });

  it('a tree whose earlier leaf was rewritten', () => {
    fc.assert(
      fc.property(size, fc.nat(), fc.nat(), (n, pick, which) => {
        const m = 1 + (pick % n);
        const rewritten = leaves.slice(0, n).map((leaf, i) => (i === which % m ? leafHash(Uint8Array.of(1, 2, 3)) : leaf));
        const proof = consistencyProof(rewritten, m, n);
        expect(verifyConsistency(m, n, rootOf(leaves.slice(0, m)), rootOf(rewritten), proof)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
});
