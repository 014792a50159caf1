/** `oxp-vault --expect LINE open …`: an option of nearly every command, taken also where the global ones stand. */
import { VaultError } from '@oxp-vault/core';

const OPTION = '--expect';
/** Global options with a value, which must not be taken for the command (shell.ts). */
const WITH_VALUE: readonly string[] = ['--vault', '--identity', '--passphrase-file'];

/** The command line without an `--expect` before the command, and what it said. Throws USAGE where it says nothing. */
export function leadingExpect(argv: readonly string[]): { argv: readonly string[]; expect?: string } {
  for (let i = 0; i < argv.length && argv[i]!.startsWith('-') && argv[i] !== '--'; i++) {
    const word = argv[i]!;
    if (WITH_VALUE.includes(word)) i++;
    if (word !== OPTION && !word.startsWith(`${OPTION}=`)) continue;
    const expect = word === OPTION ? argv[i + 1] : word.slice(OPTION.length + 1);
    if (expect === undefined || expect === '') throw new VaultError('USAGE', `${OPTION} says which vault is meant, and nothing follows it`, { hint: 'oxp-vault --expect VAULT@SIZE:ROOT COMMAND, as `oxp-vault status` prints it' });
    return { argv: [...argv.slice(0, i), ...argv.slice(i + (word === OPTION ? 2 : 1))], expect };
  }
  return { argv };
}
