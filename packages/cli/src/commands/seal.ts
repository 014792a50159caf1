/** `seal`: makes or takes in what bootstrap.yaml asks for and is not there, or a new version of what is named. */
import type { Command } from 'commander';
import { isMaterialKind, type JsonObject, MATERIAL_KINDS, materialKind, newestVersion, planSeal, readingFault, runSealPlan, type SealAction, type SealLine, type SealPlan, type Vault, VaultError, type WantedSecret, wipePlan } from '@oxp-vault/core';
import { type BootstrapFile, findBootstrap } from '../drafts/bootstrap-file.js';
import { type Act, collect, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { askValue, importPort } from '../sealing/input-values.js';
import { countLines, dryRunSummary, sealDocument, sealExitCode, sealLines, sealSummary, throwSingle } from '../sealing/report.js';
import { unproposed } from '../drafts/notes.js';
import { sayPending } from '../sealing/pending.js';
import { requireSecretName } from '../secret-name.js';
import { parseParameters } from '../sealing/set-parameters.js';
import { vaultForPlanning, vaultForWriting, withIssuers } from '../writing.js';

interface Options {
  readonly bootstrap?: string;
  readonly from?: string;
  readonly kind?: string;
  readonly set: readonly string[];
  readonly dryRun?: boolean;
}

/** Kinds that a person can type at a question: one line. */
const TYPED: readonly string[] = ['password', 'api-key'];

const SEALING: readonly SealAction[] = ['generate', 'import', 'reseal'];

export function define(command: Command, act: Act): void {
  vaultOptions(command)
    .description('Without a NAME: makes or takes in what bootstrap.yaml asks for and is not there, replaces nothing, and seals anew where the readers have changed. With a NAME: a new version of it. Who can read it is said by the policy. Values come from files, pipes, the environment or a question, never from the command line.')
    .argument('[name...]', 'secrets to seal a new version of; without any: what bootstrap.yaml asks for and is not there')
    .option('--bootstrap <file>', 'the file to go by, instead of the nearest bootstrap.yaml')
    .option('--from <file>', 'take the value from a file; - is standard input')
    .option('--kind <kind>', `what it is: ${Object.keys(MATERIAL_KINDS).join(', ')}`)
    .option('--set <key=value>', 'a parameter of the kind, never a value; repeat', collect, [])
    .option('--dry-run', 'say what would be sealed, and write nothing')
    .action(act(run));
  examples(
    command,
    'oxp-vault seal',
    'oxp-vault seal --dry-run',
    'oxp-vault seal docs/network-plan --from network-plan.pdf',
    'oxp-vault seal app/pin --kind password --set length=32',
    'kubectl config view --raw | oxp-vault seal kube/root --from - --kind kubeconfig',
  );
}

async function run(context: CliContext, names: readonly string[], options: Options): Promise<number> {
  checkUse(names, options);
  const bootstrap = await findBootstrap(context.io, options.bootstrap);
  if (names.length === 0 && !bootstrap) {
    throw new VaultError('FILE_NOT_FOUND', 'there is no bootstrap.yaml at or above this directory, so nothing says what must exist', {
      hint: 'Write one (oxp-vault init does), or name a secret: oxp-vault seal NAME --from FILE',
    });
  }
  const dryRun = options.dryRun === true;
  const { issuer } = parseParameters(options.set);
  // Without names also what others have named is sealed again, where its readers have changed.
  const reach = (seen: Vault): readonly string[] => (names.length === 0 ? ['/'] : [...withIssuers(seen, names, bootstrap?.plan.secrets), ...(typeof issuer === 'string' ? [issuer] : [])]);
  const vault = await (dryRun ? vaultForPlanning(context, reach) : vaultForWriting(context, reach));
  const plan =
    names.length === 0
      ? await planMissing(context, vault, bootstrap!, dryRun)
      : await planNamed(context, vault, names, bootstrap, options);
  if (names.length === 1) {
    const lines = plan.steps.map((step) => step.line);
    throwSingle(lines);
    throwNotGiven(lines, options.from ?? bootstrap?.plan.secrets.find(({ name }) => name === names[0])?.import?.from);
  }
  const note = plan.steps.some(({ line }) => SEALING.includes(line.action)) ? await unproposed(context, vault) : undefined;
  if (note) await context.warn(`${note.text}: what is sealed now goes by the policy in effect.${note.next === undefined ? '' : ` See the difference: ${note.next}`}`);
  return dryRun ? showPlan(context, vault, plan, names) : sealIt(context, vault, plan, names);
}

function checkUse(names: readonly string[], { from, kind, set }: Options): void {
  const alone = [from === undefined ? '' : '--from', kind === undefined ? '' : '--kind', set.length === 0 ? '' : '--set'].filter((flag) => flag !== '');
  if (alone.length > 0 && names.length !== 1) {
    const given = names.length === 0 ? 'none is' : `${names.length} are`;
    throw new VaultError('USAGE', `${alone[0]} belongs to exactly one NAME, and ${given} given`);
  }
  if (kind !== undefined && !isMaterialKind(kind)) {
    throw new VaultError('USAGE', 'there is no such kind of material', { hint: `Kinds: ${Object.keys(MATERIAL_KINDS).join(', ')}` });
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new VaultError('USAGE', 'a secret is named twice');
  requireSecretName(...names);
}

async function planMissing(context: CliContext, vault: Vault, bootstrap: BootstrapFile, dryRun: boolean): Promise<SealPlan> {
  for (const { name, kind } of bootstrap.plan.secrets) {
    const before = newestVersion(vault.state.secrets.versions.get(name) ?? [])?.statement.kind;
    if (before === undefined || before === kind) continue;
    await context.warn(`${name} is a ${before} in the vault, and ${context.path(bootstrap.path)} says ${kind}: it stays what it is`);
  }
  return planSeal(vault, bootstrap.plan.secrets, { port: importPort(context, bootstrap.directory), mode: 'missing', dryRun, resealOthers: true });
}

async function planNamed(context: CliContext, vault: Vault, names: readonly string[], bootstrap: BootstrapFile | undefined, options: Options): Promise<SealPlan> {
  const [name] = names;
  const inFile = (wanted: string): WantedSecret | undefined => bootstrap?.plan.secrets.find((secret) => secret.name === wanted);
  const dryRun = options.dryRun === true;
  const stranger = names.find((wanted) => !inFile(wanted));
  if (names.length > 1 && stranger !== undefined) {
    throw new VaultError('USAGE', `${stranger} is not in bootstrap.yaml, so it is sealed alone`, { hint: `oxp-vault seal ${stranger} --from FILE` });
  }
  if (options.from === undefined && stranger === undefined) {
    // In the order of the file: an issuer comes before what it issues.
    const secrets = bootstrap!.plan.secrets.filter((secret) => names.includes(secret.name));
    if (options.kind !== undefined || options.set.length > 0) throw inBootstrap(name!, bootstrap!);
    return planSeal(vault, secrets, { port: importPort(context, bootstrap!.directory), mode: 'next', dryRun });
  }
  const wanted = await wantedFor(context, vault, name!, inFile(name!), options, bootstrap);
  const port = importPort(context, context.io.cwd, options.from === undefined ? () => askValue(context, name!) : undefined);
  return planSeal(vault, [wanted], { port, mode: 'next', dryRun });
}

/** What a single NAME is to be: as bootstrap.yaml says, else as it was, else as its source suggests. */
async function wantedFor(context: CliContext, vault: Vault, name: string, inFile: WantedSecret | undefined, options: Options, bootstrap: BootstrapFile | undefined): Promise<WantedSecret> {
  if (inFile && (options.set.length > 0 || (options.kind !== undefined && options.kind !== inFile.kind))) throw inBootstrap(name, bootstrap!);
  const before = newestVersion(vault.state.secrets.versions.get(name) ?? [])?.statement;
  const kindName = options.kind ?? inFile?.kind ?? before?.kind ?? (options.from === undefined ? 'password' : 'document');
  if (!isMaterialKind(kindName)) {
    throw new VaultError('UNSUPPORTED', `${name} is of kind ${kindName}, which this release does not know`, { hint: 'Install a newer oxp-vault.' });
  }
  const kind = await materialKind(kindName);
  // Given parameters ask for the generator; without any, what one can type is asked for, and what one cannot is made.
  const asked = options.set.length > 0 || (options.kind !== undefined && !TYPED.includes(kindName));
  const make = asked && options.from === undefined && !kind.importOnly && !inFile;
  const own: JsonObject = { ...(before?.kind === kindName ? before.parameters : {}), ...parseParameters(options.set) };
  const parameters = kind.parameters(inFile?.parameters ?? own, make ? 'generate' : 'import');
  if (make) {
    const issuer = parameters['issuer'];
    return { name, kind: kindName, parameters, ...(typeof issuer === 'string' ? { issuer } : {}) };
  }
  if (options.from === undefined && !(context.interactive && TYPED.includes(kindName))) {
    const byFile = 'Give it with --from FILE, or --from - for standard input.';
    const byHand = 'Give it with --from FILE or --from -, at a terminal at the question, or have it made: --kind password --set length=24';
    throw new VaultError('USAGE', `there is no value for ${name}`, { hint: kind.importOnly || !TYPED.includes(kindName) ? byFile : byHand });
  }
  const piped = options.from === undefined || options.from === '-';
  return { name, kind: kindName, parameters, import: piped ? { from: 'stdin' } : { from: 'file', path: options.from } };
}

function inBootstrap(name: string, { path }: BootstrapFile): VaultError {
  return new VaultError('USAGE', `${name} stands in ${path}, which says what it is`, { hint: 'Leave out --kind and --set, or change that file.' });
}

async function showPlan(context: CliContext, vault: Vault, plan: SealPlan, names: readonly string[]): Promise<number> {
  wipePlan(plan);
  const lines = plan.steps.map((step) => step.line);
  const command = ['oxp-vault seal', ...names].join(' ');
  await context.result(sealDocument(lines, vault, true), sealLines(lines, context.paint, true) + dryRunSummary(countLines(lines), command));
  return sealExitCode(lines);
}

async function sealIt(context: CliContext, vault: Vault, plan: SealPlan, names: readonly string[]): Promise<number> {
  const lines = await runSealPlan(vault, plan);
  if (names.length === 1) throwSingle(lines);
  await context.result(sealDocument(lines, vault, false), sealLines(lines, context.paint, false) + sealSummary(countLines(lines), vault));
  const sealed = lines.filter(isSealed);
  if (!(await sayPending(context, vault, sealed.map((line) => line.name)))) {
    const next = nextWords(vault, sealed);
    if (next !== undefined) await context.next(next);
  }
  return sealExitCode(lines);
}

/** One that was asked for by its name and has no value is no success. Throws FILE_NOT_FOUND, USAGE. */
function throwNotGiven([line]: readonly SealLine[], from: string | undefined): void {
  if (line?.action !== 'not-given') return;
  throw new VaultError(from === '-' || from === 'stdin' || from === 'env' ? 'USAGE' : 'FILE_NOT_FOUND', `${line.words}: ${line.name} was not sealed`);
}

/** What is shown on a terminal without being asked for is no key of a CA: of several, or of a file, the names come next. */
function nextWords(vault: Vault, [line, ...more]: readonly SealLine[]): string | undefined {
  if (line === undefined) return undefined;
  if (more.length > 0) return 'oxp-vault list';
  if (line.version > 1 && line.action !== 'reseal') return `deploy, then: oxp-vault retire ${line.name}`;
  const readable = readingFault(vault, newestVersion(vault.state.secrets.versions.get(line.name) ?? [])!) === undefined;
  return readable && TYPED.includes(line.kind) ? `oxp-vault open ${line.name} | cat` : `oxp-vault show ${line.name}`;
}

function isSealed(line: SealLine): boolean {
  return line.readers !== undefined;
}
