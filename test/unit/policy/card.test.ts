/** A card proves that whoever made it holds the key in it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCard } from '../../../packages/core/src/policy/card.js';
import { canonicalJson, parseCanonical } from '../../../packages/core/src/primitives/canonical-json.js';
import { decodeEnvelope, encodeEnvelope, preAuthEncoding } from '../../../packages/core/src/primitives/dsse.js';
import type { Identity } from '../../../packages/core/src/index.js';
import { codeOf, people } from '../../support/vaults.js';

let cast: Record<'alice' | 'bob', Identity>;
beforeAll(async () => {
  cast = await people('alice', 'bob');
});

/** Alice's card, said or signed otherwise. */
function forged({ type, change = {}, by = cast.alice, named = by }: { type?: string; change?: object; by?: Identity; named?: Identity }): string {
  const { payload, payloadType } = decodeEnvelope(cast.alice.card.line);
  const body = canonicalJson({ ...(parseCanonical(payload) as object), ...change });
  const sig = by.signingKey.sign(preAuthEncoding(payloadType, body));
  return encodeEnvelope({ payloadType: type ?? payloadType, payload: body, signatures: [{ keyid: named.card.id, sig }] });
}

const refused = (lie: Parameters<typeof forged>[0]): Promise<string> => codeOf(() => parseCard(forged(lie)));

describe('a card is refused', () => {
  it('unless the key in it has signed it, under its own name', async () => {
    expect(parseCard(cast.alice.card.line)).toMatchObject({ person: 'alice' });
    expect(parseCard(forged({ change: { device: 'copy' } }))).toMatchObject({ device: 'copy' });
    expect(await refused({ by: cast.bob })).toBe('BAD_CARD');
    expect(await refused({ by: cast.bob, named: cast.alice })).toBe('BAD_CARD');
    expect(await refused({ by: cast.alice, named: cast.bob })).toBe('BAD_CARD');
  });

  it('when its line says that it is something else, or says more or less than a card does', async () => {
    expect(await refused({ type: 'application/vnd.oxp-vault.entry.v1+json' })).toBe('BAD_CARD');
    expect(await refused({ change: { admin: true } })).toBe('BAD_CARD');
    expect(await refused({ change: { kind: 'dog' } })).toBe('BAD_CARD');
  });
});
