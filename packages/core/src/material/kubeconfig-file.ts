import { X509Certificate } from 'node:crypto';
import * as v from 'valibot';
import { badMaterial } from './fields.js';
import { yamlValue } from './yaml-text.js';

/*
 * The parts of a kubeconfig (kubernetes.io, reference/config-api/kubeconfig.v1) that say what it reaches and how it authenticates.
 * kubectl ignores what it does not know, so unknown members are let through.
 */
const User = v.object({
  'client-certificate': v.optional(v.string()),
  'client-certificate-data': v.optional(v.string()),
  'client-key': v.optional(v.string()),
  'client-key-data': v.optional(v.string()),
  token: v.optional(v.string()),
  tokenFile: v.optional(v.string()),
  username: v.optional(v.string()),
  password: v.optional(v.string()),
  exec: v.optional(v.object({ command: v.string() })),
  'auth-provider': v.optional(v.object({ name: v.string() })),
});
export type KubeUser = v.InferOutput<typeof User>;

const Kubeconfig = v.object({
  apiVersion: v.literal('v1'),
  kind: v.literal('Config'),
  clusters: v.pipe(v.array(v.object({ name: v.string(), cluster: v.object({ server: v.string() }) })), v.minLength(1)),
  users: v.array(v.object({ name: v.string(), user: v.nullable(User) })),
  contexts: v.optional(v.nullable(v.array(v.object({ name: v.string(), context: v.object({ cluster: v.string(), user: v.string() }) })))),
  'current-context': v.optional(v.string()),
});

export interface KubeFile {
  readonly clusters: readonly { readonly name: string; readonly server: string }[];
  readonly users: readonly { readonly name: string; readonly user: KubeUser }[];
  readonly context: string | undefined;
}

/** Reads a kubeconfig. Throws BAD_MATERIAL that names the member at fault. */
export function readKubeconfig(bytes: Uint8Array): KubeFile {
  const parsed = v.safeParse(Kubeconfig, yamlValue('kubeconfig', bytes));
  if (!parsed.success) {
    const path = v.getDotPath(parsed.issues[0]);
    throw badMaterial('kubeconfig', path === null ? 'is not a map with apiVersion, kind, clusters and users' : `${path} is missing or not what kubectl expects`);
  }
  const { clusters, users, contexts } = parsed.output;
  const context = parsed.output['current-context'];
  const known = context === undefined || context === '' || (contexts ?? []).some(({ name }) => name === context);
  if (!known) throw badMaterial('kubeconfig', 'current-context names a context that is not there');
  return {
    clusters: clusters.map(({ name, cluster }) => ({ name: shown(name), server: serverOf(cluster.server) })),
    users: users.map(({ name, user }) => ({ name: shown(name), user: user ?? {} })),
    context: context === undefined || context === '' ? undefined : shown(context),
  };
}

/** Scheme, host, port and path: a user name and a password in the address would become public. */
function serverOf(server: string): string {
  if (!URL.canParse(server)) throw badMaterial('kubeconfig', 'the server of a cluster is not a URL');
  const url = new URL(server);
  if (url.username !== '' || url.password !== '') {
    throw badMaterial('kubeconfig', 'the server of a cluster has a user name or password in its URL', 'put credentials under users');
  }
  return `${url.origin}${url.pathname === '/' ? '' : url.pathname}`;
}

/** Names are shown on terminals. */
function shown(name: string): string {
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) throw badMaterial('kubeconfig', 'a name has control characters');
  return name;
}

/** The client certificate of a user, or undefined. Throws BAD_MATERIAL where the data is none. */
export function clientCertificate(user: KubeUser): X509Certificate | undefined {
  const data = user['client-certificate-data'];
  if (data === undefined) return undefined;
  try {
    return new X509Certificate(Buffer.from(data, 'base64'));
  } catch {
    throw badMaterial('kubeconfig', 'client-certificate-data is not a certificate in base64');
  }
}
