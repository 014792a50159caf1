/**
 * PKCS#12 (RFC 7292) of any kind of private key. node-forge writes RSA keys only, so its ASN.1 and its key derivation are used
 * to put the file together; ciphers and digests are OpenSSL's through Node. Algorithms are those that OpenSSL 3 writes itself:
 * PBES2 (RFC 8018) with PBKDF2-HMAC-SHA-256 and AES-256-CBC, MAC HMAC-SHA-256.
 */
import { createCipheriv, createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import forge from 'node-forge';

type Node = forge.asn1.Asn1;

/** Tag number 0; the only one that PKCS#12 uses here. */
const TAG_0 = forge.asn1.Type.NONE;
/** OpenSSL's default is 2,048; this costs a reader a tenth of a second. */
const ITERATIONS = 100_000;
/** macOS does not accept a longer salt for the MAC. */
const MAC_SALT_BYTES = 8;

const OID = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacWithSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;

export interface PfxContent {
  /** PKCS#8 PrivateKeyInfo, DER. */
  readonly key: Uint8Array;
  /** PEM, one after the other: the key's own certificate first, then its issuers. */
  readonly certificates: string;
  readonly friendlyName: string;
}

/** The PFX, DER. `password` is used as UTF-8 for encryption and as BMPString for the MAC, as OpenSSL does. */
export function sealPfx(content: PfxContent, password: string): Uint8Array {
  const certificates = forge.pem.decode(content.certificates).map(({ body }) => Buffer.from(body, 'latin1'));
  const [own] = certificates;
  if (own === undefined) throw new TypeError('a PFX needs the certificate of its key');
  // Any bytes will do that are the same in both bags; everybody uses the certificate's SHA-1.
  const localKeyId = createHash('sha1').update(own).digest();
  const attributes = [attribute(OID.friendlyName, bmpString(content.friendlyName)), attribute(OID.localKeyId, octets(localKeyId))];
  const certBags = certificates.map((der, index) =>
    bag(OID.certBag, sequence(oid(OID.x509Certificate), explicit(octets(der))), index === 0 ? attributes : []),
  );
  const keyBag = bag(OID.shroudedKeyBag, sequence(...encrypted(content.key, password, octets)), attributes);
  const authenticatedSafe = bytesOf(
    sequence(encryptedSafe(bytesOf(sequence(...certBags)), password), contentInfo(OID.data, octets(bytesOf(sequence(keyBag))))),
  );
  return new Uint8Array(
    bytesOf(sequence(integer(3), contentInfo(OID.data, octets(authenticatedSafe)), macData(authenticatedSafe, password))),
  );
}

/** EncryptedData (RFC 5652 §8) over SafeContents. */
function encryptedSafe(safe: Uint8Array, password: string): Node {
  const content = (bytes: Uint8Array): Node => primitive(forge.asn1.Class.CONTEXT_SPECIFIC, TAG_0, bytes);
  return contentInfo(OID.encryptedData, sequence(integer(0), sequence(oid(OID.data), ...encrypted(safe, password, content))));
}

/** The PBES2 algorithm identifier (RFC 8018 §A.4) and the ciphertext, tagged by `wrap`. Fresh salt and IV each time. */
function encrypted(plain: Uint8Array, password: string, wrap: (bytes: Uint8Array) => Node): [Node, Node] {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const key = pbkdf2Sync(Buffer.from(password, 'utf8'), salt, ITERATIONS, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  key.fill(0);
  const prf = sequence(oid(OID.hmacWithSha256), primitive(forge.asn1.Class.UNIVERSAL, forge.asn1.Type.NULL, new Uint8Array()));
  const derivation = sequence(oid(OID.pbkdf2), sequence(octets(salt), integer(ITERATIONS), prf));
  return [sequence(oid(OID.pbes2), sequence(derivation, sequence(oid(OID.aes256Cbc), octets(iv)))), wrap(ciphertext)];
}

/** MacData (RFC 7292 §4) with the key derivation of its appendix B, purpose 3. */
function macData(authenticatedSafe: Uint8Array, password: string): Node {
  const salt = randomBytes(MAC_SALT_BYTES);
  const derived = forge.pkcs12.generateKey(password, forge.util.createBuffer(salt.toString('latin1')), 3, ITERATIONS, 32, forge.md.sha256.create());
  const mac = createHmac('sha256', Buffer.from(derived.getBytes(), 'latin1')).update(authenticatedSafe).digest();
  const algorithm = sequence(oid(OID.sha256), primitive(forge.asn1.Class.UNIVERSAL, forge.asn1.Type.NULL, new Uint8Array()));
  return sequence(sequence(algorithm, octets(mac)), octets(salt), integer(ITERATIONS));
}

function contentInfo(type: string, content: Node): Node {
  return sequence(oid(type), explicit(content));
}

function bag(type: string, value: Node, attributes: readonly Node[]): Node {
  return sequence(oid(type), explicit(value), ...(attributes.length === 0 ? [] : [set(...attributes)]));
}

function attribute(type: string, value: Node): Node {
  return sequence(oid(type), set(value));
}

function sequence(...children: Node[]): Node {
  return forge.asn1.create(forge.asn1.Class.UNIVERSAL, forge.asn1.Type.SEQUENCE, true, children);
}

function set(...children: Node[]): Node {
  return forge.asn1.create(forge.asn1.Class.UNIVERSAL, forge.asn1.Type.SET, true, children);
}

function explicit(child: Node): Node {
  return forge.asn1.create(forge.asn1.Class.CONTEXT_SPECIFIC, TAG_0, true, [child]);
}

function primitive(tagClass: forge.asn1.Class, type: forge.asn1.Type, bytes: Uint8Array): Node {
  return forge.asn1.create(tagClass, type, false, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'));
}

function octets(bytes: Uint8Array): Node {
  return primitive(forge.asn1.Class.UNIVERSAL, forge.asn1.Type.OCTETSTRING, bytes);
}

function oid(dotted: string): Node {
  return forge.asn1.create(forge.asn1.Class.UNIVERSAL, forge.asn1.Type.OID, false, forge.asn1.oidToDer(dotted).getBytes());
}

function integer(value: number): Node {
  return forge.asn1.create(forge.asn1.Class.UNIVERSAL, forge.asn1.Type.INTEGER, false, forge.asn1.integerToDer(value).getBytes());
}

/** node-forge turns the text into UTF-16BE itself when it writes this type. */
function bmpString(text: string): Node {
  return forge.asn1.create(forge.asn1.Class.UNIVERSAL, forge.asn1.Type.BMPSTRING, false, text);
}

function bytesOf(node: Node): Buffer {
  return Buffer.from(forge.asn1.toDer(node).getBytes(), 'latin1');
}
