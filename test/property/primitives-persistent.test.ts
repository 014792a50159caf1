import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DigestSet } from '../../packages/core/src/primitives/digest-set.js';
import { PersistentMap } from '../../packages/core/src/primitives/persistent-map.js';

const key = fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('', '__proto__', 'constructor', 'é', '\u{1f511}'));
const step = fc.oneof(fc.tuple(fc.constant('set' as const), key, fc.nat(3)), fc.tuple(fc.constant('delete' as const), key, fc.constant(0)));

function expectSame(map: PersistentMap<number>, model: ReadonlyMap<string, number>): void {
  expect(map.size).toBe(model.size);
  expect(new Map(map)).toEqual(model);
  expect(new Map(map.entries())).toEqual(model);
  expect([...map.keys()].sort()).toEqual([...model.keys()].sort());
  expect([...map.values()].sort((a, b) => a - b)).toEqual([...model.values()].sort((a, b) => a - b));
  expect(map.sortedKeys()).toEqual([...model.keys()].sort());
  for (const [k, v] of model) expect([map.has(k), map.get(k)]).toEqual([true, v]);
}

describe('PersistentMap', () => {
  it('behaves as a Map, and no earlier state ever changes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.nat(3))), fc.array(step, { maxLength: 30 }), (start, steps) => {
        let map = PersistentMap.from(start);
        const model = new Map(start);
        const history: [PersistentMap<number>, ReadonlyMap<string, number>][] = [[map, new Map(model)]];
        for (const [verb, k, v] of steps) {
          if (verb === 'set') {
            map = map.set(k, v);
            model.set(k, v);
          } else {
            map = map.delete(k);
            model.delete(k);
          }
          expect(map.has(k)).toBe(model.has(k));
          expect(map.get(k)).toBe(model.get(k));
          history.push([map, new Map(model)]);
        }
        for (const [then, thenModel] of history) expectSame(then, thenModel);
      }),
    );
  });

  it('holds many keys', () => {
    const model = new Map(Array.from({ length: 5000 }, (_, i) => [`secrets/${i}`, i]));
    let map = PersistentMap.from<number>([]);
    for (const [k, v] of model) map = map.set(k, v);
    expectSame(map, model);
    expectSame(PersistentMap.from(model), model);
  });

  it('is itself when nothing changes', () => {
    const map = PersistentMap.from([['a', undefined]]);
    expect(map.set('a', undefined)).toBe(map);
    expect(map.delete('b')).toBe(map);
    expect(map.has('a')).toBe(true);
    expect(map.set('b', undefined).size).toBe(2);
  });
});

const digest = (i: number): string => createHash('sha256').update(String(i)).digest('hex');

describe('DigestSet', () => {
  it('behaves as a Set across additions, merges and cache files, and no earlier state ever changes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40)), fc.array(fc.nat(60)), (start, added) => {
        let set = DigestSet.from(start.map(digest));
        const model = new Set(start.map(digest));
        const history: [DigestSet, string[]][] = [];
        for (const i of added) {
          history.push([set, [...model].sort()]);
          const before = set.has(digest(i));
          expect(before).toBe(model.has(digest(i)));
          const next = set.add(digest(i));
          if (before) expect(next).toBe(set);
          set = next;
          model.add(digest(i));
        }
        history.push([set, [...model].sort()], [DigestSet.fromBuffer(set.toBuffer()), [...model].sort()]);
        for (const [then, sorted] of history) {
          expect(then.size).toBe(sorted.length);
          expect([...then]).toEqual(sorted);
          expect(Buffer.from(then.toBuffer()).toString('hex')).toBe(sorted.join(''));
          for (let i = 0; i <= 60; i++) expect(then.has(digest(i))).toBe(sorted.includes(digest(i)));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('holds more than it keeps apart before merging', () => {
    let set = DigestSet.empty;
    for (let i = 0; i < 5000; i++) set = set.add(digest(i));
    expect(set.size).toBe(5000);
    expect([...set]).toEqual(Array.from({ length: 5000 }, (_, i) => digest(i)).sort());
    expect([set.has(digest(0)), set.has(digest(4999)), set.has(digest(5000))]).toEqual([true, true, false]);
    expect(DigestSet.empty.size).toBe(0);
  });

  it('works on a part of a larger buffer', () => {
    const file = Buffer.concat([Buffer.from('header'), DigestSet.from([digest(1), digest(2)]).toBuffer()]);
    const set = DigestSet.fromBuffer(file.subarray(6));
    expect([set.size, set.has(digest(1)), set.has(digest(3))]).toEqual([2, true, false]);
  });

  it('takes only digests', () => {
    expect(() => DigestSet.empty.add('00')).toThrow(RangeError);
    expect(() => DigestSet.from(['A'.repeat(64)])).toThrow(RangeError);
    expect(() => DigestSet.fromBuffer(new Uint8Array(33))).toThrow(RangeError);
    expect(DigestSet.from([digest(1)]).has(digest(1).toUpperCase())).toBe(false);
    expect(DigestSet.empty.has('')).toBe(false);
  });
});
