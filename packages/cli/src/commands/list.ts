/** `list`: every secret at its newest version. Needs no identity: names, people and times are not secret. */
import type { Command } from 'commander';
import { newestVersion, type SecretVersion, VaultError } from '@oxp-vault/core';
import { type Act, examples, readOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { freshnessWords } from '../freshness.js';
import { ago, table } from '../render.js';
import { sealedTo } from '../secret-words.js';

interface Options {
  readonly offline?: boolean;
}

export function define(command: Command, act: Act): void {
  readOptions(command).argument('[path]', 'only what lies below this path, such as dns/').action(act(run));
  examples(command, 'oxp-vault list', 'oxp-vault list dns/', 'oxp-vault list --json');
}

async function run(context: CliContext, path: string | undefined, options: Options): Promise<void> {
  const vault = await context.vault({ look: true });
  const { versions } = vault.state.secrets;
  const below = path === undefined || path === '/' ? '' : path;
  const names = versions.sortedKeys().filter((name) => name === below || name.startsWith(below === '' || below.endsWith('/') ? below : `${below}/`));
  if (below !== '' && names.length === 0) throw new VaultError('SECRET_NOT_FOUND', 'no secret lies there', { hint: 'See all: oxp-vault list' });
  const now = context.clock.now();
  const rows = names.map((name) => rowOf(versions.get(name) ?? []));
  await context.result(
    { secrets: rows, log: { vault: vault.id, ...vault.point } },
    rows.length === 0
      ? 'no secrets yet\n'
      : table(['NAME', 'VERSION', 'KIND', 'READERS', 'SEALED BY'], rows.map((row) => [row.name, `v${row.version}${row.pending ? ', pending' : ''}`, row.kind, row.readers.join(', '), `${row.sealedBy}, ${ago(row.time, now)}`])),
  );
  if (rows.length === 0) await context.next('look at bootstrap.yaml, then: oxp-vault seal');
  else await context.say(freshnessWords(context, vault, options.offline === true));
}

/** The newest that counts; where none does yet, the one that waits for its custodians. */
function rowOf(versions: readonly SecretVersion[]) {
  const version = newestVersion(versions) ?? versions.at(-1)!;
  const { name, version: number, kind } = version.statement;
  return { name, version: number, kind, readers: sealedTo(version.statement), sealedBy: version.sealer.person, time: version.time, pending: version.pending };
}
