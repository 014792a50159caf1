/**
 * One meaning of a valid signature: a table of honest and crafted cases, judged by both implementations. The Node side counts
 * as "enrolled and verified", because the order of a key is checked where it enters.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hashes, Point, utils } from '@noble/ed25519';
import { describe, expect, it } from 'vitest';
import { isVaultError } from '../../packages/core/src/errors.js';
import { assertStrongPublicKey, signingKeyFromSeed, verifier, verifyPortable } from '../../packages/core/src/primitives/ed25519.js';
import { concatBytes, toHex, utf8 } from '../../packages/core/src/primitives/hash.js';

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const P = 2n ** 255n - 19n;
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const sha512 = (data: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(createHash('sha512').update(data).digest());
const little = (data: Uint8Array): bigint => BigInt(`0x${toHex(Uint8Array.from(data).reverse())}`);
const encode = (n: bigint): Uint8Array => bytes(n.toString(16).padStart(64, '0')).reverse();
hashes.sha512 = sha512; // for the crafted signatures below; the code under test does not use it

interface Case {
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly valid: boolean;
}

function isStrong(publicKey: Uint8Array): boolean {
  try {
    assertStrongPublicKey(publicKey);
    return true;
  } catch (error) {
    if (isVaultError(error, 'WEAK_KEY')) return false;
    throw error;
  }
}

const rfc8032: readonly (readonly [seed: string, publicKey: string, message: string, signature: string])[] = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
];

describe('RFC 8032 section 7.1', () => {
  it.each(rfc8032)('seed %s', (seed, publicKey, message, signature) => {
    const key = signingKeyFromSeed(bytes(seed));
    expect(toHex(key.publicKey)).toBe(publicKey);
    expect(toHex(key.sign(bytes(message)))).toBe(signature);
  });
});

/** A point of order 8, and so all eight of the torsion subgroup. */
const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', false);
const smallOrder = Array.from({ length: 8 }, (_, i) => (i === 0 ? Point.ZERO : torsion.multiply(BigInt(i), false)));

const honest = utils.getExtendedPublicKey(bytes('01'.repeat(32)));
const A = honest.pointBytes;
const message = utf8('message');

/** Signs with any nonce point and any encoding of it: S = r + k a. */
function craft(r: bigint, encodedR: Uint8Array, publicKey = A): Uint8Array {
  const k = little(sha512(concatBytes(encodedR, publicKey, message))) % L;
  return concatBytes(encodedR, encode((r + k * honest.scalar) % L));
}

const ordinary = craft(5n, Point.BASE.multiply(5n).toBytes());
const S = little(ordinary.subarray(32));
const R = ordinary.subarray(0, 32);
const mixedA = honest.point.add(torsion);

/** Every encoding of a small-order point, canonical or not: y and y + p where that fits 255 bits, with either sign of x. */
const smallOrderEncodings = [...new Set(smallOrder.flatMap((point) => {
  const { y } = point.toAffine();
  return [y, y + P].filter((v) => v < 2n ** 255n).flatMap((v) => [toHex(encode(v)), toHex(encode(v + 2n ** 255n))]);
}))];

interface SpecCheck {
  readonly cases: readonly { readonly message: string; readonly pub_key: string; readonly signature: string }[];
}
const specCheck = JSON.parse(readFileSync(new URL('ed25519-speccheck.json', import.meta.url), 'utf8')) as SpecCheck;

const table: readonly Case[] = [
  ...rfc8032.map(([, publicKey, m, signature], i) => ({ name: `RFC 8032, ${i}`, publicKey: bytes(publicKey), message: bytes(m), signature: bytes(signature), valid: true })),
  // Chalkias, Garillot, Nikolaenko: "Taming the many EdDSAs", table 5. The rule here accepts none of the twelve.
  ...specCheck.cases.map((c, i) => ({ name: `speccheck ${i}`, publicKey: bytes(c.pub_key), message: bytes(c.message), signature: bytes(c.signature), valid: false })),
  ...smallOrderEncodings.map((hex) => ({ name: `small-order key ${hex}`, publicKey: bytes(hex), message, signature: concatBytes(Point.ZERO.toBytes(), encode(0n)), valid: false })),
  ...smallOrderEncodings.map((hex) => ({ name: `small-order R ${hex}`, publicKey: A, message, signature: craft(0n, bytes(hex)), valid: false })),
  { name: 'crafted, ordinary', publicKey: A, message, signature: ordinary, valid: true },
  { name: 'S = 0', publicKey: A, message, signature: concatBytes(R, encode(0n)), valid: false },
  { name: 'S + L', publicKey: A, message, signature: concatBytes(R, encode(S + L)), valid: false },
  { name: 'S + 8 L', publicKey: A, message, signature: concatBytes(R, encode(S + 8n * L)), valid: false },
  { name: 'S - 1', publicKey: A, message, signature: concatBytes(R, encode(S - 1n)), valid: false },
  { name: 'R with a torsion component', publicKey: A, message, signature: craft(5n, Point.BASE.multiply(5n).add(torsion).toBytes()), valid: false },
  { name: 'A with a torsion component', publicKey: mixedA.toBytes(), message, signature: craft(5n, R, mixedA.toBytes()), valid: false },
  { name: 'A and R with a torsion component', publicKey: mixedA.toBytes(), message, signature: craft(5n, Point.BASE.multiply(5n).add(torsion).toBytes(), mixedA.toBytes()), valid: false },
  { name: 'another message', publicKey: A, message: utf8('massage'), signature: ordinary, valid: false },
  { name: 'another key', publicKey: honest.point.double().toBytes(), message, signature: ordinary, valid: false },
  { name: 'R not on the curve', publicKey: A, message, signature: craft(5n, encode(2n)), valid: false },
  { name: 'A not on the curve', publicKey: encode(2n), message, signature: ordinary, valid: false },
  { name: 'signature too short', publicKey: A, message, signature: ordinary.subarray(0, 63), valid: false },
  { name: 'signature too long', publicKey: A, message, signature: concatBytes(ordinary, Uint8Array.of(0)), valid: false },
  { name: 'empty signature', publicKey: A, message, signature: new Uint8Array(0), valid: false },
  { name: 'key too short', publicKey: A.subarray(1), message, signature: ordinary, valid: false },
  { name: 'key too long', publicKey: concatBytes(A, Uint8Array.of(0)), message, signature: ordinary, valid: false },
];

describe('both implementations give the same verdict', () => {
  it.each(table)('$name: $valid', async ({ publicKey, message: m, signature, valid }) => {
    expect(isStrong(publicKey) && verifier(publicKey)(m, signature)).toBe(valid);
    expect(await verifyPortable(publicKey, m, signature)).toBe(valid);
  });
});

describe('verifier', () => {
  it('is false for every encoding that is not canonical, even where the key was never checked', () => {
    const notCanonical = smallOrderEncodings.filter((hex) => {
      try {
        return toHex(Point.fromHex(hex, false).toBytes()) !== hex;
      } catch {
        return true; // noble's strict decoding is the reference here
      }
    });
    expect(notCanonical.length).toBe(smallOrderEncodings.length - 8);
    // Under a small-order key, R = S B verifies for every message whose k the order of the key divides, if nothing stops it.
    const anyMessage = concatBytes(R, encode(5n));
    const accepted = smallOrder.filter((point) => Array.from({ length: 99 }, (_, i) => verifier(point.toBytes())(Uint8Array.of(i), anyMessage)).includes(true));
    expect(accepted).toHaveLength(8);
    for (const hex of notCanonical) {
      for (let i = 0; i < 99; i++) expect(verifier(bytes(hex))(Uint8Array.of(i), anyMessage)).toBe(false);
    }
  });

  it('shows why keys are checked at enrolment: unchecked, a mixed-order key passes', () => {
    const third = specCheck.cases[3];
    expect(third && verifier(bytes(third.pub_key))(bytes(third.message), bytes(third.signature))).toBe(true);
    expect(third && isStrong(bytes(third.pub_key))).toBe(false);
  });
});
