import type { JsonObject } from '../wire.js';
import { day } from './time.js';

/** How one user of a kubeconfig authenticates. `notAfter` in whole seconds since 1970, where the credential itself says it. */
export type KubeAuth =
  | { readonly how: 'client-certificate'; readonly notAfter: number }
  | { readonly how: 'token'; readonly provider?: 'scaleway'; readonly notAfter?: number }
  | { readonly how: 'basic' }
  | { readonly how: 'exec'; readonly command: string }
  | { readonly how: 'auth-provider'; readonly name: string }
  /** Files on the machine where the kubeconfig was made: nothing of them is inside. */
  | { readonly how: 'files' }
  | { readonly how: 'none' };

/** Whether the file itself opens the cluster. A file that only names a plugin or other files hands over nothing. */
export function hasEmbeddedCredential(publicParts: JsonObject): boolean {
  return kubeUsers(publicParts).some(({ auth }) => auth.how === 'client-certificate' || auth.how === 'token' || auth.how === 'basic');
}

/** The users as the public parts list them. */
export function kubeUsers(parts: JsonObject): readonly { readonly name: string; readonly auth: KubeAuth }[] {
  return Array.isArray(parts['users']) ? parts['users'] : [];
}

/** "token, a Scaleway API key, expiry unknown" */
export function authWords(auth: KubeAuth): string {
  const until = 'notAfter' in auth && auth.notAfter !== undefined ? `until ${day(auth.notAfter)}` : 'expiry unknown';
  switch (auth.how) {
    case 'client-certificate':
      return `client certificate, ${until}`;
    case 'token':
      return `token, ${auth.provider === 'scaleway' ? 'a Scaleway API key, ' : ''}${until}`;
    case 'basic':
      return 'user name and password';
    case 'exec':
      return `exec plugin ${auth.command}, no credential inside`;
    case 'auth-provider':
      return `auth provider ${auth.name}, no credential inside`;
    case 'files':
      return 'files elsewhere, no credential inside';
    case 'none':
      return 'no credential inside';
  }
}
