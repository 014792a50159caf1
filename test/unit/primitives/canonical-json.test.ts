import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, MAX_DEPTH, parseCanonical } from '../../../packages/core/src/primitives/canonical-json.js';
import { utf8 } from '../../../packages/core/src/primitives/hash.js';
import type { Json } from '../../../packages/core/src/wire.js';
import { isVaultError } from '../../../packages/core/src/errors.js';

const text = (value: Json): string => new TextDecoder().decode(canonicalJson(value));
const notCanonical = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    if (isVaultError(error, 'NOT_CANONICAL')) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
};
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('canonicalJson', () => {
  it('sorts keys by code unit, also those that look like indices', () => {
    expect(text({ b: 1, a: { z: null, A: true }, '10': 2, '9': 3 })).toBe('{"10":2,"9":3,"a":{"A":true,"z":null},"b":1}');
  });

  it('escapes strings as RFC 8785 section 3.2.2.2 does', () => {
    expect(text('\u20ac$\u000f\nA\'B"\\"/\u2028é')).toBe('"€$\\u000f\\nA\'B\\"\\\\\\"/\u2028é"');
  });

  it.each<[string, unknown, string]>([
    ['a fraction', { a: [1, 0.5] }, '$.a[1] is not a safe integer'],
    ['negative zero', [-0], '$[0] is not a safe integer'],
    ['an unsafe integer', 2 ** 53, '$ is not a safe integer'],
    ['NaN', NaN, '$ is not a safe integer'],
    ['undefined', { a: undefined }, '$.a is a undefined'],
    ['an unset element', Array.from({ length: 2 }), '$[0] is a undefined'],
    ['a bigint', [1n], '$[0] is a bigint'],
    ['a lone surrogate', { a: { b: 'x\ud800' } }, '$.a.b holds a lone surrogate'],
    ['a swapped surrogate pair', '\udc00\ud800', '$ holds a lone surrogate'],
    ['a key beyond ASCII', { a: { 'é': 1 } }, '$.a has a key that is not allowed'],
    ['a control character in a key', { 'a\n': 1 }, '$ has a key that is not allowed'],
    ['an own __proto__', JSON.parse('{"__proto__":{}}'), '$ has a key that is not allowed'],
    ['a date', { at: new Date(0) }, '$.at is not a plain object'],
    ['a map', new Map(), '$ is not a plain object'],
  ])('refuses %s', (_, value, message) => {
    expect(notCanonical(() => canonicalJson(value as Json))).toContain(message);
  });

  it('refuses nesting beyond its limit, cycles included', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(notCanonical(() => canonicalJson(cycle as Json))).toContain('nested deeper');
    expect(() => canonicalJson(JSON.parse(nested(MAX_DEPTH)) as Json)).not.toThrow();
    expect(notCanonical(() => canonicalJson(JSON.parse(nested(MAX_DEPTH + 1)) as Json))).toContain('nested deeper');
  });
});

describe('parseCanonical', () => {
  const key = fc.string({ unit: 'grapheme-ascii', maxLength: 6 }).filter((k) => k !== '__proto__');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger().filter((n) => !Object.is(n, -0)),
      fc.string({ unit: 'binary' }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));

  it('is the inverse of canonicalJson', () => {
    fc.assert(fc.property(value, (v) => {
      expect(parseCanonical(canonicalJson(v as Json))).toEqual(v);
    }));
  });

  it('accepts index-like keys in canonical order and refuses them in numeric order', () => {
    expect(parseCanonical(utf8('{"10":1,"9":2}'))).toEqual({ '9': 2, '10': 1 });
    expect(notCanonical(() => parseCanonical(utf8('{"9":2,"10":1}')))).toContain('canonical form');
  });

  it.each([
    ['duplicate keys', '{"a":1,"a":1}'],
    ['duplicate keys with other values', '{"a":1,"a":2}'],
    ['unsorted keys', '{"b":1,"a":2}'],
    ['unsorted keys further down', '[{"x":{"b":1,"a":2}}]'],
    ['white space', '{"a": 1}'],
    ['a trailing newline', '{"a":1}\n'],
    ['a byte order mark', '\ufeff{"a":1}'],
    ['1.0', '[1.0]'],
    ['1e0', '[1e0]'],
    ['-0', '[-0]'],
    ['an unsafe integer', '[9007199254740993]'],
    ['a needless escape', '["\\u0061"]'],
    ['an escaped slash', '["\\/"]'],
    ['a lone surrogate as an escape', '["\\ud800"]'],
    ['an upper-case escape', '["\\u000F"]'],
    ['__proto__', '{"__proto__":{"a":1}}'],
    ['an escaped __proto__', '{"\\u005f_proto__":{}}'],
    ['no JSON', '{'],
    ['nothing', ''],
    ['two documents', '1 2'],
    ['nesting beyond the limit', nested(MAX_DEPTH + 1)],
    ['nesting far beyond the limit', nested(60_000)],
  ])('refuses %s', (_, json) => {
    expect(notCanonical(() => parseCanonical(utf8(json)))).not.toBe('');
  });

  it('refuses invalid UTF-8, which a lenient decoder would replace', () => {
    expect(notCanonical(() => parseCanonical(Uint8Array.of(0x22, 0xff, 0x22)))).toContain('UTF-8');
    expect(notCanonical(() => parseCanonical(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)))).toContain('UTF-8');
  });

  it('never quotes the content in its message', () => {
    expect(notCanonical(() => parseCanonical(utf8('hunter2 {')))).not.toContain('hunter2');
    expect(notCanonical(() => parseCanonical(utf8('{"a":"hunter2" }')))).not.toContain('hunter2');
  });
});
