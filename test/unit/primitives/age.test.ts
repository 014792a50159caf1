import { Decrypter, Encrypter, generateX25519Identity } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { VaultError, type ErrorCode } from '../../../packages/core/src/errors.js';
import { X25519Identity, X25519Recipient } from '../../../packages/core/src/primitives/age-native.js';
import {
  CHUNK_SIZE,
  decryptPayloadStream,
  decryptStreamPayload,
  encryptPayloadStream,
  encryptStreamPayload,
  payloadSize,
} from '../../../packages/core/src/primitives/age-payload.js';
import {
  ageDecrypt,
  ageEncrypt,
  ageHeaderStanzas,
  agePassphraseDecrypt,
  agePassphraseEncrypt,
  decryptWithFileKey,
  fileKeyOf,
  generateAgeIdentity,
  identityToRecipient,
  splitHeader,
} from '../../../packages/core/src/primitives/age.js';
import { concatBytes, utf8 } from '../../../packages/core/src/primitives/hash.js';

async function code(fn: () => unknown): Promise<ErrorCode> {
  try {
    await fn();
  } catch (error) {
    if (error instanceof VaultError) return error.code;
    throw error;
  }
  throw new Error('nothing was refused');
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return concatBytes(...parts);
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const secret = utf8('the plaintext');
const someBytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((b, i) => (i === at ? b ^ 0x10 : b));

describe('ageEncrypt', () => {
  it.each([1, 2, 7])('is read by each of %i recipients and nobody else', async (count) => {
    const identities = await Promise.all(Array.from({ length: count }, () => generateAgeIdentity()));
    const file = await ageEncrypt(secret, await Promise.all(identities.map(identityToRecipient)));
    for (const identity of identities) expect(await ageDecrypt(file, [await generateAgeIdentity(), identity])).toEqual(secret);
    expect(await code(async () => ageDecrypt(file, [await generateAgeIdentity()]))).toBe('DECRYPT_FAILED');
    expect(await code(() => ageDecrypt(file, []))).toBe('DECRYPT_FAILED');
    expect(await ageHeaderStanzas(file)).toEqual({ types: Array.from({ length: count }, () => 'X25519'), type: 'X25519', count });
  });

  it('refuses what age-encryption lets pass', async () => {
    const classic = await identityToRecipient(await generateAgeIdentity());
    const hybrid = await identityToRecipient(await generateAgeIdentity({ pq: true }));
    expect(await code(() => ageEncrypt(secret, []))).toBe('NO_RECIPIENTS');
    expect(await code(() => ageEncrypt(secret, [classic, hybrid]))).toBe('MIXED_RECIPIENTS');
    expect(await code(() => ageEncrypt(secret, [hybrid, classic]))).toBe('MIXED_RECIPIENTS');
  });

  it.each([
    'age1',
    'age1tag1qwe0kafsjrar4txm6heqnhpfuggzr0gvznz7fvygxrlq90u5mq2pysxtw6h',
    'age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt',
    'AGE1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQS8LTXDM',
    'ssh-ed25519 AAAA',
    'age1pq1qqqq',
    // 32 bytes, sound checksum, another prefix
    'agex1pyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyyssm53ur',
    'age1x1pyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyyssm779l',
    // 31 bytes
    'age1pyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyyfw987',
    '',
  ])('refuses the recipient %j', async (recipient) => {
    expect(await code(() => ageEncrypt(secret, [recipient]))).toBe('BAD_VALUE');
  });

  it('refuses a recipient of low order', async () => {
    // The all-zero point: to it every sender computes the same wrapping key, which anybody can.
    expect(await code(() => ageEncrypt(secret, ['age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z']).catch((e: unknown) => {
      expect(String(e)).toContain('low order');
      throw e;
    }))).toBe('BAD_VALUE');
  });

  it('refuses a classic recipient with one letter changed', async () => {
    const recipient = await identityToRecipient(await generateAgeIdentity());
    const changed = recipient.slice(0, -1) + (recipient.endsWith('q') ? 'p' : 'q');
    expect(await code(() => new X25519Recipient(changed))).toBe('BAD_VALUE');
    expect(await code(() => new X25519Recipient(recipient.toUpperCase()))).toBe('BAD_VALUE');
  });

  it('makes a post-quantum file for post-quantum recipients', async () => {
    const identity = await generateAgeIdentity({ pq: true });
    const recipient = await identityToRecipient(identity);
    expect(identity).toMatch(/^AGE-SECRET-KEY-PQ-1/);
    expect(recipient).toMatch(/^age1pq1/);
    const file = await ageEncrypt(secret, [recipient, recipient]);
    expect(await ageDecrypt(file, [identity])).toEqual(secret);
    expect(await ageHeaderStanzas(file)).toEqual({ types: ['mlkem768x25519', 'mlkem768x25519'], type: 'mlkem768x25519', count: 2 });
    expect(await code(async () => ageDecrypt(file, [await generateAgeIdentity()]))).toBe('DECRYPT_FAILED');
  });
});

describe('age-encryption reads and is read', () => {
  it('with X25519', async () => {
    const identity = await generateX25519Identity();
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(identity));
    expect(await ageDecrypt(await encrypter.encrypt(secret), [identity])).toEqual(secret);
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    for (const size of [0, 1, CHUNK_SIZE, CHUNK_SIZE + 1]) {
      const plaintext = someBytes(size);
      expect(await decrypter.decrypt(await ageEncrypt(plaintext, [await identityToRecipient(identity)]))).toEqual(plaintext);
    }
  });

  it('with a passphrase', async () => {
    const encrypter = new Encrypter();
    encrypter.setPassphrase('pässphrase');
    encrypter.setScryptWorkFactor(10);
    expect(await agePassphraseDecrypt(await encrypter.encrypt(secret), 'pässphrase')).toEqual(secret);
    const decrypter = new Decrypter();
    decrypter.addPassphrase('pässphrase');
    expect(await decrypter.decrypt(await agePassphraseEncrypt(secret, 'pässphrase', 10))).toEqual(secret);
  });
});

describe('identities', () => {
  it('have the recipient that age-encryption derives', async () => {
    const age = await import('age-encryption');
    for (const pq of [false, true]) {
      const identity = await generateAgeIdentity({ pq });
      expect(await identityToRecipient(identity)).toBe(await age.identityToRecipient(identity));
    }
  });

  it('are refused when malformed, without being quoted', async () => {
    for (const pq of [false, true]) {
      const identity = await generateAgeIdentity({ pq });
      for (const wrong of [identity.toLowerCase(), identity.slice(0, -1), `${identity} `, identity.slice(0, -1) + (identity.endsWith('Q') ? 'P' : 'Q')]) {
        for (const use of [() => identityToRecipient(wrong), async () => ageDecrypt(await ageEncrypt(secret, [await identityToRecipient(identity)]), [wrong])]) {
          const error = await use().then(() => undefined, (e: unknown) => e);
          expect(error).toBeInstanceOf(VaultError);
          const shown = error instanceof VaultError ? `${error.code} ${error.message} ${String(error.stack)} ${String(error.cause)}` : '';
          expect(shown).toMatch(/^IDENTITY_INVALID/);
          expect(shown.toUpperCase()).not.toContain(identity.slice(20, 60));
        }
      }
    }
  });
});

describe('a passphrase file', () => {
  it('opens with its passphrase only', async () => {
    const file = await agePassphraseEncrypt(secret, 'correct horse', 10);
    expect(await agePassphraseDecrypt(file, 'correct horse')).toEqual(secret);
    expect(await code(() => agePassphraseDecrypt(file, 'correct horze'))).toBe('PASSPHRASE_WRONG');
    expect(await ageHeaderStanzas(file)).toEqual({ types: ['scrypt'], type: 'scrypt', count: 1 });
  });

  it('uses work factor 18 unless told', async () => {
    const file = await agePassphraseEncrypt(secret, 'p');
    expect(new TextDecoder().decode(splitHeader(file).header)).toMatch(/\n-> scrypt \S{22} 18\n/);
  });

  it('is no other file, and the other way round', async () => {
    const identity = await generateAgeIdentity();
    const recipients = [await identityToRecipient(identity)];
    expect(await code(async () => agePassphraseDecrypt(await ageEncrypt(secret, recipients), 'p'))).toBe('DECRYPT_FAILED');
    expect(await code(async () => ageDecrypt(await agePassphraseEncrypt(secret, 'p', 10), [identity]))).toBe('DECRYPT_FAILED');
  });

  it.each([0, 21, 1.5, NaN])('refuses the work factor %d', async (workFactor) => {
    expect(await code(() => agePassphraseEncrypt(secret, 'p', workFactor))).toBe('BAD_VALUE');
  });
});

describe('file key', () => {
  it('opens its own file and no other', async () => {
    const identity = await generateAgeIdentity();
    const recipients = [await identityToRecipient(identity)];
    const [file, other] = [await ageEncrypt(secret, recipients), await ageEncrypt(secret, recipients)];
    const fileKey = await fileKeyOf(file, [identity]);
    expect(fileKey.length).toBe(16);
    expect(await decryptWithFileKey(file, fileKey)).toEqual(secret);
    expect(await decryptWithFileKey(file, fileKey)).toEqual(secret);
    expect(await code(() => decryptWithFileKey(other, fileKey))).toBe('DECRYPT_FAILED');
    expect(await code(() => decryptWithFileKey(file, fileKey.subarray(1)))).toBe('DECRYPT_FAILED');
  });

  it('does not open its payload behind another header', async () => {
    const identity = await generateAgeIdentity();
    const recipients = [await identityToRecipient(identity)];
    const [file, other] = [await ageEncrypt(secret, recipients), await ageEncrypt(secret, recipients)];
    const fileKey = await fileKeyOf(file, [identity]);
    const spliced = concatBytes(splitHeader(other).header, splitHeader(file).payload);
    expect(await code(() => decryptWithFileKey(spliced, fileKey))).toBe('DECRYPT_FAILED');
  });
});

describe('damage', () => {
  it('of any one bit is noticed', async () => {
    const identity = await generateAgeIdentity();
    const file = await ageEncrypt(secret, [await identityToRecipient(identity)]);
    for (let at = 0; at < file.length; at++) {
      expect(await code(() => ageDecrypt(flip(file, at), [identity]))).toBe('DECRYPT_FAILED');
    }
  });

  it('by cutting or adding is noticed', async () => {
    const identity = await generateAgeIdentity();
    const file = await ageEncrypt(secret, [await identityToRecipient(identity)]);
    for (let length = 0; length < file.length; length++) {
      expect(await code(() => ageDecrypt(file.subarray(0, length), [identity]))).toBe('DECRYPT_FAILED');
    }
    expect(await code(() => ageDecrypt(concatBytes(file, Uint8Array.of(0)), [identity]))).toBe('DECRYPT_FAILED');
  });

  it('of a header is noticed when only its stanzas are read', async () => {
    expect(await code(() => ageHeaderStanzas(utf8('age-encryption.org/v2\n-> X25519 a\nb\n--- c\n')))).toBe('DECRYPT_FAILED');
    expect(await code(() => ageHeaderStanzas(utf8('no age file')))).toBe('DECRYPT_FAILED');
    expect(await code(() => ageHeaderStanzas(new Uint8Array(0)))).toBe('DECRYPT_FAILED');
  });
});

describe('payload', () => {
  const fileKey = new Uint8Array(16).fill(7);
  const sizes = [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE, 3 * CHUNK_SIZE + 5];

  it.each(sizes)('of %i bytes round-trips, whole and as a stream, in every combination', async (size) => {
    const plaintext = someBytes(size);
    const whole = encryptStreamPayload(fileKey, plaintext);
    expect(whole.length).toBe(payloadSize(size));
    for (const piece of [997, CHUNK_SIZE, CHUNK_SIZE + 16]) {
      const streamed = await collect(encryptPayloadStream(fileKey, pieces(plaintext, piece)));
      expect(streamed.length).toBe(payloadSize(size));
      for (const payload of [whole, streamed]) {
        expect(Buffer.compare(decryptStreamPayload(fileKey, payload), plaintext)).toBe(0);
        expect(Buffer.compare(await collect(decryptPayloadStream(fileKey, pieces(payload, piece))), plaintext)).toBe(0);
      }
    }
  });

  it('never repeats a nonce', () => {
    const nonces = Array.from({ length: 50 }, () => Buffer.from(encryptStreamPayload(fileKey, secret).subarray(0, 16)).toString('hex'));
    expect(new Set(nonces).size).toBe(50);
  });

  it('notices a swap, a loss or a repetition of chunks', async () => {
    const payload = encryptStreamPayload(fileKey, someBytes(3 * CHUNK_SIZE + 5));
    const sealed = CHUNK_SIZE + 16;
    const nonce = payload.subarray(0, 16);
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => payload.subarray(16 + i * sealed, 16 + (i + 1) * sealed)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    for (const chunks of [[b, a, c, d], [a, b, d], [a, b, c], [a, a, b, c, d], [a, b, c, d, d], [d]]) {
      const damaged = concatBytes(nonce, ...chunks);
      expect(() => decryptStreamPayload(fileKey, damaged)).toThrow(VaultError);
      expect(await code(() => collect(decryptPayloadStream(fileKey, pieces(damaged, 5000))))).toBe('DECRYPT_FAILED');
    }
    expect(decryptStreamPayload(fileKey, concatBytes(nonce, a, b, c, d)).length).toBe(3 * CHUNK_SIZE + 5);
  });
});

const body = (length: number): Uint8Array => new Uint8Array(length);
const share = `${'A'.repeat(42)}E`;

describe('a malformed stanza is no mere mismatch', () => {
  const mine = new X25519Identity('AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0');
  it.each<[string, string[], Uint8Array]>([
    ['a point of low order', ['X25519', 'A'.repeat(43)], body(32)],
    ['a short body', ['X25519', share], body(31)],
    ['a long body', ['X25519', share], body(33)],
    ['a further argument', ['X25519', share, 'x'], body(32)],
    ['no share', ['X25519'], body(32)],
    ['padding', ['X25519', `${share}=`], body(32)],
  ])('X25519 with %s', async (_, args, content) => {
    expect(await code(() => mine.unwrapFileKey([{ args, body: content }]))).toBe('DECRYPT_FAILED');
  });

  it('X25519 that is well-formed and not for us is', () => {
    expect(mine.unwrapFileKey([{ args: ['X25519', `CQ${'A'.repeat(41)}`], body: body(32) }])).toBeNull();
  });
});

describe('X25519Identity', () => {
  it('imported once opens many files', async () => {
    const identity = new X25519Identity(await generateAgeIdentity());
    for (let i = 0; i < 3; i++) expect(await ageDecrypt(await ageEncrypt(utf8(String(i)), [identity.recipient]), [identity])).toEqual(utf8(String(i)));
  });

  it('ignores stanzas of other types and passes over those of other people', () => {
    const mine = new X25519Identity('AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0');
    const fileKey = new Uint8Array(16).fill(1);
    const others = new X25519Recipient('age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj').wrapFileKey(fileKey);
    expect(mine.unwrapFileKey([...others, { args: ['unknown', 'x'], body: new Uint8Array(3) }])).toBeNull();
    expect(mine.unwrapFileKey([...others, ...new X25519Recipient(mine.recipient).wrapFileKey(fileKey)])).toEqual(fileKey);
  });
});
