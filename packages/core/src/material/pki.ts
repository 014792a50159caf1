import { createPrivateKey, type KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { VaultError } from '../errors.js';
import { Secret } from '../secret.js';
import type { JsonObject } from '../wire.js';
import { attempt, result, samePublic } from './checks.js';
import { badMaterial, FILE, publicText, word } from './fields.js';
import { kindHead } from './kinds.js';
import type { CheckContext, CheckResult, GenerateContext, Material, MaterialField, MaterialKind } from './material.js';
import type { NameConstraints } from './pki-name-constraints.js';
import { CA_ALGORITHMS, CA_IMPORT_FIELDS, type CaAlgorithm, type IntermediateParameters, intermediateParameters, rootParameters } from './pki-parameters.js';
import { day, lastSecondAfterYears } from './time.js';
import { count } from '../primitives/count.js';

type CaKind = 'pki-root' | 'pki-intermediate';

/** X.509 is loaded only by who makes, takes in or checks a CA: it is the heaviest library of all. */
const loadX509 = async () => {
  const [certificate, issue, chain, bundle, constraints] = await Promise.all([
    import('./pki-certificate.js'),
    import('./pki-issue.js'),
    import('./pki-chain.js'),
    import('./pki-import.js'),
    import('./pki-name-constraints.js'),
  ]);
  return { ...certificate, ...issue, ...chain, ...bundle, ...constraints };
};

/** The file of both is the private key, PKCS#8 in PEM; everything else is public. */
const fields: Readonly<Record<string, MaterialField>> = {
  key: FILE,
  certificate: publicText('certificate'),
  /** The CAs above it, root last; empty for a root. */
  chain: { private: false, read: (material) => chainOf(material.public).join('') },
  /** The certificate and the CAs above it without the root: what a server sends. */
  bundle: { private: false, read: (material) => [certificateOf(material.public), ...chainOf(material.public).slice(0, -1)].join('') },
  /** What a client trusts. */
  root: { private: false, read: (material) => chainOf(material.public).at(-1) ?? certificateOf(material.public) },
  fingerprint: publicText('fingerprint'),
  subject: publicText('subject'),
  serial: publicText('serial'),
};

const facts = (parts: JsonObject): string => `${word(parts, 'algorithm')}, until ${day(Number(parts['notAfter']))}`;

/** Root CA: a key and its self-signed certificate. */
export const pkiRoot: MaterialKind = {
  ...kindHead('pki-root'),
  importFields: CA_IMPORT_FIELDS,
  parameters: (raw, origin) => ({ ...rootParameters(raw, origin) }),
  describe: (parameters) => {
    const parsed = rootParameters(parameters, 'import');
    return `${algorithmWords(parsed.algorithm)} root, ${count(parsed.years, 'year')}, path length ${parsed['path-length']}`;
  },
  generate: async (parameters, context) => {
    const parsed = rootParameters(parameters);
    const x509 = await loadX509();
    const key = await x509.newCaKey(parsed.algorithm);
    const certificate = await x509.issueCa({
      key,
      subject: parsed.subject!,
      notBefore: context.now,
      notAfter: lastSecondAfterYears(context.now, parsed.years),
      pathLength: parsed['path-length'],
      constraints: parsed,
    });
    return make('pki-root', key, { ...parsed }, x509.caPublicParts(certificate, []));
  },
  import: (bytes, parameters, context) => importCa('pki-root', bytes, rootParameters(parameters, 'import'), context),
  fields,
  check: (material, context) => checkCa('pki-root', material, context),
  facts,
  rotation: () => ({ how: 'plan', words: 'whatever trusts the old root must learn the new one first. The plan: docs/pki-root-succession.md' }),
};

/** Intermediate CA: issued by a secret of kind pki-root or pki-intermediate, never valid longer than that one. */
export const pkiIntermediate: MaterialKind = {
  ...kindHead('pki-intermediate'),
  importFields: CA_IMPORT_FIELDS,
  parameters: (raw, origin) => ({ ...intermediateParameters(raw, origin) }),
  describe: (parameters) => {
    const parsed = intermediateParameters(parameters, 'import');
    const issued = parsed.issuer === undefined ? 'intermediate' : `issued by ${parsed.issuer}`;
    return `${issued}, ${algorithmWords(parsed.algorithm)}, ${count(parsed.years, 'year')}, path length ${parsed['path-length']}`;
  },
  generate: async (parameters, context) => {
    const parsed = intermediateParameters(parameters);
    const x509 = await loadX509();
    const issuer = await issuerOf(parsed, context, x509);
    const key = await x509.newCaKey(parsed.algorithm);
    const certificate = await x509.issueCa({
      key,
      subject: parsed.subject!,
      issuer,
      notBefore: context.now,
      notAfter: Math.min(lastSecondAfterYears(context.now, parsed.years), issuer.certificate.notAfter),
      pathLength: parsed['path-length'],
      constraints: parsed,
      ...(parsed.usages === undefined ? {} : { usages: parsed.usages }),
    });
    return make('pki-intermediate', key, { ...parsed }, x509.caPublicParts(certificate, [issuer.certificate, ...issuer.chain]));
  },
  import: (bytes, parameters, context) => importCa('pki-intermediate', bytes, intermediateParameters(parameters, 'import'), context),
  fields,
  check: (material, context) => checkCa('pki-intermediate', material, context),
  facts,
  rotation: (parameters) =>
    parameters['issuer'] === undefined || parameters['subject'] === undefined
      ? { how: 'by-hand', words: 'have its issuer sign a new one, then seal that' }
      : { how: 'generate', words: 'serve the new one; what the old one issued stays good until it expires' },
};

/** The CA that is to sign, able to do so for this request now. Throws BAD_VALUE or BAD_MATERIAL that names it. */
async function issuerOf(parsed: IntermediateParameters, context: GenerateContext, x509: Awaited<ReturnType<typeof loadX509>>) {
  const name = parsed.issuer!;
  if (context.issuer === undefined) {
    throw new VaultError('BAD_VALUE', `pki-intermediate: the issuer ${name} cannot be had here`, { hint: 'seal it into a vault that holds its issuer' });
  }
  const material = await context.issuer(name);
  if (material.kind !== 'pki-root' && material.kind !== 'pki-intermediate') {
    throw new VaultError('BAD_VALUE', `pki-intermediate: the issuer ${name} is a ${material.kind}, not a CA`);
  }
  const key = privateKeyOf(material);
  const certificate = x509.readCertificate(certificateOf(material.public));
  const chain = chainOf(material.public).map(x509.readCertificate);
  const failed = x509.caResults(key, certificate, chain, context.now).find(({ ok }) => !ok);
  if (failed !== undefined) throw new VaultError('BAD_MATERIAL', `pki-intermediate: the issuer ${name} cannot sign: ${failed.detail ?? `not so: ${failed.check}`}`);
  // Every CA above must leave room: at height h above the new one it needs a path length of h + what the new one is given.
  const room = Math.min(...[certificate, ...chain].map((ca, index) => (ca.pathLength ?? Infinity) - index - 1));
  if (room < parsed['path-length']) {
    const allowed = room < 0 ? 'no CA below it' : `a path length of ${room}`;
    throw new VaultError('BAD_VALUE', `pki-intermediate: path-length ${parsed['path-length']} is too long: the issuer ${name} allows ${allowed}`);
  }
  const outside = [certificate, ...chain].map((ca) => x509.outsideOf(parsed, ca.constraints)).find((found) => found !== undefined);
  if (outside !== undefined) throw new VaultError('BAD_VALUE', `pki-intermediate: permit: ${outside} is not within what the issuer ${name} permits`);
  return { key, certificate, chain };
}

async function importCa(kind: CaKind, bytes: Uint8Array, parsed: JsonObject, context: GenerateContext): Promise<Material> {
  const x509 = await loadX509();
  const { key, certificate, chain } = x509.readCaBundle(kind, bytes, context.now);
  const publicParts = x509.caPublicParts(certificate, chain);
  const algorithm = CA_ALGORITHMS.find((known) => known === publicParts['algorithm']) ?? 'ecdsa-p384';
  const subject = x509.subjectOf(certificate);
  const { permit, exclude } = certificate.constraints;
  const said = Object.entries({ subject, permit, exclude }).filter((pair): pair is [string, NonNullable<(typeof pair)[1]>] => pair[1] !== undefined);
  const next = { ...parsed, algorithm, ...Object.fromEntries(said) };
  return make(kind, key, next, publicParts);
}

/** Against the public parts that were signed: the certificate there, not one that came with the file. */
function checkCa(kind: CaKind, material: Material, { now }: CheckContext): Promise<CheckResult[]> {
  return attempt('key matches certificate', async () => {
    const x509 = await loadX509();
    const certificate = x509.readCertificate(certificateOf(material.public));
    const chain = chainOf(material.public).map(x509.readCertificate);
    if ((kind === 'pki-root') !== (chain.length === 0)) throw badMaterial(kind, kind === 'pki-root' ? 'a root has no chain above it' : 'its chain is missing');
    return [
      ...x509.caResults(privateKeyOf(material), certificate, chain, now),
      ...constraintResults(material.parameters, certificate.constraints),
      samePublic(material.public, x509.caPublicParts(certificate, chain)),
    ];
  });
}

/** The public parts are read off the certificate; what had been asked for stands in the parameters. */
function constraintResults({ permit, exclude }: JsonObject, found: NameConstraints): CheckResult[] {
  if (permit === undefined && exclude === undefined) return [];
  return [result('name constraints present', isDeepStrictEqual([permit, exclude], [found.permit, found.exclude]))];
}

function privateKeyOf(material: Material): KeyObject {
  try {
    return material.file.use((bytes) => createPrivateKey({ key: Buffer.from(bytes), format: 'pem' }));
  } catch {
    throw badMaterial(material.kind, 'its private key cannot be read'); // OpenSSL's words say nothing more to a person
  }
}

function certificateOf(parts: JsonObject): string {
  return word(parts, 'certificate') ?? '';
}

function chainOf(parts: JsonObject): string[] {
  return Array.isArray(parts['chain']) ? parts['chain'].map(String) : [];
}

function make(kind: CaKind, key: KeyObject, parameters: JsonObject, publicParts: JsonObject): Material {
  return { kind, file: Secret.fromText(String(key.export({ type: 'pkcs8', format: 'pem' }))), parameters, public: publicParts };
}

function algorithmWords(algorithm: CaAlgorithm): string {
  const words: Record<CaAlgorithm, string> = { 'ecdsa-p384': 'P-384', 'ecdsa-p256': 'P-256', ed25519: 'Ed25519', 'rsa-4096': 'RSA-4096' };
  return words[algorithm];
}
