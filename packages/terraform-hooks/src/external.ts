/**
 * The protocol of Terraform's `external` data source (hashicorp/terraform-provider-external, docs/data-sources/external.md): one JSON
 * object of strings comes in, one goes out. Terraform keeps what goes out in clear, in its state and in saved plans.
 */
import { isSecretName, type Json, VaultError } from '@oxp-vault/core';
import * as v from 'valibot';
import type { SecretPort, SecretRef, SecretView } from './port.js';

/** `query` of the data source. Terraform turns every value into a string, and leaves out what is null. */
const Query = v.strictObject({
  /** `NAME`, or `NAME#FIELD`. */
  name: v.string(),
  version: v.optional(v.pipe(v.string(), v.regex(/^v?[1-9][0-9]{0,8}$/))),
  allow_secret_in_state: v.optional(v.picklist(['true', 'false'])),
});

export interface ExternalQuery {
  readonly ref: SecretRef;
  readonly allowSecretInState: boolean;
}

/** Never part of what a kind calls its public parts. */
const OWN = ['name', 'version', 'kind', 'value', 'value_base64'];

/** Reads what Terraform wrote to standard input. Throws USAGE that names the member, never its content. */
export function parseExternalQuery(text: string): ExternalQuery {
  const parsed = v.safeParse(Query, parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const member = v.getDotPath(issue);
    const unknown = issue.type === 'strict_object' && issue.expected === 'never';
    throw usage(member === null ? 'standard input is no JSON object of strings' : unknown ? `the query has a member that is none of ${Object.keys(MEMBERS).join(', ')}` : `the query needs ${MEMBERS[member] ?? 'other members'}`);
  }
  const { name: view, version, allow_secret_in_state: allow } = parsed.output;
  const [name = '', field, ...more] = view.split('#');
  if (!isSecretName(name) || field === '' || more.length > 0) throw usage(`the query needs ${MEMBERS['name']}`);
  const ref = { name, ...(field === undefined ? {} : { field }), ...(version === undefined ? {} : { version: Number(version.replace(/^v/, '')) }) };
  return { ref, allowSecretInState: allow === 'true' };
}

const MEMBERS: Readonly<Record<string, string>> = {
  name: 'name = "NAME" or "NAME#FIELD", a secret of the vault',
  version: 'version as a number, if at all',
  allow_secret_in_state: 'allow_secret_in_state = "true" or "false", if at all',
};

/**
 * The public parts of a secret; a public field as `value`; what is private, as `value` (or `value_base64` where it is no text), only
 * where the query allows it. Throws SECRET_IN_STATE, and what the port throws.
 */
export async function answerExternalQuery({ ref, allowSecretInState }: ExternalQuery, port: SecretPort): Promise<Record<string, string>> {
  const view = await port.look(ref);
  const wantsValue = ref.field !== undefined || allowSecretInState;
  if (!wantsValue) return publicParts(view);
  if (view.private && !allowSecretInState) throw refusal(ref);
  const bytes = await port.read({ ...ref, version: view.version });
  try {
    return { ...publicParts(view), ...carried(bytes) };
  } finally {
    bytes.fill(0);
  }
}

/** The one document that may stand on standard output. */
export function formatExternalResult(result: Readonly<Record<string, string>>): string {
  return `${JSON.stringify(result)}\n`;
}

function publicParts(view: SecretView): Record<string, string> {
  const parts = Object.entries(view.public).map(([key, value]) => [OWN.includes(key) ? `public_${key}` : key, asString(value)]);
  return { ...(Object.fromEntries(parts) as Record<string, string>), name: view.name, version: String(view.version), kind: view.kind };
}

/** The protocol carries strings alone: everything else as JSON, for jsondecode(). */
function asString(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function carried(bytes: Uint8Array): { value: string } | { value_base64: string } {
  try {
    return { value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { value_base64: Buffer.from(bytes).toString('base64') }; // the only thing that a fatal decoder reports: this is no UTF-8
  }
}

function refusal({ name, field }: SecretRef): VaultError {
  const view = `${name}${field === undefined ? '' : `#${field}`}`;
  return new VaultError('SECRET_IN_STATE', `${view} is private, and Terraform would keep it in clear in its state and in saved plans`, {
    hint: `Safe ways: ephemeral "oxpvault_secret", of the provider oxpvault; or an ephemeral variable, as in oxp-vault exec --env TF_VAR_x='${view}' -- terraform apply; either given to a provider or a write-only argument; or have the machine fetch it itself. If the state may hold it: allow_secret_in_state = "true" in the query`,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage('standard input is no JSON object of strings'); // the parser's own message quotes the text
  }
}

function usage(fault: string): VaultError {
  return new VaultError('USAGE', fault, { hint: 'In Terraform: data "external" "x" { program = ["oxp-vault", "terraform", "external"], query = { name = "NAME" } }' });
}
