/** What making an identity asks for: a passphrase, and names. Shared by `identity create` and `device add --recovery`. */
import { isName, readPassphraseFile, VaultError } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { askNewPassphrase, checkNewPassphrase, type NewPassphrase } from './passphrase.js';

/** Undefined where none is wanted. Throws PASSPHRASE_NEEDED where nobody can be asked. */
export async function newPassphrase(context: CliContext, wanted: boolean, file: string | undefined, flag: string): Promise<NewPassphrase | undefined> {
  if (!wanted) return undefined;
  if (file !== undefined) return { passphrase: checkNewPassphrase(await readPassphraseFile(file)), generated: false };
  if (!context.interactive) {
    throw new VaultError('PASSPHRASE_NEEDED', 'the identity needs a passphrase, and there is no terminal to ask for one', { hint: `Name a file that holds one (${flag} FILE), or leave the identity unprotected: --no-passphrase` });
  }
  return askNewPassphrase(await context.prompter(), 'Passphrase for your identity (Enter: make one for me):', (words) => context.say(words));
}

export async function tellPassphrase(context: CliContext, chosen: NewPassphrase | undefined): Promise<void> {
  if (!chosen?.generated) return;
  await context.say(`\n  ${context.paint.strong(chosen.passphrase)}\n\nThis is your passphrase. Write it down now: it is shown once, and kept nowhere.\n`);
}

export function nameOr(given: string | undefined, flag: string, otherwise: () => string): string {
  if (given === undefined) return otherwise();
  if (isName(given)) return given;
  throw new VaultError('BAD_NAME', `${flag} ${JSON.stringify(given)} is no name`, { hint: 'Lower-case letters, digits, - . _, beginning with a letter, at most 64.' });
}

/** A name made of what the system calls somebody or something; undefined where nothing of it is left. */
export function usableName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/[^a-z0-9._-]+/g, '-').replace(/\.{2,}/g, '.').replace(/^[^a-z]+|[^a-z0-9]+$/g, '').slice(0, 64);
  return isName(name) ? name : undefined;
}

