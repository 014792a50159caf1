import { badMaterial } from './fields.js';
import { canonicalKeyName } from './tsig-name.js';

/** Algorithm names of RFC 8945 with the size in bytes of a full-length secret. What is not here is too weak to take in. */
export const TSIG_SECRET_BYTES = { 'hmac-sha224': 28, 'hmac-sha256': 32, 'hmac-sha384': 48, 'hmac-sha512': 64 } as const;
export type TsigAlgorithm = keyof typeof TSIG_SECRET_BYTES;

export interface TsigKey {
  /** Lower case, with the final dot. */
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  /** The shared secret's bytes. */
  readonly secret: Uint8Array;
}

/** A named.conf key clause, laid out as tsig-keygen prints it. */
export function formatTsigClause(key: TsigKey): string {
  return `key "${key.name}" {\n\talgorithm ${key.algorithm};\n\tsecret "${Buffer.from(key.secret).toString('base64')}";\n};\n`;
}

/**
 * Reads a text that is exactly one named.conf key clause: comments of all three styles, either order, quoted or not, any case of
 * the algorithm's name. Throws BAD_MATERIAL for anything else, and for a key too weak (readTsigKey).
 */
export function parseTsigClause(text: string): TsigKey {
  const tokens = tokenize(text);
  let at = 0;
  const next = (): Token | undefined => tokens[at++];
  const expect = (mark: string): void => {
    const token = next();
    if (token === undefined || token.quoted || token.text !== mark) throw badMaterial('tsig', `expected ${mark === 'key' ? 'the word key' : mark} in the key clause`);
  };
  const word = (what: string): string => {
    const token = next();
    if (token === undefined || (!token.quoted && /^[{};]$/.test(token.text))) throw badMaterial('tsig', `the ${what} is missing in the key clause`);
    return token.text;
  };

  expect('key');
  const name = word('name');
  expect('{');
  const values = new Map<string, string>();
  while (tokens[at] !== undefined && tokens[at]!.text !== '}') {
    const statement = word('statement');
    if (statement !== 'algorithm' && statement !== 'secret') throw badMaterial('tsig', 'the key clause holds something other than algorithm and secret');
    if (values.has(statement)) throw badMaterial('tsig', `the key clause has two ${statement} statements`);
    values.set(statement, word(statement));
    expect(';');
  }
  expect('}');
  expect(';');
  if (at < tokens.length) throw badMaterial('tsig', 'there is more than one key clause', 'seal each key as a secret of its own');

  const algorithm = values.get('algorithm');
  const secret = values.get('secret');
  if (algorithm === undefined) throw badMaterial('tsig', 'the key clause names no algorithm');
  if (secret === undefined) throw badMaterial('tsig', 'the key clause holds no secret');
  return readTsigKey(name, algorithm, secret);
}

/**
 * A key from its three words. Throws BAD_MATERIAL for a name that is no DNS name, for MD5 and SHA-1, and for a secret that is not
 * canonical base64 or shorter than half the digest (RFC 8945 section 8 asks for more).
 */
export function readTsigKey(nameText: string, algorithmText: string, secretText: string): TsigKey {
  const name = canonicalKeyName(nameText);
  if (name === undefined) throw badMaterial('tsig', 'the key name is no DNS name of letters, digits, - and _');
  const algorithm = algorithmText.toLowerCase().replace(/\.$/, '');
  if (!Object.hasOwn(TSIG_SECRET_BYTES, algorithm)) {
    const weak = /md5|sha1$/.test(algorithm) ? 'is too weak' : 'is not supported';
    throw badMaterial('tsig', `the algorithm ${weak}`, `make a new key with one of ${Object.keys(TSIG_SECRET_BYTES).join(', ')}`);
  }
  const secret = new Uint8Array(Buffer.from(secretText, 'base64'));
  if (secretText === '' || Buffer.from(secret).toString('base64') !== secretText) throw badMaterial('tsig', 'the secret is not base64');
  const full = TSIG_SECRET_BYTES[algorithm as TsigAlgorithm];
  if (secret.length < full / 2) throw badMaterial('tsig', `the secret has ${secret.length * 8} bits; ${algorithm} needs ${full * 4} at least`, 'make a new key');
  return { name, algorithm: algorithm as TsigAlgorithm, secret };
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

/** Blanks and comments; a quoted string without escapes; a mark or a bare word (in which // and /* would begin a comment). */
const TOKEN = /(?:[\s]+|#[^\n]*|\/\/[^\n]*|\/\*[^]*?\*\/)|"([^"\\\n]*)"|([{};]|(?:[A-Za-z0-9._+=-]|\/(?![/*]))+)/y;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (match === null) throw badMaterial('tsig', 'is not a named.conf key clause');
    if (match[1] !== undefined) tokens.push({ text: match[1], quoted: true });
    else if (match[2] !== undefined) tokens.push({ text: match[2], quoted: false });
  }
  return tokens;
}
