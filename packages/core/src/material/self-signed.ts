/** A certificate for one run of a program: two processes of one machine that have to know each other over TLS. Never sealed, never kept. */
import { webcrypto } from 'node:crypto';

export interface SelfSigned {
  /** PEM, both. */
  readonly key: string;
  readonly certificate: string;
  readonly der: Uint8Array;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Milliseconds. */
const MINUTE = 60_000;
const MONTH = 30 * 24 * 60 * MINUTE;

/** ECDSA P-256 for one DNS name, for servers and clients, valid for a month from `now` (milliseconds since 1970). */
export async function selfSignedCertificate(dnsName: string, now = Date.now()): Promise<SelfSigned> {
  // Loaded here: whoever imports this may never need it.
  const { BasicConstraintsExtension, ExtendedKeyUsage, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } = await import('./x509.js');
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [dnsName] }],
      // The other side's clock is this one: the minute is for rounding.
      notBefore: new Date(now - MINUTE),
      notAfter: new Date(now + MONTH),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        // The other side trusts it as the root that it is for itself, so it has to be a CA.
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
        new SubjectAlternativeNameExtension([{ type: 'dns', value: dnsName }]),
      ],
    },
    webcrypto,
  );
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
  return { key, certificate: certificate.toString('pem'), der: new Uint8Array(certificate.rawData) };
}
