import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { VaultError } from '../errors.js';
import { Secret } from '../secret.js';
import type { JsonObject } from '../wire.js';
import { attempt, result, samePublic } from './checks.js';
import { badMaterial, FILE, importedFields, oneLine, publicText, readImportedFields } from './fields.js';
import { kindHead } from './kinds.js';
import type { Material, MaterialKind } from './material.js';
import { integer, oneOf, ParameterError, parseParameters } from './parameters.js';
import { SCALEWAY_ACCESS_KEY, SCALEWAY_REGION, SCALEWAY_UUID } from './scaleway.js';

type Provider = 'scaleway' | 'generic' | 'random';
type Parts = Readonly<Record<string, string>>;

const FIELDS = { access: 'optional', secret: 'required', project: 'optional', organization: 'optional', region: 'optional' } as const;

const Parameters = v.strictObject({
  provider: v.exactOptional(oneOf(['scaleway', 'generic', 'random'])),
  /** Random bytes in a generated token. */
  bytes: v.exactOptional(integer(16, 1024)),
});

type Parsed = { provider: 'random'; bytes: number } | { provider: 'scaleway' | 'generic' };

/** Unless named, the provider is `random` for what is made here, and for an import told from the value: it stays open. */
function parse(raw: JsonObject, origin: 'generate' | 'import' = 'generate'): Parsed | Record<string, never> {
  const { provider, bytes } = parseParameters('api-key', Parameters, raw);
  if (bytes !== undefined && provider !== undefined && provider !== 'random') throw new ParameterError('api-key', 'bytes', 'only a random token has a length');
  if (provider === undefined && origin === 'import') return {};
  if (provider === undefined || provider === 'random') return { provider: 'random', bytes: bytes ?? 32 };
  if (origin === 'import') return { provider };
  throw new ParameterError('api-key', 'provider', `a key of provider ${provider} cannot be made here`, 'import: { env: { access: VARIABLE, secret: VARIABLE } }');
}

/**
 * API key. The file of one with parts (Scaleway: access, secret, project, organization, region) is one JSON object of them; of a
 * single token, the token without a line break. Public: provider and every part but the secret.
 */
export const apiKey: MaterialKind = {
  ...kindHead('api-key'),
  importFields: FIELDS,
  parameters: parse,
  describe: (parameters) => {
    const provider = parameters['provider'];
    return provider === undefined || provider === 'random' ? 'random token' : `API key of ${provider === 'scaleway' ? 'Scaleway' : 'another provider'}`;
  },
  generate: async (parameters) => {
    const parsed = parse(parameters);
    if (parsed.provider !== 'random') throw new VaultError('INTERNAL', 'api-key: parameters of an import given to generate');
    return make('random', Secret.fromText(randomBytes(parsed.bytes).toString('base64url')), undefined, parsed);
  },
  import: async (bytes, parameters) => {
    const wanted = parse(parameters, 'import').provider;
    const parts = readImportedFields('api-key', bytes, FIELDS);
    const provider = wanted ?? (parts !== undefined && SCALEWAY_ACCESS_KEY.test(parts['access'] ?? '') ? 'scaleway' : 'generic');
    if (provider === 'scaleway') checkScaleway(parts);
    const file = parts === undefined ? Secret.fromText(oneLine('api-key', bytes)) : Secret.take(importedFields(parts));
    return make(provider, file, parts, provider === 'random' ? parse({ provider }) : { provider });
  },
  fields: {
    file: FILE,
    secret: { private: true, read: (material) => secretOf(material) },
    access: publicText('access'),
    project: publicText('project'),
    organization: publicText('organization'),
    region: publicText('region'),
  },
  check: (material) =>
    attempt('has the right shape', () => {
      const provider = material.public['provider'] as Provider;
      const parts = partsOf(material);
      if (provider === 'scaleway') checkScaleway(parts);
      if (parts === undefined) material.file.use((bytes) => oneLine('api-key', bytes));
      return [result('has the right shape', true), samePublic(material.public, publicParts(provider, parts))];
    }),
  facts: (parts) => {
    if (parts['provider'] === 'random') return 'random token';
    const owner = parts['provider'] === 'scaleway' ? 'Scaleway API key' : 'API key';
    return typeof parts['access'] === 'string' ? `${owner} ${parts['access']}` : owner;
  },
  rotation: (_parameters, parts) => {
    if (parts['provider'] === 'random') return { how: 'generate', words: 'change it wherever it is used' };
    const where = parts['provider'] === 'scaleway' ? 'at Scaleway' : 'where it was issued';
    return { how: 'by-hand', words: `make a new API key ${where}, by hand, seal it, then delete the old one there` };
  },
};

function partsOf(material: Material): Parts | undefined {
  return material.file.use((bytes) => readImportedFields('api-key', bytes, FIELDS));
}

function secretOf(material: Material): string {
  return partsOf(material)?.['secret'] ?? material.file.useText((text) => text);
}

function checkScaleway(parts: Parts | undefined): void {
  if (parts === undefined) {
    throw badMaterial('api-key', 'is a single text; a Scaleway key has two parts', 'import: { env: { access: SCW_ACCESS_KEY, secret: SCW_SECRET_KEY } }');
  }
  if (!SCALEWAY_ACCESS_KEY.test(parts['access'] ?? '')) throw badMaterial('api-key', 'access is no Scaleway access key: SCW and 17 letters or digits');
  if (!SCALEWAY_UUID.test(parts['secret']!)) throw badMaterial('api-key', 'secret is no Scaleway secret key: a UUID');
  for (const name of ['project', 'organization']) {
    if (parts[name] !== undefined && !SCALEWAY_UUID.test(parts[name])) throw badMaterial('api-key', `${name} is no Scaleway id: a UUID`);
  }
  if (parts['region'] !== undefined && !SCALEWAY_REGION.test(parts['region'])) throw badMaterial('api-key', 'region is no Scaleway region such as fr-par');
}

function publicParts(provider: Provider, parts: Parts | undefined): JsonObject {
  const shown = Object.entries(parts ?? {}).filter(([name]) => name !== 'secret');
  return { provider, ...Object.fromEntries(shown) };
}

function make(provider: Provider, file: Secret, parts: Parts | undefined, parameters: JsonObject): Material {
  return { kind: 'api-key', file, parameters, public: publicParts(provider, parts) };
}
