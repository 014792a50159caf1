import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { Secret } from '../secret.js';
import type { JsonObject } from '../wire.js';
import { attempt, result, samePublic } from './checks.js';
import { badMaterial, decodeUtf8, FILE, oneLine, publicText, word } from './fields.js';
import { kindHead } from './kinds.js';
import type { CheckResult, Material, MaterialKind } from './material.js';
import { integer, oneOf, ParameterError, parseParameters } from './parameters.js';
import { randomText } from './random-text.js';

type Method = 'aes_gcm' | 'pbkdf2';

const Parameters = v.strictObject({
  method: v.optional(oneOf(['aes_gcm', 'pbkdf2']), 'aes_gcm'),
  /** Characters of a generated passphrase; 32 of 62 letters and digits are 190 bits. */
  length: v.exactOptional(integer(32, 1024)),
});

function parse(raw: JsonObject): { method: 'aes_gcm' } | { method: 'pbkdf2'; length: number } {
  const { method, length } = parseParameters('state-key', Parameters, raw);
  if (method === 'pbkdf2') return { method, length: length ?? 43 };
  if (length !== undefined) throw new ParameterError('state-key', 'length', 'only a passphrase (method: pbkdf2) has a length');
  return { method };
}

const PROBE = new TextEncoder().encode('oxp-vault/state-key-probe/v1');

/**
 * Key for OpenTofu state encryption. The file is the 32 raw bytes of the key (`aes_gcm`; key providers want them in base64, see
 * the field), or the passphrase without a line break (`pbkdf2`). Public: method; a random key id, which encrypted state can name;
 * and, for what was generated here, a probe: a fixed text encrypted under a key derived from this one, so that any holder can
 * tell that it still is this key. An imported value gets no probe: it may be guessable.
 */
export const stateKey: MaterialKind = {
  ...kindHead('state-key'),
  parameters: parse,
  describe: (parameters) => {
    const parsed = parse(parameters);
    return parsed.method === 'aes_gcm' ? 'AES-256 key' : `passphrase for PBKDF2, ${parsed.length} characters`;
  },
  generate: async (parameters) => {
    const parsed = parse(parameters);
    const file = parsed.method === 'aes_gcm' ? Secret.take(new Uint8Array(randomBytes(32))) : Secret.fromText(randomText(parsed.length, 'alphanumeric'));
    return make(file, parsed, { probe: file.use(sealProbe) });
  },
  import: async (bytes, parameters) => {
    const parsed = parse(parameters);
    return make(parsed.method === 'aes_gcm' ? readKey(bytes) : readPassphrase(bytes), parsed, {});
  },
  fields: {
    key: FILE,
    base64: { private: true, read: (material) => material.file.use((bytes) => Buffer.from(bytes).toString('base64')) },
    keyid: publicText('keyid'),
    method: publicText('method'),
  },
  check: (material) =>
    attempt('round trip of a probe', () => {
      const method = material.public['method'] === 'pbkdf2' ? 'pbkdf2' : 'aes_gcm';
      const bits = material.file.length * 8;
      const shape = method === 'aes_gcm' ? result('is a 256-bit key', bits === 256) : result('is a passphrase', material.file.use(isPassphrase));
      return [shape, material.file.use((key) => probeResult(key, material.public['probe'])), samePublic(material.public, { method }, ['keyid', 'probe'])];
    }),
  facts: (parts) => `${parts['method'] === 'pbkdf2' ? 'passphrase for PBKDF2' : 'AES-256 key'} ${word(parts, 'keyid')}`,
  rotation: () => ({ how: 'generate', words: 'write each state once with the new key, then retire the old one' }),
};

function make(file: Secret, parameters: JsonObject & { method: Method }, more: JsonObject): Material {
  return { kind: 'state-key', file, parameters, public: { method: parameters.method, keyid: randomBytes(8).toString('hex'), ...more } };
}

/** 32 raw bytes, or the same in base64 or hex on one line. Their lengths cannot be confused. */
function readKey(bytes: Uint8Array): Secret {
  if (bytes.length === 32) return Secret.take(bytes.slice());
  const text = decodeUtf8(bytes)?.replace(/\r?\n$/, '') ?? '';
  const key = /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  const canonical = key.toString('hex') === text.toLowerCase() || key.toString('base64') === text;
  if (key.length !== 32 || !canonical) throw badMaterial('state-key', 'is not 32 bytes, raw or in base64 or hex', 'for a passphrase say method: pbkdf2');
  return Secret.take(new Uint8Array(key));
}

function readPassphrase(bytes: Uint8Array): Secret {
  const text = oneLine('state-key', bytes);
  if ([...text].length < 16) throw badMaterial('state-key', 'is a passphrase of fewer than 16 characters, which OpenTofu refuses');
  return Secret.fromText(text);
}

function isPassphrase(bytes: Uint8Array): boolean {
  const text = decodeUtf8(bytes);
  return text !== undefined && [...text].length >= 16 && !/\p{Cc}/u.test(text);
}

/** The probe never uses the key itself, which belongs to OpenTofu alone. */
function probeKey(key: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), PROBE, 32));
}

/** AES-256-GCM of a fixed text: nonce, ciphertext, tag; base64. */
function sealProbe(key: Uint8Array): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', probeKey(key), nonce);
  return Buffer.concat([nonce, cipher.update(PROBE), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

function probeResult(key: Uint8Array, given: unknown): CheckResult {
  const name = typeof given === 'string' ? 'decrypts the probe of its generation' : 'round trip of a probe';
  const probe = Buffer.from(typeof given === 'string' ? given : sealProbe(key), 'base64');
  const decipher = createDecipheriv('aes-256-gcm', probeKey(key), probe.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(probe.subarray(-16));
  const text = decipher.update(probe.subarray(12, -16));
  try {
    decipher.final();
  } catch {
    return result(name, false, 'this is another key'); // the only fault that final() reports is a wrong tag
  }
  return result(name, Buffer.from(PROBE).equals(text));
}
