/** `ansible vault-client`: the password of files under ansible-vault, by the protocol of its client scripts. */
import { isVaultError, parseView, VaultError } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, readOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { errorLine, toVaultError } from '../errors.js';
import { OutputClosed } from '../io.js';
import { vaultPort } from '../terraform/port.js';

interface Options {
  readonly vaultId: string;
  readonly under: string;
  readonly offline?: boolean;
}

/** Of the protocol: this source has no password for that label, another may. It is no other error's. */
const EXIT_NONE = 2;
const EXIT_FAILED = 1;

export function define(command: Command, act: Act): void {
  examples(
    readOptions(command.command('vault-client'))
      .summary('give ansible-vault the password for a vault id')
      .description('Prints the secret that is named after the vault id, and nothing else. ansible-vault starts a script whose name ends in -client with --vault-id LABEL: let that script run this command with the same words. Exits with 2 where there is no such secret.')
      .option('--vault-id <label>', 'the label of the vault id', 'default')
      .option('--under <path>', 'where the passwords lie: the one for the label prod is PATH/prod', 'ansible-vault')
      .action(act(vaultClient)),
    'oxp-vault ansible vault-client --vault-id prod',
    'oxp-vault ansible vault-client --vault-id prod --under legacy/vaulted',
  );
}

async function vaultClient(context: CliContext, { vaultId, under, offline }: Options): Promise<number> {
  try {
    if (context.io.stdout.isTTY) throw new VaultError('USAGE', 'this gives a password to ansible-vault, and a terminal is not that', { hint: `To see it: oxp-vault open ${under.replace(/\/$/, '')}/${vaultId} --show` });
    const ref = parseView(`${under.replace(/\/$/, '')}/${vaultId}`);
    const port = vaultPort(context, await context.vault(), { purpose: 'ansible vault-client', offline: offline === true });
    const password = await port.read(ref);
    await context.print(password);
    password.fill(0);
    return 0;
  } catch (error) {
    if (error instanceof OutputClosed) throw error;
    // Ansible shows it beside the name of the script.
    await context.say(errorLine(toVaultError(error)));
    if (isVaultError(error, 'SECRET_NOT_FOUND') || isVaultError(error, 'BAD_NAME')) return EXIT_NONE;
    const { exitCode } = toVaultError(error);
    return exitCode === EXIT_NONE ? EXIT_FAILED : exitCode;
  }
}
