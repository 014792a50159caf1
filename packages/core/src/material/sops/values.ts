/**
 * Decrypting values: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]` under the data key, bound to a place (aes/cipher.go). sops-age does
 * it where the result is text; it gives no bytes, leaves numbers out of a place also where they are keys, and never opens the
 * MAC, so these go through `openValue`. Nothing is believed before mac.ts has checked the whole.
 */
import { createDecipheriv } from 'node:crypto';
import { VaultError } from '../../errors.js';
import { ageArmor, ageUnarmor } from '../../primitives/age-armor.js';
import { ageDecrypt, ageEncrypt, generateAgeIdentity, identityToRecipient } from '../../primitives/age.js';
import { concatBytes, fromBase64, utf8 } from '../../primitives/hash.js';
import { badSops, placeWords } from './model.js';
import type { SopsMetadata } from './metadata.js';

const DATA_KEY_SIZE = 32;
const TAG_SIZE = 16;
const ENC = /^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]$/;

export interface Encrypted {
  readonly data: Uint8Array;
  readonly iv: Uint8Array;
  readonly tag: Uint8Array;
  readonly type: string;
}

/** Undefined for what is no encrypted value. */
export function parseEncrypted(text: string): Encrypted | undefined {
  const [, data64 = '', iv64 = '', tag64 = '', type = ''] = ENC.exec(text) ?? [];
  const [data, iv, tag] = [data64, iv64, tag64].map(fromBase64);
  return type !== '' && data && iv && iv.length > 0 && tag?.length === TAG_SIZE ? { data, iv, tag, type } : undefined;
}

/** What a value is bound to: the keys above it. */
export function placeData(keys: readonly string[]): string {
  return `${keys.join(':')}:`;
}

/** Undefined unless exactly these bytes were encrypted under this key for this place. */
export function openValue({ data, iv, tag }: Encrypted, dataKey: Uint8Array, place: string): Uint8Array | undefined {
  const decipher = createDecipheriv('aes-256-gcm', dataKey, iv, { authTagLength: TAG_SIZE });
  decipher.setAAD(utf8(place));
  decipher.setAuthTag(tag);
  const opened = decipher.update(data);
  try {
    decipher.final();
  } catch {
    return undefined; // the only fault that final() reports is a wrong tag
  }
  return concatBytes(opened);
}

/** The data key. Throws IDENTITY_NOT_FOUND where none of the identities is for this file, BAD_MATERIAL for one of a wrong size. */
export async function openDataKey({ keys }: SopsMetadata, identities: readonly string[]): Promise<Uint8Array> {
  for (const { enc } of keys) {
    const file = await ageUnarmor(enc.endsWith('\n') ? enc : `${enc}\n`);
    const dataKey = await openOne(file, identities);
    if (dataKey === undefined) continue;
    if (dataKey.length !== DATA_KEY_SIZE) throw badSops('has a data key of a wrong size');
    return dataKey;
  }
  throw new VaultError('IDENTITY_NOT_FOUND', `none of the ${identities.length} age identities at hand opens the SOPS file`, { details: keys.map(({ recipient }) => `is for  ${/^[\w ./+=@-]{1,4096}$/.test(recipient) ? recipient.slice(0, 80) : '(unreadable)'}`) });
}

async function openOne(file: Uint8Array, identities: readonly string[]): Promise<Uint8Array | undefined> {
  try {
    return await ageDecrypt(file, identities);
  } catch (error) {
    if (error instanceof VaultError && error.code === 'DECRYPT_FAILED') return undefined; // for another recipient, or damaged: the next may do
    throw error;
  }
}

export interface PlacedValue {
  readonly keys: readonly string[];
  readonly encrypted: Encrypted;
}

/** The plaintext bytes of every value, in order. Throws DECRYPT_FAILED naming the first that was changed, moved or renamed. */
export async function openValues(values: readonly PlacedValue[], dataKey: Uint8Array): Promise<Uint8Array[]> {
  const texts = await openAsText(values, dataKey);
  return values.map(({ keys, encrypted }, index) => {
    const text = texts[index];
    const bytes = text === undefined ? undefined : utf8(text);
    if (bytes?.length === encrypted.data.length && !text!.includes('\uFFFD')) return bytes;
    const opened = openValue(encrypted, dataKey, placeData(keys));
    if (opened) return opened;
    throw new VaultError('DECRYPT_FAILED', `the value at ${placeWords(keys)} of the SOPS file does not decrypt in its place`, {
      hint: 'It was changed, or moved here from elsewhere, or its key was renamed. Nothing of the file was taken in.',
    });
  });
}

/**
 * By sops-age. It gets an identity that exists for this call, never the person's own: its messages quote what it works with. Each
 * value stands under its index, which sops-age leaves out, and its place in one piece. Undefined where it refuses one of them.
 */
async function openAsText(values: readonly PlacedValue[], dataKey: Uint8Array): Promise<readonly (string | undefined)[]> {
  const { decryptSops } = await import('sops-age');
  const identity = await generateAgeIdentity();
  const recipient = await identityToRecipient(identity);
  const enc = await ageArmor(await ageEncrypt(dataKey, [recipient]));
  const file = JSON.stringify({
    // As text whatever it is: types are read by go-values.ts, without loss.
    ...Object.fromEntries(values.map(({ keys, encrypted }, i) => [i, Object.fromEntries([[placeData(keys).slice(0, -1), textOf(encrypted)]])])),
    sops: { age: [{ recipient, enc }], lastmodified: '', mac: '', version: '' },
  });
  try {
    const opened: unknown = await decryptSops(file, { fileType: 'json', secretKey: identity });
    return values.map((_, i) => firstText((opened as Record<number, unknown>)[i]));
  } catch {
    return []; // openValue says which one, and its error quotes nothing
  }
}

function textOf({ data, iv, tag }: Encrypted): string {
  const [data64, iv64, tag64] = [data, iv, tag].map((bytes) => Buffer.from(bytes).toString('base64'));
  return `ENC[AES256_GCM,data:${data64},iv:${iv64},tag:${tag64},type:str]`;
}

function firstText(value: unknown): string | undefined {
  const [text] = Object.values(value ?? {}) as unknown[];
  return typeof text === 'string' ? text : undefined;
}
