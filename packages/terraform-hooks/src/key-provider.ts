/**
 * The external key provider of OpenTofu, protocol version 1 (internal/encryption/keyprovider/external): a header line at once, then one
 * request up to the end of standard input, then one answer. External data comes back with the state; it is stored in clear, and nobody
 * vouches for it.
 */
import { VaultError } from '@oxp-vault/core';
import * as v from 'valibot';
import type { SecretPort, SecretView } from './port.js';

/** Must be written before anything is read: OpenTofu waits for it. */
export const KEY_PROVIDER_HEADER = '{"magic":"OpenTofu-External-Key-Provider","version":1}\n';

/** AES-256, which is what a state-key is made for. */
const KEY_SIZE = 32;

const ExternalData = v.object({ name: v.string(), version: v.pipe(v.number(), v.safeInteger(), v.minValue(1)), keyid: v.string() });
/** OpenTofu before 1.12 says `{"external_data":null}` where later ones say `null`. */
const Request = v.nullable(v.object({ external_data: v.nullable(ExternalData) }));

export type KeyProviderData = v.InferOutput<typeof ExternalData>;

/** The external data of what is to be decrypted; undefined where only a key to encrypt with is wanted. Throws USAGE. */
export function parseKeyRequest(text: string): KeyProviderData | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw usage('standard input is no request of OpenTofu'); // the parser's own message quotes the text
  }
  const parsed = v.safeParse(Request, raw);
  if (!parsed.success) throw usage('the request names a key that is not of this provider: it has no name, version and keyid');
  return parsed.output?.external_data ?? undefined;
}

export interface KeyProviderAnswer {
  readonly keys: { readonly encryption_key: string; readonly decryption_key?: string };
  readonly meta: { readonly external_data: KeyProviderData };
}

/**
 * Encrypts with the newest version of the state key `name`; decrypts with the version that the data names, so that a rotation needs
 * nothing but the next write. Throws FORMAT_UNSUITABLE for a secret that is no AES key, WRONG_STATEMENT for data of another key,
 * and what the port throws.
 */
export async function answerKeyRequest(name: string, data: KeyProviderData | undefined, port: SecretPort): Promise<KeyProviderAnswer> {
  const newest = await port.look({ name });
  const encryption_key = await readKey(newest, port);
  const external_data = { name, version: newest.version, keyid: keyIdOf(newest) };
  if (!data) return { keys: { encryption_key }, meta: { external_data } };
  const old = data.version === newest.version ? newest : await port.look({ name, version: data.version });
  checkSame(name, data, old);
  return { keys: { encryption_key, decryption_key: old === newest ? encryption_key : await readKey(old, port) }, meta: { external_data } };
}

/** The one document after the header. */
export function formatKeyAnswer(answer: KeyProviderAnswer): string {
  return JSON.stringify(answer);
}

/** The data may name any secret of the vault; only this one is ever looked at. */
function checkSame(name: string, data: KeyProviderData, view: SecretView): void {
  if (data.name !== name || data.keyid !== keyIdOf(view)) throw otherKey(name);
}

function otherKey(name: string): VaultError {
  return new VaultError('WRONG_STATEMENT', `what OpenTofu has stored was encrypted with another key than ${name} of this vault`, { hint: 'Check the vault, and the name after `key-provider`. If the secret has another name now, give OpenTofu both: the new one, and the old one as fallback.' });
}

/** The id of an AES key for OpenTofu. Throws FORMAT_UNSUITABLE for any other secret. */
export function keyIdOf(view: SecretView): string {
  const { keyid } = view.public;
  if (view.kind !== 'state-key' || view.public['method'] !== 'aes_gcm' || typeof keyid !== 'string') {
    throw new VaultError('FORMAT_UNSUITABLE', `${view.name} version ${view.version} is no AES key for OpenTofu`, { hint: 'Make one: kind: state-key in bootstrap.yaml, or oxp-vault seal NAME --kind state-key. A passphrase (method: pbkdf2) goes to the pbkdf2 key provider.' });
  }
  return keyid;
}

async function readKey(view: SecretView, port: SecretPort): Promise<string> {
  keyIdOf(view);
  const bytes = await port.read({ name: view.name, version: view.version });
  try {
    if (bytes.length !== KEY_SIZE) throw new VaultError('FORMAT_UNSUITABLE', `${view.name} version ${view.version} has not the size of an AES-256 key`);
    return Buffer.from(bytes).toString('base64');
  } finally {
    bytes.fill(0);
  }
}

function usage(fault: string): VaultError {
  return new VaultError('USAGE', fault, { hint: 'OpenTofu starts this: key_provider "external" "x" { command = ["oxp-vault", "terraform", "key-provider", "NAME"] }' });
}
