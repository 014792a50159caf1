import { VaultError } from '../errors.js';
import { compareText } from '../primitives/compare.js';
import { utf8 } from '../primitives/hash.js';
import type { OutputFormat } from './format.js';
import { partText, valueText } from './parts.js';

/**
 * A file for `include` in named.conf. It holds all versions that are not retired, so that a server accepts the old key and the new
 * one while clients move over.
 */
export const bind: OutputFormat = {
  name: 'bind',
  summary: 'named.conf key clauses of all versions that are not retired',
  kinds: ['tsig'],
  allVersions: true,
  wholeOnly: true,
  async render(secrets) {
    const living = secrets
      .filter((secret) => !secret.retired)
      .sort((a, b) => compareText(a.name, b.name) || a.version - b.version);
    if (living.length === 0) {
      throw new VaultError('FORMAT_UNSUITABLE', 'all versions are retired, so there is no key for the server to accept', {
        hint: 'Rotate the secret, or name another.',
      });
    }
    const taken = new Map<string, { readonly where: string; readonly clause: string }>();
    const clauses: string[] = [];
    for (const secret of living) {
      const where = `${secret.name} v${secret.version}`;
      const keyName = domainName(await partText(secret, 'keyname'));
      const clause = await valueText(secret);
      const other = taken.get(keyName);
      // Sealed again, for other readers or at a handover: the same key, and one clause.
      if (other?.clause === clause && other.where.startsWith(`${secret.name} v`)) continue;
      if (other !== undefined) {
        throw new VaultError('FORMAT_UNSUITABLE', `${other.where} and ${where} both hold the key ${keyName}, and BIND refuses two clauses of one name`, {
          hint: 'Rotating gives the new version a key name of its own; retire the version that is deployed nowhere.',
        });
      }
      taken.set(keyName, { where, clause });
      clauses.push(`// ${where}\n${clause}${clause.endsWith('\n') ? '' : '\n'}`);
    }
    return { type: 'bytes', bytes: utf8(clauses.join('')), fileName: 'keys.conf' };
  },
};

/** Domain names are equal whatever their case, and with or without the root's dot (RFC 1035 §2.3.3, §3.1). */
function domainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
