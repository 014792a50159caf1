import { X509Certificate as NodeCertificate, type KeyObject } from 'node:crypto';
import type { JsonObject } from '../wire.js';
import { decodeNameConstraints, type NameConstraints, OID_NAME_CONSTRAINTS } from './pki-name-constraints.js';
import { isSubject, type Subject } from './pki-parameters.js';
import { AuthorityKeyIdentifierExtension, BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, SubjectKeyIdentifierExtension, X509Certificate } from './x509.js';

/** A CA certificate, read. Verification is Node's (OpenSSL); the extensions that Node does not tell are read by @peculiar/x509. */
export interface CaCertificate {
  readonly pem: string;
  readonly node: NodeCertificate;
  readonly x509: X509Certificate;
  /** Whole seconds since 1970; both ends are still valid. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** basicConstraints CA:TRUE and keyUsage keyCertSign. */
  readonly mayIssue: boolean;
  readonly pathLength: number | undefined;
  readonly constraints: NameConstraints;
  /** The certificate constrains names in a way that is not understood here. */
  readonly foreignConstraints: boolean;
  /** Lower-case hex. */
  readonly skid: string | undefined;
  readonly akid: string | undefined;
}

/** Throws whatever the parsers throw for what is no certificate. */
export function readCertificate(pem: string): CaCertificate {
  const node = new NodeCertificate(pem);
  const x509 = new X509Certificate(new Uint8Array(node.raw));
  const basic = x509.getExtension(BasicConstraintsExtension);
  const usage = x509.getExtension(KeyUsagesExtension);
  const constraints = x509.getExtension(OID_NAME_CONSTRAINTS);
  const decoded = constraints === null ? {} : decodeNameConstraints(new Uint8Array(constraints.value));
  return {
    pem: node.toString(),
    node,
    x509,
    notBefore: Math.floor(x509.notBefore.getTime() / 1000),
    notAfter: Math.floor(x509.notAfter.getTime() / 1000),
    mayIssue: basic?.ca === true && usage !== null && (usage.usages & KeyUsageFlags.keyCertSign) !== 0,
    pathLength: basic?.pathLength,
    constraints: decoded ?? {},
    foreignConstraints: decoded === undefined,
    skid: x509.getExtension(SubjectKeyIdentifierExtension)?.keyId.toLowerCase(),
    akid: x509.getExtension(AuthorityKeyIdentifierExtension)?.keyId?.toLowerCase(),
  };
}

/** `ecdsa-p384`, `rsa-4096`, `ed25519`… */
export function algorithmOf(key: KeyObject): string {
  const details = key.asymmetricKeyDetails;
  const curves: Readonly<Record<string, string>> = { prime256v1: 'p256', secp384r1: 'p384', secp521r1: 'p521' };
  switch (key.asymmetricKeyType) {
    case 'ec':
      return `ecdsa-${curves[details?.namedCurve ?? ''] ?? details?.namedCurve ?? 'unknown'}`;
    case 'rsa':
      return `rsa-${details?.modulusLength ?? 0}`;
    default:
      return key.asymmetricKeyType ?? 'unknown';
  }
}

/** The subject in our own attributes, each at most once; undefined for a name that these cannot say. */
export function subjectOf(certificate: CaCertificate): Subject | undefined {
  const attributes = certificate.x509.subjectName.toJSON().flatMap((rdn) => Object.entries(rdn));
  const parts = attributes.flatMap(([type, values]) => values.map((value) => [type, value] as const));
  const subject = Object.fromEntries(parts);
  return Object.keys(subject).length === parts.length && isSubject(subject) ? subject : undefined;
}

/** What a statement says of a CA: enough to trust and to verify it without the key. `chain` goes from its issuer up to the root. */
export function caPublicParts(certificate: CaCertificate, chain: readonly CaCertificate[]): JsonObject {
  return {
    certificate: certificate.pem,
    chain: chain.map(({ pem }) => pem),
    fingerprint: certificate.node.fingerprint256,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    subject: certificate.x509.subject,
    algorithm: algorithmOf(certificate.node.publicKey),
    serial: certificate.x509.serialNumber.toLowerCase(),
    ...(certificate.skid === undefined ? {} : { skid: certificate.skid }),
    ...(certificate.pathLength === undefined ? {} : { pathLength: certificate.pathLength }),
    ...(certificate.constraints.permit === undefined ? {} : { permit: certificate.constraints.permit }),
    ...(certificate.constraints.exclude === undefined ? {} : { exclude: certificate.constraints.exclude }),
  };
}
