/** The public API of `@oxp-vault/terraform-hooks`, by name. */
export { encryptionDocument, formatEncryptionBlock, type EncryptionConfig } from './encryption-config.js';
export { answerExternalQuery, formatExternalResult, parseExternalQuery, type ExternalQuery } from './external.js';
export { answerKeyRequest, formatKeyAnswer, KEY_PROVIDER_HEADER, keyIdOf, parseKeyRequest, type KeyProviderAnswer, type KeyProviderData } from './key-provider.js';
export { outputValue, parseOutputs, type TerraformOutputs } from './outputs.js';
export type { SecretPort, SecretRef, SecretView } from './port.js';
