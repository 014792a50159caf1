/** The card: the public half of an identity, signed by itself, so that nobody can bind a key they do not hold to a name. */
import * as v from 'valibot';
import { VaultError } from '../errors.js';
import { Hex32, Name, Recipient, Time } from '../wire.js';
import { recipientFault } from '../primitives/age-recipient.js';
import { canonicalJson, parseCanonical } from '../primitives/canonical-json.js';
import { decodeEnvelope, encodeEnvelope, preAuthEncoding, type Envelope } from '../primitives/dsse.js';
import { assertStrongPublicKey, keyId, verifier, type SigningKey } from '../primitives/ed25519.js';
import { fromHex, toHex } from '../primitives/hash.js';

export const CARD_TYPE = 'application/vnd.oxp-vault.card.v1+json';

export const CardBody = v.strictObject({
  person: Name,
  device: Name,
  kind: v.picklist(['human', 'machine']),
  /** Ed25519 public key. */
  key: Hex32,
  /** age recipient. */
  recipient: Recipient,
  created: Time,
});
export type CardBody = v.InferOutput<typeof CardBody>;

/** A verified card. `line` is the envelope as stored and exchanged; `id` is the key id, recomputed from the key. */
export interface Card extends CardBody {
  readonly id: string;
  readonly line: string;
}

/** Makes the card of a device; `key` and `recipient` are its public halves. */
export function signCard(body: Omit<CardBody, 'key'>, signingKey: SigningKey): Card {
  const full: CardBody = { ...body, key: toHex(signingKey.publicKey) };
  const payload = canonicalJson(full);
  const id = keyId(signingKey.publicKey);
  const sig = signingKey.sign(preAuthEncoding(CARD_TYPE, payload));
  const line = encodeEnvelope({ payloadType: CARD_TYPE, payload, signatures: [{ keyid: id, sig }] });
  return { ...full, id, line };
}

const seen = new Map<string, Card>();
const SEEN_LIMIT = 10_000;

/**
 * Parses and verifies one card line: canonical, closed schema, key of prime order, usable recipient, signed by the key it names.
 * Throws BAD_CARD, WEAK_KEY. Verified cards are remembered, since every policy version repeats them.
 */
export function parseCard(line: string): Card {
  const known = seen.get(line);
  if (known) return known;
  const card = verifyCard(line);
  if (seen.size >= SEEN_LIMIT) seen.clear();
  seen.set(line, card);
  return card;
}

function verifyCard(line: string): Card {
  let envelope: Envelope;
  let raw: unknown;
  try {
    envelope = decodeEnvelope(line);
    raw = parseCanonical(envelope.payload);
  } catch (cause) {
    throw new VaultError('BAD_CARD', 'this is not a card: it does not read as a signed envelope', {
      cause,
      hint: 'A card is the one-line .card file that `oxp-vault identity create` writes.',
    });
  }
  const parsed = v.safeParse(CardBody, raw);
  if (envelope.payloadType !== CARD_TYPE || !parsed.success) {
    throw new VaultError('BAD_CARD', 'this is not a card: a member is missing, unknown or malformed');
  }
  const body = parsed.output;
  const publicKey = fromHex(body.key)!;
  assertStrongPublicKey(publicKey);
  const unusable = recipientFault(body.recipient);
  if (unusable !== undefined) throw new VaultError('WEAK_KEY', `nothing can be sealed to the recipient of ${body.person} (device ${body.device}): ${unusable}`);
  const id = keyId(publicKey);
  const signature = envelope.signatures[0];
  if (signature.keyid !== id || !verifier(publicKey)(preAuthEncoding(CARD_TYPE, envelope.payload), signature.sig)) {
    throw new VaultError('BAD_CARD', `the card of ${body.person} (device ${body.device}) is not signed by its own key`, {
      hint: 'Ask for the card again, over a channel you trust.',
    });
  }
  return { ...body, id, line };
}
