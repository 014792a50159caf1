import { VaultError } from '../errors.js';
import { type FormatOptions, label, type OpenedSecret, type OutputFormat, type Rendered } from './format.js';
import { checkOptions } from './options.js';
import { formatsFor, outputFormat } from './registry.js';

/** What can be told of a secret before it is opened: enough to know whether a format takes it. */
export type Openable = Omit<OpenedSecret, 'file' | 'public' | 'parameters'>;

/**
 * Opened secrets in the format `name`. USAGE: no such format, no secret, more than one for a format that takes one, an option it
 * does not take. FORMAT_UNSUITABLE: a kind, a field or a value that the format has no place for. BAD_VALUE: a malformed option.
 */
export async function renderSecrets(name: string, secrets: readonly OpenedSecret[], options: FormatOptions = {}): Promise<Rendered> {
  const format = await checkRenderable(name, secrets, options);
  return format.render(secrets, options);
}

/** The format, if it takes these secrets and options: asked before anything is decrypted. Throws as `renderSecrets` does. */
export async function checkRenderable(name: string, secrets: readonly Openable[], options: FormatOptions = {}): Promise<OutputFormat> {
  const format = await outputFormat(name);
  checkOptions(format, options);
  checkCount(format, secrets, options);
  for (const secret of secrets) await checkSecret(format, secret);
  checkVersions(format, secrets);
  return format;
}

function checkCount(format: OutputFormat, secrets: readonly Openable[], { target }: FormatOptions): void {
  if (secrets.length === 0) throw new VaultError('USAGE', 'there is no secret to show', { hint: 'Name one.' });
  if (format.directoryOnly === true && target !== 'directory') {
    throw new VaultError('USAGE', `the format ${format.name} writes a tree and needs a directory`, { hint: 'Add --out DIR.' });
  }
  if (format.single === true && target !== 'directory' && secrets.length > 1) {
    throw new VaultError('USAGE', `the format ${format.name} takes one secret, not ${secrets.length}`, {
      hint: 'Open them one at a time, or into a directory with --out DIR.',
    });
  }
}

async function checkSecret(format: OutputFormat, secret: Openable): Promise<void> {
  if (format.kinds !== undefined && !format.kinds.includes(secret.kind)) {
    throw new VaultError('FORMAT_UNSUITABLE', `${secret.name} is of kind ${secret.kind}, which the format ${format.name} has no place for`, {
      hint: `It takes ${format.kinds.join(', ')}. Formats for ${secret.kind}: ${(await formatsFor(secret.kind)).join(', ')}.`,
    });
  }
  if (format.wholeOnly === true && secret.field !== undefined) {
    throw new VaultError('FORMAT_UNSUITABLE', `the format ${format.name} shows a whole ${secret.kind}, not the one field ${label(secret)}`, {
      hint: `Leave out #${secret.field}, or use raw, json, yaml, env or tfvars.`,
    });
  }
}

/** Where a name stands once in the output, two versions of it would leave the choice to chance. */
function checkVersions(format: OutputFormat, secrets: readonly Openable[]): void {
  const seen = new Map<string, number>();
  for (const secret of secrets) {
    const key = format.allVersions === true ? `${secret.name}@${secret.version}` : label(secret);
    const other = seen.get(key);
    if (other !== undefined) {
      throw new VaultError('USAGE', `${label(secret)} is given twice (v${other} and v${secret.version})`, { hint: 'Name each secret once.' });
    }
    seen.set(key, secret.version);
  }
}
