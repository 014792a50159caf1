/** A Kubernetes Secret as YAML. Keys and limits: Kubernetes API reference, Secret v1. */
import { VaultError } from '../errors.js';
import { toBase64 } from '../primitives/hash.js';
import { yamlText } from './yaml-text.js';

const KEY = /^[-._a-zA-Z0-9]{1,253}$/;
/** etcd's limit on one object's data, as the API server enforces it for Secrets. */
const MAX_DATA = 1024 * 1024;

export interface Manifest {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly type: 'Opaque' | 'kubernetes.io/tls';
  /** Where it comes from, as annotations: `dns/rfc2136_tsig_secret` and `v3`. */
  readonly sources: readonly { readonly name: string; readonly version: number }[];
  readonly data: Readonly<Record<string, Uint8Array>>;
}

export function manifestText(manifest: Manifest): string {
  const { name, namespace, type, sources, data } = manifest;
  let size = 0;
  for (const [key, bytes] of Object.entries(data)) {
    if (!KEY.test(key) || key === '.' || key.startsWith('..')) {
      throw new VaultError('FORMAT_UNSUITABLE', `${key} cannot be a key of a Kubernetes Secret`, {
        hint: 'Keys: letters, digits, `-`, `_` and `.`, at most 253.',
      });
    }
    size += bytes.length;
  }
  if (size > MAX_DATA) {
    throw new VaultError('FORMAT_UNSUITABLE', `the Kubernetes Secret ${name} would hold ${size} bytes, more than 1 MiB`, {
      hint: 'Open fewer secrets at a time.',
    });
  }
  return yamlText({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { 'app.kubernetes.io/managed-by': 'oxp-vault' },
      annotations: { 'oxp-vault/source': sources.map((source) => `${source.name} v${source.version}`).join(', ') },
    },
    type,
    data: Object.fromEntries(Object.entries(data).map(([key, bytes]) => [key, toBase64(bytes)])),
  });
}
