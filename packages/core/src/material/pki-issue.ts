import { createPublicKey, generateKeyPair, type KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import { algorithmOf, type CaCertificate, readCertificate } from './pki-certificate.js';
import { encodeNameConstraints, type NameConstraints, OID_NAME_CONSTRAINTS } from './pki-name-constraints.js';
import { type CA_USAGES, type CaAlgorithm, type Subject, SUBJECT_ATTRIBUTES } from './pki-parameters.js';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PublicKey,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from './x509.js';

/** How a key of each kind signs certificates. A hash as strong as the curve; WebCrypto wants it with the key (RSA) or apart (ECDSA). */
const SIGNING = {
  'ecdsa-p384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  'ecdsa-p256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'ecdsa-p521': { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
  ed25519: { name: 'Ed25519' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
} as const;

export async function newCaKey(algorithm: CaAlgorithm): Promise<KeyObject> {
  const pair = promisify(generateKeyPair);
  if (algorithm === 'rsa-4096') return (await pair('rsa', { modulusLength: 4096 })).privateKey;
  if (algorithm === 'ed25519') return (await pair('ed25519')).privateKey;
  return (await pair('ec', { namedCurve: SIGNING[algorithm].namedCurve })).privateKey;
}

export interface CaRequest {
  readonly key: KeyObject;
  readonly subject: Subject;
  /** Absent: self-signed. */
  readonly issuer?: { readonly certificate: CaCertificate; readonly key: KeyObject };
  /** Whole seconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly pathLength: number;
  readonly constraints: NameConstraints;
  readonly usages?: readonly (typeof CA_USAGES)[number][];
}

/** Issues a CA certificate: X.509 v3 in the profile that RFC 5280 sections 4.1 and 4.2 give to conforming CAs. */
export async function issueCa(request: CaRequest): Promise<CaCertificate> {
  const { issuer, constraints } = request;
  const publicKey = new PublicKey(new Uint8Array(createPublicKey(request.key).export({ type: 'spki', format: 'der' })));
  const skid = await keyIdentifier(publicKey);
  const signing = signingOf(issuer?.key ?? request.key);
  const pkcs8 = (issuer?.key ?? request.key).export({ type: 'pkcs8', format: 'der' });
  const signingKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, signing, false, ['sign']);
  const subject = nameOf(request.subject);
  const constrained = constraints.permit !== undefined || constraints.exclude !== undefined;
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: newSerial(),
      subject,
      // The issuer's own bytes: names are compared in their encoding.
      issuer: issuer === undefined ? subject : new Name(issuer.certificate.x509.subjectName.toArrayBuffer()),
      notBefore: new Date(request.notBefore * 1000),
      notAfter: new Date(request.notAfter * 1000),
      publicKey,
      signingKey,
      signingAlgorithm: signing,
      extensions: [
        new BasicConstraintsExtension(true, request.pathLength, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        ...(request.usages === undefined ? [] : [new ExtendedKeyUsageExtension(request.usages.map((usage) => ExtendedKeyUsage[usage]))]),
        new SubjectKeyIdentifierExtension(skid),
        new AuthorityKeyIdentifierExtension(issuer?.certificate.skid ?? skid),
        ...(constrained ? [new Extension(OID_NAME_CONSTRAINTS, true, encodeNameConstraints(constraints))] : []),
      ],
    },
    webcrypto,
  );
  return readCertificate(certificate.toString('pem'));
}

function signingOf(key: KeyObject): (typeof SIGNING)[keyof typeof SIGNING] {
  const algorithm = algorithmOf(key);
  return SIGNING[(algorithm.startsWith('rsa-') ? 'rsa' : algorithm) as keyof typeof SIGNING];
}

/** 126 random bits in 16 bytes, first bits 01: positive, below 2^159, and of one length (RFC 5280 section 4.1.2.2). */
function newSerial(): string {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial.toString('hex');
}

/**
 * RFC 7093 section 2 method 1: the leftmost 160 bits of SHA-256 of the public key's bit string. (RFC 5280 names SHA-1 as one way;
 * this needs none.)
 */
async function keyIdentifier(publicKey: PublicKey): Promise<string> {
  return Buffer.from(await publicKey.getKeyIdentifier('SHA-256', webcrypto)).toString('hex').slice(0, 40);
}

/** Values as UTF8String, the country as PrintableString: given as plain strings the library would read quotes and # in them. */
function nameOf(subject: Subject): Name {
  const order = Object.keys(SUBJECT_ATTRIBUTES) as (keyof Subject)[];
  const given = order.flatMap((attribute) => (subject[attribute] === undefined ? [] : [[attribute, subject[attribute]] as const]));
  return new Name(
    given.map(([attribute, value]): Record<string, { printableString?: string; utf8String?: string }[]> => ({
      [attribute]: [attribute === 'C' ? { printableString: value } : { utf8String: value }],
    })),
  );
}
