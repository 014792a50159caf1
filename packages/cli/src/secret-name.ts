import { isSecretName, VaultError } from '@oxp-vault/core';

/** BAD_NAME unless all of them can name secrets; without the text, since anything may have been typed there. */
export function requireSecretName(...names: readonly string[]): void {
  if (names.every(isSecretName)) return;
  throw new VaultError('BAD_NAME', 'this is no name for a secret: lower-case segments joined by /, each beginning with a letter, such as dns/tsig');
}
