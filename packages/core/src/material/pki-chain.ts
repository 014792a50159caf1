import type { KeyObject } from 'node:crypto';
import { result } from './checks.js';
import type { CheckResult } from './material.js';
import type { CaCertificate } from './pki-certificate.js';
import { outsideOf } from './pki-name-constraints.js';
import { day } from './time.js';

/**
 * What is wrong with a chain of CA certificates, lowest first and root last, at a time; undefined if nothing is. RFC 5280 section 6,
 * as far as it concerns CA certificates: names chain, signatures, validity, CA and keyCertSign, path length, name constraints.
 */
export function chainFault(chain: readonly CaCertificate[], now: number): string | undefined {
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1] ?? certificate;
    const who = certificate.x509.subject;
    if (!certificate.mayIssue) return `${who} is no CA certificate`;
    if (!certificate.node.checkIssued(issuer.node)) return `${who} is ${issuer === certificate ? 'no root: it is issued by another' : `not issued by ${issuer.x509.subject}`}`;
    if (!certificate.node.verify(issuer.node.publicKey)) return `the signature on ${who} is not that of ${issuer.x509.subject}`;
    if (now < certificate.notBefore) return `${who} is not valid before ${day(certificate.notBefore)}`;
    if (now > certificate.notAfter) return `${who} was valid until ${day(certificate.notAfter)}`;
    if (certificate.notAfter > issuer.notAfter) return `${who} is valid longer than its issuer`;
    // Below this one are `index` CA certificates; that is what its path length has to allow.
    if (certificate.pathLength !== undefined && certificate.pathLength < index) return `the path length of ${who} does not allow ${index} CA below it`;
    if (certificate.foreignConstraints) return `${who} constrains names other than DNS names`;
    const outside = chain.slice(index + 1).map((above) => outsideOf(certificate.constraints, above.constraints)).find((name) => name !== undefined);
    if (outside !== undefined) return `${who} permits ${outside}, which a CA above it does not`;
  }
  return undefined;
}

/** The self-check of a CA: its private key, its certificate and the CAs above it. */
export function caResults(key: KeyObject, certificate: CaCertificate, chain: readonly CaCertificate[], now: number): CheckResult[] {
  const fault = chainFault([certificate, ...chain], now);
  return [result('key matches certificate', certificate.node.checkPrivateKey(key)), result('chain verifies', fault === undefined, fault)];
}
