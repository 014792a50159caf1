/** `edit NAME`: decrypts into memory, runs the editor, and seals what came out if it changed and is still of its kind. */
import type { Command } from 'commander';
import { appendOrQueue, findVersion, isMaterialKind, isVaultError, type Material, materialKind, openSecrets, sealBatch, sealFault, type Secret, type SecretVersion, VaultError, type Vault } from '@oxp-vault/core';
import { type Act, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { fileToEdit, type EditedFile } from '../sealing/editor.js';
import { sayPending } from '../sealing/pending.js';
import { requireSecretName } from '../secret-name.js';
import { vaultForWriting } from '../writing.js';
import { logWords } from '../sealing/report.js';

/** Kinds whose file a person writes. Of the others a key would be edited, and no longer match its public parts. */
const EDITABLE: readonly string[] = ['document', 'ansible-inventory', 'kubeconfig', 'api-key', 'password'];
const EXTENSIONS: Readonly<Record<string, string>> = { 'ansible-inventory': '.yml', kubeconfig: '.yml' };

export function define(command: Command, act: Act): void {
  vaultOptions(command)
    .description('Opens a secret in $VISUAL or $EDITOR, in a file that is in memory only, and seals what you leave if it has changed and still parses. The opening is recorded.')
    .argument('<name>', `the secret; of kind ${EDITABLE.join(', ')}`)
    .action(act(run));
  examples(command, 'oxp-vault edit ansible/inventory', 'EDITOR=nano oxp-vault edit docs/network-plan');
}

async function run(context: CliContext, name: string): Promise<void> {
  requireSecretName(name);
  const vault = await vaultForWriting(context, () => [name]);
  const newest = findVersion(vault, name);
  const { kind } = newest.statement;
  if (!EDITABLE.includes(kind)) {
    throw new VaultError('UNSUPPORTED', `${name} is of kind ${kind}, which is not written by hand`, { hint: `The next one: oxp-vault rotate ${name}, or oxp-vault seal ${name} --from FILE` });
  }
  const fault = sealFault(vault, name);
  if (fault) throw fault;
  const [opened] = await openSecrets(vault, { secrets: [{ name }], purpose: 'edit' });
  const file = await opened!.file.use((bytes) => fileToEdit(context.io, bytes, { name, extension: extension(newest) }));
  try {
    const changed = await editUntilGood(context, vault, newest, file, opened!.file);
    if (changed) await seal(context, vault, name, changed);
    else await context.result({ name, changed: false }, `${name} is unchanged: nothing was sealed.\n`);
  } finally {
    opened!.file.wipe();
    await file.remove();
  }
}

/** The new value, or undefined where nothing changed. What its kind refuses stays in the editor as long as the person wants. */
async function editUntilGood(context: CliContext, vault: Vault, { statement }: SecretVersion, file: EditedFile, before: Secret): Promise<Material | undefined> {
  const kind = await materialKind(isMaterialKind(statement.kind) ? statement.kind : 'document');
  for (;;) {
    const after = await file.edit();
    if (before.use((bytes) => Buffer.compare(bytes, after)) === 0) return undefined;
    try {
      const parameters = kind.parameters(statement.parameters, 'import');
      const material = await kind.import(after, parameters, { now: vault.clock.now(), name: statement.name, previous: statement });
      return material.file.use((a) => before.use((b) => Buffer.compare(a, b))) === 0 ? undefined : material;
    } catch (error) {
      if (!isVaultError(error)) throw error;
      if (!context.interactive) throw error;
      await context.warn(`${error.code}: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
      const prompter = await context.prompter();
      // Enter means no to a question, so the question is the one whose yes loses something.
      if (await prompter.confirm('Give up, and lose what you changed?')) throw new VaultError(error.code, `${error.message}: nothing was sealed`);
    } finally {
      after.fill(0);
    }
  }
}

async function seal(context: CliContext, vault: Vault, name: string, material: Material): Promise<void> {
  try {
    const batch = await sealBatch(vault, [{ name, ...material, origin: 'imported' }]);
    const waiting = await appendOrQueue(vault, batch);
    const { version } = batch.sealed[0]!;
    const state = waiting ? 'waits here, sealed' : 'sealed';
    await context.result({ name, changed: true, version, queued: waiting !== undefined, log: { vault: vault.id, ...vault.point } }, `${context.paint.mark('+')} ${name}   v${version}   ${state}\n${logWords(vault)}\n`);
    if (waiting) await context.warn(`${waiting.code}: ${waiting.message}. Your next writing command takes it along.`);
    else if (!(await sayPending(context, vault, [name]))) await context.next(`deploy, then: oxp-vault retire ${name}`);
  } finally {
    material.file.wipe();
  }
}

function extension({ statement }: SecretVersion): string {
  if (statement.kind === 'ansible-inventory' && statement.public['format'] === 'ini') return '.ini';
  return EXTENSIONS[statement.kind] ?? '';
}
