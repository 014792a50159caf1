import { describe, expect, it } from 'vitest';
import { isMeant } from '../../../packages/cli/src/beforehand.js';

const DIGEST = '3f9a2c1b'.repeat(8);

describe('a yes given beforehand', () => {
  it.each([64, 40, 32])('names the digest by its first %i digits', (digits) => {
    expect(isMeant(DIGEST, DIGEST.slice(0, digits))).toBe(true);
    expect(isMeant(DIGEST.replace('3', '4'), DIGEST.slice(0, digits))).toBe(false);
  });

  it.each([['31 digits', DIGEST.slice(0, 31)], ['16 digits', DIGEST.slice(0, 16)], ['nothing', ''], ['capitals', DIGEST.toUpperCase()], ['spaces', DIGEST.replace('3f9a2c1b', '3f9a2c1b ')]])('is refused for %s', (_, expected) => {
    expect(() => isMeant(DIGEST, expected)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
