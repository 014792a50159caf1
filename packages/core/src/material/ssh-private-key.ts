import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import sshpk from 'sshpk';
import { badMaterial, decodeUtf8 } from './fields.js';

/** What can be told of an SSH private key without showing it. */
export interface SshFacts {
  /** `ed25519`, `ecdsa-p384`, `rsa-3072`… */
  readonly algorithm: string;
  readonly comment: string;
  /** One line, as in authorized_keys, without a line break. */
  readonly publicKey: string;
  /** `SHA256:` and unpadded base64, as ssh-keygen -l prints it. */
  readonly fingerprint: string;
}

const HINT_RESAVE = 'have ssh-keygen write it anew: ssh-keygen -p -N "" -f COPY-OF-THE-FILE';

/**
 * Reads a private key file that the `ssh` program would take: OpenSSH's own format, or RSA and ECDSA in PEM.
 * Throws BAD_MATERIAL for what ssh refuses (no final line break, CRLF, leading blank lines, Ed25519 in PKCS#8), for
 * a key under a passphrase, and for DSA and short RSA keys.
 */
export function readSshPrivateKey(kind: string, bytes: Uint8Array): { key: sshpk.PrivateKey; facts: SshFacts } {
  const text = decodeUtf8(bytes);
  if (text === undefined || !text.startsWith('-----BEGIN ')) {
    throw badMaterial(kind, 'is not a private key file: it does not begin with -----BEGIN', 'give the private half, not the .pub file');
  }
  if (text.includes('\r')) throw badMaterial(kind, 'has CRLF line ends, which ssh refuses', 'convert them: sed -i "s/\\r$//" COPY-OF-THE-FILE');
  if (!text.endsWith('\n')) throw badMaterial(kind, 'has no line break at its end, which ssh refuses', 'give the file itself, not a trimmed copy of it');
  const label = /^-----BEGIN ([A-Z0-9 ]+)-----\n/.exec(text)?.[1];
  if (label === undefined || text.split('-----BEGIN ').length !== 2 || !text.trimEnd().endsWith(`\n-----END ${label}-----`)) {
    throw badMaterial(kind, 'is not one private key from its first line to its last');
  }
  if (label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED$/m.test(text)) throw encrypted(kind);
  const key = parse(kind, text);
  const type = key.type as string;
  if (type === 'ed25519' && label !== 'OPENSSH PRIVATE KEY') {
    throw badMaterial(kind, `is an Ed25519 key under -----BEGIN ${label}-----, which ssh refuses`, 'ssh takes Ed25519 keys in OpenSSH format only');
  }
  if (type !== 'ed25519' && type !== 'ecdsa' && type !== 'rsa') throw badMaterial(kind, 'is neither an Ed25519, an ECDSA nor an RSA key');
  if (type === 'rsa' && key.size < 2048) throw badMaterial(kind, `is an RSA key of ${key.size} bits`, 'RSA keys need 2048 bits or more; make a new one');
  const facts = factsOf(key);
  // The comment is shown on terminals and written into authorized_keys, where a line break would begin another key.
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(facts.comment)) throw badMaterial(kind, 'has control characters in its comment', 'set another one: ssh-keygen -c -f COPY-OF-THE-FILE');
  return { key, facts };
}

function parse(kind: string, text: string): sshpk.PrivateKey {
  try {
    return sshpk.parsePrivateKey(text, 'pem');
  } catch (error) {
    if (error instanceof sshpk.KeyEncryptedError || (error as { innerErr?: unknown }).innerErr instanceof sshpk.KeyEncryptedError) throw encrypted(kind);
    // The library's message may quote its input.
    throw badMaterial(kind, 'cannot be read as a private key', HINT_RESAVE);
  }
}

function encrypted(kind: string): Error {
  return badMaterial(kind, 'is protected by a passphrase', 'the vault encrypts it: take the passphrase off a copy first: ssh-keygen -p -N "" -f COPY-OF-THE-FILE');
}

export function factsOf(key: sshpk.PrivateKey): SshFacts {
  const publicHalf = key.toPublic();
  // sshpk gives a nameless key "(unnamed)" as its comment, which is nobody's word.
  const comment = key.comment === undefined || key.comment === '(unnamed)' ? '' : key.comment;
  const [type, blob] = publicHalf.toString('ssh').split(' ');
  return {
    algorithm: algorithmOf(key),
    comment,
    publicKey: [type, blob, ...(comment === '' ? [] : [comment])].join(' '),
    fingerprint: publicHalf.fingerprint('sha256').toString(),
  };
}

function algorithmOf(key: sshpk.PrivateKey): string {
  if (key.type === 'ecdsa') return `ecdsa-p${key.size}`;
  return key.type === 'rsa' ? `rsa-${key.size}` : key.type;
}

/** Whether the private half signs what the public half verifies: the two could be of different keys in one file. */
export function halvesMatch(key: sshpk.PrivateKey): boolean {
  const probe = Buffer.from('oxp-vault/ssh-probe/v1');
  if (key.type !== 'ed25519') {
    const publicHalf = createPublicKey(key.toPublic().toString('pkcs8'));
    return verify('sha256', probe, publicHalf, sign('sha256', probe, createPrivateKey(key.toString('pkcs8'))));
  }
  // Node refuses the PKCS#8 that sshpk writes for Ed25519.
  const part = (name: string): string => key.parts.find((candidate) => candidate.name === name)!.data.toString('base64url');
  const halves = { kty: 'OKP', crv: 'Ed25519', x: part('A') };
  return verify(null, probe, createPublicKey({ key: halves, format: 'jwk' }), sign(null, probe, createPrivateKey({ key: { ...halves, d: part('k') }, format: 'jwk' })));
}
