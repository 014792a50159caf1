import { VaultError } from '../errors.js';
import { concatBytes, utf8 } from '../primitives/hash.js';
import { baseName, type FormatOptions, label, type OpenedSecret, type OutputFormat } from './format.js';
import { pieces } from './layout.js';
import type { Manifest } from './manifest.js';
import { collision, derived, dnsName } from './names.js';

/**
 * Secrets for `kubectl apply -f -`: one manifest for each, named after the secret; or, where `secretName` names the one
 * manifest, all secrets as keys of it. A CA alone is `kubernetes.io/tls` with its chain, as cert-manager's CA issuer reads it.
 */
export const k8sSecret: OutputFormat = {
  name: 'k8s-secret',
  summary: 'Kubernetes Secret manifests; kubernetes.io/tls for certificates, else Opaque',
  options: ['namespace', 'secretName'],
  async render(secrets, options) {
    const { manifestText } = await import('./manifest.js');
    const manifests = await planned(secrets, options);
    const text = manifests.map(manifestText).join('---\n');
    return { type: 'bytes', bytes: utf8(text), fileName: 'secrets.k8s.yaml' };
  },
};

async function planned(secrets: readonly OpenedSecret[], { secretName, namespace }: FormatOptions): Promise<Manifest[]> {
  const sources = (list: readonly OpenedSecret[]): Manifest['sources'] => list.map((secret) => ({ name: label(secret), version: secret.version }));
  if (secretName === undefined || secrets.length === 1) {
    const named = derived(secrets, (secret) => secretName ?? manifestName(secret));
    return Promise.all(named.map(async ({ name, secret }) => ({ name, namespace, sources: sources([secret]), ...(await one(secret)) })));
  }
  return [{ name: secretName, namespace, type: 'Opaque', sources: sources(secrets), data: await all(secrets) }];
}

async function one(secret: OpenedSecret): Promise<Pick<Manifest, 'type' | 'data'>> {
  const parts = await pieces(secret);
  const [key, ...certificates] = parts;
  if (secret.field === undefined && secret.kind.startsWith('pki-') && key !== undefined) {
    // cert-manager reads the issuing CA first, then its issuers (configuration/ca).
    return { type: 'kubernetes.io/tls', data: { 'tls.crt': concatBytes(...certificates.map((piece) => piece.bytes)), 'tls.key': key.bytes } };
  }
  return { type: 'Opaque', data: Object.fromEntries(parts.map((piece) => [baseName(secret) + piece.extension, piece.bytes])) };
}

/** Every piece under the whole name, `/` as `.`: last segments alone may meet. */
async function all(secrets: readonly OpenedSecret[]): Promise<Record<string, Uint8Array>> {
  const taken = new Map<string, { readonly from: string; readonly bytes: Uint8Array }>();
  for (const secret of secrets) {
    for (const piece of await pieces(secret)) {
      const key = secret.name.replaceAll('/', '.') + piece.extension;
      const other = taken.get(key);
      if (other !== undefined) throw collision(other.from, label(secret), key);
      taken.set(key, { from: label(secret), bytes: piece.bytes });
    }
  }
  return Object.fromEntries([...taken].map(([key, { bytes }]) => [key, bytes]));
}

function manifestName(secret: OpenedSecret): string {
  const name = dnsName(secret);
  if (name.length <= 253) return name;
  throw new VaultError('FORMAT_UNSUITABLE', `${label(secret)} is too long a name for a Kubernetes Secret`, { hint: 'Give one with secretName.' });
}
