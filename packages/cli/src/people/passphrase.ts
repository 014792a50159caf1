/** New passphrases: from the person at the terminal, or made for them. Never argv, never an environment variable's value. */
import { randomInt } from 'node:crypto';
import { isVaultError, VaultError } from '@oxp-vault/core';
import type { Prompter } from '../prompt.js';

/** Eight words of 2,048: 88 bits, each try costing a second of scrypt. */
const WORDS = 8;
const SHORTEST = 8;

/** Throws BAD_VALUE for one that is no protection. */
export function checkNewPassphrase(passphrase: string): string {
  if ([...passphrase].length >= SHORTEST) return passphrase;
  throw new VaultError('BAD_VALUE', `the passphrase has fewer than ${SHORTEST} characters`, { hint: 'Take several words, or press Enter to have one made.' });
}

export interface NewPassphrase {
  readonly passphrase: string;
  /** True when nobody has seen it yet. */
  readonly generated: boolean;
}

const TRIES = 3;

/** Asks twice; Enter makes one. A slip is told, and asked again. Throws BAD_VALUE for the third. */
export async function askNewPassphrase(prompter: Prompter, message: string, tell: (words: string) => Promise<void>): Promise<NewPassphrase> {
  for (let left = TRIES; ; left--) {
    try {
      const passphrase = await prompter.passphrase(message);
      if (passphrase === '') return { passphrase: await generatePassphrase(), generated: true };
      checkNewPassphrase(passphrase);
      if ((await prompter.passphrase('The same again:')) !== passphrase) throw new VaultError('BAD_VALUE', 'the two passphrases differ', { hint: 'Nothing was written. Try again, or press Enter to have one made.' });
      return { passphrase, generated: false };
    } catch (error) {
      if (!isVaultError(error, 'BAD_VALUE') || left === 1) throw error;
      await tell(`${error.message}. Once more:`);
    }
  }
}

/** Words that can be read over a phone and written on paper. */
export async function generatePassphrase(): Promise<string> {
  const { wordlist } = await import('@scure/bip39/wordlists/english.js');
  return Array.from({ length: WORDS }, () => wordlist[randomInt(wordlist.length)]).join('-');
}
