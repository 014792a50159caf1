import { describe, expect, it } from 'vitest';
import { isVaultError } from '../../../packages/core/src/errors.js';
import { formatCheckpoint, parseCheckpoint, parseCount, type Checkpoint } from '../../../packages/core/src/primitives/checkpoint.js';
import { toBase64 } from '../../../packages/core/src/primitives/hash.js';

const bad = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    if (isVaultError(error, 'BAD_CHECKPOINT')) return error.message;
    throw error;
  }
  throw new Error('accepted');
};
/** The text of the specification's example. */
const example = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';

describe('checkpoint', () => {
  it('reads and writes the example of the specification', () => {
    const checkpoint = parseCheckpoint(example);
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20852163, extensions: [] });
    expect(toBase64(checkpoint.root)).toBe('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=');
    expect(formatCheckpoint(checkpoint)).toBe(example);
  });

  it('keeps extension lines', () => {
    const checkpoint = { ...parseCheckpoint(example), extensions: ['page 00ff', 'é ü'] };
    expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
  });

  it.each([
    ['no final newline', example.slice(0, -1)],
    ['an empty origin', example.replace('example.com/behind-the-sofa', '')],
    ['a missing root', 'origin\n5\n'],
    ['a leading zero', example.replace('20852163', '020852163')],
    ['a plus sign', example.replace('20852163', '+20852163')],
    ['a minus sign', example.replace('20852163', '-1')],
    ['an exponent', example.replace('20852163', '2e7')],
    ['a space', example.replace('20852163', '20852163 ')],
    ['hex', example.replace('20852163', '0x10')],
    ['other digits', example.replace('20852163', '٣')],
    ['an empty size', example.replace('20852163', '')],
    ['a size beyond safe integers', example.replace('20852163', '9007199254740992')],
    ['a short root', example.replace('CsUYapGG', '')],
    ['root base64 that is not canonical', example.replace('q2I=', 'q2J=')],
    ['an empty extension line', `${example}a\n\nb\n`],
    ['a blank last line', `${example}\n`],
    ['a carriage return', example.replaceAll('\n', '\r\n')],
  ])('refuses %s', (_, text) => {
    expect(text).not.toBe(example);
    expect(bad(() => parseCheckpoint(text))).not.toBe('');
  });

  it.each<[string, Partial<Checkpoint>]>([
    ['a newline in the origin', { origin: 'a\nb' }],
    ['an empty origin', { origin: '' }],
    ['an empty extension', { extensions: [''] }],
    ['a newline in an extension', { extensions: ['a\nb'] }],
    ['a negative size', { size: -1 }],
    ['a fraction', { size: 0.5 }],
    ['a short root', { root: new Uint8Array(31) }],
  ])('does not write %s', (_, change) => {
    expect(bad(() => formatCheckpoint({ ...parseCheckpoint(example), ...change }))).not.toBe('');
  });
});

describe('parseCount', () => {
  it('reads zero and the largest safe integer', () => {
    expect([parseCount('0'), parseCount('9007199254740991'), parseCount('9007199254740993'), parseCount('00')]).toEqual([0, 2 ** 53 - 1, undefined, undefined]);
  });
});
