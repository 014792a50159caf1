/** A yes given beforehand, `--yes --expect DIGEST`: to one text, not to whatever is asked by then. */
import { VaultError } from '@oxp-vault/core';

/** Whoever writes two texts finds 16 digits that they have in common with 2^32 tries; with 32 digits that takes 2^64. */
const MIN_DIGITS = 32;

/** The option, for a command that asks about `whose` digest: "of the policy you mean". */
export function digestOption(whose: string): readonly [string, string] {
  return ['--expect <digest>', `the digest ${whose}, or its first ${MIN_DIGITS} digits or more; needed with --yes`];
}

/** True for what names this digest (64 hex digits). Throws USAGE for what is no digest, or too little of one. */
export function isMeant(digest: string, expect: string): boolean {
  if (!/^[0-9a-f]+$/.test(expect) || expect.length < MIN_DIGITS) {
    throw new VaultError('USAGE', `--expect takes the digest that was shown, ${MIN_DIGITS} of its digits or more`, { hint: 'A digest has 64 digits, 0-9 and a-f, without spaces.' });
  }
  return digest.startsWith(expect);
}
