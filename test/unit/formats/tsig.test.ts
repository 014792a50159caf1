import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { OpenedSecret } from '../../../packages/core/src/formats/index.js';
import { failure, opened, said, streamed, streamedText, written } from './opened.js';

const SECRET = Buffer.alloc(32, 7).toString('base64');

function clause(keyname: string, algorithm = 'hmac-sha256'): string {
  return `key "${keyname}" {\n\talgorithm ${algorithm};\n\tsecret "${SECRET}";\n};\n`;
}

function tsig(name: string, keyname: string, more: Partial<OpenedSecret> = {}): OpenedSecret {
  return opened(name, clause(keyname), { kind: 'tsig', public: { keyname, algorithm: 'hmac-sha256', bits: 256 }, ...more });
}

describe('bind', () => {
  it('writes the clauses of all versions that are not retired, oldest first, with what they are', async () => {
    const versions = [
      tsig('dns/key', 'external-dns-v3.', { version: 3 }),
      tsig('dns/key', 'external-dns-v2.', { version: 2, newest: false }),
      tsig('dns/key', 'external-dns.', { version: 1, newest: false, retired: true }),
    ];
    expect(await streamedText('bind', versions)).toBe(`// dns/key v2\n${clause('external-dns-v2.')}// dns/key v3\n${clause('external-dns-v3.')}`);
  });

  it.each([
    ['external-dns.', 'external-dns.'],
    ['external-dns.', 'External-DNS'],
  ])('refuses two clauses of one name: %s and %s', async (one, other) => {
    const another = opened('dns/key', clause(other, 'hmac-sha512'), { kind: 'tsig', public: { keyname: other, algorithm: 'hmac-sha512', bits: 256 }, version: 2 });
    const error = await failure(streamed('bind', [tsig('dns/key', one, { version: 1 }), another]));
    expect(error).toMatchObject({ code: 'FORMAT_UNSUITABLE' });
    expect(error.message).toMatch(/^dns\/key v1 and dns\/key v2 both hold the key external-dns,/);
    expect(said(error)).not.toContain(SECRET);
  });

  it('takes that name once where the other version is retired', async () => {
    const two = [tsig('dns/key', 'k.', { version: 1, newest: false, retired: true }), tsig('dns/key', 'k.', { version: 2 })];
    expect(await streamedText('bind', two)).toBe(`// dns/key v2\n${clause('k.')}`);
  });

  it('writes a key once that was sealed again, as at a handover', async () => {
    const versions = [tsig('dns/key', 'k-v2.', { version: 3 }), tsig('dns/key', 'k.', { version: 2, newest: false }), tsig('dns/key', 'k.', { version: 1, newest: false })];
    expect(await streamedText('bind', versions)).toBe(`// dns/key v1\n${clause('k.')}// dns/key v3\n${clause('k-v2.')}`);
  });

  it('does not take two secrets with the same clause for one', async () => {
    await expect(streamed('bind', [tsig('dns/a', 'k.'), tsig('dns/b', 'k.')])).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
  });

  it('refuses where all are retired', async () => {
    await expect(streamed('bind', [tsig('a', 'k.', { retired: true })])).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
  });
});

describe('external-dns', () => {
  it('is the Secret of its tutorial, with the algorithm', async () => {
    const manifest: unknown = parse(await streamedText('external-dns', [tsig('dns/rfc2136_tsig_secret', 'external-dns.', { version: 4 })]));
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    expect(manifest).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'rfc2136-keys',
        labels: { 'app.kubernetes.io/managed-by': 'oxp-vault' },
        annotations: { 'oxp-vault/source': 'dns/rfc2136_tsig_secret v4' },
      },
      type: 'Opaque',
      data: {
        'rfc2136-tsig-secret': base64(SECRET),
        'rfc2136-tsig-keyname': base64('external-dns.'),
        'rfc2136-tsig-secret-alg': base64('hmac-sha256'),
      },
    });
  });

  it('takes another name and a namespace', async () => {
    const manifest: unknown = parse(await streamedText('external-dns', [tsig('a', 'k.')], { secretName: 'zone-keys', namespace: 'dns' }));
    expect(manifest).toMatchObject({ metadata: { name: 'zone-keys', namespace: 'dns' } });
  });

  it('gives the newest version and no other', async () => {
    for (const more of [{ newest: false }, { retired: true }]) {
      const error = await failure(streamed('external-dns', [tsig('a', 'k.', { version: 3, ...more })]));
      expect(error).toMatchObject({ code: 'FORMAT_UNSUITABLE' });
      expect(error.message).toMatch(/^a v3 /);
    }
  });

  it('refuses an algorithm that external-dns does not know', async () => {
    const md5 = tsig('a', 'k.', { public: { keyname: 'k.', algorithm: 'hmac-md5' } });
    const error = await failure(streamed('external-dns', [md5]));
    expect(error).toMatchObject({ code: 'FORMAT_UNSUITABLE', message: 'a uses hmac-md5, which external-dns does not know' });
  });

  it('takes one secret, into a directory too', async () => {
    const two = [tsig('a', 'k.'), tsig('b', 'l.')];
    await expect(streamed('external-dns', two)).rejects.toMatchObject({ code: 'USAGE' });
    await expect(written('external-dns', two)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
