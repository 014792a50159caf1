import { createHash, generateKeyPairSync, type KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { importedFields, type Material, type MaterialKind } from '../../../packages/core/src/material/index.js';
import type { CaCertificate } from '../../../packages/core/src/material/pki-certificate.js';
import { chainFault } from '../../../packages/core/src/material/pki-chain.js';
import { issueCa, newCaKey } from '../../../packages/core/src/material/pki-issue.js';
import type { NameConstraints } from '../../../packages/core/src/material/pki-name-constraints.js';
import { pkiIntermediate, pkiRoot } from '../../../packages/core/src/material/pki.js';
import { BasicConstraintsExtension, Extension, KeyUsageFlags, KeyUsagesExtension, PublicKey, SubjectKeyIdentifierExtension, X509CertificateGenerator } from '../../../packages/core/src/material/x509.js';
import type { JsonObject } from '../../../packages/core/src/wire.js';
import { context, expectBound, failures, generate, NOW, read, refused, Secret, take, textOf } from './helpers.js';

const YEAR = 365 * 24 * 3600;
const CN = (name: string): JsonObject => ({ subject: { CN: name } });
const under = (issuer: Material) => ({ issuer: async () => issuer });
const root = await generate(pkiRoot, { subject: { CN: 'Example Root', O: 'Example' } });
const issuing = await generate(pkiIntermediate, { issuer: 'pki/root', ...CN('Example Issuing') }, under(root));
const certificate = (material: Material): string => String(material.public['certificate']);
const bundleOf = (kind: MaterialKind, material: Material): string => textOf(material) + certificate(material) + read(kind, material, 'chain');

describe('pki-root', () => {
  it.each([
    ['ecdsa-p384', 'ec'],
    ['ecdsa-p256', 'ec'],
    ['ed25519', 'ed25519'],
    ['rsa-4096', 'rsa'],
  ])('is made on %s', async (algorithm, type) => {
    const made = await generate(pkiRoot, { algorithm, ...CN('Example Root') });
    expect(new X509Certificate(certificate(made)).publicKey.asymmetricKeyType).toBe(type);
    expect(made.public['algorithm']).toBe(algorithm);
    expect(textOf(made)).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(await failures(pkiRoot, made)).toEqual([]);
  });

  it('is P-384, 20 years, path length 1 unless told otherwise', () => {
    expect(root.parameters).toEqual({ subject: { CN: 'Example Root', O: 'Example' }, algorithm: 'ecdsa-p384', years: 20, 'path-length': 1 });
    expect(pkiRoot.describe(root.parameters)).toBe('P-384 root, 20 years, path length 1');
    expect(root.public).toMatchObject({ chain: [], subject: 'O=Example, CN=Example Root', algorithm: 'ecdsa-p384', notBefore: NOW, pathLength: 1 });
    // 23 Nov 2046, 11:59:59 UTC
    expect(root.public['notAfter']).toBe(Date.UTC(2046, 10, 23, 11, 59, 59) / 1000);
    expect(pkiRoot.facts(root.public)).toBe('ecdsa-p384, until 2046-11-23');
  });

  it('shows its public parts as fields', () => {
    expect(read(pkiRoot, root, 'certificate')).toBe(certificate(root));
    expect(read(pkiRoot, root, 'chain')).toBe('');
    expect(read(pkiRoot, root, 'root')).toBe(certificate(root));
    expect(read(pkiRoot, root, 'bundle')).toBe(certificate(root));
    expect(read(pkiRoot, root, 'fingerprint')).toBe(new X509Certificate(certificate(root)).fingerprint256);
    expect(read(pkiRoot, root, 'key')).toBe(textOf(root));
    expect(Object.entries(pkiRoot.fields).filter(([, field]) => field.private).map(([name]) => name)).toEqual(['key']);
  });

  it('keeps odd characters in names as they are', async () => {
    const odd = 'Exämple, "Root" + #1 \\ <x>; CN=y';
    const made = await generate(pkiRoot, { subject: { CN: odd, O: '#1234', C: 'DE' } });
    expect(new X509Certificate(certificate(made)).toLegacyObject().subject).toMatchObject({ CN: odd, O: '#1234', C: 'DE' });
    expect((await take(pkiRoot, bundleOf(pkiRoot, made))).parameters).toMatchObject({ subject: { CN: odd, O: '#1234', C: 'DE' } });
  });

  it('has positive serial numbers below 2^159 that never repeat', async () => {
    const serials = await Promise.all(Array.from({ length: 40 }, async () => String((await generate(pkiRoot, CN('x'))).public['serial'])));
    expect(new Set(serials).size).toBe(40);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/);
  });

  it('is not rotated by a command', () => {
    expect(pkiRoot.rotation(root.parameters, root.public)).toMatchObject({ how: 'plan', words: expect.stringContaining('docs/pki-root-succession.md') as unknown });
  });

  const wrong: [JsonObject, string][] = [
    [{}, 'subject'],
    [{ subject: {} }, 'subject.CN'],
    [{ subject: { CN: '' } }, 'subject.CN'],
    [{ subject: { CN: 'x'.repeat(65) } }, 'subject.CN'],
    [{ subject: { CN: 'a\nb' } }, 'subject.CN'],
    [{ subject: { CN: 'x', C: 'de' } }, 'subject.C'],
    [{ subject: { CN: 'x', DC: 'y' } }, 'subject.DC'],
    [{ ...CN('x'), algorithm: 'rsa-1024' }, 'algorithm'],
    [{ ...CN('x'), years: 0 }, 'years'],
    [{ ...CN('x'), years: 41 }, 'years'],
    [{ ...CN('x'), 'path-length': -1 }, 'path-length'],
    [{ ...CN('x'), permit: [] }, 'permit'],
    [{ ...CN('x'), permit: ['.example.org'] }, 'permit.0'],
    [{ ...CN('x'), permit: ['*.example.org'] }, 'permit.0'],
    [{ ...CN('x'), permit: ['a.org', 'A.org'] }, 'permit.1'],
    [{ ...CN('x'), permit: ['a.org', 'a.org'] }, 'permit'],
    [{ ...CN('x'), permit: [`${'abcdefg.'.repeat(32)}org`] }, 'permit.0'],
    [{ ...CN('x'), permit: Array.from({ length: 101 }, (_, i) => `n${i}.org`) }, 'permit'],
    [{ ...CN('x'), usages: ['serverAuth'] }, 'usages'],
    [{ ...CN('x'), issuer: 'pki/root' }, 'issuer'],
  ];
  it.each(wrong)('refuses %j', async (parameters, field) => {
    expect((await refused('BAD_VALUE', () => pkiRoot.parameters(parameters))).message).toMatch(new RegExp(`^pki-root: ${field}: `));
  });
});

describe('pki-intermediate', () => {
  it('is issued by the secret that it names', () => {
    const [own, above] = [new X509Certificate(certificate(issuing)), new X509Certificate(certificate(root))];
    expect(own.verify(above.publicKey)).toBe(true);
    expect(own.checkIssued(above)).toBe(true);
    expect(issuing.public['chain']).toEqual([certificate(root)]);
    expect(issuing.public).toMatchObject({ pathLength: 0, notAfter: Date.UTC(2031, 10, 23, 11, 59, 59) / 1000 });
    expect(pkiIntermediate.describe(issuing.parameters)).toBe('issued by pki/root, P-384, 5 years, path length 0');
    expect(read(pkiIntermediate, issuing, 'bundle')).toBe(certificate(issuing));
    expect(read(pkiIntermediate, issuing, 'root')).toBe(certificate(root));
    expect(read(pkiIntermediate, issuing, 'chain')).toBe(certificate(root));
  });

  it.each(['ecdsa-p256', 'ed25519', 'rsa-4096'])('is issued by a root on %s', async (algorithm) => {
    const above = await generate(pkiRoot, { algorithm, ...CN('r') });
    expect(await failures(pkiIntermediate, await generate(pkiIntermediate, { issuer: 'r', ...CN('i') }, under(above)))).toEqual([]);
  });

  it('never outlives its issuer', async () => {
    const shortRoot = await generate(pkiRoot, { years: 2, ...CN('r') });
    const made = await generate(pkiIntermediate, { issuer: 'r', years: 5, ...CN('i') }, under(shortRoot));
    expect(made.public['notAfter']).toBe(shortRoot.public['notAfter']);
  });

  it('may be issued by another intermediate, as deep as the path lengths allow', async () => {
    const deep = await generate(pkiRoot, { 'path-length': 2, ...CN('r') });
    const one = await generate(pkiIntermediate, { issuer: 'r', 'path-length': 1, ...CN('1') }, under(deep));
    const two = await generate(pkiIntermediate, { issuer: 'one', ...CN('2') }, under(one));
    expect(two.public['chain']).toEqual([certificate(one), certificate(deep)]);
    expect(read(pkiIntermediate, two, 'bundle')).toBe(certificate(two) + certificate(one));
    expect(await failures(pkiIntermediate, two)).toEqual([]);
    await refused('BAD_VALUE', () => generate(pkiIntermediate, { issuer: 'two', ...CN('3') }, under(two)));
    // The root allows two below it; one intermediate that claims more may not be made, either.
    await refused('BAD_VALUE', () => generate(pkiIntermediate, { issuer: 'r', 'path-length': 2, ...CN('1') }, under(deep)));
    await refused('BAD_VALUE', () => generate(pkiIntermediate, { issuer: 'one', 'path-length': 1, ...CN('2') }, under(one)));
  });

  it('stays within the names that its issuer permits', async () => {
    const above = await generate(pkiRoot, { permit: ['example.internal'], exclude: ['secret.example.internal'], ...CN('r') });
    expect(above.public).toMatchObject({ permit: ['example.internal'], exclude: ['secret.example.internal'] });
    const made = await generate(pkiIntermediate, { issuer: 'r', permit: ['example.internal', 'a.example.internal'], ...CN('i') }, under(above));
    expect(await failures(pkiIntermediate, made)).toEqual([]);
    for (const name of ['example.org', 'badexample.internal', 'internal', 'a.secret.example.internal']) {
      expect((await refused('BAD_VALUE', () => generate(pkiIntermediate, { issuer: 'r', permit: [name], ...CN('i') }, under(above)))).message).toContain(name);
    }
  });

  it('refuses an issuer that cannot sign', async () => {
    const password: Material = { kind: 'password', file: Secret.fromText('x'), parameters: {}, public: {} };
    expect((await refused('BAD_VALUE', () => generate(pkiIntermediate, { issuer: 'app/x', ...CN('i') }, under(password)))).message).toContain('app/x is a password');
    const other = await generate(pkiRoot, CN('Other'));
    expect((await refused('BAD_MATERIAL', () => generate(pkiIntermediate, { issuer: 'r', ...CN('i') }, under({ ...root, file: other.file })))).message).toContain('key matches certificate');
    const late = { ...context('x'), now: NOW + 21 * YEAR, issuer: async () => root };
    expect((await refused('BAD_MATERIAL', () => pkiIntermediate.generate!(pkiIntermediate.parameters({ issuer: 'r', ...CN('i') }), late))).message).toContain('was valid until 2046-11-23');
    await refused('BAD_VALUE', () => generate(pkiIntermediate, { issuer: 'r', ...CN('i') }));
  });

  it('needs an issuer and a subject to be made, and neither to be taken in', async () => {
    await refused('BAD_VALUE', () => pkiIntermediate.parameters(CN('x')));
    await refused('BAD_VALUE', () => pkiIntermediate.parameters({ issuer: 'pki/root' }));
    await refused('BAD_VALUE', () => pkiIntermediate.parameters({ issuer: '../x', ...CN('x') }));
    expect(pkiIntermediate.parameters({}, 'import')).not.toHaveProperty('issuer');
  });

  it.each([[[]], [['serverAuth', 'serverAuth']], [['anything']], ['serverAuth']])('refuses the usages %j', async (usages) => {
    expect((await refused('BAD_VALUE', () => pkiIntermediate.parameters({ issuer: 'r', ...CN('x'), usages }))).message).toMatch(/^pki-intermediate: usages/);
  });

  it('is rotated by its issuer, where that is known', async () => {
    expect(pkiIntermediate.rotation(issuing.parameters, issuing.public).how).toBe('generate');
    const taken = await take(pkiIntermediate, bundleOf(pkiIntermediate, issuing));
    expect(pkiIntermediate.rotation(taken.parameters, taken.public).how).toBe('by-hand');
    const next = await generate(pkiIntermediate, issuing.parameters, { ...under(root), previous: issuing });
    expect(next.public['fingerprint']).not.toBe(issuing.public['fingerprint']);
    expect(textOf(next)).not.toBe(textOf(issuing));
  });
});

describe('import', () => {
  it.each([
    ['root', pkiRoot, () => bundleOf(pkiRoot, root), root],
    ['intermediate', pkiIntermediate, () => bundleOf(pkiIntermediate, issuing), issuing],
    ['intermediate, in another order', pkiIntermediate, () => certificate(root) + certificate(issuing) + textOf(issuing), issuing],
    ['intermediate, as fields', pkiIntermediate, () => new TextDecoder().decode(importedFields({ key: textOf(issuing), certificate: certificate(issuing), chain: certificate(root) })), issuing],
  ])('takes in a %s', async (_title, kind, text, original) => {
    const taken = await take(kind, text());
    expect(taken.public).toEqual(original.public);
    expect(textOf(taken)).toBe(textOf(original));
    expect(await failures(kind, taken)).toEqual([]);
  });

  it.each([
    ['a root as an intermediate', pkiIntermediate, () => bundleOf(pkiRoot, root), /no issuer in the file/],
    ['an intermediate as a root', pkiRoot, () => bundleOf(pkiIntermediate, issuing), /issued by another/],
    ['an intermediate alone', pkiIntermediate, () => textOf(issuing) + certificate(issuing), /no issuer in the file/],
    ['an intermediate alone, as a root', pkiRoot, () => textOf(issuing) + certificate(issuing), /no root/],
    ['a key alone', pkiRoot, () => textOf(root), /no certificate/],
    ['a certificate alone', pkiRoot, () => certificate(root), /no private key in PEM/],
    ['two keys', pkiRoot, () => textOf(root) + textOf(issuing) + certificate(root), /2 private keys/],
    ['the key of another', pkiRoot, () => textOf(issuing) + certificate(root), /no certificate of this private key/],
    ['a certificate too many', pkiRoot, () => bundleOf(pkiRoot, root) + certificate(issuing), /not above it/],
    ['nothing', pkiRoot, () => '', /no private key in PEM/],
    ['bytes that are no text', pkiRoot, () => new Uint8Array([0x30, 0x82, 0xff]), /not PEM text/],
    ['a key of another form', pkiRoot, () => textOf(root).replaceAll('PRIVATE KEY', 'DSA PRIVATE KEY') + certificate(root), /none of the forms/],
    ['a broken key', pkiRoot, () => textOf(root).replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA') + certificate(root), /private key cannot be read/],
    ['a short RSA key', pkiRoot, () => String(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs1', format: 'pem' })) + certificate(root), /shorter than 2048/],
    ['an encrypted key of the old form', pkiRoot, () => String(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })) + certificate(root), /passphrase/],
    ['a broken certificate', pkiRoot, () => textOf(root) + certificate(root).replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'), /cannot be read/],
    ['an EC key on a strange curve', pkiRoot, () => String(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey.export({ type: 'pkcs8', format: 'pem' })) + certificate(root), /neither ECDSA/],
    ['an encrypted key', pkiRoot, () => String(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })) + certificate(root), /passphrase/],
  ])('refuses %s', async (_title, kind, text, message) => {
    const error = await refused('BAD_MATERIAL', () => take(kind, text()), textOf(root).split('\n')[2]);
    expect(error.message).toMatch(message);
  });

  describe('of a certificate made elsewhere', () => {
    const made = async (extensions: Extension[], name = 'CN=Elsewhere'): Promise<string> => {
      const { privateKey, publicKey } = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
      const pem = await X509CertificateGenerator.create(
        { publicKey: new PublicKey(await webcrypto.subtle.exportKey('spki', publicKey)), signingKey: privateKey, subject: name, issuer: name, notBefore: new Date(NOW * 1000), notAfter: new Date((NOW + YEAR) * 1000), extensions },
        webcrypto,
      );
      const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
      return `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n${pem.toString('pem')}\n`;
    };
    const ca = new BasicConstraintsExtension(true, undefined, true);
    const sign = new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true);
    const skid = new SubjectKeyIdentifierExtension('00112233445566778899aabbccddeeff00112233');
    /** permitted;IP:10.0.0.0/255.0.0.0 */
    const foreign = new Extension('2.5.29.30', true, Buffer.from('300ea00c300a87080a000000ff000000', 'hex'));

    it('takes one without a path length', async () => {
      const taken = await take(pkiRoot, await made([ca, sign, skid]));
      expect(taken.public).not.toHaveProperty('pathLength');
      const below = await generate(pkiIntermediate, { issuer: 'r', 'path-length': 8, ...CN('i') }, under(taken));
      expect(await failures(pkiIntermediate, below)).toEqual([]);
    });

    it('says no subject that it could not write itself', async () => {
      for (const name of ['CN=a, CN=b', 'CN=a, DC=b', 'O=b']) expect((await take(pkiRoot, await made([ca, sign, skid], name))).parameters).not.toHaveProperty('subject');
      expect((await take(pkiRoot, await made([ca, sign, skid], 'CN=a, O=b'))).parameters).toHaveProperty('subject', { CN: 'a', O: 'b' });
    });

    it.each([
      ['is no CA', [new BasicConstraintsExtension(false, undefined, true), sign, skid], /is no CA certificate/],
      ['says nothing of being a CA', [sign, skid], /is no CA certificate/],
      ['may not sign certificates', [ca, new KeyUsagesExtension(KeyUsageFlags.cRLSign, true), skid], /is no CA certificate/],
      ['says nothing of its use', [ca, skid], /is no CA certificate/],
      ['constrains what is not understood', [ca, sign, skid, foreign], /other than DNS names/],
      ['has no key identifier', [ca, sign], /no subject key identifier/],
    ])('refuses one that %s', async (_title, extensions, message) => {
      expect((await refused('BAD_MATERIAL', async () => take(pkiRoot, await made(extensions)))).message).toMatch(message);
    });
  });

  it('refuses what has expired', async () => {
    const old = { ...context(), now: NOW + 21 * YEAR };
    expect((await refused('BAD_MATERIAL', () => pkiRoot.import(new TextEncoder().encode(bundleOf(pkiRoot, root)), {}, old))).message).toContain('was valid until');
  });
});

describe('check', () => {
  it('binds the key to the signed certificate', async () => {
    await expectBound(pkiRoot, root, await generate(pkiRoot, CN('Example Root')));
    await expectBound(pkiIntermediate, issuing, root);
  });

  it('says what it has looked at', async () => {
    expect((await pkiRoot.check(root, { now: NOW })).map(({ check }) => check)).toEqual(['key matches certificate', 'chain verifies', 'public parts match']);
  });

  it('looks at the clock', async () => {
    expect(await failures(pkiRoot, root, NOW - 1)).toMatchObject([{ check: 'chain verifies' }]);
    expect(await failures(pkiRoot, root, NOW + 21 * YEAR)).toMatchObject([{ check: 'chain verifies', detail: expect.stringContaining('2046-11-23') as unknown }]);
    expect(await failures(pkiIntermediate, issuing, NOW + 6 * YEAR)).toMatchObject([{ check: 'chain verifies' }]);
  });

  const changed = (material: Material, parts: JsonObject): Material => ({ ...material, public: { ...material.public, ...parts } });
  it('refuses a chain that does not hold together', async () => {
    const twin = await generate(pkiRoot, { subject: { CN: 'Example Root', O: 'Example' } });
    const fault = async (kind: MaterialKind, material: Material): Promise<string | undefined> => (await failures(kind, material))[0]?.detail;
    expect(await fault(pkiIntermediate, changed(issuing, { chain: [certificate(twin)] }))).toMatch(/is not issued by/);
    expect(await fault(pkiIntermediate, changed(issuing, { chain: [] }))).toMatch(/chain is missing/);
    expect(await fault(pkiRoot, changed(root, { chain: [certificate(twin)] }))).toMatch(/no chain above it/);
    expect(await fault(pkiIntermediate, changed(issuing, { chain: [certificate(root), certificate(twin)] }))).toMatch(/is not issued by/);
    expect(await fault(pkiIntermediate, changed(issuing, { certificate: 'hunter2' }))).not.toContain('hunter2');
  });

  it('misses name constraints that had been asked for', async () => {
    const fault = [{ check: 'name constraints present', ok: false }];
    for (const parameters of [{ permit: ['example.org'] }, { exclude: ['example.org'] }]) {
      expect(await failures(pkiRoot, { ...root, parameters: { ...root.parameters, ...parameters } })).toEqual(fault);
      const constrained = await generate(pkiRoot, { subject: { CN: 'x' }, ...parameters });
      expect(await failures(pkiRoot, constrained)).toEqual([]);
      expect(await failures(pkiRoot, { ...constrained, parameters: { ...constrained.parameters, permit: ['example.net'], exclude: ['example.net'] } })).toEqual(fault);
    }
  });

  it('says so of a file that is no key', async () => {
    expect(await failures(pkiRoot, { ...root, file: Secret.fromText('hunter2') })).toEqual([{ check: 'key matches certificate', ok: false, detail: 'pki-root: its private key cannot be read' }]);
  });

  it('refuses a CA that claims more than those above it gave', async () => {
    const ca = async (issuer: { certificate: CaCertificate; key: KeyObject } | undefined, pathLength: number, constraints: NameConstraints, notAfter = NOW + YEAR) => {
      const key = await newCaKey('ecdsa-p256');
      const request = { key, subject: { CN: `CA ${pathLength}` }, notBefore: NOW, notAfter, pathLength, constraints };
      return { key, certificate: await issueCa(issuer === undefined ? request : { ...request, issuer }) };
    };
    const top = await ca(undefined, 1, { permit: ['example.org'] });
    const fault = (...chain: { certificate: CaCertificate }[]): string | undefined => chainFault(chain.map(({ certificate }) => certificate), NOW);
    const middle = await ca(top, 0, {});
    expect(fault(middle, top)).toBeUndefined();
    expect(fault(await ca(middle, 0, {}), middle, top)).toMatch(/path length of CN=CA 0 does not allow 1 CA/);
    expect(fault(await ca(top, 0, { permit: ['example.net'] }), top)).toMatch(/permits example\.net/);
    expect(fault(await ca(top, 0, {}, NOW + 2 * YEAR), top)).toMatch(/valid longer than its issuer/);
    expect(fault(middle)).toMatch(/is no root/);
  });

  it('refuses a forged signature under the right names', async () => {
    const der = Buffer.from(new X509Certificate(certificate(issuing)).raw);
    der[der.length - 1]! ^= 1;
    const forged = `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
    expect((await failures(pkiIntermediate, changed(issuing, { certificate: forged })))[0]).toMatchObject({ check: 'chain verifies', detail: expect.stringContaining('signature') as unknown });
  });

  it.each([['notAfter', 1], ['fingerprint', 'AA'], ['subject', 'CN=x'], ['permit', ['example.org']], ['skid', '00'], ['pathLength', 9], ['algorithm', 'ed25519'], ['serial', '00']])('refuses a public part %s that is not the certificate’s', async (part, value) => {
    expect(await failures(pkiIntermediate, changed(issuing, { [part]: value }))).toEqual([{ check: 'public parts match', ok: false, detail: `different: ${part}` }]);
  });
});

it('makes the key identifier from SHA-256 of the public key', () => {
  const { publicKey } = new X509Certificate(certificate(root));
  // The public point: the last 97 bytes of the DER.
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-97);
  expect(root.public['skid']).toBe(createHash('sha256').update(point).digest('hex').slice(0, 40));
});

it('is a fixed point of its own parameters', () => {
  for (const { kind, parameters } of [root, issuing]) {
    expect((kind === 'pki-root' ? pkiRoot : pkiIntermediate).parameters(parameters)).toEqual(parameters);
  }
});
