import { generateKeyPair, type KeyPairKeyObjectResult } from 'node:crypto';
import { promisify } from 'node:util';
import sshpk from 'sshpk';
import * as v from 'valibot';
import { Secret } from '../secret.js';
import type { JsonObject } from '../wire.js';
import { attempt, result, samePublic } from './checks.js';
import { FILE, publicText, word } from './fields.js';
import { kindHead } from './kinds.js';
import type { Material, MaterialKind } from './material.js';
import { line, oneOf, parseParameters } from './parameters.js';
import { factsOf, halvesMatch, readSshPrivateKey, type SshFacts } from './ssh-private-key.js';

const ALGORITHMS = ['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-3072', 'rsa-4096'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

const Parameters = v.strictObject({
  algorithm: v.optional(oneOf(ALGORITHMS), 'ed25519'),
  comment: v.exactOptional(line(255)),
});

/** The two kinds differ only in what people do with them. */
function sshKind(kind: 'ssh-key' | 'ssh-ca', noun: string, rotationWords: string): MaterialKind {
  const parse = (raw: JsonObject) => parseParameters(kind, Parameters, raw);
  return {
    ...kindHead(kind),
    parameters: parse,
    describe: (parameters) => `${parse(parameters).algorithm} ${noun}`,
    generate: async (parameters, context) => {
      const parsed = parse(parameters);
      const comment = parsed.comment ?? context.name;
      const key = await newKey(parsed.algorithm);
      key.comment = comment;
      return make(kind, Secret.take(new Uint8Array(key.toBuffer('ssh-private'))), { ...parsed, comment }, factsOf(key));
    },
    // Kept to the last byte: ssh refuses a file whose end has been trimmed.
    import: async (bytes, parameters) => {
      const { facts } = readSshPrivateKey(kind, bytes);
      const parsed = parse(parameters);
      const known = ALGORITHMS.find((algorithm) => algorithm === facts.algorithm);
      const comment = parsed.comment ?? (facts.comment === '' ? undefined : facts.comment);
      const next = { algorithm: known ?? nextBest(facts.algorithm), ...(comment === undefined || !v.is(line(255), comment) ? {} : { comment }) };
      return make(kind, Secret.take(bytes.slice()), next, facts);
    },
    fields: {
      'private-key': FILE,
      'public-key': publicText('public-key'),
      fingerprint: publicText('fingerprint'),
      algorithm: publicText('algorithm'),
    },
    check: (material) =>
      attempt('public half derives', () => {
        const { key, facts } = material.file.use((bytes) => readSshPrivateKey(kind, bytes));
        return [result('public half derives', halvesMatch(key)), samePublic(material.public, publicParts(facts))];
      }),
    facts: (parts) => `${word(parts, 'algorithm')}, ${word(parts, 'fingerprint')}`,
    rotation: () => ({ how: 'generate', words: rotationWords }),
  };
}

/** SSH key pair. The file is the private key as `ssh -i` takes it. Public: public-key line, SHA256 fingerprint, algorithm. */
export const sshKey = sshKind('ssh-key', 'SSH key', 'put the new public key into authorized_keys, then take the old one out');

/** SSH certificate authority: the key that `ssh-keygen -s` takes. */
export const sshCa = sshKind('ssh-ca', 'SSH certificate authority', 'trust the new CA key beside the old one until all certificates are reissued');

async function newKey(algorithm: Algorithm): Promise<sshpk.PrivateKey> {
  const { privateKey } = await newPair(algorithm);
  return sshpk.parsePrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }), 'pkcs8');
}

function newPair(algorithm: Algorithm): Promise<KeyPairKeyObjectResult> {
  const pair = promisify(generateKeyPair);
  const [family, size] = algorithm.split('-');
  if (family === 'rsa') return pair('rsa', { modulusLength: Number(size) });
  if (family === 'ecdsa') return pair('ec', { namedCurve: size!.replace('p', 'P-') });
  return pair('ed25519');
}

/** An imported RSA key of another size is followed by the nearest size that is made here. */
function nextBest(algorithm: string): Algorithm {
  return algorithm.startsWith('rsa-') ? 'rsa-4096' : 'ed25519';
}

function publicParts(facts: SshFacts): JsonObject {
  return { algorithm: facts.algorithm, fingerprint: facts.fingerprint, 'public-key': facts.publicKey };
}

function make(kind: string, file: Secret, parameters: JsonObject, facts: SshFacts): Material {
  return { kind, file, parameters, public: publicParts(facts) };
}
