/** The scalars whose exact set of values docs/format.md lists: what is signed must be judged alike by every runtime. */
import { describe, expect, it } from 'vitest';
import { Text, TreePath } from '../../packages/core/src/wire.js';
import { read } from '../support/markdown.js';

/** The code points that the format lists as forbidden in Text. */
function listed(): Set<number> {
  const list = /once and for all: ([0-9A-F,\s-]+)\./.exec(read('docs/format.md'))?.[1] ?? '';
  const ranges = list.split(',').map((range) => range.trim().split('-').map((end) => Number.parseInt(end, 16)));
  return new Set(ranges.flatMap(([first = 0, last = first]) => Array.from({ length: last - first + 1 }, (_, i) => first + i)));
}

interface Schema {
  readonly '~standard': { validate(value: unknown): object };
}

/** Whether a schema takes a value (Standard Schema, https://standardschema.dev). */
const takes = (schema: Schema, value: string): boolean => !('issues' in schema['~standard'].validate(value));

describe('Text', () => {
  it('refuses exactly the code points that docs/format.md lists', () => {
    const forbidden = listed();
    expect(forbidden.size).toBeGreaterThan(200);
    const wrong: string[] = [];
    for (let point = 0; point <= 0x10ffff; point++) {
      if (takes(Text, String.fromCodePoint(point)) === forbidden.has(point)) wrong.push(point.toString(16));
    }
    expect(wrong).toEqual([]);
  });

  it('refuses nothing but control and format characters and separators', () => {
    const forbidden = [...listed()].map((point) => String.fromCodePoint(point));
    expect(forbidden.every((character) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(character))).toBe(true);
  });

  it('is at most 1,000 UTF-16 code units long', () => {
    expect(takes(Text, 'x'.repeat(1000))).toBe(true);
    expect(takes(Text, 'x'.repeat(1001))).toBe(false);
    expect(takes(Text, '\u{1F600}'.repeat(501))).toBe(false);
  });
});

describe('TreePath', () => {
  it.each(['0', '254', '0.2', '1.2.3.4.5.6.7.8'])('takes %s', (path) => expect(takes(TreePath, path)).toBe(true));
  it.each(['', '.', '0.', '.0', '00', '0.01', '1000', '-1', '0 ', '1.2.3.4.5.6.7.8.9'])('refuses %j, so that a leaf has one spelling', (path) => expect(takes(TreePath, path)).toBe(false));
});
