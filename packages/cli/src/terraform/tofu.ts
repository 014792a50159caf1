/** OpenTofu's encryption of state and plan with a key of this vault. */
import { type Vault } from '@oxp-vault/core';
import { encryptionDocument, type EncryptionConfig, keyIdOf } from '@oxp-vault/terraform-hooks';
import type { CliContext } from '../context.js';
import { vaultPort } from './port.js';

/**
 * What OpenTofu starts for its key, with the vault's address only where it was typed: else its process finds it as any command does there.
 * Throws FORMAT_UNSUITABLE for a secret that is no AES key of OpenTofu's.
 */
export async function encryptionConfigOf(context: CliContext, vault: Vault, name: string, migrate: boolean): Promise<EncryptionConfig> {
  keyIdOf(await vaultPort(context, vault, { purpose: 'terraform encryption-config' }).look({ name }));
  const where = context.options.vault === undefined ? [] : ['--vault', (await context.address()).address];
  return { command: ['oxp-vault', ...where, 'terraform', 'key-provider', name], migrate };
}

/** The value of TF_ENCRYPTION. No key stands in it: OpenTofu starts the key provider. */
export async function tofuEncryption(context: CliContext, vault: Vault, name: string): Promise<string> {
  return JSON.stringify(encryptionDocument(await encryptionConfigOf(context, vault, name, false)));
}
