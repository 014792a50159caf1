import type { OutputFormat } from './format.js';
import { fileTree } from './tree.js';
import { valueOf } from './parts.js';

/** The private key file byte for byte: OpenSSH refuses it without its last newline. Into a directory with its public half. */
export const openssh: OutputFormat = {
  name: 'openssh',
  summary: 'an OpenSSH private key; into a directory also its .pub',
  kinds: ['ssh-key', 'ssh-ca'],
  single: true,
  wholeOnly: true,
  async render(secrets, options) {
    const [secret] = secrets;
    if (options.target === 'directory' || secret === undefined) return { type: 'files', files: await fileTree(secrets) };
    return { type: 'bytes', bytes: await valueOf(secret), fileName: secret.name };
  },
};
