import { createPrivateKey, type KeyObject } from 'node:crypto';
import { badMaterial, decodeUtf8, readImportedFields } from './fields.js';
import { algorithmOf, type CaCertificate, readCertificate } from './pki-certificate.js';
import { chainFault } from './pki-chain.js';
import { CA_IMPORT_FIELDS } from './pki-parameters.js';
import { PemConverter } from './x509.js';
import { count } from '../primitives/count.js';

export interface CaBundle {
  readonly key: KeyObject;
  readonly certificate: CaCertificate;
  /** From its issuer up to the root. */
  readonly chain: readonly CaCertificate[];
}

/** A bundle as it was given: nothing is verified but that the certificate is that of the key. */
interface GivenBundle extends CaBundle {
  readonly all: readonly CaCertificate[];
}

/**
 * What a bundle is to be taken in as: a root is what its certificate names as its own issuer, and what has nothing above it.
 * Throws BAD_MATERIAL for what is no key with its certificate.
 */
export function caKindOf(bytes: Uint8Array): 'pki-root' | 'pki-intermediate' {
  const { certificate: own, chain } = readGiven('CA', bytes);
  return chain.length === 0 && own.node.checkIssued(own.node) ? 'pki-root' : 'pki-intermediate';
}

/**
 * Reads a PEM bundle in any order: one private key without a passphrase (PKCS#8, SEC1 or PKCS#1), the certificate of it, and for an
 * intermediate every CA above it up to the root. Throws BAD_MATERIAL for what is missing, left over or does not verify at `now`.
 */
export function readCaBundle(kind: 'pki-root' | 'pki-intermediate', bytes: Uint8Array, now: number): CaBundle {
  const { key, certificate: own, chain, all } = readGiven(kind, bytes);
  if (kind === 'pki-root' && chain.length > 0) throw badMaterial(kind, 'is issued by another CA', 'seal it as kind: pki-intermediate');
  if (kind === 'pki-intermediate' && chain.length === 0) {
    throw badMaterial(kind, 'has no issuer in the file, or is a root', 'give every CA above it, too, up to the root');
  }
  if (all.length > chain.length + 1) throw badMaterial(kind, 'has certificates that are not above it in its chain');
  const fault = chainFault([own, ...chain], now);
  if (fault !== undefined) throw badMaterial(kind, fault);
  if (own.skid === undefined) throw badMaterial(kind, 'its certificate has no subject key identifier');
  return { key, certificate: own, chain };
}

function readGiven(kind: string, bytes: Uint8Array): GivenBundle {
  const fields = readImportedFields(kind, bytes, CA_IMPORT_FIELDS);
  const text = fields === undefined ? decodeUtf8(bytes) : [fields['key'], fields['certificate'], fields['chain'] ?? ''].join('\n');
  if (text === undefined) throw badMaterial(kind, 'is not PEM text', 'convert PKCS#12 first: openssl pkcs12 -in FILE -nodes');
  const blocks = PemConverter.decodeWithHeaders(text);
  const keys = blocks.filter(({ type }) => type.endsWith('PRIVATE KEY'));
  if (keys.length !== 1) throw badMaterial(kind, `has ${keys.length === 0 ? 'no private key' : count(keys.length, 'private key')} in PEM; exactly one is needed`);
  const key = readKey(kind, keys[0]!);
  const all = blocks.filter(({ type }) => type === 'CERTIFICATE').map(({ rawData }) => certificate(kind, rawData));
  const own = all.find(({ node }) => node.checkPrivateKey(key));
  if (own === undefined) {
    throw badMaterial(kind, `has no certificate${all.length === 0 ? '' : ' of this private key'}`, 'give the key and its certificate in one file: cat ca.key ca.crt chain.crt');
  }
  return { key, certificate: own, chain: chainAbove(own, all), all };
}

function chainAbove(own: CaCertificate, all: readonly CaCertificate[]): CaCertificate[] {
  const chain: CaCertificate[] = [];
  let current = own;
  while (!(current.node.checkIssued(current.node) && current.node.verify(current.node.publicKey))) {
    const candidates = all.filter((other) => other !== own && !chain.includes(other));
    const issuer = candidates.find(({ node }) => current.node.checkIssued(node) && current.node.verify(node.publicKey));
    if (issuer === undefined) break;
    chain.push(issuer);
    current = issuer;
  }
  return chain;
}

function readKey(kind: string, block: { type: string; headers: readonly { key: string; value: string }[]; rawData: ArrayBuffer }): KeyObject {
  const encrypted = block.type === 'ENCRYPTED PRIVATE KEY' || block.headers.some(({ key }) => key === 'DEK-Info');
  if (encrypted) {
    throw badMaterial(kind, 'its private key is protected by a passphrase', 'the vault encrypts it: take the passphrase off first: openssl pkey -in FILE -out COPY');
  }
  const types: Readonly<Record<string, 'pkcs8' | 'sec1' | 'pkcs1'>> = { 'PRIVATE KEY': 'pkcs8', 'EC PRIVATE KEY': 'sec1', 'RSA PRIVATE KEY': 'pkcs1' };
  const type = types[block.type];
  if (type === undefined) throw badMaterial(kind, 'its private key is in none of the forms PKCS#8, SEC1, PKCS#1');
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(block.rawData), format: 'der', type });
  } catch {
    throw badMaterial(kind, 'its private key cannot be read'); // OpenSSL's words say nothing more to a person
  }
  if (!/^(ed25519|rsa-\d+|ecdsa-p(256|384|521))$/.test(algorithmOf(key))) throw badMaterial(kind, 'its key is neither ECDSA on P-256, P-384 or P-521, nor Ed25519, nor RSA');
  if ((key.asymmetricKeyDetails?.modulusLength ?? 2048) < 2048) throw badMaterial(kind, 'its RSA key is shorter than 2048 bits');
  return key;
}

function certificate(kind: string, der: ArrayBuffer): CaCertificate {
  try {
    return readCertificate(PemConverter.encode(der, 'CERTIFICATE'));
  } catch {
    throw badMaterial(kind, 'one of its certificates cannot be read'); // the parsers quote positions in the DER, which help nobody
  }
}
