import type { MaterialKind } from './material.js';

/** Where a value comes from: never bootstrap.yaml itself. */
export type ImportSource =
  /** One environment variable holds the whole value. */
  | { readonly from: 'env'; readonly variable: string }
  /** One environment variable a field; the value is importedFields() of them. */
  | { readonly from: 'env'; readonly variables: Readonly<Record<string, string>> }
  /** A path as written: relative to the file that names it, `~/` the home directory. */
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'stdin' }
  /** An output of the root module in a directory, as `terraform output -json` or `tofu output -json` gives it. */
  | { readonly from: 'terraform'; readonly directory: string; readonly output: string; readonly program?: TerraformProgram };

export type TerraformProgram = 'terraform' | 'tofu';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const FORMS = 'import: { env: VARIABLE } or { env: { FIELD: VARIABLE } } or { file: PATH } or { stdin: true } or { terraform: { dir: PATH, output: NAME } }';
const KINDS = 'expected exactly one of env, file, stdin, terraform';
/** HCL identifiers, of which Terraform takes these as names of outputs. */
const OUTPUT = /^[\p{ID_Start}_][\p{ID_Continue}-]*$/u;

/** Reads what stands under `import`. `fail` makes the error for a field below it. */
export function readImport(value: unknown, kind: MaterialKind, fail: (field: string[], fault: string, hint?: string) => Error): ImportSource {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail([], 'expected a map', FORMS);
  const [given, ...more] = Object.entries(value as Record<string, unknown>);
  if (given === undefined || more.length > 0) throw fail([], KINDS, FORMS);
  const [form, source] = given;
  switch (form) {
    case 'stdin':
      if (source !== true) throw fail([form], 'expected true');
      return { from: 'stdin' };
    case 'file':
      if (typeof source !== 'string' || source === '' || source.includes('\0')) throw fail([form], 'expected a path');
      return { from: 'file', path: source };
    case 'env':
      return readEnv(source, kind, fail);
    case 'terraform':
      return readTerraform(source, fail);
    default:
      throw fail([], KINDS, FORMS);
  }
}

function readTerraform(source: unknown, fail: (field: string[], fault: string, hint?: string) => Error): ImportSource {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) throw fail(['terraform'], 'expected a map', 'terraform: { dir: PATH, output: NAME }');
  const { dir, output, program, ...more } = source as Record<string, unknown>;
  const [stray] = Object.keys(more);
  if (stray !== undefined) throw fail(['terraform', stray], 'no such field', 'fields: dir, output, program');
  if (typeof dir !== 'string' || dir === '' || dir.includes('\0')) throw fail(['terraform', 'dir'], 'expected the directory of a root module');
  if (typeof output !== 'string' || !OUTPUT.test(output)) throw fail(['terraform', 'output'], 'expected the name of an output');
  if (program !== undefined && program !== 'terraform' && program !== 'tofu') throw fail(['terraform', 'program'], 'expected terraform or tofu');
  return { from: 'terraform', directory: dir, output, ...(program === undefined ? {} : { program }) };
}

function readEnv(source: unknown, kind: MaterialKind, fail: (field: string[], fault: string, hint?: string) => Error): ImportSource {
  // People put the value where the name of the variable belongs: what is no name is not shown.
  const isVariable = (name: unknown): name is string => typeof name === 'string' && VARIABLE.test(name);
  if (isVariable(source)) return { from: 'env', variable: source };
  if (typeof source !== 'object' || source === null || Array.isArray(source)) throw fail(['env'], 'expected the name of an environment variable');
  const fields = kind.importFields;
  if (fields === undefined) throw fail(['env'], `a ${kind.kind} is taken in whole`, 'import: { env: VARIABLE } or { file: PATH }');
  const variables: Record<string, string> = {};
  for (const [field, variable] of Object.entries(source as Record<string, unknown>)) {
    if (!Object.hasOwn(fields, field)) throw fail(['env', field], 'no such field', `fields: ${Object.keys(fields).join(', ')}`);
    if (!isVariable(variable)) throw fail(['env', field], 'expected the name of an environment variable');
    variables[field] = variable;
  }
  const missing = Object.keys(fields).find((field) => fields[field] === 'required' && variables[field] === undefined);
  if (missing !== undefined) throw fail(['env'], `the field ${missing} is missing`);
  return { from: 'env', variables };
}
