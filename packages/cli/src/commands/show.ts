/** `show NAME`: everything about one secret but its value. Needs no identity. */
import type { Command } from 'commander';
import { findVersion, isMaterialKind, type Json, materialKind, readersInWords, type SecretVersion, type Vault } from '@oxp-vault/core';
import { type Act, examples, readOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { freshnessWords } from '../freshness.js';
import { ago, columns, date } from '../render.js';
import { requireSecretName } from '../secret-name.js';
import { originWords, sealedTo, visible } from '../secret-words.js';

/** Public parts that are seconds since 1970. */
const TIMES: readonly string[] = ['notBefore', 'notAfter'];

interface Options {
  readonly offline?: boolean;
}

export function define(command: Command, act: Act): void {
  readOptions(command).argument('<name>', 'the secret').action(act(run));
  examples(command, 'oxp-vault show dns/rfc2136_tsig_secret', 'oxp-vault show pki/root --json');
}

async function run(context: CliContext, name: string, options: Options): Promise<void> {
  requireSecretName(name);
  const vault = await context.vault({ look: true });
  const versions = vault.state.secrets.versions.get(name) ?? [];
  // The newest that counts; a secret that only waits for its custodians is shown as well.
  const current = versions.every((version) => version.pending) && versions.length > 0 ? versions.at(-1)! : findVersion(vault, name);
  await context.result(document(vault, name, current, versions), await text(context, vault, current, versions));
  await context.say(freshnessWords(context, vault, options.offline === true));
}

function document(vault: Vault, name: string, current: SecretVersion, versions: readonly SecretVersion[]): object {
  const { kind, parameters, public: publicParts } = current.statement;
  return {
    name,
    kind,
    version: current.statement.version,
    rule: vault.ruleFor(name) ?? null,
    parameters,
    public: publicParts,
    versions: versions.map(({ statement, digest, leaf, time, sealer, pending, retired }) => ({
      version: statement.version, statement: digest, entry: leaf, time, sealedBy: sealer, origin: statement.origin, readers: sealedTo(statement), ciphertext: statement.ciphertext, pending, ...(retired ? { retired } : {}),
    })),
    log: { vault: vault.id, ...vault.point },
  };
}

async function text(context: CliContext, vault: Vault, current: SecretVersion, versions: readonly SecretVersion[]): Promise<string> {
  const { name, kind, parameters, public: publicParts } = current.statement;
  const rule = vault.ruleFor(name);
  const now = context.clock.now();
  const known = isMaterialKind(kind) ? await materialKind(kind) : undefined;
  const rows = [
    ['kind', known ? visible(`${kind}: ${known.facts(publicParts)}`) : `${kind}, which this release does not know`],
    ['sealed to', sealedTo(current.statement).join(', ')],
    ['the rule', rule ? `${rule.path}: read by ${readersInWords(vault, name).join(', ')}; written by ${rule.writers.join(', ')}; owned by ${rule.owners.join(', ')}` : 'none covers it: nobody can seal the next version'],
    ...(known ? [['next one', nextWords(known.rotation(parameters, publicParts).how, name, known.rotation(parameters, publicParts).words)]] : []),
  ];
  const history = [...versions].reverse().map((version) => [`v${version.statement.version}`, originWords(version.statement), `${version.sealer.person} (${version.sealer.device}), ${ago(version.time, now)}`, stateWords(version, current)]);
  return `${context.paint.strong(name)} v${current.statement.version}\n${columns(rows, { indent: 2 })}${section('public', publicParts)}${section('parameters', parameters)}  versions\n${columns(history, { indent: 4 })}`;
}

function nextWords(how: string, name: string, words: string): string {
  return how === 'generate' ? `oxp-vault rotate ${name}; then ${words}` : visible(words);
}

function stateWords(version: SecretVersion, current: SecretVersion): string {
  if (version.retired) return `retired by ${version.retired.by}`;
  if (version.pending) return 'pending: its custodians have not acknowledged it';
  return version === current ? 'the newest' : 'not retired: still in use as far as anybody has said';
}

function section(title: string, object: Readonly<Record<string, Json>>): string {
  const rows = Object.entries(object).map(([key, value]) => [key, TIMES.includes(key) && typeof value === 'number' ? date(value) : plain(value)]);
  return rows.length === 0 ? '' : `  ${title}\n${columns(rows, { indent: 4 })}`;
}

/** One line each: a certificate is for --json and `open NAME#certificate`. */
function plain(value: Json): string {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.length === 0 ? 'none' : value.map(plain).join(', ');
  const words = typeof value === 'string' ? value : JSON.stringify(value);
  const [first = '', ...rest] = words.split('\n');
  return rest.some((line) => line !== '') || first.length > 100 ? `${visible(first).slice(0, 60)}…` : visible(first);
}
