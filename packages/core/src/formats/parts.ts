/** Values and named parts of opened secrets. The only place where formats meet the kinds of material. */
import { VaultError } from '../errors.js';
import { fromUtf8, utf8 } from '../primitives/hash.js';
import { label, type OpenedSecret } from './format.js';

/** The field `name` of a secret's kind (material/registry.ts), as bytes and whether it is private. FIELD_NOT_FOUND. */
export async function part(secret: OpenedSecret, name: string): Promise<{ bytes: Uint8Array; private: boolean }> {
  // Only here and only when asked for: a plain `open` must not load the kinds and what they parse with.
  const { materialKind } = await import('../material/registry.js');
  const { fields } = await materialKind(secret.kind);
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined) {
    throw new VaultError('FIELD_NOT_FOUND', `${secret.name} (${secret.kind}) has no field ${name}`, {
      hint: `Its fields: ${Object.keys(fields).join(', ')}.`,
    });
  }
  const { kind, file, parameters } = secret;
  const value = field.read({ kind, file, parameters, public: secret.public });
  return { bytes: typeof value === 'string' ? utf8(value) : value, private: field.private };
}

/** Text of the field `name`. */
export async function partText(secret: OpenedSecret, name: string): Promise<string> {
  return decode((await part(secret, name)).bytes, `${secret.name}#${name}`);
}

/** What was asked for: the field, or a copy of the whole file. */
export async function valueOf(secret: OpenedSecret): Promise<Uint8Array> {
  return secret.field === undefined ? secret.file.use((bytes) => bytes.slice()) : (await part(secret, secret.field)).bytes;
}

/** The value as text, byte for byte (a byte order mark stays). FORMAT_UNSUITABLE where it is not UTF-8. */
export async function valueText(secret: OpenedSecret): Promise<string> {
  return decode(await valueOf(secret), label(secret));
}

function decode(bytes: Uint8Array, what: string): string {
  const text = fromUtf8(bytes);
  if (text !== undefined) return text;
  throw new VaultError('FORMAT_UNSUITABLE', `${what} is not text (UTF-8), which this format needs`, {
    hint: 'raw, files and k8s-secret carry any bytes, json and yaml as base64; or ask for a field that is text, as #base64 of a state-key.',
  });
}
