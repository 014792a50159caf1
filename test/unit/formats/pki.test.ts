import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Secret } from '../../../packages/core/src/secret.js';
import { failure, type Generated, generated, opened, publicPart, said, streamed, streamedText, written } from './opened.js';

let root: Generated;
let issuing: Generated;

beforeAll(async () => {
  root = await generated('pki/root', 'pki-root', { subject: { CN: 'Example Root' } });
  issuing = await generated('pki/issuing', 'pki-intermediate', { issuer: 'pki/root', subject: { CN: 'Example Issuing' } }, { issuers: [root] });
});

const file = ({ secret }: Generated): string => secret.file.useText((pem) => pem);
const certificate = (of: Generated): string => publicPart(of, 'certificate');
const names = (pem: string): string[] => pem.match(/-----BEGIN [A-Z ]+-----/g)!.map((line) => line.slice(11, -5));

describe('pem', () => {
  it('is the key, the certificate, then the issuers up to the root', async () => {
    const text = await streamedText('pem', [issuing.secret]);
    expect(names(text)).toEqual(['PRIVATE KEY', 'CERTIFICATE', 'CERTIFICATE']);
    expect(text).toBe(file(issuing) + certificate(issuing) + certificate(root));
    expect(names(await streamedText('pem', [root.secret]))).toEqual(['PRIVATE KEY', 'CERTIFICATE']);
  });

  it('is separate files in a directory', async () => {
    const paths = [...(await written('pem', [issuing.secret, root.secret])).keys()];
    expect(paths).toEqual(['pki/issuing.chain.crt', 'pki/issuing.crt', 'pki/issuing.key', 'pki/root.crt', 'pki/root.key']);
  });
});

describe('k8s-secret of a CA', () => {
  it('is kubernetes.io/tls, the issuing CA first', async () => {
    const manifest = parse(await streamedText('k8s-secret', [issuing.secret])) as { type: string; data: Record<string, string> };
    expect(manifest.type).toBe('kubernetes.io/tls');
    expect(Object.keys(manifest.data)).toEqual(['tls.crt', 'tls.key']);
    const pem = Buffer.from(manifest.data['tls.crt']!, 'base64').toString();
    expect(pem).toBe(certificate(issuing) + certificate(root));
    expect(new X509Certificate(pem).subject).toContain('Example Issuing');
    expect(Buffer.from(manifest.data['tls.key']!, 'base64').toString()).toBe(file(issuing));
  });

  it('is Opaque beside others in one manifest, and for a single field', async () => {
    const both = parse(await streamedText('k8s-secret', [issuing.secret, opened('a')], { secretName: 'both' })) as { type: string; data: object };
    expect(both.type).toBe('Opaque');
    expect(Object.keys(both.data)).toEqual(['pki.issuing.key', 'pki.issuing.crt', 'pki.issuing.chain.crt', 'a']);
    expect(parse(await streamedText('k8s-secret', [{ ...root.secret, field: 'certificate' }]))).toMatchObject({
      type: 'Opaque',
      data: { 'root.certificate': Buffer.from(certificate(root)).toString('base64') },
    });
  });
});

describe('p12', () => {
  const password = Secret.fromText('hunter2');

  it('needs a password that every key store reads alike', async () => {
    await expect(streamed('p12', [root.secret])).rejects.toMatchObject({ code: 'USAGE' });
    for (const bad of [new Uint8Array(), Uint8Array.of(0xff, 0x61)]) {
      await expect(streamed('p12', [root.secret], { password: Secret.take(bad) })).rejects.toMatchObject({ code: 'BAD_VALUE' });
    }
  });

  it.each(['a\nb', '\u{1f600}', '', 'x'.repeat(256)])('refuses the friendly name %j', async (friendlyName) => {
    await expect(streamed('p12', [root.secret], { password, friendlyName })).rejects.toMatchObject({ code: 'BAD_VALUE' });
  });

  it('is a file for each in a directory', async () => {
    const files = await written('p12', [issuing.secret, root.secret], { password });
    expect([...files].map(([path, { mode }]) => [path, mode])).toEqual([
      ['pki/issuing.p12', 0o600],
      ['pki/root.p12', 0o600],
    ]);
  });

  it('shows neither key nor password in the clear, nor twice the same bytes', async () => {
    const one = Buffer.from(await streamed('p12', [root.secret], { password }));
    const other = Buffer.from(await streamed('p12', [root.secret], { password }));
    const der = Buffer.from(file(root).replace(/-----[^-]+-----|\s/g, ''), 'base64');
    expect(one.includes(der.subarray(30, 60))).toBe(false);
    expect(one.includes('hunter2') || one.includes(Buffer.from('hunter2', 'utf16le').swap16())).toBe(false);
    expect(one.subarray(60).equals(other.subarray(60))).toBe(false);
  });

  it('says of a broken key only that it is one', async () => {
    const error = await failure(streamed('p12', [{ ...root.secret, file: Secret.fromText('-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n') }], { password }));
    expect(error).toMatchObject({ code: 'BAD_MATERIAL', message: 'pki/root does not hold a private key that OpenSSL reads' });
    expect(error.cause).toBeUndefined();
    expect(said(error)).not.toContain('c2Vj');
  });
});
