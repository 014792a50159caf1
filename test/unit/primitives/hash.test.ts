import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  concatBytes,
  equalBytes,
  fromBase64,
  fromHex,
  fromUtf8,
  sha256,
  sha256Hex,
  taggedHash,
  toBase64,
  toHex,
  utf8,
} from '../../../packages/core/src/primitives/hash.js';

describe('sha256', () => {
  it('gives the FIPS 180-4 example digests', () => {
    expect(sha256Hex(utf8('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(toHex(sha256(new Uint8Array(0)))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it('hashes only the view it was given, and returns no Buffer', () => {
    const backing = utf8('xxabcxx');
    const digest = sha256(backing.subarray(2, 5));
    expect(digest).toEqual(sha256(utf8('abc')));
    expect(Buffer.isBuffer(digest)).toBe(false);
  });
});

describe('taggedHash', () => {
  it('puts one NUL before each part', () => {
    const expected = createHash('sha256').update('tag\0one\0two').digest('hex');
    expect(toHex(taggedHash('tag', utf8('one'), utf8('two')))).toBe(expected);
  });

  it('separates tags and parts', () => {
    const digests = [
      taggedHash('a', utf8('bc')),
      taggedHash('ab', utf8('c')),
      taggedHash('a', utf8('b'), utf8('c')),
      taggedHash('abc'),
      taggedHash('abc', utf8('')),
    ];
    expect(new Set(digests.map(toHex)).size).toBe(digests.length);
  });
});

describe('hex', () => {
  it('round-trips', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => {
      expect(fromHex(toHex(bytes))).toEqual(bytes);
    }));
  });

  it.each(['0', 'AB', 'aB', '0x', 'zz', '00 ', ' 00', '0g', '00\n', 'ａｂ'])('refuses %j', (text) => {
    expect(fromHex(text)).toBeUndefined();
  });
});

describe('base64', () => {
  it('round-trips', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => {
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }));
  });

  it.each(['A', 'AA', 'AAA', 'AAAA=', 'AB==', 'AAB=', 'AA==\n', ' AA==', 'A A==', '-_==', '____', 'AA==AA==', '='])(
    'refuses %j, which is not what toBase64 writes',
    (text) => {
      expect(fromBase64(text)).toBeUndefined();
    },
  );
});

describe('bytes', () => {
  it('concatenates and compares by content', () => {
    const joined = concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3));
    expect(joined).toEqual(Uint8Array.of(1, 2, 3));
    expect(equalBytes(joined, Uint8Array.of(1, 2, 3))).toBe(true);
    expect(equalBytes(joined, Uint8Array.of(1, 2, 4))).toBe(false);
    expect(equalBytes(joined, Uint8Array.of(1, 2))).toBe(false);
  });
});

describe('fromUtf8', () => {
  it('reads back what utf8 writes, a byte order mark and U+FFFD included', () => {
    for (const text of ['', 'é 日本 \u{1f600}', '\ufeffx', '\ufffd']) expect(fromUtf8(utf8(text))).toBe(text);
  });

  it('takes nothing that is not well-formed: a lone or overlong byte, a surrogate, an end cut off', () => {
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) expect(fromUtf8(Uint8Array.from(bytes))).toBeUndefined();
  });
});
