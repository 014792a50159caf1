/** `audit log | verify | proof | checkpoint | export`: what the log says, and whether all of it is there. Needs no passphrase. */
import { resolve } from 'node:path';
import { type AuditReport, exportTiles, findLeaf, type LogLine, proveLeaf, readLog, VaultError, verifyVault } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { EXIT_VERIFICATION } from '../exit-codes.js';
import { mustNotExist, writeNewFile } from '../files/private-file.js';
import { startProgress } from '../progress.js';
import { columns, count, dateTime, entries, short } from '../render.js';

const PUBLIC = 0o644;

interface LogOptions {
  readonly person?: string;
  readonly last?: string;
}

export function define(command: Command, act: Act): void {
  const sub = (name: string, summary: string): Command => vaultOptions(command.command(name).summary(summary));
  examples(
    sub('log', 'show the entries, one a line')
      .description('Shows the entries of the log, one a line, oldest first. Times are what the signers claim; the order is the leaf index.')
      .argument('[name...]', 'only entries about these secrets, or those below a path such as dns/')
      .option('--person <name>', 'only entries of this person')
      .option('--last <n>', 'only the last entries')
      .action(act(log)),
    'oxp-vault audit log',
    'oxp-vault audit log dns/ --last 20',
    'oxp-vault audit log --person alice --json',
  );
  examples(
    sub('verify', 'verify everything again, from nothing')
      .description('Reads every page, entry and signature and every file again, believing no cache. Exit code 5 when something is missing or damaged.')
      .option('--strict', 'also exit with 5 for void entries, traces of a fork and foreign files')
      .action(act(verify)),
    'oxp-vault audit verify',
    'oxp-vault audit verify --strict --json',
  );
  examples(
    sub('proof', 'prove that an entry is in the log')
      .description('Prints a C2SP tlog-proof: the path from an entry to the signed checkpoint, which other tools verify without this vault.')
      .argument('<what>', 'NAME[@VERSION] for the entry that sealed it, a leaf index, or the digest of an entry')
      .action(act(proof)),
    'oxp-vault audit proof dns/rfc2136_tsig_secret > tsig.tlog-proof',
    'oxp-vault audit proof 17',
  );
  examples(
    sub('checkpoint', 'print the signed checkpoint')
      .description('Prints the checkpoint as it was accepted: a C2SP signed note, for a witness or a colleague.')
      .action(act(async (context: CliContext) => context.print((await context.vault({ look: true })).checkpointBytes))),
    'oxp-vault audit checkpoint',
  );
  examples(
    sub('export', 'write the log as C2SP tlog-tiles')
      .description('Writes the log in the layout of C2SP tlog-tiles, for witnesses and other tools of transparency logs.')
      .requiredOption('--tiles <dir>', 'a directory that is new or empty')
      .action(act(exportCommand)),
    'oxp-vault audit export --tiles ./tiles',
  );
}

async function log(context: CliContext, names: readonly string[], { person, last }: LogOptions): Promise<void> {
  if (last !== undefined && !/^[1-9]\d*$/.test(last)) throw new VaultError('USAGE', '--last takes a number of entries');
  const vault = await context.vault({ look: true });
  const all = (await readLog(vault)).filter((line) => (person === undefined || line.person === person) && concerns(line, names));
  const shown = last === undefined ? all : all.slice(-Number(last));
  await context.result({ vault: vault.id, ...vault.point, entries: shown }, columns(shown.map(logRow)));
}

function concerns({ secrets }: LogLine, names: readonly string[]): boolean {
  return names.length === 0 || secrets.some((secret) => names.some((name) => (name.endsWith('/') ? secret.startsWith(name) : secret === name)));
}

function logRow({ leaf, time, person, device, words, void: refused }: LogLine): string[] {
  const who = person === undefined ? '-' : `${person} (${device})`;
  return [String(leaf).padStart(4), time === undefined ? '-' : dateTime(time), who, refused ? `! void, ${refused.code}: ${words}` : words];
}

async function verify(context: CliContext, { strict }: { strict?: boolean }): Promise<number> {
  const vault = await context.vault({ look: true });
  const progress = startProgress(context.io.stderr, 'files read:');
  let report: AuditReport;
  try {
    report = await verifyVault(vault, (done, total) => progress.update(done, total));
  } finally {
    await progress.end();
  }
  const remarks = report.voids.length + report.strays.length + report.foreign.length;
  const verdict = report.ok ? (remarks > 0 ? 'sound, with remarks' : 'sound') : 'not sound';
  await context.result({ verdict, ...report }, reportText(context, report, verdict));
  if (!report.ok) await context.next('put the files back from a copy that has them, then verify again');
  return report.ok && !(strict && remarks > 0) ? 0 : EXIT_VERIFICATION;
}

function reportText({ paint }: CliContext, report: AuditReport, verdict: string): string {
  const look = paint.mark('!');
  const rows = [
    ...report.missing.map(({ path, what, leaf }) => [`${look} missing: ${what}`, `${path}, named by entry ${leaf}`]),
    ...report.damaged.map(({ path, what, leaf }) => [`${look} not what was signed: ${what}`, `${path}, named by entry ${leaf}`]),
    ...report.voids.map(({ leaf, code, message }) => [`${look} entry ${leaf} is void (${code})`, message]),
    ...report.strays.map(({ leaf, person, seen }) => [`${look} entry ${leaf} was signed on another history`, `${person} had seen ${entries(seen.size)}, root ${short(seen.root)}: the trace of a fork`]),
    ...report.foreign.map((path) => [`${paint.mark('-')} named by no entry`, path]),
  ];
  const read = `${entries(report.entries)}, root ${short(report.root)}: every page, signature and checkpoint verified; ${count(report.files, 'file')} read`;
  return `${columns(rows)}${read}.\nThe vault is ${verdict}.\n`;
}

async function proof(context: CliContext, what: string): Promise<void> {
  const vault = await context.vault({ look: true });
  const leaf = await findLeaf(vault, what);
  const text = Buffer.from(await proveLeaf(vault, leaf)).toString();
  await context.result({ leaf, ...vault.point, proof: text }, text);
}

async function exportCommand(context: CliContext, { tiles }: { tiles: string }): Promise<void> {
  const directory = resolve(context.io.cwd, tiles);
  await mustNotExist(resolve(directory, 'checkpoint'));
  const vault = await context.vault({ look: true });
  let files = 0;
  for await (const { path, bytes } of exportTiles(vault)) {
    await writeNewFile(resolve(directory, path), bytes, PUBLIC);
    files++;
  }
  await context.result({ directory, ...vault.point, files }, `${entries(vault.point.size)} in ${count(files, 'file')} below ${context.path(directory)}\n`);
}
