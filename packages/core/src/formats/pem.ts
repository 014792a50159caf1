import { concatBytes } from '../primitives/hash.js';
import type { OutputFormat } from './format.js';
import { fileTree } from './tree.js';
import { pieces } from './layout.js';

/** One stream: key, certificate, then the issuers above it; servers take the leaf before its chain. Into a directory: apart. */
export const pem: OutputFormat = {
  name: 'pem',
  summary: 'private key, certificate and chain as PEM; into a directory as .key, .crt and .chain.crt',
  kinds: ['pki-root', 'pki-intermediate'],
  single: true,
  wholeOnly: true,
  async render(secrets, options) {
    const [secret] = secrets;
    if (options.target === 'directory' || secret === undefined) return { type: 'files', files: await fileTree(secrets) };
    const bytes = concatBytes(...(await pieces(secret)).map((piece) => piece.bytes));
    return { type: 'bytes', bytes, fileName: `${secret.name}.pem` };
  },
};
