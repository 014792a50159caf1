import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFloat, goTyped, jsonPlain, yamlPlain } from '../../../packages/core/src/material/sops/go-values.js';

const mac = (value: { type: string; bytes: Uint8Array } | undefined): string => (value === undefined ? 'null' : `${value.type} ${Buffer.from(value.bytes).toString()}`);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('plain scalars of YAML, as go-yaml reads them', () => {
  it.each([
    ['', 'null'], ['~', 'null'], ['Null', 'null'], ['nULL', 'str nULL'],
    ['true', 'bool True'], ['FALSE', 'bool False'], ['yes', 'str yes'], ['tRue', 'str tRue'],
    ['0', 'int 0'], ['-17', 'int -17'], ['+5', 'int 5'], ['1_000', 'int 1000'],
    ['0777', 'int 511'], ['0o17', 'int 15'], ['0x1F', 'int 31'], ['0b101', 'int 5'], ['-0b11', 'int -3'],
    ['9223372036854775807', 'int 9223372036854775807'], ['-9223372036854775808', 'int -9223372036854775808'],
    ['08', 'float 8'], ['1.0', 'float 1'], ['.5', 'float 0.5'], ['1e3', 'float 1000'], ['1e21', 'float 1000000000000000000000'], ['1e-7', 'float 0.0000001'],
    ['.inf', 'float +Inf'], ['-.Inf', 'float -Inf'], ['.nan', 'float NaN'], ['1.2.3', 'str 1.2.3'], ['1:30', 'str 1:30'], ['-', 'str -'],
    ['2026-01-02', 'time 2026-01-02T00:00:00Z'], ['2026-1-2', 'time 2026-01-02T00:00:00Z'], ['2026-01-02T03:04:05.500Z', 'time 2026-01-02T03:04:05.5Z'],
    ['2026-01-02t03:04:05+02:00', 'time 2026-01-02T03:04:05+02:00'], ['2026-01-02 03:04:05', 'time 2026-01-02T03:04:05Z'], ['2026-02-30', 'str 2026-02-30'],
  ])('%j', (text, expected) => expect(mac(yamlPlain(text))).toBe(expected));
});

describe('literals of JSON, as SOPS reads them', () => {
  it.each([['null', 'null'], ['true', 'bool True'], ['12345678901234567', 'int 12345678901234567'], ['1.0', 'float 1'], ['1e3', 'float 1000'], ['18446744073709551615', 'float 18446744073709552000']])('%j', (text, expected) => expect(mac(jsonPlain(text))).toBe(expected));
});

describe('decrypted values', () => {
  it('keep every digit of an integer', () => expect(goTyped('int', utf8('9223372036854775807')).text).toBe('9223372036854775807'));
  it('keep bytes that are no text', () => expect(goTyped('str', Uint8Array.of(0xff, 0)).bytes).toEqual(Uint8Array.of(0xff, 0)));
  it.each([['int', 'x'], ['bool', 'maybe'], ['float', '1,5'], ['time', 'noon'], ['comment', 'x'], ['map', 'x']])('of type %s cannot be %j', (type, text) => {
    expect(() => goTyped(type, utf8(text))).toThrow('not of the type that stands beside it');
  });
});

describe('formatFloat', () => {
  it('reads back as the same number, without an exponent', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      const text = formatFloat(x);
      expect(text).toMatch(/^-?\d+(\.\d+)?$/);
      expect(Object.is(Number(text), x)).toBe(true);
    }));
  });
});
