import { isSecretName, type Json, type JsonObject } from '../wire.js';
import { type FailAt, failIn } from './bootstrap-faults.js';
import { type ImportSource, readImport } from './bootstrap-import.js';
import { orderByIssuer } from './bootstrap-order.js';
import { isMaterialKind, MATERIAL_KINDS, type MaterialKindName } from './kinds.js';
import { ParameterError } from './parameters.js';
import { materialKind, unknownKind } from './registry.js';

/** One secret that must exist. */
export interface BootstrapSecret {
  readonly name: string;
  readonly kind: MaterialKindName;
  /** Checked and completed by the kind. */
  readonly parameters: JsonObject;
  /** Absent: to be generated. */
  readonly import?: ImportSource;
  /** The CA that has to sign it: in this plan, then it comes earlier, or in the vault. */
  readonly issuer?: string;
  /** Where it stands in the file, from 1. */
  readonly line: number;
}

/** What bootstrap.yaml asks for; issuers come before what they issue, otherwise in the order of the file. */
export interface BootstrapPlan {
  readonly secrets: readonly BootstrapSecret[];
}

/**
 * Reads the text of bootstrap.yaml. `file` is its name for messages, which read `FILE, line N: SECRET: FIELD: what is wrong` and never
 * quote the text. Throws BAD_YAML (no YAML, or not of this form), BAD_NAME (a secret's name), BAD_VALUE (a kind or parameter).
 */
export async function parseBootstrap(text: string, file: string): Promise<BootstrapPlan> {
  // YAML is loaded by who reads a bootstrap file, not by who opens a secret.
  const { readYaml } = await import('../primitives/yaml.js');
  const yaml = readYaml(text, file);
  const { value } = yaml;
  const fail = failIn(yaml);

  if (!isMap(value)) throw fail('BAD_YAML', [], 'expected a map with the one key secrets');
  const stranger = Object.keys(value).find((key) => key !== 'secrets');
  if (stranger !== undefined) throw fail('BAD_YAML', [stranger], 'there is a key beside secrets');
  const entries = value['secrets'] ?? {};
  if (!isMap(entries)) throw fail('BAD_YAML', ['secrets'], 'secrets is not a map of names');
  const secrets: BootstrapSecret[] = [];
  for (const [name, entry] of Object.entries(entries)) secrets.push({ ...(await readSecret(name, entry, fail)), line: yaml.lineOf(['secrets', name]) });
  const onStdin = secrets.filter((secret) => secret.import?.from === 'stdin');
  if (onStdin.length > 1) throw fail('BAD_VALUE', ['secrets', onStdin[1]!.name, 'import'], `${onStdin[0]!.name} already reads standard input`);
  return { secrets: orderByIssuer(secrets, (name, fault) => fail('BAD_VALUE', ['secrets', name, 'issuer'], fault)) };
}

async function readSecret(name: string, entry: unknown, fail: FailAt): Promise<Omit<BootstrapSecret, 'line'>> {
  const path = ['secrets', name];
  if (!isSecretName(name)) throw fail('BAD_NAME', path, 'this is no name for a secret: lower-case segments joined by /, each beginning with a letter, such as dns/tsig', { nameless: true });
  if (!isMap(entry)) throw fail('BAD_YAML', path, 'expected a map with a kind, such as { kind: password }');
  const { kind: kindName, import: from, ...raw } = entry;
  if (typeof kindName !== 'string' || !isMaterialKind(kindName)) {
    const { message, hint } = unknownKind();
    throw fail('BAD_VALUE', [...path, 'kind'], kindName === undefined ? 'is missing' : message, { hint });
  }
  const stray = findStray(raw, path);
  if (stray !== undefined) throw fail('BAD_VALUE', stray, 'expected text, a whole number, true, false, a list or a map with plain keys');

  const kind = await materialKind(kindName);
  const source = from === undefined ? undefined : readImport(from, kind, (field, fault, hint) => fail('BAD_VALUE', [...path, 'import', ...field], fault, { hint }));
  if (source === undefined && MATERIAL_KINDS[kindName].importOnly) {
    throw fail('BAD_VALUE', path, `a ${kindName} cannot be made, only taken in`, { hint: 'say where it comes from: import: { file: PATH }' });
  }
  try {
    const parameters = kind.parameters(raw as JsonObject, source === undefined ? 'generate' : 'import');
    const issuer = parameters['issuer'];
    return {
      name,
      kind: kindName,
      parameters,
      ...(source === undefined ? {} : { import: source }),
      ...(source === undefined && typeof issuer === 'string' ? { issuer } : {}),
    };
  } catch (error) {
    if (error instanceof ParameterError) throw fail('BAD_VALUE', [...path, ...error.field.split('.').filter(Boolean)], error.fault, { hint: error.hint });
    throw error;
  }
}

/** The path of the first value that signed JSON cannot hold: a fraction, null, a key that is not plain ASCII. */
function findStray(value: unknown, path: readonly string[]): readonly string[] | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)) return undefined;
  if (typeof value !== 'object' || value === null) return path;
  for (const [key, member] of Object.entries(value as Record<string, Json>)) {
    if (!/^[\x21-\x7e]+$/.test(key)) return path;
    const stray = findStray(member, [...path, key]);
    if (stray !== undefined) return stray;
  }
  return undefined;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
