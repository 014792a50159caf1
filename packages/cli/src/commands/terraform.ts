/**
 * `terraform external | key-provider`: what Terraform and OpenTofu start by themselves; their protocols own standard output. And
 * `terraform encryption-config`, for the person who sets that up.
 */
import { newestVersion, type Vault, VaultError } from '@oxp-vault/core';
import { answerExternalQuery, answerKeyRequest, encryptionDocument, formatEncryptionBlock, formatExternalResult, formatKeyAnswer, KEY_PROVIDER_HEADER, parseExternalQuery, parseKeyRequest } from '@oxp-vault/terraform-hooks';
import type { Command } from 'commander';
import { type Act, examples, readOptions } from '../command.js';
import { CliContext } from '../context.js';
import { errorLine, toVaultError } from '../errors.js';
import { OutputClosed } from '../io.js';
import { vaultPort } from '../terraform/port.js';
import { encryptionConfigOf } from '../terraform/tofu.js';

interface Options {
  readonly offline?: boolean;
  readonly migrate?: boolean;
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
  examples(
    readOptions(command.command('encryption-config'))
      .summary("print what makes OpenTofu encrypt its state and plans")
      .description('Prints the encryption block for the configuration of OpenTofu 1.10 or later; with --json, what belongs into the variable TF_ENCRYPTION instead.')
      .argument('[name]', 'a secret of kind state-key; the only one unless named')
      .option('--migrate', 'also read a state that is not encrypted yet: for the first apply')
      .action(act(encryptionConfig)),
    'oxp-vault terraform encryption-config terraform/state > encryption.tf',
    'oxp-vault terraform encryption-config terraform/state --migrate',
    'export TF_ENCRYPTION="$(oxp-vault terraform encryption-config --json)"',
  );
}

type Run<A extends unknown[]> = (context: CliContext, ...args: A) => Promise<void>;

/** Nothing is asked, also where somebody tries it at a terminal; and what goes wrong is one line, because Terraform shows it as it is. */
function protocol<A extends unknown[]>(run: Run<A>): (context: CliContext, ...args: A) => Promise<number> {
  return async (context, ...args) => {
    const { stdin } = context.io;
    const unattended = new CliContext({ ...context.io, stdin: { isTTY: false, read: () => stdin.read() } }, context.options);
    try {
      await run(unattended, ...args);
      return 0;
    } catch (error) {
      if (error instanceof OutputClosed) throw error;
      await context.say(errorLine(toVaultError(error)));
      return EXIT_FAILED;
    }
  };
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

async function encryptionConfig(context: CliContext, named: string | undefined, { migrate = false }: Options): Promise<void> {
  const vault = await context.vault();
  const name = named ?? onlyStateKey(vault);
  const config = await encryptionConfigOf(context, vault, name, migrate);
  await context.result(encryptionDocument(config), formatEncryptionBlock(config));
  if (!context.json) await context.say(migrate ? 'After the first apply print it again without --migrate: until then OpenTofu also takes a state in clear.' : 'OpenTofu starts the key provider several times a command, without a terminal: a passphrase has to come from OXP_VAULT_PASSPHRASE_FILE.');
}

function onlyStateKey(vault: Vault): string {
  const all = vault.state.secrets.versions;
  const keys = all.sortedKeys().filter((name) => newestVersion(all.get(name) ?? [])?.statement.kind === 'state-key');
  const [only, ...more] = keys;
  if (only !== undefined && more.length === 0) return only;
  throw new VaultError('USAGE', only === undefined ? 'the vault holds no secret of kind state-key' : `the vault holds ${keys.length} secrets of kind state-key: name one`, {
    hint: only === undefined ? 'Make one: oxp-vault seal terraform/state --kind state-key' : `They are: ${keys.join(', ')}`,
  });
}

async function readRequest({ io }: CliContext): Promise<string> {
  const bytes = await io.stdin.read();
  if (bytes.length > MAX_REQUEST) throw new VaultError('USAGE', 'standard input holds far more than a request');
  return new TextDecoder().decode(bytes);
}
