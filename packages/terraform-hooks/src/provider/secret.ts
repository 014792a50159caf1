/** `ephemeral "oxpvault_secret"`: a value that is in no state, no plan and no log. */
import { isSecretName, VaultError } from '@oxp-vault/core';
import type { SecretPort, SecretRef } from '../port.js';
import type { Values } from './dynamic-value.js';
import type { Source } from './provider.js';
import { AttributeFault, type Attributes, type Config } from './schema.js';

/** What both the ephemeral resource and the data source are asked by. */
export const REFERENCE: Attributes = {
  name: { type: 'string', use: 'required', description: 'The name of the secret.' },
  field: { type: 'string', use: 'optional', description: 'One part of it instead of the whole.' },
  version: { type: 'number', use: 'optional computed', description: 'The newest unless named.' },
  kind: { type: 'string', use: 'computed', description: 'What it is: password, tsig, api-key and so on.' },
};

export function ephemeralSecret(port: () => Promise<SecretPort>): Source {
  return {
    description: 'A secret of the vault. Every opening is recorded in its log before the value is given.',
    attributes: {
      ...REFERENCE,
      format: { type: 'string', use: 'optional', description: 'An output format of `oxp-vault open` that makes one text; raw unless named.' },
      value: { type: 'string', use: 'computed', sensitive: true, description: 'The value as text; null where it is none, as a p12 is.' },
      base64: { type: 'string', use: 'computed', sensitive: true, description: 'The bytes of the value in base64.' },
    },
    validate: validateReference,
    async read(config): Promise<Values> {
      const ref = readReference(config);
      const format = config.text('format');
      const vault = await port();
      const { version, kind } = await vault.look(ref);
      // A format may take several versions (bind): only a person narrows that.
      const bytes = format === undefined ? await vault.read({ ...ref, version }) : await vault.read(ref, format);
      try {
        return { version, kind, value: textOf(bytes), base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') };
      } finally {
        bytes.fill(0);
      }
    },
  };
}

export function validateReference(config: Config): void {
  if (config.isKnown('name')) checkName(config.text('name') ?? '');
  if (config.isKnown('version')) config.count('version');
}

export function readReference(config: Config): SecretRef {
  const [name = '', field, version] = [config.text('name'), config.text('field'), config.count('version')];
  checkName(name);
  return { name, ...(field === undefined ? {} : { field }), ...(version === undefined ? {} : { version }) };
}

function checkName(name: string): void {
  if (isSecretName(name)) return;
  const hint = name.includes('#') ? 'The part after # belongs into `field`.' : 'Segments of a-z, 0-9, . _ - joined by /, such as dns/tsig.';
  throw new AttributeFault('name', new VaultError('BAD_NAME', 'this is no name of a secret', { hint }));
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null; // the only thing that a fatal decoder reports: this is no UTF-8
  }
}
