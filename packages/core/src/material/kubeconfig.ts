import { createPrivateKey } from 'node:crypto';
import * as v from 'valibot';
import { Secret } from '../secret.js';
import type { JsonObject } from '../wire.js';
import { attempt, result, samePublic } from './checks.js';
import { FILE, publicText, word } from './fields.js';
import { kindHead } from './kinds.js';
import { authWords, type KubeAuth, kubeUsers } from './kube-auth.js';
import { clientCertificate, type KubeFile, type KubeUser, readKubeconfig } from './kubeconfig-file.js';
import type { CheckResult, MaterialKind } from './material.js';
import { parseParameters } from './parameters.js';
import { SCALEWAY_UUID } from './scaleway.js';

const Parameters = v.strictObject({});

/** kubeconfig, kept byte for byte. Public: clusters with their servers, users with how they authenticate, current context. */
export const kubeconfig: MaterialKind = {
  ...kindHead('kubeconfig'),
  parameters: (raw) => parseParameters('kubeconfig', Parameters, raw),
  describe: () => 'kubeconfig',
  import: async (bytes, parameters) => ({
    kind: 'kubeconfig',
    parameters: parseParameters('kubeconfig', Parameters, parameters),
    public: publicParts(readKubeconfig(bytes)),
    file: Secret.take(bytes.slice()),
  }),
  fields: {
    kubeconfig: FILE,
    server: { private: false, read: (material) => firstServer(material.public) },
    context: publicText('context'),
  },
  check: (material, { now }) =>
    attempt('parses', () => {
      const file = material.file.use(readKubeconfig);
      const certificates = file.users.flatMap(({ name, user }) => certificateResults(name, user, now));
      return [result('parses', true), ...certificates, samePublic(material.public, publicParts(file))];
    }),
  facts: (parts) => kubeUsers(parts).map(({ auth }) => authWords(auth)).join('; ') || 'no users',
  rotation: (_parameters, parts) => {
    const scaleway = kubeUsers(parts).some(({ auth }) => auth.how === 'token' && auth.provider === 'scaleway');
    const words = scaleway ? 'make a new API key at Scaleway, by hand, and a kubeconfig with it' : 'have the cluster issue new credentials, by hand';
    return { how: 'by-hand', words: `${words}, then seal that` };
  },
};

function firstServer(parts: JsonObject): string {
  const [cluster] = Array.isArray(parts['clusters']) ? (parts['clusters'] as JsonObject[]) : [];
  return word(cluster ?? {}, 'server') ?? '';
}

function publicParts(file: KubeFile): JsonObject {
  return {
    clusters: file.clusters.map(({ name, server }) => ({ name, server })),
    users: file.users.map(({ name, user }) => ({ name, auth: { ...authOf(user) } })),
    ...(file.context === undefined ? {} : { context: file.context }),
  };
}

/** kubectl's own order of precedence: a certificate, then a token, then a password; plugins only without those. */
function authOf(user: KubeUser): KubeAuth {
  const certificate = clientCertificate(user);
  if (certificate !== undefined && user['client-key-data'] !== undefined) return { how: 'client-certificate', notAfter: seconds(certificate.validTo) };
  if (user.token !== undefined && user.token !== '') {
    const notAfter = jwtExpiry(user.token);
    return { how: 'token', ...(SCALEWAY_UUID.test(user.token) ? { provider: 'scaleway' } : {}), ...(notAfter === undefined ? {} : { notAfter }) };
  }
  if (user.password !== undefined && user.password !== '') return { how: 'basic' };
  if (user.exec !== undefined) return { how: 'exec', command: printable(user.exec.command) };
  if (user['auth-provider'] !== undefined) return { how: 'auth-provider', name: printable(user['auth-provider'].name) };
  if (user['client-certificate'] !== undefined || user['client-key'] !== undefined || user.tokenFile !== undefined) return { how: 'files' };
  return { how: 'none' };
}

function certificateResults(name: string, user: KubeUser, now: number): CheckResult[] {
  const certificate = clientCertificate(user);
  const key = user['client-key-data'];
  if (certificate === undefined || key === undefined) return [];
  const valid = seconds(certificate.validFrom) <= now && now <= seconds(certificate.validTo);
  const matches = certificate.checkPrivateKey(createPrivateKey(Buffer.from(key, 'base64')));
  return [result(`client certificate of ${name} is valid`, valid, valid ? undefined : `until ${certificate.validTo}`), result(`client key of ${name} matches`, matches)];
}

/** Of a service account token (RFC 7519): the `exp` claim. Anything else says nothing about its end. */
function jwtExpiry(token: string): number | undefined {
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token)?.[1];
  if (payload === undefined) return undefined;
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return undefined; // three dotted words that are no JWT
  }
  const { exp } = (claims ?? {}) as { exp?: unknown };
  return Number.isSafeInteger(exp) ? (exp as number) : undefined;
}

function seconds(date: string): number {
  return Math.floor(Date.parse(date) / 1000);
}

/** A program's or provider's name for people; whatever else somebody put there is not shown. */
function printable(name: string): string {
  return /^[\w./@+-]{1,200}$/.test(name) ? name : '(unprintable)';
}
