import { describe, expect, it } from 'vitest';
import { answerExternalQuery, formatExternalResult, parseExternalQuery, type SecretPort, type SecretRef } from '../../../packages/terraform-hooks/src/index.js';
import { codeOf, failure } from '../../support/vaults.js';

const VALUE = 'CANARY-value';

function port(bytes: Uint8Array = new TextEncoder().encode(VALUE)): SecretPort & { reads: SecretRef[] } {
  const reads: SecretRef[] = [];
  return {
    reads,
    look: (ref) => Promise.resolve({ name: ref.name, version: ref.version ?? 3, kind: 'pki-root', public: { fingerprint: 'ab', validity: { to: 5 }, subjects: ['a', 'b'], length: 1, ca: true, kind: 'of its own' }, private: ref.field !== 'certificate' }),
    read: (ref) => {
      reads.push(ref);
      return Promise.resolve(bytes.slice());
    },
  };
}

const answer = async (query: object | string, at = port()): Promise<Record<string, string>> => answerExternalQuery(parseExternalQuery(typeof query === 'string' ? query : JSON.stringify(query)), at);

describe('the data source "external"', () => {
  it('gets the public parts as strings, what is none as JSON, and opens nothing', async () => {
    const at = port();
    expect(formatExternalResult(await answer('{"name":"pki/root"}', at))).toBe(
      '{"fingerprint":"ab","validity":"{\\"to\\":5}","subjects":"[\\"a\\",\\"b\\"]","length":"1","ca":"true","public_kind":"of its own","name":"pki/root","version":"3","kind":"pki-root"}\n',
    );
    expect(at.reads).toEqual([]);
  });

  it('gets a public field as value', async () => {
    expect(await answer({ name: 'pki/root#certificate' })).toMatchObject({ value: VALUE });
  });

  it('gets what is private only when the query allows it', async () => {
    const at = port();
    for (const query of [{ name: 'pki/root#key' }, { name: 'pki/root#key', allow_secret_in_state: 'false' }]) {
      const error = await failure(answer(query, at));
      expect(error).toMatchObject({ code: 'SECRET_IN_STATE' });
      expect(error.hint).toMatch(/ephemeral "oxpvault_secret".*oxp-vault exec --env TF_VAR_x='pki\/root#key'.*write-only.*allow_secret_in_state = "true"/);
    }
    expect(await answer({ name: 'pki/root', allow_secret_in_state: 'false' }, at)).not.toHaveProperty('value');
    expect(at.reads).toEqual([]);
    expect(await answer({ name: 'pki/root#key', version: 'v2', allow_secret_in_state: 'true' }, at)).toMatchObject({ value: VALUE, version: '2' });
    expect(await answer({ name: 'pki/root', allow_secret_in_state: 'true' }, at)).toMatchObject({ value: VALUE, version: '3' });
    expect(at.reads).toEqual([{ name: 'pki/root', field: 'key', version: 2 }, { name: 'pki/root', version: 3 }]);
  });

  it('gets bytes that are no text in base64, and a byte order mark as it is', async () => {
    const allow = { name: 'x', allow_secret_in_state: 'true' };
    expect(await answer(allow, port(Uint8Array.of(0xff, 0x00)))).toMatchObject({ value_base64: '/wA=' });
    expect(await answer(allow, port(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)))).toMatchObject({ value: '\uFEFFa' });
  });

  it.each(['', '{', 'null', '[]', '"x"', '{}', '{"name":5}', '{"name":""}', '{"name":"../x"}', '{"name":"a#"}', '{"name":"a#b#c"}', '{"name":"a","version":"0"}', '{"name":"a","version":2}', '{"name":"a","allow_secret_in_state":"yes"}', '{"name":"a","allow_secret_in_state":true}', '{"name":"a","allow_secrets_in_state":"true"}'])('is refused %j', async (text) => {
    expect(await codeOf(answer(text))).toBe('USAGE');
  });

  it('is refused without a word of what was not understood', async () => {
    const error = await failure(answer('{"name":"a","version":"hunter2","hunter3":'));
    expect(JSON.stringify(error)).not.toContain('hunter');
    expect((await failure(answer({ name: 'a', version: 'hunter2' }))).message).not.toContain('hunter');
  });
});
