import { describe, expect, it } from 'vitest';
import { answerKeyRequest, formatKeyAnswer, KEY_PROVIDER_HEADER, parseKeyRequest, type SecretPort, type SecretRef, type SecretView } from '../../../packages/terraform-hooks/src/index.js';
import { VaultError } from '../../../packages/core/src/index.js';
import { codeOf } from '../../support/vaults.js';

const key = (version: number): Uint8Array => new Uint8Array(32).fill(version);
const base64 = (version: number): string => Buffer.from(key(version)).toString('base64');

function port(newest: number, over: Partial<SecretView> = {}, size = 32): SecretPort & { reads: SecretRef[]; looks: SecretRef[] } {
  const reads: SecretRef[] = [];
  const looks: SecretRef[] = [];
  return {
    reads,
    looks,
    look: (ref) => {
      looks.push(ref);
      const version = ref.version ?? newest;
      if (version > newest) return Promise.reject(new VaultError('VERSION_NOT_FOUND', 'no such version'));
      return Promise.resolve({ name: ref.name, version, kind: 'state-key', public: { method: 'aes_gcm', keyid: `id${version}` }, private: true, ...over });
    },
    read: (ref) => {
      reads.push(ref);
      return Promise.resolve(key(ref.version!).slice(0, size));
    },
  };
}

const NAME = 'terraform/state';
const respond = async (text: string, at: SecretPort): Promise<string> => formatKeyAnswer(await answerKeyRequest(NAME, parseKeyRequest(text), at));
const stored = (version: number, more: object = {}): string => JSON.stringify({ external_data: { name: NAME, version, keyid: `id${version}`, ...more } });

describe('the external key provider of OpenTofu', () => {
  it('begins with the header of version 1, byte for byte', () => {
    expect(KEY_PROVIDER_HEADER).toBe('{"magic":"OpenTofu-External-Key-Provider","version":1}\n');
  });

  it.each(['null', ' null\n', '{"external_data":null}'])('gives a key to encrypt with for %j', async (text) => {
    const at = port(2);
    expect(await respond(text, at)).toBe(`{"keys":{"encryption_key":"${base64(2)}"},"meta":{"external_data":{"name":"terraform/state","version":2,"keyid":"id2"}}}`);
    expect(at.reads).toEqual([{ name: NAME, version: 2 }]);
  });

  it('gives the same key to decrypt with, opened once', async () => {
    const at = port(2);
    expect(await respond(stored(2), at)).toBe(`{"keys":{"encryption_key":"${base64(2)}","decryption_key":"${base64(2)}"},"meta":{"external_data":{"name":"terraform/state","version":2,"keyid":"id2"}}}`);
    expect(at.reads).toHaveLength(1);
  });

  it('decrypts with the old version after a rotation, and encrypts with the new one', async () => {
    expect(JSON.parse(await respond(stored(1), port(2)))).toEqual({
      keys: { encryption_key: base64(2), decryption_key: base64(1) },
      meta: { external_data: { name: NAME, version: 2, keyid: 'id2' } },
    });
  });

  it('answers in a form that OpenTofu takes: no other members, meta never null', async () => {
    const answer = JSON.parse(await respond('null', port(1))) as { keys: object; meta: { external_data: object } };
    expect(Object.keys(answer)).toEqual(['keys', 'meta']);
    expect(Object.keys(answer.meta)).toEqual(['external_data']);
    expect(answer.meta.external_data).not.toBeNull();
  });

  it('looks up no other secret, whatever the stored data names', async () => {
    const at = port(2);
    for (const more of [{ name: 'pki/root' }, { name: 'pki/root', version: 1 }]) expect(await codeOf(respond(stored(2, more), at))).toBe('WRONG_STATEMENT');
    expect(at.looks.every(({ name }) => name === NAME)).toBe(true);
    expect(at.reads.every(({ name }) => name === NAME)).toBe(true);
  });

  it('refuses data of another key under the same name', async () => {
    expect(await codeOf(respond(stored(2, { keyid: 'other' }), port(2)))).toBe('WRONG_STATEMENT');
    expect(await codeOf(respond(stored(1, { keyid: 'id2' }), port(2)))).toBe('WRONG_STATEMENT');
    expect(await codeOf(respond(stored(9), port(2)))).toBe('VERSION_NOT_FOUND');
  });

  it.each(['', '{', '{}', '[]', '1', '{"external_data":{}}', '{"external_data":{"name":"x","version":"1","keyid":"a"}}', '{"external_data":{"name":"x","version":0,"keyid":"a"}}'])('refuses the request %j', async (text) => {
    expect(await codeOf(respond(text, port(1)))).toBe('USAGE');
  });

  it('gives nothing but AES keys of 256 bits', async () => {
    const others = [port(1, { kind: 'password', public: {} }), port(1, { public: { method: 'pbkdf2', keyid: 'id1' } }), port(1, {}, 31)];
    for (const at of others) expect(await codeOf(respond('null', at))).toBe('FORMAT_UNSUITABLE');
    expect(others[0]!.reads).toEqual([]);
  });
});
