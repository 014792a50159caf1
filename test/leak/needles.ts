/** What a secret looks like when it leaks: as it is, in the encodings in which programs pass bytes on, and in pieces. */
import { createPrivateKey } from 'node:crypto';

export interface Needle {
  /** Whose value it is, and in which form. Never the value. */
  readonly label: string;
  readonly bytes: Buffer;
}

/** Shorter pieces would be found by chance. */
const SHORTEST = 8;

/** A secret in every form in which it might be written somewhere. */
export function needlesFor(label: string, secret: string | Uint8Array): Needle[] {
  const bytes = Buffer.from(secret as string);
  const forms: [string, string | Buffer][] = [['as it is', bytes], ['hex', bytes.toString('hex')], ['HEX', bytes.toString('hex').toUpperCase()]];
  for (const shift of [0, 1, 2]) forms.push([`base64 at offset ${shift}`, base64At(bytes, shift)], [`base64url at offset ${shift}`, base64At(bytes, shift).replaceAll('+', '-').replaceAll('/', '_')]);
  if (Buffer.from(bytes.toString('utf8')).equals(bytes)) {
    const text = bytes.toString('utf8');
    forms.push(['in an URL', encodeURIComponent(text)], ['in JSON', JSON.stringify(text).slice(1, -1)], ['UTF-16', Buffer.from(text, 'utf16le')]);
    forms.push(['every byte in an URL', [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')]);
  }
  const seen = new Set<string>();
  return forms
    .map(([form, shape]) => ({ label: `${label}, ${form}`, bytes: Buffer.from(shape as string) }))
    .filter(({ bytes: { length }, bytes: shape }) => length >= SHORTEST && !seen.has(shape.toString('latin1')) && seen.add(shape.toString('latin1')));
}

/** The characters of base64 that `bytes` alone decide when `shift` other bytes stand before them. */
function base64At(bytes: Buffer, shift: number): string {
  const whole = Buffer.concat([Buffer.alloc(shift), bytes]);
  const full = whole.subarray(0, whole.length - (whole.length % 3)).toString('base64');
  return full.slice(shift === 0 ? 0 : shift + 1);
}

/** Every piece of a canary that a message might quote. */
export function piecesOf(label: string, text: string): Needle[] {
  return Array.from({ length: text.length - SHORTEST + 1 }, (_, i) => ({ label: `${label}, a piece of it`, bytes: Buffer.from(text.slice(i, i + SHORTEST)) }));
}

/** The parts of an opened file that nobody else may learn. `publicKey`: the line of an OpenSSH public key, for its private half. */
export function secretsIn(label: string, file: Buffer, publicKey?: string): Needle[] {
  const text = file.toString('utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  if (text.includes('OPENSSH PRIVATE KEY')) return [...needlesFor(`${label}, seed`, opensshSeed(text, publicKey ?? '')), ...needlesFor(`${label}, a line of it`, lines.at(-2)!)];
  const pem = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[^-]+-----END (?:EC |RSA )?PRIVATE KEY-----/.exec(text)?.[0];
  if (pem !== undefined) {
    const privateNumber = Buffer.from(createPrivateKey(pem).export({ format: 'jwk' }).d!, 'base64url');
    return [...needlesFor(`${label}, private number`, privateNumber), ...needlesFor(`${label}, a line of it`, pem.split('\n')[1]!)];
  }
  const tsig = /secret "([^"]+)"/.exec(text)?.[1];
  if (tsig !== undefined) return [...needlesFor(`${label}, key in base64`, tsig), ...needlesFor(`${label}, key`, Buffer.from(tsig, 'base64'))];
  return needlesFor(label, text.trimEnd());
}

/** Ed25519: the private section ends with seed, public key, comment and padding (PROTOCOL.key). */
function opensshSeed(text: string, publicKey: string): Buffer {
  const blob = Buffer.from(text.split('\n').filter((line) => !line.startsWith('-----')).join(''), 'base64');
  const wire = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  const at = blob.lastIndexOf(wire.subarray(-32));
  if (wire.length < 32 || at < 32) throw new Error('this is no Ed25519 key with its public half');
  return blob.subarray(at - 32, at);
}

export interface Observation {
  readonly where: string;
  readonly bytes: Uint8Array;
}

/** One line for every place where a needle was seen, each once. */
export function leaks(observations: Iterable<Observation>, needles: readonly Needle[]): string[] {
  const found = new Set<string>();
  for (const { where, bytes } of observations) {
    const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const needle of needles) if (haystack.includes(needle.bytes)) found.add(`${needle.label} in ${where}`);
  }
  return [...found];
}
