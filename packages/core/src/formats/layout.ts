/** The files that a secret is to the tools that use it: `pki/root` is a key and certificates, `ssh/bootstrap` two halves. */
import { concatBytes } from '../primitives/hash.js';
import { type OpenedSecret } from './format.js';
import { part, valueOf } from './parts.js';

export interface Piece {
  /** Appended to the secret's name: `.crt`; empty for the file itself. */
  readonly extension: string;
  readonly bytes: Uint8Array;
  readonly private: boolean;
}

/** The pieces of one secret, the private file first. With a field asked for: that field alone, `pki/root.certificate`. */
export async function pieces(secret: OpenedSecret): Promise<Piece[]> {
  if (secret.field !== undefined) return [{ extension: `.${secret.field}`, ...(await part(secret, secret.field)) }];
  const file = (extension: string): Promise<Piece> => valueOf(secret).then((bytes) => ({ extension, bytes, private: true }));
  const view = (extension: string, field: string): Promise<Piece> =>
    part(secret, field).then((read) => ({ extension, private: read.private, bytes: line(read.bytes) }));
  switch (secret.kind) {
    case 'pki-root':
    case 'pki-intermediate': {
      const [key, certificate, chain] = await Promise.all([file('.key'), view('.crt', 'certificate'), view('.chain.crt', 'chain')]);
      // Nothing stands above a root.
      return chain.bytes.length === 0 ? [key, certificate] : [key, certificate, chain];
    }
    case 'ssh-key':
    case 'ssh-ca':
      return Promise.all([file(''), view('.pub', 'public-key')]);
    case 'tsig':
      return [await file('.key')];
    case 'kubeconfig':
      return [await file('.kubeconfig')];
    case 'ansible-inventory':
      // Ansible's YAML parser goes by the extension.
      return [await file(secret.public['format'] === 'ini' ? '.ini' : '.yml')];
    case 'api-key':
      return [await file(secret.file.use((bytes) => bytes[0] === OPENING_BRACE) ? '.json' : '')];
    default:
      return [await file('')];
  }
}

/** Of a JSON object: a key of several parts, not a single token. */
const OPENING_BRACE = 0x7b;

/** Lines of text end in a newline wherever tools read them as files. */
function line(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 || bytes.at(-1) === 0x0a ? bytes : concatBytes(bytes, Uint8Array.of(0x0a));
}
