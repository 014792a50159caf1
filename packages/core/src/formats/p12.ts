import { createPrivateKey } from 'node:crypto';
import { VaultError } from '../errors.js';
import { fromUtf8 } from '../primitives/hash.js';
import type { FormatOptions, OpenedSecret, OutputFormat } from './format.js';
import { requireOption } from './options.js';
import { partText, valueText } from './parts.js';
import type { PfxContent } from './pfx.js';
import { assemble, type Leaf, PRIVATE, safePath } from './tree.js';

/** Key, certificate and chain for key stores. OpenSSL 3 without its legacy provider, Node and Java read it. */
export const p12: OutputFormat = {
  name: 'p12',
  summary: 'PKCS#12 with key, certificate and chain, under a password (AES-256, HMAC-SHA-256)',
  kinds: ['pki-root', 'pki-intermediate'],
  single: true,
  wholeOnly: true,
  options: ['password', 'friendlyName'],
  async render(secrets, options) {
    const password = passwordOf(options);
    const { sealPfx } = await import('./pfx.js');
    const leaves = await Promise.all(
      secrets.map(async (secret): Promise<Leaf> => {
        const content = await contentOf(secret, options.friendlyName ?? secret.name);
        const bytes = sealPfx(content, password);
        content.key.fill(0);
        return { path: `${safePath(secret.name)}.p12`, bytes, mode: PRIVATE, from: secret.name };
      }),
    );
    const files = assemble(leaves);
    const [first] = files;
    if (options.target === 'directory' || first === undefined) return { type: 'files', files };
    return { type: 'bytes', bytes: first.bytes, fileName: first.path };
  },
};

/** Key stores differ in how they read an empty password, and in what they make of bytes that are no text. */
function passwordOf(options: FormatOptions): string {
  const password = requireOption('p12', options, 'password', 'It encrypts the file, and whoever imports it types it.');
  const text = password.use(fromUtf8);
  if (text !== undefined && text !== '') return text;
  throw new VaultError('BAD_VALUE', `the password for the PKCS#12 file is ${text === '' ? 'empty' : 'not UTF-8 text'}`, { hint: 'Give another.' });
}

async function contentOf(secret: OpenedSecret, friendlyName: string): Promise<PfxContent> {
  return {
    key: pkcs8(await valueText(secret), secret.name),
    certificates: [await partText(secret, 'certificate'), await partText(secret, 'chain')].join('\n'),
    friendlyName,
  };
}

function pkcs8(pem: string, name: string): Uint8Array {
  try {
    return createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  } catch {
    // OpenSSL's own words are not passed on: they could quote what it was given.
    throw new VaultError('BAD_MATERIAL', `${name} does not hold a private key that OpenSSL reads`, { hint: 'Use raw to look at the file.' });
  }
}
