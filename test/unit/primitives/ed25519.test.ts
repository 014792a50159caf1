import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  assertStrongPublicKey,
  generateSigningKey,
  keyId,
  signingKeyFromSeed,
  verifier,
  verifyPortable,
} from '../../../packages/core/src/primitives/ed25519.js';
import { toHex, utf8 } from '../../../packages/core/src/primitives/hash.js';

describe('signing key', () => {
  it('signs what both verifiers accept, and nothing else', async () => {
    const key = generateSigningKey();
    const message = utf8('hello');
    const signature = key.sign(message);
    expect(signature.length).toBe(64);
    expect(() => assertStrongPublicKey(key.publicKey)).not.toThrow();
    for (let i = 0; i < 64; i++) {
      const flipped = Uint8Array.from(signature);
      flipped[i] = (flipped[i] ?? 0) ^ 1;
      expect(verifier(key.publicKey)(message, flipped)).toBe(false);
    }
    expect(verifier(key.publicKey)(message, signature)).toBe(true);
    expect(await verifyPortable(key.publicKey, message, signature)).toBe(true);
    expect(verifier(generateSigningKey().publicKey)(message, signature)).toBe(false);
  });

  it('comes back from its seed', () => {
    const key = generateSigningKey();
    const again = signingKeyFromSeed(key.seed.use((seed) => Uint8Array.from(seed)));
    expect(again.publicKey).toEqual(key.publicKey);
    expect(again.sign(utf8('x'))).toEqual(key.sign(utf8('x')));
  });

  it('does not print its seed', () => {
    const key = generateSigningKey();
    const shown = inspect(key, { depth: 9, showHidden: true }) + JSON.stringify(key) + Object.values(key).map(String).join();
    key.seed.use((seed) => {
      expect(shown).not.toContain(toHex(seed));
      expect(shown).not.toContain(Buffer.from(seed).toString('base64'));
      expect(shown).not.toContain([...seed].slice(0, 4).join(', '));
    });
  });

  it.each([0, 31, 33, 64])('refuses a seed of %i bytes', (length) => {
    expect(() => signingKeyFromSeed(new Uint8Array(length))).toThrow(/32 bytes/);
  });
});

describe('verifier', () => {
  it('keeps giving right verdicts when more keys pass by than it remembers', () => {
    const key = generateSigningKey();
    const signature = key.sign(utf8('m'));
    expect(verifier(key.publicKey)).toBe(verifier(key.publicKey));
    for (let i = 0; i < 1100; i++) verifier(Uint8Array.from(randomBytes(32)));
    expect(verifier(key.publicKey)(utf8('m'), signature)).toBe(true);
  });
});

describe('keyId', () => {
  it('hashes tag, algorithm and key, separated by NUL', () => {
    const publicKey = generateSigningKey().publicKey;
    expect(keyId(publicKey)).toBe(createHash('sha256').update('oxp-vault/key/v1\0ed25519\0').update(publicKey).digest('hex'));
  });
});
