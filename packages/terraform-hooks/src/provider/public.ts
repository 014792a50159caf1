/** `data "oxpvault_public"`: what is signed and public about a secret. Terraform keeps it in clear, so nothing private is in it. */
import { type Json, VaultError } from '@oxp-vault/core';
import type { SecretPort } from '../port.js';
import type { Values } from './dynamic-value.js';
import type { Source } from './provider.js';
import { AttributeFault } from './schema.js';
import { readReference, REFERENCE, validateReference } from './secret.js';

export function publicDataSource(port: () => Promise<SecretPort>): Source {
  return {
    description: 'The public parts of a secret: certificates, public keys, fingerprints, names. Nothing is opened, and no identity is needed.',
    attributes: {
      ...REFERENCE,
      field: { type: 'string', use: 'optional', description: 'A public field, whose content `value` then holds.' },
      public: { type: ['map', 'string'], use: 'computed', description: 'Every public part by its name. What is no text is JSON, for jsondecode().' },
      value: { type: 'string', use: 'computed', description: 'The content of `field`; null without one.' },
    },
    validate: validateReference,
    async read(config): Promise<Values> {
      const ref = readReference(config);
      const vault = await port();
      const view = await vault.look(ref);
      const found = { version: view.version, kind: view.kind, public: Object.fromEntries(Object.entries(view.public).map(([key, value]) => [key, asString(value)])) };
      if (ref.field === undefined) return found;
      if (view.private) throw new AttributeFault('field', inState(ref.name, ref.field));
      return { ...found, value: new TextDecoder().decode(await vault.read({ ...ref, version: view.version })) };
    },
  };
}

function asString(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function inState(name: string, field: string): VaultError {
  return new VaultError('SECRET_IN_STATE', `${name}#${field} is private, and a data source is kept in clear in the state and in saved plans`, {
    hint: `Take it as ephemeral "oxpvault_secret" "x" { name = "${name}", field = "${field}" }, and give it to a provider or a write-only argument.`,
  });
}
