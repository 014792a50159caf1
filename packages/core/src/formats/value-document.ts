import { fromUtf8, toBase64 } from '../primitives/hash.js';
import { label, type OpenedSecret } from './format.js';
import { derived } from './names.js';
import { valueOf } from './parts.js';

export type Value = string | { readonly base64: string };

/** Name (or `name#field`) -> value, in the order of the names: the document that json and yaml write. */
export async function valueDocument(secrets: readonly OpenedSecret[]): Promise<Record<string, Value>> {
  const entries = await Promise.all(
    derived(secrets, label).map(async ({ name, secret }) => [name, carried(await valueOf(secret))] as const),
  );
  return Object.fromEntries(entries);
}

function carried(bytes: Uint8Array): Value {
  return fromUtf8(bytes) ?? { base64: toBase64(bytes) };
}
