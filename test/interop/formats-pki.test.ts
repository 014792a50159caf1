/** PKCS#12 and PEM in OpenSSL and in Node's TLS. */
import { createPublicKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { beforeAll, expect, it } from 'vitest';
import { Secret } from '../../packages/core/src/secret.js';
import { mustRun, run } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { type Generated, generated, publicPart, streamed, streamedText } from '../unit/formats/opened.js';

const ALGORITHMS = ['ecdsa-p384', 'ecdsa-p256', 'ed25519', 'rsa-4096'] as const;
const pairs = new Map<string, { root: Generated; issuing: Generated }>();

beforeAll(async () => {
  for (const algorithm of ALGORITHMS) {
    const root = await generated('pki/root', 'pki-root', { subject: { CN: 'Example Root' }, algorithm });
    const issuing = await generated('pki/issuing', 'pki-intermediate', { issuer: 'pki/root', subject: { CN: 'Example Issuing' }, algorithm }, { issuers: [root] });
    pairs.set(algorithm, { root, issuing });
  }
});

/** The CAs of one algorithm, and what their files hold in PEM. */
function pair(algorithm: string) {
  const { root, issuing } = pairs.get(algorithm)!;
  return { root, issuing, key: issuing.secret.file.useText((pem) => pem), certificates: [issuing, root].map((of) => publicPart(of, 'certificate')) };
}

const PASSWORDS = ['correct horse', 'pässwörd 日本', "'\"$ \\", 'x'.repeat(200)];

describeWith(['openssl'], 'p12, through OpenSSL without its legacy provider', ({ openssl }) => {
  async function read(pfx: Uint8Array, password: string, ...args: string[]) {
    const directory = tempDir();
    writeFileSync(join(directory, 'file.p12'), pfx);
    writeFileSync(join(directory, 'password'), `${password}\n`);
    return run(openssl, ['pkcs12', '-in', join(directory, 'file.p12'), '-passin', `file:${join(directory, 'password')}`, ...args]);
  }

  it.each(ALGORITHMS)('%s: key, certificate and chain come out as they went in', async (algorithm) => {
    const { issuing, key, certificates } = pair(algorithm);
    const pfx = await streamed('p12', [issuing.secret], { password: Secret.fromText('correct horse') });
    const keys = await read(pfx, 'correct horse', '-nodes', '-nocerts');
    expect(keys.code, keys.stderr).toBe(0);
    expect(keys.text).toContain(key);
    const certs = await read(pfx, 'correct horse', '-nokeys');
    expect(certs.text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g)!.map((pem) => pem.trim())).toEqual(certificates.map((pem) => pem.trim()));
    // The key finds its certificate, and only that one, by the common key id.
    expect((await read(pfx, 'correct horse', '-nokeys', '-clcerts')).text.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    expect((await read(pfx, 'correct horse', '-nokeys', '-cacerts')).text.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    const algorithms = (await read(pfx, 'correct horse', '-info', '-noout')).stderr;
    expect(algorithms).toContain('MAC: sha256, Iteration 100000');
    expect(algorithms.match(/PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256/g)).toHaveLength(2);
  });

  it.each(PASSWORDS)('the password %j, and no other', async (password) => {
    const pfx = await streamed('p12', [pair('ed25519').root.secret], { password: Secret.fromText(password) });
    expect((await read(pfx, password, '-nodes')).code).toBe(0);
    expect((await read(pfx, `${password}x`, '-nodes')).code).not.toBe(0);
  });

  it('a changed byte is noticed', async () => {
    const pfx = await streamed('p12', [pair('ed25519').root.secret], { password: Secret.fromText('correct horse') });
    pfx[Math.floor(pfx.length / 2)]! ^= 1;
    expect((await read(pfx, 'correct horse', '-nodes')).code).not.toBe(0);
  });

  it('lists the name that was asked for', async () => {
    const options = { password: Secret.fromText('correct horse') };
    expect((await read(await streamed('p12', [pair('ed25519').root.secret], options), 'correct horse', '-nodes')).text).toContain('friendlyName: pki/root');
    const named = await streamed('p12', [pair('ed25519').root.secret], { ...options, friendlyName: 'Platform root' });
    expect((await read(named, 'correct horse', '-nodes')).text).toContain('friendlyName: Platform root');
  });

  it.each(ALGORITHMS)('pem of %s: the chain verifies and the key is its own', async (algorithm) => {
    const { issuing, root, certificates } = pair(algorithm);
    const directory = tempDir();
    writeFileSync(join(directory, 'all.pem'), await streamed('pem', [issuing.secret]));
    writeFileSync(join(directory, 'root.pem'), certificates[1]!);
    await mustRun(openssl, ['verify', '-x509_strict', '-CAfile', join(directory, 'root.pem'), join(directory, 'all.pem')]);
    const fromKey = await mustRun(openssl, ['pkey', '-in', join(directory, 'all.pem'), '-pubout']);
    const fromCertificate = await mustRun(openssl, ['x509', '-in', join(directory, 'all.pem'), '-pubkey', '-noout']);
    expect(fromKey.text).toBe(fromCertificate.text);
    expect(createPublicKey(await streamedText('pem', [root.secret])).asymmetricKeyType).toBe(createPublicKey(fromKey.text).asymmetricKeyType);
  });
});

it.each(ALGORITHMS)('p12 of %s: Node takes it for TLS', async (algorithm) => {
  for (const password of PASSWORDS) {
    const pfx = Buffer.from(await streamed('p12', [pair(algorithm).issuing.secret], { password: Secret.fromText(password) }));
    expect(createSecureContext({ pfx, passphrase: password })).toBeDefined();
    expect(() => createSecureContext({ pfx, passphrase: `${password}x` })).toThrow(/mac verify failure/);
  }
});
