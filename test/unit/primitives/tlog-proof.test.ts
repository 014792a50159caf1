import { describe, expect, it } from 'vitest';
import { isVaultError, type ErrorCode } from '../../../packages/core/src/errors.js';
import { formatCheckpoint } from '../../../packages/core/src/primitives/checkpoint.js';
import { generateSigningKey } from '../../../packages/core/src/primitives/ed25519.js';
import { utf8 } from '../../../packages/core/src/primitives/hash.js';
import { inclusionProof, leafHash, rootOf } from '../../../packages/core/src/primitives/merkle.js';
import { parseNote, signNote, verifyNote } from '../../../packages/core/src/primitives/signed-note.js';
import { formatTlogProof, parseTlogProof, provesInclusion } from '../../../packages/core/src/primitives/tlog-proof.js';

const leaves = Array.from({ length: 11 }, (_, i) => leafHash(Uint8Array.of(i)));
const signer = generateSigningKey();
const checkpoint = signNote(formatCheckpoint({ origin: 'example.com/log', size: 11, root: rootOf(leaves), extensions: ['x'] }), 'example.com/log', signer);
const proof = { index: 6, path: inclusionProof(leaves, 6, 11), checkpoint };
const text = new TextDecoder().decode(formatTlogProof(proof));
const leaf = leaves[6] ?? new Uint8Array(0);

const code = (changed: string): ErrorCode => {
  try {
    parseTlogProof(utf8(changed));
  } catch (error) {
    if (isVaultError(error)) return error.code;
    throw error;
  }
  throw new Error('accepted');
};

describe('tlog proof', () => {
  it('has the lines of the specification', () => {
    const lines = text.split('\n');
    expect(lines.slice(0, 2)).toEqual(['c2sp.org/tlog-proof@v1', 'index 6']);
    expect(lines.slice(2, 6).every((line) => /^[A-Za-z0-9+/]{43}=$/.test(line))).toBe(true);
    expect(lines.slice(6, 8)).toEqual(['', 'example.com/log']);
  });

  it('round-trips and proves, with and without extra data', () => {
    for (const one of [proof, { ...proof, extra: utf8('more') }, { ...proof, extra: new Uint8Array(0) }]) {
      const again = parseTlogProof(formatTlogProof(one));
      expect(again).toEqual(one);
      expect(provesInclusion(again, leaf)).toBe(true);
      expect(verifyNote(parseNote(again.checkpoint), 'example.com/log', signer.publicKey)).toBe(true);
    }
  });

  it('works for the only leaf of a log, whose path is empty', () => {
    const [only = leaf] = leaves;
    const one = signNote(formatCheckpoint({ origin: 'o', size: 1, root: rootOf([only]), extensions: [] }), 'o', signer);
    const again = parseTlogProof(formatTlogProof({ index: 0, path: [], checkpoint: one }));
    expect(again.path).toEqual([]);
    expect(provesInclusion(again, only)).toBe(true);
  });

  it('does not prove another leaf, index or path', () => {
    expect(provesInclusion(proof, leaves[5] ?? leaf)).toBe(false);
    expect(provesInclusion({ ...proof, index: 7 }, leaf)).toBe(false);
    expect(provesInclusion({ ...proof, index: 11 }, leaf)).toBe(false);
    expect(provesInclusion({ ...proof, path: proof.path.slice(1) }, leaf)).toBe(false);
  });

  it.each<[string, string, ErrorCode]>([
    ['another first line', text.replace('@v1', '@v2'), 'BAD_PROOF'],
    ['no index', text.replace('index 6\n', ''), 'BAD_PROOF'],
    ['a leading zero', text.replace('index 6', 'index 06'), 'BAD_PROOF'],
    ['a negative index', text.replace('index 6', 'index -6'), 'BAD_PROOF'],
    ['extra data after the index', text.replace('index 6\n', 'index 6\nextra AA==\n'), 'BAD_PROOF'],
    ['extra data twice', text.replace('index 6\n', 'extra AA==\nextra AA==\nindex 6\n'), 'BAD_PROOF'],
    ['extra data that is no base64', text.replace('index 6\n', 'extra A\nindex 6\n'), 'BAD_PROOF'],
    ['a short hash', text.replace(/index 6\n.{44}/, 'index 6\nAAAA'), 'BAD_PROOF'],
    ['a hash that is no base64', text.replace(/index 6\n.{44}/, `index 6\n${'-'.repeat(44)}`), 'BAD_PROOF'],
    ['too many hashes', text.replace('index 6\n', `index 6\n${`${'A'.repeat(43)}=\n`.repeat(54)}`), 'BAD_PROOF'],
    ['no blank line', text.replaceAll('\n\n', '\n'), 'BAD_PROOF'],
    ['carriage returns', text.replaceAll('\n', '\r\n'), 'BAD_PROOF'],
    ['no checkpoint', `${text.slice(0, text.indexOf('\n\n'))}\n\n`, 'BAD_CHECKPOINT'],
    ['a malformed checkpoint', text.replace('\n11\n', '\n011\n'), 'BAD_CHECKPOINT'],
  ])('is refused with %s', (_, changed, expected) => {
    expect(changed).not.toBe(text);
    expect(code(changed)).toBe(expected);
  });

  it('is refused when it is not UTF-8', () => {
    expect(() => parseTlogProof(Uint8Array.of(0xff, 0x0a, 0x0a))).toThrow(/UTF-8/);
  });
});
