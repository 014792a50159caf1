import { VaultError } from '../errors.js';
import { utf8 } from '../primitives/hash.js';
import type { OutputFormat } from './format.js';
import { part, partText } from './parts.js';

/** What external-dns's rfc2136 provider knows (--rfc2136-tsig-secret-alg). */
const ALGORITHMS = new Set(['hmac-sha1', 'hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512']);

/**
 * The Secret of external-dns's own rfc2136 tutorial, plus the algorithm: for `EXTERNAL_DNS_RFC2136_TSIG_SECRET`, `_KEYNAME` and
 * `_SECRET_ALG` by `secretKeyRef`. A client sends with one key, so it is the newest.
 */
export const externalDns: OutputFormat = {
  name: 'external-dns',
  summary: 'the Kubernetes Secret of external-dns for RFC 2136 (newest TSIG key)',
  kinds: ['tsig'],
  single: true,
  wholeOnly: true,
  options: ['namespace', 'secretName'],
  async render(secrets, { namespace, secretName }) {
    const [secret] = secrets;
    if (secret === undefined || secrets.length !== 1) {
      throw new VaultError('USAGE', 'external-dns uses one TSIG key, so the format takes one secret', { hint: 'Open them one at a time.' });
    }
    if (!secret.newest || secret.retired) {
      const what = secret.retired ? 'is retired' : 'is not the newest version';
      throw new VaultError('FORMAT_UNSUITABLE', `${secret.name} v${secret.version} ${what}; external-dns is to send with the newest`, {
        hint: 'Leave out the version.',
      });
    }
    const algorithm = (await partText(secret, 'algorithm')).toLowerCase();
    if (!ALGORITHMS.has(algorithm)) {
      throw new VaultError('FORMAT_UNSUITABLE', `${secret.name} uses ${algorithm}, which external-dns does not know`, {
        hint: `It knows ${[...ALGORITHMS].join(', ')}: rotate to one of them.`,
      });
    }
    const { manifestText } = await import('./manifest.js');
    const text = manifestText({
      name: secretName ?? 'rfc2136-keys',
      namespace,
      type: 'Opaque',
      sources: [{ name: secret.name, version: secret.version }],
      data: {
        'rfc2136-tsig-secret': (await part(secret, 'secret')).bytes,
        'rfc2136-tsig-keyname': (await part(secret, 'keyname')).bytes,
        'rfc2136-tsig-secret-alg': utf8(algorithm),
      },
    });
    return { type: 'bytes', bytes: utf8(text), fileName: 'rfc2136-keys.yaml' };
  },
};
