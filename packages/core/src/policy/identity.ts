/** The identity: the private file of one device. An age identity file, so that plain `age -i` takes it, with the signing key in a comment. */
import { VaultError } from '../errors.js';
import { identityLines } from '../primitives/age-identity.js';
import { generateAgeIdentity, identityToRecipient } from '../primitives/age.js';
import { generateSigningKey, signingKeyFromSeed, type SigningKey } from '../primitives/ed25519.js';
import { fromBase64, toBase64 } from '../primitives/hash.js';
import { Secret } from '../secret.js';
import { parseCard, signCard, type Card } from './card.js';

export interface Identity {
  readonly card: Card;
  readonly signingKey: SigningKey;
  /** The age identity line, for decrypting grants and shares. */
  readonly age: Secret;
}

export interface NewIdentity {
  readonly person: string;
  readonly device: string;
  readonly kind: 'human' | 'machine';
  readonly suite: 'x25519' | 'hybrid';
  /** Whole seconds since 1970. */
  readonly now: number;
}

const SEED_LINE = /^# signing key: ([A-Za-z0-9+/]{43}=)$/m;
const CARD_LINE = /^# card: (\{.*\})$/m;

/** Makes a fresh identity. */
export async function createIdentity(wanted: NewIdentity): Promise<Identity> {
  const age = await generateAgeIdentity({ pq: wanted.suite === 'hybrid' });
  const recipient = await identityToRecipient(age);
  const signingKey = generateSigningKey();
  const { person, device, kind, now } = wanted;
  return { card: signCard({ person, device, kind, recipient, created: now }, signingKey), signingKey, age: Secret.fromText(age) };
}

/** The plaintext of the identity file. */
export function formatIdentity(identity: Identity): Secret {
  const { card, signingKey, age } = identity;
  const head = [`# oxp-vault identity of ${card.person}, device ${card.device}`, `# public key: ${card.recipient}`, `# card: ${card.line}`];
  const seed = signingKey.seed.use(toBase64);
  return age.useText((line) => Secret.fromText([...head, `# signing key: ${seed}`, line, ''].join('\n')));
}

/** Parses the plaintext of an identity file and checks that its parts belong together. Throws IDENTITY_INVALID. */
export async function parseIdentity(text: string): Promise<Identity> {
  const seed = fromBase64(SEED_LINE.exec(text)?.[1] ?? '');
  const cardLine = CARD_LINE.exec(text)?.[1];
  const [age] = identityLines(text);
  if (seed?.length !== 32 || cardLine === undefined || age === undefined) {
    throw invalid('it has no signing key, card or age identity', 'A plain age identity cannot sign. Make one with: oxp-vault identity create');
  }
  const card = parseCard(cardLine);
  const signingKey = signingKeyFromSeed(seed);
  const recipient = await identityToRecipient(age);
  if (toBase64(signingKey.publicKey) !== toBase64(Buffer.from(card.key, 'hex')) || recipient !== card.recipient) {
    throw invalid('its keys are not those of its card', 'Restore the file from your backup.');
  }
  return { card, signingKey, age: Secret.fromText(age) };
}

function invalid(what: string, hint: string): VaultError {
  return new VaultError('IDENTITY_INVALID', `this is not a usable identity file: ${what}`, { hint });
}
