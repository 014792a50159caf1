/** `import sops FILE`: takes over what a team keeps in SOPS, after checking that the file is as sops wrote it. */
import { basename, resolve } from 'node:path';
import { isMaterialKind, isSopsType, MATERIAL_KINDS, newestVersion, openSopsFile, type OpenedSops, planSeal, readingFault, runSealPlan, type SopsDepth, sopsImport, type SopsImport, SOPS_TYPES, type SopsTarget, type Vault, VaultError, wipePlan } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { readInputFile } from '../sealing/input-values.js';
import { count } from '../render.js';
import { sayPending } from '../sealing/pending.js';
import { countLines, dryRunSummary, sealDocument, sealExitCode, sealLines, sealSummary, throwSingle } from '../sealing/report.js';
import { sopsKeys } from '../sealing/sops-keys.js';
import { vaultForPlanning, vaultForWriting } from '../writing.js';

interface Options {
  readonly name?: string;
  readonly kind?: string;
  readonly split?: string | true;
  readonly prefix?: string;
  readonly type?: string;
  readonly key?: string;
  readonly dryRun?: boolean;
}

const DEPTHS: readonly string[] = ['top', 'leaves'] satisfies SopsDepth[];

export function define(command: Command, act: Act): void {
  examples(
    vaultOptions(command.command('sops'))
      .summary('take in a file that SOPS has encrypted for your age key')
      .description('Decrypts a SOPS file in memory, checks its MAC, and seals what it holds: as one document, or value by value. A file that somebody changed after sops wrote it is refused whole. Your age identities come from SOPS_AGE_KEY, SOPS_AGE_KEY_FILE and keys.txt, as for sops.')
      .argument('<file>', 'the encrypted file')
      .option('--name <name>', 'the name of the secret (default: made from the name of the file)')
      .option('--kind <kind>', `what the file is: ${Object.keys(MATERIAL_KINDS).join(', ')} (default: document)`)
      .option('--split [depth]', 'one secret for each value: top (default), or leaves')
      .option('--prefix <path>', 'with --split: what their names begin with (default: made from the name of the file)')
      .option('--type <type>', `${SOPS_TYPES.join(', ')} (default: by the ending of the file)`)
      .option('--key <file>', 'the file with your age identity, instead of where sops looks')
      .option('--dry-run', 'say what would be sealed, and write nothing')
      .action(act(importSops)),
    'oxp-vault import sops secrets.enc.yaml --dry-run',
    'oxp-vault import sops secrets.enc.yaml --name app/config',
    'oxp-vault import sops secrets.enc.yaml --split leaves --prefix app',
    'oxp-vault import sops kubeconfig.enc --name kube/root --kind kubeconfig --key ~/keys.txt',
  );
}

async function importSops(context: CliContext, file: string, options: Options): Promise<number> {
  const target = targetOf(file, options);
  const bytes = await readInputFile(resolve(context.io.cwd, file));
  if (!bytes) throw new VaultError('FILE_NOT_FOUND', `${context.path(file)} is not there`);
  const { identities, from } = await sopsKeys(context, options.key);
  const opened = await openSopsFile({ bytes, name: basename(file), identities, ...typeOf(options.type) }).catch((error: unknown) => {
    throw notForYou(error, from.map((each) => context.path(each)));
  });
  const dryRun = options.dryRun === true;
  const reach = (): readonly string[] => ['name' in target ? target.name : `${target.prefix}/`];
  const vault = await (dryRun ? vaultForPlanning(context, reach) : vaultForWriting(context, reach));
  const imported = await sopsImport(vault, opened, basename(file), target);
  try {
    return await sealThem(context, vault, imported, opened, file, options);
  } finally {
    imported.wipe();
    opened.bytes.fill(0);
  }
}

/** Which identities were tried is for the person to know, and for nobody else to guess. */
function notForYou(error: unknown, from: readonly string[]): unknown {
  if (!(error instanceof VaultError) || error.code !== 'IDENTITY_NOT_FOUND') return error;
  return new VaultError(error.code, error.message, {
    details: [...error.details, `tried   ${from.join(', ')}`],
    hint: 'Name the file with the right one: --key FILE. For other keys: sops decrypt FILE | oxp-vault seal NAME --from -',
  });
}

async function sealThem(context: CliContext, vault: Vault, imported: SopsImport, opened: OpenedSops, file: string, options: Options): Promise<number> {
  const dryRun = options.dryRun === true;
  const plan = await planSeal(vault, imported.secrets, { port: imported.port, mode: 'next', dryRun });
  if (dryRun) wipePlan(plan);
  const lines = dryRun ? plan.steps.map(({ line }) => line) : await runSealPlan(vault, plan);
  if (!dryRun) throwSingle(lines);
  const summary = dryRun ? dryRunSummary(countLines(lines), 'the same without --dry-run') : sealSummary(countLines(lines), vault);
  const about = { type: opened.type, mac: 'verified', inClear: opened.inClear, empty: imported.empty };
  await context.result({ ...sealDocument(lines, vault, dryRun), file: about }, sealLines(lines, context.paint, dryRun) + summary);
  await context.say(`${context.path(file)}: decrypted, and its MAC is that of exactly these values.`);
  if (opened.inClear > 0) {
    const stand = count(opened.inClear, 'value stands', 'values stand');
    const [them, names] = opened.inClear === 1 ? ['it', 'name'] : ['them', 'names'];
    await context.warn(`${stand} in that file unencrypted: everybody who has the file knows ${them}, and SOPS does not protect the ${names}.`);
  }
  if (imported.empty.length > 0) await context.warn(`nothing to seal, null or empty: ${imported.empty.join(', ')}`);
  if (opened.lostComments > 0) {
    await context.warn(`${count(opened.lostComments, 'encrypted comment')} did not decrypt where it stands, and was left out`);
  }
  const sealed = dryRun ? [] : lines.filter((line) => line.readers !== undefined);
  const readable = sealed.find(({ name }) => {
    const newest = newestVersion(vault.state.secrets.versions.get(name) ?? []);
    return newest !== undefined && readingFault(vault, newest) === undefined;
  });
  const pending = await sayPending(context, vault, sealed.map(({ name }) => name));
  if (readable) {
    await context.say(`Who could read ${context.path(file)} still knows what is in it. Once nothing reads that file any more: remove it, and rotate what matters.`);
    if (!pending) await context.next(`oxp-vault open ${readable.name} | cat`);
  }
  return sealExitCode(lines);
}

function targetOf(file: string, { name, kind, split, prefix }: Options): SopsTarget {
  if (split === undefined) {
    if (prefix !== undefined) throw new VaultError('USAGE', '--prefix belongs to --split');
    if (kind !== undefined && !isMaterialKind(kind)) {
      throw new VaultError('USAGE', 'there is no such kind of material', { hint: `Kinds: ${Object.keys(MATERIAL_KINDS).join(', ')}` });
    }
    return { name: name ?? nameFrom(file), ...(kind === undefined ? {} : { kind }) };
  }
  if (name !== undefined || kind !== undefined) {
    throw new VaultError('USAGE', `${name === undefined ? '--kind' : '--name'} is for the whole file, and --split takes it apart`, {
      hint: 'The names of the parts begin with --prefix.',
    });
  }
  if (split !== true && !DEPTHS.includes(split)) throw new VaultError('USAGE', '--split takes top or leaves');
  return { prefix: prefix ?? nameFrom(file), depth: split === 'leaves' ? 'leaves' : 'top' };
}

/** `db.enc.yaml`, `db.sops.yaml` -> `db`. */
function nameFrom(file: string): string {
  return basename(file)
    .toLowerCase()
    .replace(/\.(ya?ml|json|env|txt|bin|enc|sops)$/, '')
    .replace(/[.-](enc|sops|encrypted)$/, '')
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[-._]+|[-._]+$/g, '');
}

function typeOf(type: string | undefined): { type?: (typeof SOPS_TYPES)[number] } {
  if (type === undefined) return {};
  if (!isSopsType(type)) throw new VaultError('USAGE', 'there is no such type of SOPS file', { hint: `Types: ${SOPS_TYPES.join(', ')}` });
  return { type };
}
