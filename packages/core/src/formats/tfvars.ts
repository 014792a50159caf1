import { VaultError } from '../errors.js';
import { utf8 } from '../primitives/hash.js';
import { label, type OutputFormat } from './format.js';
import { derived, lowerName } from './names.js';
import { valueText } from './parts.js';

/** Names that Terraform keeps for the meta-arguments of module blocks. */
const RESERVED = new Set(['source', 'version', 'providers', 'count', 'for_each', 'lifecycle', 'depends_on', 'locals']);

/**
 * Variable values in Terraform's JSON syntax. Strings there are literal: `${` and `%{` start no template, so nothing is escaped (in
 * native syntax they would have to be). The file's name must end in `.tfvars.json`, or Terraform reads it as native syntax.
 */
export const tfvars: OutputFormat = {
  name: 'tfvars',
  summary: 'Terraform and OpenTofu variables, for a file named *.auto.tfvars.json',
  options: ['prefix'],
  async render(secrets, options) {
    const entries = await Promise.all(
      derived(secrets, (secret) => lowerName(secret, options.prefix)).map(async ({ name, secret }) => {
        if (RESERVED.has(name)) {
          throw new VaultError('FORMAT_UNSUITABLE', `${label(secret)} would become the variable ${name}, which Terraform reserves`, {
            hint: 'Give a prefix for the names.',
          });
        }
        const value = await valueText(secret);
        if (value !== value.normalize('NFC')) {
          throw new VaultError('FORMAT_UNSUITABLE', `${label(secret)} would reach Terraform changed: it normalizes Unicode text (NFC)`, {
            hint: 'Use files, and filebase64() in Terraform.',
          });
        }
        return [name, value] as const;
      }),
    );
    const text = `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
    return { type: 'bytes', bytes: utf8(text), fileName: 'secrets.auto.tfvars.json' };
  },
};
