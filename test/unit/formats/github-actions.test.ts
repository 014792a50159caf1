import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from 'vitest';
import { failure, opened, said, streamed, streamedText, written } from './opened.js';

interface KeyPair {
  publicKey: Uint8Array;
  privateKey: Uint8Array;
}

interface Sodium {
  ready: Promise<void>;
  crypto_box_keypair(): KeyPair;
  crypto_box_seal_open(box: Uint8Array, publicKey: Uint8Array, privateKey: Uint8Array): Uint8Array;
}

/** A dependency of the library, not of the workspace. */
const sodium = createRequire(new URL('../../../packages/core/package.json', import.meta.url))('libsodium-wrappers') as Sodium;

let pair: KeyPair;
let options: { githubKey: string; githubKeyId: string };

beforeAll(async () => {
  await sodium.ready;
  pair = sodium.crypto_box_keypair();
  options = { githubKey: Buffer.from(pair.publicKey).toString('base64'), githubKeyId: '568250167242549743' };
});

function open(body: { encrypted_value: string }): Uint8Array {
  return sodium.crypto_box_seal_open(Buffer.from(body.encrypted_value, 'base64'), pair.publicKey, pair.privateKey);
}

describe('github-actions', () => {
  it('seals each secret so that the holder of the key opens exactly its bytes', async () => {
    const binary = Uint8Array.of(0, 255, 1);
    const text = await streamedText('github-actions', [opened('db/password', 'hunter2'), opened('a', binary)], options);
    const document = JSON.parse(text) as Record<string, { encrypted_value: string; key_id: string }>;
    expect(Object.keys(document)).toEqual(['A', 'DB_PASSWORD']);
    expect(document['A']!.key_id).toBe('568250167242549743');
    expect(open(document['A']!)).toEqual(binary);
    expect(Buffer.from(open(document['DB_PASSWORD']!)).toString()).toBe('hunter2');
    expect(text).not.toContain('hunter2');
  });

  it('writes one request body a file into a directory', async () => {
    const files = await written('github-actions', [opened('db/password', 'hunter2')], { ...options, prefix: 'prod_' });
    expect([...files.keys()]).toEqual(['PROD_DB_PASSWORD.json']);
    const body = JSON.parse(Buffer.from(files.get('PROD_DB_PASSWORD.json')!.bytes).toString()) as { encrypted_value: string };
    expect(Object.keys(body)).toEqual(['encrypted_value', 'key_id']);
    expect(Buffer.from(open(body)).toString()).toBe('hunter2');
  });

  it('leaves the secret itself whole', async () => {
    const secret = opened('a', 'hunter2');
    await streamed('github-actions', [secret], options);
    expect(secret.file.useText((text) => text)).toBe('hunter2');
  });

  it('needs key and key id', async () => {
    const { githubKey, githubKeyId } = options;
    await expect(streamed('github-actions', [opened('a')], { githubKey })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(streamed('github-actions', [opened('a')], { githubKeyId })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it.each([
    ['not canonical base64', `${'A'.repeat(42)}F=`],
    ['of small order', `${'A'.repeat(43)}=`],
  ])('refuses a key that is %s', async (_, githubKey) => {
    const error = await failure(streamed('github-actions', [opened('a', 'hunter2')], { ...options, githubKey }));
    expect(error).toMatchObject({ code: 'BAD_VALUE', message: 'the GitHub public key is no usable X25519 key' });
    expect(said(error)).not.toContain('hunter2');
  });

  it('refuses names that GitHub keeps and secrets of one name', async () => {
    await expect(streamed('github-actions', [opened('github/token')], options)).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
    expect(Object.keys(JSON.parse(await streamedText('github-actions', [opened('github/token')], { ...options, prefix: 'my_' })) as object)).toEqual(['MY_GITHUB_TOKEN']);
    await expect(streamed('github-actions', [opened('a/b'), opened('a.b')], options)).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
  });

  it('takes 48 KB and no more', async () => {
    expect(await streamed('github-actions', [opened('a', new Uint8Array(48 * 1024))], options)).toBeInstanceOf(Uint8Array);
    const error = await failure(streamed('github-actions', [opened('a', new Uint8Array(48 * 1024 + 1))], options));
    expect(error).toMatchObject({ code: 'FORMAT_UNSUITABLE', message: 'a has 49153 bytes; GitHub takes 48 KB at most' });
  });
});
