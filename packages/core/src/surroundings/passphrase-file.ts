/** A passphrase that stands in a file: never in argv, nor in the value of a variable. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { VaultError } from '../errors.js';
import { storeError } from '../stores/io-error.js';
import type { Surroundings } from './surroundings.js';

/** `--passphrase-file`, else OXP_VAULT_PASSPHRASE_FILE. */
export function passphraseFile(io: Surroundings, flag: string | undefined): string | undefined {
  const named = flag ?? io.env['OXP_VAULT_PASSPHRASE_FILE'];
  return named ? resolve(io.cwd, named) : undefined;
}

/** The content without the line break at its end. Throws STORE_IO, PASSPHRASE_NEEDED for an empty file. */
export async function readPassphraseFile(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw storeError(error, 'cannot read the passphrase file', path);
  }
  const passphrase = text.replace(/\r?\n$/, '');
  if (passphrase === '') throw new VaultError('PASSPHRASE_NEEDED', `the passphrase file ${path} is empty`);
  return passphrase;
}
