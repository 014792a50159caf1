/** Closed options: what each may hold, and that a format is given only those it knows. */
import { VaultError } from '../errors.js';
import type { FormatOptions, OptionName, OutputFormat } from './format.js';

const DNS_LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';

interface TextOption {
  readonly pattern: RegExp;
  readonly maxLength: number;
  readonly shape: string;
}

/** RFC 1123 as Kubernetes reads it; the identifier rules that POSIX shells, Terraform and GitHub share. */
const TEXT_OPTIONS: Readonly<Record<Exclude<OptionName, 'password'>, TextOption>> = {
  prefix: { pattern: /^[A-Za-z_][A-Za-z0-9_]*$/, maxLength: 100, shape: 'letters, digits and `_`, not starting with a digit' },
  namespace: { pattern: new RegExp(`^${DNS_LABEL}$`), maxLength: 63, shape: 'lower-case letters, digits and `-`, at most 63' },
  secretName: {
    pattern: new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`),
    maxLength: 253,
    shape: 'lower-case letters, digits, `-` and `.`, at most 253',
  },
  profile: { pattern: /^[A-Za-z0-9][A-Za-z0-9_-]*$/, maxLength: 100, shape: 'letters, digits, `_` and `-`' },
  // Stored as BMPString, which has no characters beyond U+FFFF; control characters would garble a key store's listing.
  friendlyName: { pattern: /^[^\p{C}\p{Zl}\p{Zp}\u{10000}-\u{10ffff}]+$/u, maxLength: 255, shape: 'one line of printable characters' },
  githubKey: { pattern: /^[A-Za-z0-9+/]{43}=$/, maxLength: 44, shape: 'the base64 of 32 bytes, as GitHub gives it' },
  githubKeyId: { pattern: /^[A-Za-z0-9_-]+$/, maxLength: 100, shape: 'letters, digits, `_` and `-`, as GitHub gives it' },
};

/** Throws USAGE for an option that `format` does not take, BAD_VALUE for one that is not of its shape. */
export function checkOptions(format: OutputFormat, options: FormatOptions): void {
  const taken: readonly string[] = format.options ?? [];
  for (const [name, value] of Object.entries(options)) {
    if (name === 'target' || value === undefined) continue;
    if (!taken.includes(name)) {
      const hint = taken.length === 0 ? `${format.name} takes no options.` : `${format.name} takes: ${taken.join(', ')}.`;
      throw new VaultError('USAGE', `the format ${format.name} takes no option ${name}`, { hint });
    }
    if (name in TEXT_OPTIONS) checkText(name as keyof typeof TEXT_OPTIONS, value);
  }
}

function checkText(name: keyof typeof TEXT_OPTIONS, value: unknown): void {
  const { pattern, maxLength, shape } = TEXT_OPTIONS[name];
  if (typeof value === 'string' && value.length <= maxLength && pattern.test(value)) return;
  throw new VaultError('BAD_VALUE', `the option ${name} is not well formed`, { hint: `${name}: ${shape}.` });
}

/** The value of an option that the format cannot do without. Throws USAGE with `hint` where it is missing. */
export function requireOption<K extends OptionName>(format: string, options: FormatOptions, name: K, hint: string): NonNullable<FormatOptions[K]> {
  const value = options[name];
  if (value === undefined) throw new VaultError('USAGE', `the format ${format} needs the option ${name}`, { hint });
  return value;
}
