/** Cards under a weak signing key, with signatures that verify: nothing but the look at the key itself stands in their way. */
import { createHash } from 'node:crypto';
import { Point } from '@noble/ed25519';
import { describe, expect, it } from 'vitest';
import { CARD_TYPE, parseCard, type CardBody } from '../../packages/core/src/policy/card.js';
import { canonicalJson } from '../../packages/core/src/primitives/canonical-json.js';
import { encodeEnvelope, preAuthEncoding } from '../../packages/core/src/primitives/dsse.js';
import { keyId, verifier } from '../../packages/core/src/primitives/ed25519.js';
import { concatBytes, fromHex, toHex } from '../../packages/core/src/primitives/hash.js';
import { codeOf, person } from '../support/vaults.js';

const ORDER = Point.CURVE().n;
const little = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`);
const encode = (n: bigint): Uint8Array => fromHex(n.toString(16).padStart(64, '0'))!.reverse();
/** (0, -1), of order two: twice it is the identity, so that it disappears from the equation for every second message. */
const TORSION = Point.fromHex(`ec${'ff'.repeat(30)}7f`);
const SECRET = 123_456_789n;
const NONCE = 987_654_321n;

/** Signs with `secret` under any key: valid where the challenge times what is odd about the key comes to nothing. */
function forge(key: Uint8Array, nonce: Point, s: (challenge: bigint) => bigint): (message: Uint8Array) => Uint8Array {
  return (message) => {
    const r = nonce.toBytes();
    const challenge = little(createHash('sha512').update(r).update(key).update(message).digest()) % ORDER;
    return concatBytes(r, encode(s(challenge)));
  };
}

/** The first card, by its time, whose signature our verifier would take. */
function forgedCard(key: Uint8Array, recipient: string, sign: (message: Uint8Array) => Uint8Array): string {
  for (let created = 1; created < 100; created++) {
    const body: CardBody = { person: 'mallory', device: 'phone', kind: 'human', key: toHex(key), recipient, created };
    const payload = canonicalJson(body);
    const message = preAuthEncoding(CARD_TYPE, payload);
    const sig = sign(message);
    if (verifier(key)(message, sig)) return encodeEnvelope({ payloadType: CARD_TYPE, payload, signatures: [{ keyid: keyId(key), sig }] });
  }
  throw new Error('no forgery was taken: this test tests nothing');
}

describe('the card of a signing key', () => {
  it('of small order, for which everybody can sign, is refused', async () => {
    const key = TORSION.toBytes();
    const line = forgedCard(key, (await person('mallory')).card.recipient, forge(key, TORSION, () => 0n));
    expect(await codeOf(() => parseCard(line))).toBe('WEAK_KEY');
  });

  it('of mixed order, on which implementations disagree, is refused', async () => {
    const key = Point.BASE.multiply(SECRET).add(TORSION).toBytes();
    const line = forgedCard(key, (await person('mallory')).card.recipient, forge(key, Point.BASE.multiply(NONCE), (challenge) => (NONCE + challenge * SECRET) % ORDER));
    expect(await codeOf(() => parseCard(line))).toBe('WEAK_KEY');
  });
});
