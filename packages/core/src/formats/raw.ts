import { label, type OutputFormat } from './format.js';
import { valueOf } from './parts.js';
import { assemble, type Leaf, PRIVATE, safePath } from './tree.js';

/** The bytes and nothing else: no newline is added, no extension, no companion file. */
export const raw: OutputFormat = {
  name: 'raw',
  summary: 'the bytes of one secret or field, exactly',
  single: true,
  async render(secrets, options) {
    const leaves = await Promise.all(
      secrets.map(async (secret): Promise<Leaf> => {
        const extension = secret.field === undefined ? '' : `.${secret.field}`;
        return { path: safePath(secret.name) + extension, bytes: await valueOf(secret), mode: PRIVATE, from: label(secret) };
      }),
    );
    const [first] = leaves;
    if (options.target === 'directory' || first === undefined) return { type: 'files', files: assemble(leaves) };
    return { type: 'bytes', bytes: first.bytes, fileName: first.path };
  },
};
