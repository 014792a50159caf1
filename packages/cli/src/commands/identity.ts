/** `identity create | show | passwd`: the private file of this device and its public card. */
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { account, type Card, createIdentity, isName, isVaultError, lock, passphraseFile, rememberCard, VaultError } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples } from '../command.js';
import type { CliContext } from '../context.js';
import { nameOr, newPassphrase, tellPassphrase, usableName } from '../people/new-identity.js';
import { mustNotExist, replaceFile, writeNewFile } from '../files/private-file.js';
import { columns, dateTime } from '../render.js';

interface CreateOptions {
  readonly person?: string;
  readonly device?: string;
  readonly out?: string;
  readonly card?: string;
  readonly machine?: boolean;
  readonly pq?: boolean;
  /** False with --no-passphrase. */
  readonly passphrase: boolean;
}

interface PasswdOptions {
  readonly newPassphraseFile?: string;
  readonly passphrase: boolean;
}

const CARD_MODE = 0o644;

export function define(command: Command, act: Act): void {
  examples(
    command
      .command('create')
      .summary('make an identity for this device')
      .description('Makes the identity of this device: the private file, under a passphrase, and the card, its public half.')
      .option('--person <name>', 'your name in vaults (default: the name you are logged in with)')
      .option('--device <name>', 'the name of this device (default: its host name)')
      .option('--out <file>', 'where the identity goes (default: where commands look for it)')
      .option('--card <file>', 'where the card goes (default: beside it)')
      .option('--machine', 'for a machine: it reads and writes secrets, and decides nothing')
      .option('--pq', 'a hybrid post-quantum recipient, for vaults made with init --pq')
      .option('--no-passphrase', 'leave the file unprotected: whoever reads it is you')
      .action(act(create)),
    'oxp-vault identity create',
    'oxp-vault identity create --person alice --device laptop',
    'oxp-vault identity create --machine --person ci --no-passphrase --out ci.age',
  );
  examples(
    command
      .command('show')
      .summary('show whose identity this is')
      .description('Shows person, device and public keys. Asks for the passphrase only if this machine has never unlocked the identity.')
      .option('--card', 'print the card instead, for whoever adds you to a vault')
      .action(act(show)),
    'oxp-vault identity show',
    'oxp-vault identity show --card > alice.card',
  );
  examples(
    command
      .command('passwd')
      .summary('change its passphrase')
      .description('Changes the passphrase of the identity. The keys stay; old copies of the file keep the old passphrase.')
      .option('--new-passphrase-file <file>', 'where the new passphrase stands')
      .option('--no-passphrase', 'take the passphrase off: whoever reads the file is you')
      .action(act(passwd)),
    'oxp-vault identity passwd',
  );
}

async function create(context: CliContext, options: CreateOptions): Promise<void> {
  const { io } = context;
  const out = options.out === undefined ? context.identityPath() : resolve(io.cwd, options.out);
  await mustNotExist(out, 'Look at it: oxp-vault identity show. Another one beside it: oxp-vault identity create --out FILE, used with --identity FILE.');
  const person = await personName(context, options.person);
  const device = nameOr(options.device, '--device', () => usableName(hostname().split('.')[0] ?? '') ?? 'device');
  const cardPath = options.card === undefined ? join(dirname(out), `${person}.card`) : resolve(io.cwd, options.card);
  await mustNotExist(cardPath);
  const chosen = await newPassphrase(context, options.passphrase, passphraseFile(io, context.options.passphraseFile), '--passphrase-file');

  const identity = await createIdentity({ person, device, kind: options.machine ? 'machine' : 'human', suite: options.pq ? 'hybrid' : 'x25519', now: context.clock.now() });
  const bytes = await lock(identity, chosen?.passphrase);
  await writeNewFile(out, bytes);
  await writeNewFile(cardPath, Buffer.from(`${identity.card.line}\n`), CARD_MODE);
  await rememberCard(context.local(), { bytes }, identity.card);

  await tellPassphrase(context, chosen);
  const rows = [
    ['identity', context.path(out), 'keep it, back it up: nobody can remake it'],
    ['card', context.path(cardPath), 'public: send it to whoever adds you to a vault'],
  ];
  await context.result({ ...described(identity.card), identity: out, card: cardPath }, `${titleOf(identity.card)}\n${columns(rows, { indent: 2, gap: 3 })}`);
  if (chosen === undefined) await context.warn('The identity has no passphrase: whoever reads the file is you.');
  await context.next(await whatNow(context, context.path(cardPath), options.machine ?? false));
}

/** Where a vault is named already, another one beside it is hardly what is wanted. */
async function whatNow(context: CliContext, card: string, machine: boolean): Promise<string> {
  if (machine) return `oxp-vault member add ${card} --role ROLE`;
  try {
    const { address } = await context.address();
    return `send ${card} to an admin of the vault at ${context.path(address)}, who types: oxp-vault member add ${basename(card)} --role ROLE`;
  } catch (error) {
    // The identity is made, whatever is wrong with an oxp-vault.yaml here: whoever needs that says so.
    if (isVaultError(error)) return 'oxp-vault init';
    throw error;
  }
}

async function show(context: CliContext, { card: wholeCard }: { card?: boolean }): Promise<void> {
  const card = (await context.whoami()) ?? (await context.identity()).card;
  if (wholeCard) {
    await context.print(`${card.line}\n`);
    return;
  }
  const { path, encrypted, othersMayRead } = await context.identityFile();
  const rows = [
    ['identity', path === undefined ? 'OXP_VAULT_IDENTITY_DATA' : context.path(path), `${encrypted ? 'under a passphrase' : 'without a passphrase'}${othersMayRead ? '; others may read it' : ''}`],
    ['made', dateTime(card.created)],
    ['signing key', card.id.slice(0, 16)],
    ['recipient', card.recipient.length > 80 ? `${card.recipient.slice(0, 40)}…` : card.recipient],
  ];
  await context.result({ ...described(card), ...(path === undefined ? {} : { identity: path, othersMayRead }), encrypted }, `${titleOf(card)}\n${columns(rows, { indent: 2, gap: 3 })}`);
}

async function passwd(context: CliContext, options: PasswdOptions): Promise<void> {
  const { path, encrypted } = await context.identityFile();
  if (path === undefined) throw new VaultError('USAGE', 'the identity comes from OXP_VAULT_IDENTITY_DATA, which no command can change', { hint: 'Name the file: --identity FILE' });
  const identity = await context.identity();
  const file = options.newPassphraseFile === undefined ? undefined : resolve(context.io.cwd, options.newPassphraseFile);
  const chosen = await newPassphrase(context, options.passphrase, file, '--new-passphrase-file');
  const bytes = await lock(identity, chosen?.passphrase);
  await replaceFile(path, bytes);
  await rememberCard(context.local(), { bytes }, identity.card);
  await tellPassphrase(context, chosen);
  await context.result({ ...described(identity.card), identity: path, encrypted: chosen !== undefined }, `${context.path(path)} has ${chosen === undefined ? 'no passphrase any more' : 'a new passphrase'}\n`);
  await context.warn(`Old copies and backups of the file still open ${encrypted ? 'with the old passphrase' : 'without a passphrase'}.`);
}

async function personName(context: CliContext, given: string | undefined): Promise<string> {
  const { USER, LOGNAME } = context.io.env;
  const usable = usableName(USER ?? LOGNAME ?? account()?.username ?? '');
  // Every container's root would be the same person.
  if (given !== undefined || (usable !== undefined && usable !== 'root')) return nameOr(given, '--person', () => usable!);
  if (!context.interactive) throw new VaultError('USAGE', `who this is for is not said: ${usable === undefined ? 'your login name is no name for a vault' : 'root is nobody in particular'}`, { hint: 'Say it: oxp-vault identity create --person NAME' });
  const fault = (answer: string): string | undefined => (isName(answer) ? undefined : 'Lower-case letters, digits, - . _, beginning with a letter.');
  return (await context.prompter()).text('Your name in vaults:', { validate: fault });
}

function titleOf(card: Card): string {
  return `${card.person}, ${card.kind === 'machine' ? 'a machine, ' : ''}device ${card.device}`;
}

function described(card: Card): object {
  const { person, device, kind, id, key, recipient, created } = card;
  return { person, device, kind, id, key, recipient, created };
}
