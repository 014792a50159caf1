/** Taking values in from where a plan says they are. The sources are a port: the command reads them, a test or script gives them. */
import { VaultError } from '../../errors.js';
import { importedFields, type ImportSource, type TerraformProgram } from '../../material/index.js';

/** Where imports come from. Nothing here is ever written anywhere. */
export interface ImportPort {
  env(variable: string): string | undefined;
  /** The bytes of a file; undefined when it is not there. `path` as written in the plan. */
  file(path: string): Promise<Uint8Array | undefined>;
  /** Undefined when nothing is given, as on a terminal. */
  stdin(): Promise<Uint8Array | undefined>;
  /**
   * The value of an output of Terraform or OpenTofu: a text as it is, everything else as JSON. Undefined when there is no such output.
   * Left out by a program that starts no others.
   */
  terraform?(directory: string, output: string, program: TerraformProgram | undefined): Promise<Uint8Array | undefined>;
}

/** The bytes, or in a few words why there are none: "SCW_ACCESS_KEY is not set". */
export type ImportRead = { readonly bytes: Uint8Array } | { readonly missing: string };

/** Larger values belong elsewhere: everything is sealed, opened and checked in memory. */
export const MAX_IMPORT_BYTES = 64 * 1024 * 1024;

/** Reads one source. Throws BAD_VALUE for what is too large, and what the port throws. */
export async function readSource(port: ImportPort, source: ImportSource): Promise<ImportRead> {
  const read = await readUnlimited(port, source);
  if ('bytes' in read && read.bytes.length > MAX_IMPORT_BYTES) {
    throw new VaultError('BAD_VALUE', `${sourceWords(source)} holds more than ${MAX_IMPORT_BYTES / 1024 / 1024} MiB`, {
      hint: 'Seal a key to it instead, and keep the file elsewhere, encrypted with that key.',
    });
  }
  return 'bytes' in read ? { bytes: plain(read.bytes) } : read;
}

/** Of a Buffer, `slice` is a view: a kind that keeps one would lose its value when the input is wiped. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function readUnlimited(port: ImportPort, source: ImportSource): Promise<ImportRead> {
  switch (source.from) {
    case 'file': {
      const bytes = await port.file(source.path);
      return bytes ? { bytes } : { missing: `${source.path} is not there` };
    }
    case 'stdin': {
      const bytes = await port.stdin();
      return bytes ? { bytes } : { missing: 'nothing was given on standard input' };
    }
    case 'terraform': {
      if (!port.terraform) {
        throw new VaultError('UNSUPPORTED', `${sourceWords(source)} cannot be read here: this program starts no other`, {
          hint: 'Seal it with the command: oxp-vault seal',
        });
      }
      const bytes = await port.terraform(source.directory, source.output, source.program);
      return bytes ? { bytes } : { missing: `${source.directory} has no output ${source.output} yet` };
    }
    case 'env':
      return 'variable' in source ? readVariable(port, source.variable) : readVariables(port, source.variables);
  }
}

function readVariable(port: ImportPort, variable: string): ImportRead {
  const text = port.env(variable);
  // A CI variable that nobody filled in arrives empty: that is no value either.
  return text === undefined || text === '' ? { missing: unset(variable, text) } : { bytes: new TextEncoder().encode(text) };
}

function readVariables(port: ImportPort, variables: Readonly<Record<string, string>>): ImportRead {
  const fields: Record<string, string> = {};
  for (const [field, variable] of Object.entries(variables)) {
    const text = port.env(variable);
    if (text === undefined || text === '') return { missing: unset(variable, text) };
    fields[field] = text;
  }
  return { bytes: importedFields(fields) };
}

function unset(variable: string, text: string | undefined): string {
  return `${variable} is ${text === undefined ? 'not set' : 'empty'}`;
}

/** "kubeconfig.yaml", "standard input", "SCW_ACCESS_KEY, SCW_SECRET_KEY". */
export function sourceWords(source: ImportSource): string {
  switch (source.from) {
    case 'file':
      return source.path;
    case 'stdin':
      return 'standard input';
    case 'terraform':
      return `output ${source.output} of ${source.directory}`;
    case 'env':
      return 'variable' in source ? source.variable : Object.values(source.variables).join(', ');
  }
}
