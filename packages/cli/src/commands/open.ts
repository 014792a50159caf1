/** `open`: what a secret holds, recorded before a byte is shown. On a terminal a table, unless the values are asked for. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FORMAT_NAMES, type FormatOptions, isPurpose, type Opening, openViews, parseView, planOpening, type Queued, readableBy, readPassphraseFile, type Rendered, renderSecrets, Secret, type Vault, VaultError, type View } from '@oxp-vault/core';
import { type Act, examples, readOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { freshnessWords } from '../freshness.js';
import { ago, count, table } from '../render.js';

interface Options {
  readonly role?: string;
  readonly at?: string;
  readonly format?: string;
  readonly out?: string;
  readonly show?: boolean;
  readonly offline?: boolean;
  readonly queue?: string;
  readonly prefix?: string;
  readonly namespace?: string;
  readonly secretName?: string;
  readonly profile?: string;
  readonly friendlyName?: string;
  readonly githubKey?: string;
  readonly githubKeyId?: string;
  readonly passwordFile?: string;
  readonly purpose?: string;
}

/** Names that are told one by one. */
const SHOWN = 6;

export function define(command: Command, act: Act): void {
  readOptions(command)
    .description('Gives secrets as the files that tools want. One NAME into a pipe: its bytes; several: one JSON document; on a terminal a table, and values only with --show. The opening is recorded before a byte is shown; public fields need neither passphrase nor record.')
    .argument('[name...]', 'NAME, or NAME#FIELD for one part of it')
    .option('--role <role>', 'everything that this role reads')
    .option('--at <version>', 'this version instead of the newest; for one NAME')
    .option('--format <format>', `the shape of it: ${FORMAT_NAMES.join(', ')}`)
    .option('--out <dir>', 'write files into a new directory that only you can read')
    .option('--show', 'show the values on a terminal')
    .option('--purpose <words>', 'why, for the log')
    .option('--queue <file>', 'with --offline: keep the record in this file, for `sync --from FILE` elsewhere')
    .option('--prefix <prefix>', 'env, tfvars, github-actions: before every name')
    .option('--namespace <name>', 'k8s-secret, external-dns: namespace')
    .option('--secret-name <name>', 'k8s-secret, external-dns: name of the Secret')
    .option('--profile <name>', 'scaleway: name of the profile')
    .option('--friendly-name <name>', 'p12: what key stores call it')
    .option('--password-file <file>', 'p12: where its password stands')
    .option('--github-key <key>', "github-actions: the repository's public key")
    .option('--github-key-id <id>', 'github-actions: its id')
    .action(act(run));
  examples(command, 'oxp-vault open app/password | cat', 'oxp-vault open --role platform --out ./in', 'oxp-vault open dns/rfc2136_tsig_secret --format external-dns | kubectl apply -f -', 'oxp-vault open pki/root#certificate', 'oxp-vault open app/password --show');
}

async function run(context: CliContext, names: readonly string[], options: Options): Promise<void> {
  if (options.purpose !== undefined && (options.purpose === '' || !isPurpose(options.purpose))) throw new VaultError('USAGE', '--purpose takes one line of at most 200 characters');
  if (options.queue !== undefined && options.offline !== true) throw new VaultError('USAGE', '--queue goes with --offline: otherwise the record goes into the log');
  const seen = await context.vault();
  const views = viewsOf(seen, names, options);
  const format = formatOf(context, options, views);
  const target = options.out === undefined ? undefined : resolve(context.io.cwd, options.out);
  const opening = await planOpening(seen, views, format, await formatOptions(context, options));
  const hidden = target === undefined && context.io.stdout.isTTY && options.show !== true && opening.items.some((item) => item.private);
  if (hidden) {
    await showTable(context, seen, opening);
    await context.say(freshnessWords(context, seen, options.offline === true));
  } else await showValues(context, seen, format === 'p12' && !opening.options.password ? { ...opening, options: { ...opening.options, password: await askPassword(context) } } : opening, options, target);
}

function viewsOf(vault: Vault, names: readonly string[], { role, at }: Options): View[] {
  if (names.length === 0 && role === undefined) throw new VaultError('USAGE', 'what is to be opened is not said', { hint: 'Name secrets, or a role: oxp-vault open --role ROLE. See what there is: oxp-vault list' });
  const views = [...names.map(parseView), ...(role === undefined ? [] : readableBy(vault, role).filter((name) => !names.includes(name)).map((name) => ({ name })))];
  if (views.length === 0) throw new VaultError('SECRET_NOT_FOUND', `role ${role} reads no secret yet`);
  if (at === undefined) return views;
  if (views.length !== 1) throw new VaultError('USAGE', `--at belongs to exactly one secret, and ${views.length} are named`);
  if (!/^v?[1-9][0-9]{0,8}$/.test(at)) throw new VaultError('USAGE', '--at takes the number of a version');
  return [{ ...views[0]!, version: Number(at.replace(/^v/, '')) }];
}

/** `--json` is `--format json`. One secret is its bytes, several are one document, a directory gets the files that tools want. */
function formatOf(context: CliContext, { format, out }: Options, views: readonly View[]): string {
  if (context.json) {
    if (format !== undefined && format !== 'json') throw new VaultError('USAGE', `--json is --format json, and --format ${format} is asked for as well`);
    return 'json';
  }
  return format ?? (out === undefined ? (views.length === 1 ? 'raw' : 'json') : 'files');
}

async function formatOptions(context: CliContext, options: Options): Promise<FormatOptions> {
  const { prefix, namespace, secretName, profile, friendlyName, githubKey, githubKeyId, passwordFile } = options;
  const given = { prefix, namespace, secretName, profile, friendlyName, githubKey, githubKeyId };
  const password = passwordFile === undefined ? undefined : await readPassword(resolve(context.io.cwd, passwordFile));
  return {
    target: options.out === undefined ? 'stream' : 'directory',
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(password ? { password } : {}),
  };
}

async function readPassword(path: string): Promise<Secret> {
  return Secret.fromText(await readPassphraseFile(path));
}

/** Twice: a p12 whose password was mistyped opens for nobody. */
async function askPassword(context: CliContext): Promise<Secret> {
  if (!context.interactive) throw new VaultError('USAGE', 'a p12 needs a password, and there is no terminal to ask for one', { hint: 'Name a file that holds it: --password-file FILE. Nothing was decrypted.' });
  const prompter = await context.prompter();
  const password = await prompter.passphrase('Password for the p12:');
  if (password === '') throw new VaultError('BAD_VALUE', 'nothing was typed');
  if ((await prompter.passphrase('The same again:')) !== password) throw new VaultError('BAD_VALUE', 'the two differ: nothing was decrypted');
  return Secret.fromText(password);
}

async function showTable(context: CliContext, vault: Vault, { items }: Opening): Promise<void> {
  const now = context.clock.now();
  const rows = items.map(({ version, field }) => ({ name: version.statement.name + (field === undefined ? '' : `#${field}`), version: version.statement.version, kind: version.statement.kind, sealedBy: version.sealer.person, time: version.time }));
  await context.result(
    { shown: false, secrets: rows, log: { vault: vault.id, ...vault.point } },
    table(['NAME', 'VERSION', 'KIND', 'SEALED BY'], rows.map((row) => [row.name, `v${row.version}`, row.kind, `${row.sealedBy}, ${ago(row.time, now)}`])),
  );
  await context.say('Nothing was decrypted. The values: --show, or | a program, or --out DIR.');
}

async function showValues(context: CliContext, seen: Vault, opening: Opening, options: Options, target: string | undefined): Promise<void> {
  const outputs = target === undefined ? undefined : await import('../files/output-directory.js');
  if (target !== undefined) await outputs!.checkOutputDirectory(target);
  const hidden = opening.items.filter((item) => item.private).map((item) => item.version.statement.name);
  // What this opening is for, and where its record goes, an agent would not know.
  const source = hidden.length > 0 && !options.purpose && !options.queue && !options.offline ? await (await import('../agent.js')).agentFor(context, seen, hidden) : undefined;
  const vault = hidden.length > 0 && !source ? seen.as(await context.identity()) : seen;
  let queued: VaultError | undefined;
  let free: readonly string[] = [];
  const secrets = await openViews(vault, opening, { purpose: options.purpose ?? 'open', offline: options.offline === true, ...keeping(context, options), onQueued: (reason) => (queued = reason), onStanding: (opened) => (free = opened) }, source);
  if (free.length > 0) await context.say(`Standing access: of ${free.length <= SHOWN ? free.join(', ') : count(free.length, 'secret')} nothing is recorded.`);
  if (queued) await context.warn(`${queued.code}: ${queued.message}. The record of this opening waits on this machine, and your next writing command takes it along.`);
  let rendered: Rendered | undefined;
  try {
    rendered = await renderSecrets(opening.format, secrets, opening.options);
    const freshness = freshnessWords(context, seen, options.offline === true);
    if (target === undefined) await print(context, rendered, freshness);
    else {
      const files = rendered.type === 'files' ? rendered.files : [{ path: rendered.fileName, bytes: rendered.bytes }];
      await outputs!.writeOutputDirectory(target, files);
      await context.say(`${count(files.length, 'file')} in ${context.path(target)}, for you alone. ${files.length === 1 ? 'Remove it when it is where it belongs' : 'Remove them when they are where they belong'}.`);
      await context.say(freshness);
    }
  } finally {
    for (const { file } of secrets) file.wipe();
    if (rendered) for (const { bytes } of rendered.type === 'files' ? rendered.files : [rendered]) bytes.fill(0);
  }
}

/** The record goes into a file that somebody with a connection takes over, where that is asked for. */
function keeping(context: CliContext, { queue }: Options): { keep?: (queued: Queued) => Promise<void> } {
  if (queue === undefined) return {};
  const path = resolve(context.io.cwd, queue);
  return { keep: async (queued) => (await import('../copies/carried-queue.js')).appendToQueueFile(path, queued) };
}

async function print(context: CliContext, rendered: Rendered, freshness: string): Promise<void> {
  if (rendered.type === 'files') throw new VaultError('USAGE', 'this format writes files and needs a directory', { hint: 'Add --out DIR.' });
  const { bytes } = rendered;
  if (!context.io.stdout.isTTY) {
    // First, because few values end with a line break: behind `| cat` these words would look like the rest of the value.
    await context.say(freshness);
    return context.print(bytes);
  }
  // Whoever sealed it chose the bytes, and a terminal acts on some of them.
  if (!isPlainText(bytes)) throw new VaultError('FORMAT_UNSUITABLE', 'this is no text that a terminal can show safely', { hint: 'Pipe it to a program, or write it to files: --out DIR' });
  await context.print(bytes);
  if (bytes.at(-1) !== 0x0a) await context.print('\n');
  await context.say(freshness);
}

function isPlainText(bytes: Uint8Array): boolean {
  try {
    return !/[^\P{Cc}\t\n\r]|\p{Cf}/u.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return false; // the only thing that a fatal decoder reports: this is no UTF-8
  }
}
