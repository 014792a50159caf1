import { randomInt } from 'node:crypto';

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export const ALPHABETS = {
  /** Without what people confuse when they read a password aloud or from paper: 0 O o, 1 l I i. */
  unambiguous: LETTERS_AND_DIGITS.replace(/[0Oo1lIi]/g, ''),
  alphanumeric: LETTERS_AND_DIGITS,
  hex: '0123456789abcdef',
  /** Printable ASCII without quotes, backslash, `$` and backtick, which shells and configuration files rewrite. */
  symbols: `${LETTERS_AND_DIGITS}!#%&()*+,-./:;<=>?@[]^_{|}~`,
} as const;

/** Each character independent and equally likely (randomInt rejects what would be biased). */
export function randomText(length: number, alphabet: keyof typeof ALPHABETS): string {
  const characters = ALPHABETS[alphabet];
  return Array.from({ length }, () => characters[randomInt(characters.length)]).join('');
}
