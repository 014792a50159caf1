import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { VaultError } from '../errors.js';
import { Secret } from '../secret.js';
import type { JsonObject } from '../wire.js';
import { attempt, result, samePublic } from './checks.js';
import { badMaterial, decodeUtf8, FILE, publicText, readImportedFields, word } from './fields.js';
import { kindHead } from './kinds.js';
import type { GenerateContext, Material, MaterialKind } from './material.js';
import { oneOf, ParameterError, parseParameters } from './parameters.js';
import { formatTsigClause, parseTsigClause, readTsigKey, TSIG_SECRET_BYTES, type TsigKey } from './tsig-clause.js';
import { canonicalKeyName, nextKeyName, sameKeySeries } from './tsig-name.js';

const IMPORT_FIELDS = { secret: 'required', key: 'optional', algorithm: 'optional' } as const;
const ALGORITHMS = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const;

const Parameters = v.strictObject({
  key: v.exactOptional(v.string()),
  algorithm: v.optional(oneOf(ALGORITHMS), 'hmac-sha256'),
});

function parse(raw: JsonObject) {
  const { key, algorithm } = parseParameters('tsig', Parameters, raw);
  if (key === undefined) return { algorithm };
  const name = canonicalKeyName(key);
  if (name === undefined) throw new ParameterError('tsig', 'key', 'expected a DNS name of letters, digits, - and _');
  return { key: name, algorithm };
}

/** TSIG key (RFC 8945). The file is one named.conf key clause. Public: key name, algorithm, bits of the secret. */
export const tsig: MaterialKind = {
  ...kindHead('tsig'),
  importFields: IMPORT_FIELDS,
  parameters: parse,
  describe: (parameters) => {
    const { algorithm } = parse(parameters);
    return `${algorithm}, ${TSIG_SECRET_BYTES[algorithm] * 8} bits`;
  },
  generate: async (parameters, context) => {
    const { key, algorithm } = parse(parameters);
    return make({ name: nameFor(key, context), algorithm, secret: new Uint8Array(randomBytes(TSIG_SECRET_BYTES[algorithm])) });
  },
  // Written anew, so that the file is always one clause in one layout and a second import of the same key changes nothing.
  import: async (bytes, parameters, context) => {
    const { key, algorithm } = parse(parameters);
    const fields = readImportedFields('tsig', bytes, IMPORT_FIELDS);
    if (fields !== undefined) return make(readTsigKey(fields['key'] ?? key ?? defaultName(context.name), fields['algorithm'] ?? algorithm, fields['secret']!));
    const text = decodeUtf8(bytes);
    if (text === undefined) throw badMaterial('tsig', 'is not UTF-8 text');
    return make(parseTsigClause(text));
  },
  fields: {
    clause: FILE,
    secret: { private: true, read: (material) => Buffer.from(clauseOf(material).secret).toString('base64') },
    keyname: publicText('keyname'),
    algorithm: publicText('algorithm'),
  },
  check: (material) => attempt('clause parses', () => [result('clause parses', true), samePublic(material.public, publicParts(clauseOf(material)))]),
  facts: (parts) => `${word(parts, 'bits')} bits`,
  rotation: () => ({ how: 'generate', words: 'let the name server know both keys, move the clients, then retire the old one' }),
};

function clauseOf(material: Material): TsigKey {
  return parseTsigClause(material.file.useText((text) => text));
}

/** The parameter's name; after a version of the same series, the next of that series; without either, a name from the secret's. */
function nameFor(key: string | undefined, context: GenerateContext): string {
  const before = context.previous?.public['keyname'];
  const name = key ?? (typeof before === 'string' ? before : defaultName(context.name));
  if (typeof before !== 'string' || !sameKeySeries(name, before)) return name;
  const next = nextKeyName(before);
  if (next === undefined) {
    throw new VaultError('BAD_VALUE', `tsig: the key name ${before} has no room for a version number`, {
      hint: 'give a new one: --set key=NAME',
    });
  }
  return next;
}

/** `dns/rfc2136_tsig_secret` becomes `dns-rfc2136_tsig_secret.`, cut to one DNS label. */
function defaultName(secretName: string): string {
  return `${secretName.replace(/[/.]/g, '-').slice(0, 56)}.`;
}

function publicParts(key: TsigKey): JsonObject {
  return { keyname: key.name, algorithm: key.algorithm, bits: key.secret.length * 8 };
}

function make(key: TsigKey): Material {
  const algorithm = ALGORITHMS.find((known) => known === key.algorithm) ?? 'hmac-sha256';
  return { kind: 'tsig', file: Secret.fromText(formatTsigClause(key)), parameters: { key: key.name, algorithm }, public: publicParts(key) };
}
