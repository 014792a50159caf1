import { VaultError } from '../errors.js';
import { fromBase64, toBase64, utf8 } from '../primitives/hash.js';
import { label, type OutputFormat } from './format.js';
import { derived, upperName } from './names.js';
import { requireOption } from './options.js';
import { valueOf } from './parts.js';

/** GitHub's limit on one secret: 48 KB. */
const MAX_BYTES = 48 * 1024;
const WHERE = 'Both come from GET /repos/OWNER/REPO/actions/secrets/public-key.';

/**
 * Sealed boxes for GitHub's REST API: an object NAME -> body of `PUT /repos/OWNER/REPO/actions/secrets/NAME`; into a directory, one
 * file NAME.json each. Only GitHub opens them, so this output is no secret.
 */
export const githubActions: OutputFormat = {
  name: 'github-actions',
  summary: 'secrets sealed to a GitHub public key, ready for the REST API',
  options: ['prefix', 'githubKey', 'githubKeyId'],
  async render(secrets, options) {
    const key = fromBase64(requireOption('github-actions', options, 'githubKey', WHERE));
    const keyId = requireOption('github-actions', options, 'githubKeyId', WHERE);
    const named = derived(secrets, (secret) => upperName(secret, options.prefix?.toUpperCase()));
    const { sealer } = await import('./sealed-box.js');
    const seal = await sealer(key);
    const bodies = await Promise.all(
      named.map(async ({ name, secret }) => {
        if (name.startsWith('GITHUB_')) {
          throw new VaultError('FORMAT_UNSUITABLE', `${label(secret)} would be called ${name}, and GitHub keeps GITHUB_ for itself`, {
            hint: 'Give a prefix for the names.',
          });
        }
        const value = await valueOf(secret);
        if (value.length > MAX_BYTES) {
          throw new VaultError('FORMAT_UNSUITABLE', `${label(secret)} has ${value.length} bytes; GitHub takes 48 KB at most`, {
            hint: 'Let the workflow open it from the vault.',
          });
        }
        const body = { encrypted_value: toBase64(seal(value)), key_id: keyId };
        value.fill(0);
        return { name, body };
      }),
    );
    if (options.target === 'directory') {
      const files = bodies.map(({ name, body }) => ({ path: `${name}.json`, bytes: utf8(`${JSON.stringify(body)}\n`), mode: 0o644 }));
      return { type: 'files', files };
    }
    const document = Object.fromEntries(bodies.map(({ name, body }) => [name, body]));
    return { type: 'bytes', bytes: utf8(`${JSON.stringify(document, null, 2)}\n`), fileName: 'github-actions.json' };
  },
};
