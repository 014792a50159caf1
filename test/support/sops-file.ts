/** A SOPS file in JSON made here, for what sops itself would not write. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { ageArmor } from '../../packages/core/src/primitives/age-armor.js';
import { ageEncrypt, identityToRecipient } from '../../packages/core/src/primitives/age.js';

export interface SopsLies {
  readonly dataKey?: Uint8Array;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Instead of the text of the MAC, before it is encrypted. */
  readonly mac?: string;
}

export function encryptValue(text: string | Uint8Array, dataKey: Uint8Array, place: string, type = 'str'): string {
  const iv = randomBytes(32);
  const cipher = createCipheriv('aes-256-gcm', dataKey, iv);
  cipher.setAAD(Buffer.from(place));
  const data = Buffer.concat([cipher.update(text), cipher.final()]);
  return `ENC[AES256_GCM,data:${data.toString('base64')},iv:${iv.toString('base64')},tag:${cipher.getAuthTag().toString('base64')},type:${type}]`;
}

/** A flat object of texts, every one encrypted. */
export async function makeSopsJson(values: Readonly<Record<string, string | Uint8Array>>, identity: string, lies: SopsLies = {}): Promise<string> {
  const dataKey = lies.dataKey ?? randomBytes(32);
  const recipient = await identityToRecipient(identity);
  const hash = createHash('sha512');
  for (const value of Object.values(values)) hash.update(value);
  const lastmodified = '2026-01-01T00:00:00Z';
  const encrypted = dataKey.length === 32 ? Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encryptValue(value, dataKey, `${key}:`)])) : { ...values };
  const mac = dataKey.length === 32 ? encryptValue(lies.mac ?? hash.digest('hex').toUpperCase(), dataKey, lastmodified) : '';
  const sops = { age: [{ recipient, enc: await ageArmor(await ageEncrypt(dataKey, [recipient])) }], lastmodified, mac, version: '3.13.3', ...lies.metadata };
  return JSON.stringify({ ...encrypted, sops }, null, 1);
}
