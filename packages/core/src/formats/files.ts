import type { OutputFormat } from './format.js';
import { fileTree } from './tree.js';

/** A tree below a directory: each secret at its name, as the files that its tools want. */
export const files: OutputFormat = {
  name: 'files',
  summary: 'a tree of files named as tools want them: pki/root.key, pki/root.crt, ssh/bootstrap.pub',
  directoryOnly: true,
  render: async (secrets) => ({ type: 'files', files: await fileTree(secrets) }),
};
