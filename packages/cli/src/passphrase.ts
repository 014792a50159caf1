/** Where passphrases come from: a file, or the person at the terminal. Never argv, never an environment variable's value. */
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { VaultError } from '@oxp-vault/core';
import type { Io } from './io.js';
import type { Prompter } from './prompt.js';
import { ioError } from './private-file.js';

/** Eight words of 2,048: 88 bits, each try costing a second of scrypt. */
const WORDS = 8;
const SHORTEST = 8;

/** `--passphrase-file`, else OXP_VAULT_PASSPHRASE_FILE. */
export function passphraseFile(io: Pick<Io, 'env' | 'cwd'>, flag: string | undefined): string | undefined {
  const named = flag ?? io.env['OXP_VAULT_PASSPHRASE_FILE'];
  return named ? resolve(io.cwd, named) : undefined;
}

/** The content without the line break at its end. Throws STORE_IO, PASSPHRASE_NEEDED for an empty file. */
export async function readPassphraseFile(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw ioError('cannot read the passphrase file', path, error);
  }
  const passphrase = text.replace(/\r?\n$/, '');
  if (passphrase === '') throw new VaultError('PASSPHRASE_NEEDED', `the passphrase file ${path} is empty`);
  return passphrase;
}

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

/** Asks twice; Enter makes one. */
export async function askNewPassphrase(prompter: Prompter, message: string): Promise<NewPassphrase> {
  const passphrase = await prompter.passphrase(message);
  if (passphrase === '') return { passphrase: await generatePassphrase(), generated: true };
  checkNewPassphrase(passphrase);
  if ((await prompter.passphrase('The same again:')) !== passphrase) throw new VaultError('BAD_VALUE', 'the two passphrases differ');
  return { passphrase, generated: false };
}

/** Words that can be read over a phone and written on paper. */
export async function generatePassphrase(): Promise<string> {
  const { wordlist } = await import('@scure/bip39/wordlists/english.js');
  return Array.from({ length: WORDS }, () => wordlist[randomInt(wordlist.length)]).join('-');
}
