/**
 * DSSE envelopes (https://github.com/secure-systems-lab/dsse, protocol.md and envelope.md), one signature each, in one encoding:
 * canonical JSON on one line, standard padded base64. One encoding, because the line itself is hashed into the log.
 */
import { VaultError } from '../errors.js';
import { concatBytes, fromBase64, fromUtf8, toBase64, utf8 } from './hash.js';

export interface EnvelopeSignature {
  /** What the signer calls its key. A hint: whoever verifies computes the id from the key and compares. */
  readonly keyid: string;
  readonly sig: Uint8Array;
}

export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly [EnvelopeSignature];
}

const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;

/** PAE(type, payload): the bytes that are signed. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8(payloadType);
  return concatBytes(utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload);
}

/** The envelope as one line without its newline. BAD_ENVELOPE when type or key id is not printable ASCII. */
export function encodeEnvelope(envelope: Envelope): string {
  const { keyid, sig } = envelope.signatures[0];
  if (!PRINTABLE_ASCII.test(envelope.payloadType)) throw bad('its payload type is not printable ASCII');
  if (!PRINTABLE_ASCII.test(keyid)) throw bad('its key id is not printable ASCII');
  return write(toBase64(envelope.payload), envelope.payloadType, keyid, toBase64(sig));
}

/** Reads exactly what `encodeEnvelope` writes; BAD_ENVELOPE for anything else. Verifies no signature. */
export function decodeEnvelope(line: string | Uint8Array): Envelope {
  const text = typeof line === 'string' ? line : fromUtf8(line);
  if (text === undefined) throw bad('it is not valid UTF-8');
  const outer = members(parse(text), ['payload', 'payloadType', 'signatures'], 'the envelope');
  if (!Array.isArray(outer.signatures) || outer.signatures.length !== 1) throw bad('it does not hold exactly one signature');
  const inner = members(outer.signatures[0], ['keyid', 'sig'], 'the signature');
  const payloadType = asciiText(outer.payloadType, 'payloadType');
  const keyid = asciiText(inner.keyid, 'keyid');
  const payload = base64(outer.payload, 'payload');
  const sig = base64(inner.sig, 'sig');
  if (write(toBase64(payload), payloadType, keyid, toBase64(sig)) !== text) throw bad('it is not in canonical form');
  return { payloadType, payload, signatures: [{ keyid, sig }] };
}

/** RFC 8785: members in ascending order; JSON.stringify keeps the order of the literal and escapes as JCS does. */
function write(payload: string, payloadType: string, keyid: string, sig: string): string {
  return JSON.stringify({ payload, payloadType, signatures: [{ keyid, sig }] });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw bad('it is not JSON');
  }
}

function members<K extends string>(value: unknown, keys: readonly K[], what: string): Record<K, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(`${what} is not an object`);
  const present = Object.keys(value);
  if (present.length !== keys.length || !keys.every((key) => Object.hasOwn(value, key))) {
    throw bad(`${what} does not have exactly the members ${keys.join(', ')}`);
  }
  return value as Record<K, unknown>;
}

function asciiText(value: unknown, name: string): string {
  if (typeof value !== 'string' || !PRINTABLE_ASCII.test(value)) throw bad(`${name} is not printable ASCII`);
  return value;
}

function base64(value: unknown, name: string): Uint8Array {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  if (bytes === undefined) throw bad(`${name} is not canonical base64`);
  return bytes;
}

function bad(why: string): VaultError {
  return new VaultError('BAD_ENVELOPE', `the DSSE envelope is not acceptable: ${why}`);
}
