import * as v from 'valibot';
import type { JsonObject } from '../wire.js';
import { day } from './time.js';

const NotAfter = v.exactOptional(v.number());

/**
 * How one user of a kubeconfig authenticates. `notAfter` in whole seconds since 1970, where the credential itself says it; `files` are
 * on the machine where the kubeconfig was made, and nothing of them is inside.
 */
const Auth = v.variant('how', [
  v.strictObject({ how: v.literal('client-certificate'), notAfter: v.number() }),
  v.strictObject({ how: v.literal('token'), provider: v.exactOptional(v.literal('scaleway')), notAfter: NotAfter }),
  v.strictObject({ how: v.literal('basic') }),
  v.strictObject({ how: v.literal('exec'), command: v.string() }),
  v.strictObject({ how: v.literal('auth-provider'), name: v.string() }),
  v.strictObject({ how: v.literal('files') }),
  v.strictObject({ how: v.literal('none') }),
]);
export type KubeAuth = v.InferOutput<typeof Auth>;

const Users = v.array(v.strictObject({ name: v.string(), auth: Auth }));

/** Whether the file itself opens the cluster. A file that only names a plugin or other files hands over nothing. */
export function hasEmbeddedCredential(publicParts: JsonObject): boolean {
  return kubeUsers(publicParts).some(({ auth }) => auth.how === 'client-certificate' || auth.how === 'token' || auth.how === 'basic');
}

/** The users as the public parts list them; none where these are not those of a kubeconfig. */
export function kubeUsers(parts: JsonObject): v.InferOutput<typeof Users> {
  const parsed = v.safeParse(Users, parts['users']);
  return parsed.success ? parsed.output : [];
}

/** "token, a Scaleway API key, expiry unknown" */
export function authWords(auth: KubeAuth): string {
  const notAfter = 'notAfter' in auth ? auth.notAfter : undefined;
  const until = notAfter === undefined ? 'expiry unknown' : `until ${day(notAfter)}`;
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
    default:
      return 'no credential inside';
  }
}
