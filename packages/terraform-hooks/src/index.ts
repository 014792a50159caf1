/** The public API of `@oxp-vault/terraform-hooks`, by name. */
export { answerExternalQuery, formatExternalResult, parseExternalQuery, type ExternalQuery } from './external.js';
export { answerKeyRequest, formatKeyAnswer, KEY_PROVIDER_HEADER, parseKeyRequest, type KeyProviderAnswer, type KeyProviderData } from './key-provider.js';
export type { SecretPort, SecretRef, SecretView } from './port.js';
