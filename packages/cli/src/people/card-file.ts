/** Cards as people hand them around: one-line files. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Card, isVaultError, parseCard, VaultError } from '@oxp-vault/core';
import type { Io } from '../io.js';
import { errnoOf, ioError } from '../files/private-file.js';

/** Larger than any card with a post-quantum recipient. */
const MAX_CARD = 16_384;

/** Reads and verifies a card file. Throws FILE_NOT_FOUND, BAD_CARD, WEAK_KEY, each naming the file. */
export async function readCardFile(io: Pick<Io, 'cwd'>, file: string): Promise<Card> {
  const text = await readText(resolve(io.cwd, file), file);
  try {
    return parseCard(text.replace(/\r?\n$/, ''));
  } catch (error) {
    if (!isVaultError(error)) throw error;
    throw new VaultError(error.code, `${file}: ${error.message}`, { ...(error.hint === undefined ? {} : { hint: error.hint }), cause: error });
  }
}

async function readText(path: string, file: string): Promise<string> {
  try {
    return (await readFile(path, { encoding: 'utf8' })).slice(0, MAX_CARD);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw new VaultError('FILE_NOT_FOUND', `there is no file ${file}`, { hint: 'A card is the .card file that `oxp-vault identity create` writes.' });
    throw ioError('cannot read', path, error);
  }
}
