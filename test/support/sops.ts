/** The SOPS files of test/vectors/sops, and ways to spoil them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openSopsFile, type OpenedSops, type SopsType } from '../../packages/core/src/index.js';

export const sopsVector = (name: string): string => fileURLToPath(new URL(`../vectors/sops/${name}`, import.meta.url));
export const sopsText = (name: string): string => readFileSync(sopsVector(name), 'utf8');

export const SOPS_KEY = /^AGE-SECRET-KEY-.*$/m.exec(sopsText('keys.txt'))![0];

export function openSops(name: string, text: string | Uint8Array = readFileSync(sopsVector(name)), options: { type?: SopsType; identities?: readonly string[] } = {}): Promise<OpenedSops> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return openSopsFile({ bytes, name, identities: options.identities ?? [SOPS_KEY], ...(options.type === undefined ? {} : { type: options.type }) });
}

export const plainText = ({ bytes }: OpenedSops): string => Buffer.from(bytes).toString();
