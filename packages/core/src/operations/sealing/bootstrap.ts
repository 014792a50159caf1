/** From a plan of what must exist, and the vault as it is, to what is to be sealed. bootstrap.yaml never replaces a value. */
import { custodyOf } from '../../custody/state.js';
import { isVaultError, VaultError } from '../../errors.js';
import { materialKind, type GenerateContext, type ImportSource, type Material } from '../../material/index.js';
import { equalBytes } from '../../primitives/hash.js';
import { newestOf, newestVersion, type SecretVersion } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { pendingFault } from '../custody/report.js';
import { readSource, type ImportPort } from './import-value.js';
import { decryptVersions } from '../opening/open.js';
import { readingFault } from '../opening/faults.js';
import { sealFault } from './faults.js';
import { readersInWords, refusedLine, type SealPlan, type SealStep, type WantedSecret } from './plan.js';

export interface SealPlanOptions {
  readonly port: ImportPort;
  /**
   * `missing`: only what does not exist yet. `next`: a new version of each, unless an import equals the current one; what is
   * generated is refused, because `rotate` makes the next one.
   */
  readonly mode: 'missing' | 'next';
  /** True for a dry run: judges as if the housekeeping of a writing command had been done. */
  readonly dryRun?: boolean;
  /** Also secrets that are not asked for, where the readers of their rule have changed. */
  readonly resealOthers?: boolean;
}

/** `secrets` with every issuer before what it issues. Throws for what concerns no single line: no identity, an unreadable store. */
export async function planSeal(vault: Vault, secrets: readonly WantedSecret[], options: SealPlanOptions): Promise<SealPlan> {
  vault.requireActor();
  const steps: SealStep[] = [];
  for (const wanted of secrets) steps.push(await planOne(vault, wanted, steps, options));
  if (options.resealOthers === true) {
    const asked = new Set(secrets.map((s) => s.name));
    for (const name of vault.state.secrets.versions.sortedKeys()) {
      const newest = newestOf(vault.state.secrets, name);
      if (asked.has(name) || !newest || !resealDue(vault, newest)) continue;
      // Of other people's secrets nothing is said: their own writers reseal them.
      if (sealFault(vault, name, options.dryRun)?.code === 'NOT_ALLOWED') continue;
      steps.push(planReseal(vault, newest, options));
    }
  }
  return { steps };
}

async function planOne(vault: Vault, wanted: WantedSecret, before: readonly SealStep[], options: SealPlanOptions): Promise<SealStep> {
  const versions = vault.state.secrets.versions.get(wanted.name);
  const newest = newestVersion(versions ?? []);
  const last = versions?.at(-1)?.statement.version ?? 0;
  if (versions && options.mode === 'missing') {
    return newest && resealDue(vault, newest) ? planReseal(vault, newest, options) : unchanged(vault, wanted, newest, last);
  }
  if (versions && wanted.import === undefined) {
    const exists = new VaultError('USAGE', `${wanted.name} is made here, and exists: seal never replaces it`, {
      hint: `To make the next one: oxp-vault rotate ${wanted.name}`,
    });
    return { line: refusedLine(wanted, last, exists) };
  }
  const fault = sealFault(vault, wanted.name, options.dryRun) ?? issuerFault(vault, wanted, before);
  if (fault) return { line: refusedLine(wanted, last, fault) };
  try {
    if (wanted.import === undefined) return await planGenerate(vault, wanted, before);
    return await planImport(vault, { ...wanted, import: wanted.import }, newest, last, options);
  } catch (error) {
    if (isVaultError(error)) return { line: refusedLine(wanted, last, error) };
    throw error;
  }
}

async function planGenerate(vault: Vault, wanted: WantedSecret, before: readonly SealStep[]): Promise<SealStep> {
  const kind = await materialKind(wanted.kind);
  const issuedHere = before.some((step) => step.line.name === wanted.issuer && step.source && step.source.from !== 'version');
  const words = issuedHere ? `issued by ${wanted.issuer} in this run` : kind.describe(wanted.parameters);
  return {
    line: { name: wanted.name, kind: wanted.kind, action: 'generate', version: 1, words, readers: readersInWords(vault, wanted.name) },
    source: { from: 'generator', wanted },
  };
}

async function planImport(vault: Vault, wanted: WantedSecret & { import: ImportSource }, newest: SecretVersion | undefined, last: number, options: SealPlanOptions): Promise<SealStep> {
  const read = await readSource(options.port, wanted.import);
  if ('missing' in read) return { line: { name: wanted.name, kind: wanted.kind, action: 'not-given', version: last, words: read.missing } };
  try {
    const kind = await materialKind(wanted.kind);
    const context: GenerateContext = { now: vault.clock.now(), name: wanted.name };
    const material = await kind.import(read.bytes, wanted.parameters, context);
    if (newest && (await isCurrent(vault, newest, material))) {
      material.file.wipe();
      return resealDue(vault, newest) ? planReseal(vault, newest, options) : unchanged(vault, wanted, newest, last);
    }
    const amiss = (await kind.check(material, { now: vault.clock.now() })).filter((r) => !r.ok);
    return {
      line: {
        name: wanted.name,
        kind: wanted.kind,
        action: 'import',
        version: last + 1,
        words: `${wanted.kind}, ${kind.facts(material.public)}, imported`,
        readers: readersInWords(vault, wanted.name),
        ...(amiss.length === 0 ? {} : { warnings: amiss.map((r) => `${r.check}: no${r.detail === undefined ? '' : ` (${r.detail})`}`) }),
      },
      source: { from: 'import', material },
    };
  } finally {
    read.bytes.fill(0);
  }
}

/** Compared in memory; nothing of it is shown. Who cannot read the current version cannot compare, and seals a new one. */
async function isCurrent(vault: Vault, newest: SecretVersion, material: Material): Promise<boolean> {
  if (newest.statement.kind !== material.kind || readingFault(vault, newest) !== undefined) return false;
  const [current] = await decryptVersions(vault, [newest]);
  const same = current!.file.use((a) => material.file.use((b) => equalBytes(a, b)));
  current!.file.wipe();
  return same;
}

function planReseal(vault: Vault, newest: SecretVersion, { dryRun }: Pick<SealPlanOptions, 'dryRun'>): SealStep {
  const { name, kind } = newest.statement;
  const version = vault.state.secrets.versions.get(name)?.at(-1)?.statement.version ?? 0;
  const fault = sealFault(vault, name, dryRun) ?? readingFault(vault, newest);
  const change = `readers change: ${readersOfVersion(newest)} -> ${readersInWords(vault, name).join(', ')}`;
  if (fault) return { line: { ...refusedLine({ name, kind }, version, fault), words: `${change}; ${fault.message}` } };
  return {
    line: { name, kind, action: 'reseal', version: version + 1, words: `the same value, ${change}`, readers: readersInWords(vault, name) },
    source: { from: 'version', version: newest },
  };
}

/** True when the rule names other roles than the version was sealed to. A turned epoch is no such change: nothing is resealed for it. */
function readersChanged(vault: Vault, { statement }: SecretVersion): boolean {
  const rule = vault.ruleFor(statement.name);
  if (!rule) return false;
  if ('custody' in rule) return 'readers' in statement || statement.custody.group !== rule.custody;
  return !('readers' in statement) || statement.readers.map((r) => r.role).join() !== rule.readers.join();
}

/**
 * True when the same value has to be sealed anew. What is under custody nobody can reseal alone; and a version that is sealed as the
 * rule says, and waits for its custodians, need not be sealed again.
 */
function resealDue(vault: Vault, newest: SecretVersion): boolean {
  const last = vault.state.secrets.versions.get(newest.statement.name)?.at(-1);
  const waits = last !== undefined && last.pending && custodyOf(vault.state.custody, last.digest) !== undefined && !readersChanged(vault, last);
  return 'readers' in newest.statement && readersChanged(vault, newest) && !waits;
}

function readersOfVersion({ statement }: SecretVersion): string {
  return 'readers' in statement ? statement.readers.map((r) => r.role).join(', ') : `custody ${statement.custody.group}`;
}

function unchanged(vault: Vault, wanted: WantedSecret, newest: SecretVersion | undefined, last: number): SealStep {
  const waits = newest === undefined || readersChanged(vault, newest) && 'readers' in newest.statement;
  return { line: { name: wanted.name, kind: wanted.kind, action: 'unchanged', version: newest?.statement.version ?? last, words: waits ? 'waits for its custodians' : 'unchanged' } };
}

/** A CA comes out of this run, or is opened to sign; where it is neither, nothing can be issued. */
function issuerFault(vault: Vault, wanted: WantedSecret, before: readonly SealStep[]): VaultError | undefined {
  if (wanted.import !== undefined || wanted.issuer === undefined) return undefined;
  const step = before.find((s) => s.line.name === wanted.issuer);
  if (step?.source) return undefined;
  const newest = newestOf(vault.state.secrets, wanted.issuer);
  if (newest) return readingFault(vault, newest);
  if (vault.state.secrets.versions.has(wanted.issuer)) return pendingFault(vault, wanted.issuer);
  if (step?.line.refusal) return new VaultError(step.line.refusal.code, `its issuer ${wanted.issuer} cannot be sealed`);
  return new VaultError('SECRET_NOT_FOUND', step ? `its issuer ${wanted.issuer} is not given` : `its issuer ${wanted.issuer} is neither in bootstrap.yaml nor in the vault`);
}

