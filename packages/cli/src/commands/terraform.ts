/** `terraform external | key-provider`: what Terraform and OpenTofu start by themselves. Their protocols own standard output. */
import { VaultError } from '@oxp-vault/core';
import { answerExternalQuery, answerKeyRequest, formatExternalResult, formatKeyAnswer, KEY_PROVIDER_HEADER, parseExternalQuery, parseKeyRequest } from '@oxp-vault/terraform-hooks';
import type { Command } from 'commander';
import { type Act, examples, readOptions } from '../command.js';
import { CliContext } from '../context.js';
import { toVaultError } from '../errors.js';
import { OutputClosed } from '../io.js';
import { vaultPort } from '../terraform-port.js';

interface Options {
  readonly offline?: boolean;
}

/** Of both protocols: they know one way to fail. */
const EXIT_FAILED = 1;
/** Far more than any query; a person who pipes a file in by mistake is told at once. */
const MAX_REQUEST = 1024 * 1024;

export function define(command: Command, act: Act): void {
  examples(
    readOptions(command.command('external'))
      .summary("answer Terraform's data source \"external\"")
      .description('Reads a query {"name": "NAME[#FIELD]"} on standard input and prints the public parts of that secret as one JSON object of strings. What is private only with "allow_secret_in_state": "true" in the query, because Terraform keeps it in clear.')
      .action(act(protocol(external))),
    `echo '{"name":"pki/root#certificate"}' | oxp-vault terraform external`,
    `echo '{"name":"dns/rfc2136_tsig_secret"}' | oxp-vault terraform external`,
  );
  examples(
    readOptions(command.command('key-provider'))
      .summary("give OpenTofu the key for its state")
      .description('Speaks version 1 of the external key provider of OpenTofu on standard input and output. Encrypts with the newest version of the secret, decrypts with the version that the state names.')
      .argument('<name>', 'a secret of kind state-key')
      .action(act(protocol(keyProvider))),
    'echo null | oxp-vault terraform key-provider terraform/state',
  );
}

type Run<A extends unknown[]> = (context: CliContext, ...args: A) => Promise<void>;

/** Nothing is asked, also where somebody tries it at a terminal; and what goes wrong is one line, because Terraform shows it as it is. */
function protocol<A extends unknown[]>(run: Run<A>): (context: CliContext, ...args: A) => Promise<number> {
  return async (context, ...args) => {
    const { stdin } = context.io;
    const unattended = new CliContext({ ...context.io, stdin: { isTTY: false, read: () => stdin.read() } }, context.options, context.shell);
    try {
      await run(unattended, ...args);
      return 0;
    } catch (error) {
      if (error instanceof OutputClosed) throw error;
      await context.say(oneLine(toVaultError(error)));
      return EXIT_FAILED;
    }
  };
}

function oneLine({ code, message, details, hint }: VaultError): string {
  const words = [message, ...details, ...(hint === undefined ? [] : [hint])].map((part) => part.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim());
  return `oxp-vault: ${code}: ${words.join('. ')}`;
}

async function external(context: CliContext, { offline }: Options): Promise<void> {
  const query = parseExternalQuery(await readRequest(context));
  const port = vaultPort(context, await context.vault(), { purpose: 'terraform external', offline: offline === true });
  await context.print(formatExternalResult(await answerExternalQuery(query, port)));
}

async function keyProvider(context: CliContext, name: string, { offline }: Options): Promise<void> {
  await context.print(KEY_PROVIDER_HEADER);
  const data = parseKeyRequest(await readRequest(context));
  const port = vaultPort(context, await context.vault(), { purpose: 'terraform key-provider', offline: offline === true });
  await context.print(formatKeyAnswer(await answerKeyRequest(name, data, port)));
}

async function readRequest({ io }: CliContext): Promise<string> {
  const bytes = await io.stdin.read();
  if (bytes.length > MAX_REQUEST) throw new VaultError('USAGE', 'standard input holds far more than a request');
  return new TextDecoder().decode(bytes);
}
