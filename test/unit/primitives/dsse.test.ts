import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isVaultError } from '../../../packages/core/src/errors.js';
import { canonicalJson } from '../../../packages/core/src/primitives/canonical-json.js';
import { decodeEnvelope, encodeEnvelope, preAuthEncoding, type Envelope } from '../../../packages/core/src/primitives/dsse.js';
import { utf8 } from '../../../packages/core/src/primitives/hash.js';

const bad = (line: string | Uint8Array): string => {
  try {
    decodeEnvelope(line);
  } catch (error) {
    if (isVaultError(error, 'BAD_ENVELOPE')) return error.message;
    throw error;
  }
  throw new Error('accepted');
};
const envelope: Envelope = {
  payloadType: 'application/vnd.example+json',
  payload: utf8('{"a":1}'),
  signatures: [{ keyid: 'key-1', sig: Uint8Array.of(1, 2, 3, 4) }],
};
const line = '{"payload":"eyJhIjoxfQ==","payloadType":"application/vnd.example+json","signatures":[{"keyid":"key-1","sig":"AQIDBA=="}]}';

describe('preAuthEncoding', () => {
  it('gives the example of the DSSE specification', () => {
    const pae = new TextDecoder().decode(preAuthEncoding('http://example.com/HelloWorld', utf8('hello world')));
    expect(pae).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('counts bytes, not characters', () => {
    expect(new TextDecoder().decode(preAuthEncoding('é', utf8('ü')))).toBe('DSSEv1 2 é 2 ü');
  });
});

describe('envelope', () => {
  it('is one line of canonical JSON', () => {
    expect(encodeEnvelope(envelope)).toBe(line);
    expect(decodeEnvelope(line)).toEqual(envelope);
    expect(decodeEnvelope(utf8(line))).toEqual(envelope);
  });

  it('round-trips any payload, type and key id in the canonical JSON of its members', () => {
    const ascii = fc.string({ unit: 'grapheme-ascii', minLength: 1 });
    fc.assert(
      fc.property(ascii, ascii, fc.uint8Array(), fc.uint8Array(), (payloadType, keyid, payload, sig) => {
        const text = encodeEnvelope({ payloadType, payload, signatures: [{ keyid, sig }] });
        expect(decodeEnvelope(text)).toEqual({ payloadType, payload, signatures: [{ keyid, sig }] });
        expect(utf8(text)).toEqual(canonicalJson(JSON.parse(text)));
      }),
    );
  });

  it.each([
    ['a further member', line.replace('{"payload"', '{"a":1,"payload"')],
    ['a further member that parsing drops', line.replace('{"payload"', '{"payload":"","payload"')],
    ['__proto__', line.replace('{"payload"', '{"__proto__":{},"payload"')],
    ['a missing member', line.replace('"payloadType":"application/vnd.example+json",', '')],
    ['a member under another name', line.replace('"payloadType"', '"payloadTypes"')],
    ['a further member of the signature', line.replace('"keyid"', '"cert":"","keyid"')],
    ['no signature', line.replace(/\[.*\]/, '[]')],
    ['two signatures', line.replace(/\[(.*)\]/, '[$1,$1]')],
    ['an object in place of the signatures', line.replace(/\[(.*)\]/, '{"0":$1,"length":1}')],
    ['another order', line.replace(/"payload":("[^"]*"),("payloadType":"[^"]*")/, '$2,"payload":$1')],
    ['white space', line.replace(':', ': ')],
    ['a newline at the end', `${line}\n`],
    ['an escape', line.replace('key-1', 'key\\u002d1')],
    ['a byte order mark', `\ufeff${line}`],
    ['unpadded base64', line.replace('eyJhIjoxfQ==', 'eyJhIjoxfQ')],
    ['base64 with stray bits', line.replace('eyJhIjoxfQ==', 'eyJhIjoxfR==')],
    ['url-safe base64', line.replace('AQIDBA==', '_-IDBA==')],
    ['a number as payload', line.replace('"eyJhIjoxfQ=="', '1')],
    ['a key id beyond ASCII', line.replace('key-1', 'kéy-1')],
    ['an empty payload type', line.replace('application/vnd.example+json', '')],
    ['null', 'null'],
    ['an array', '[]'],
    ['no JSON', '{"payload'],
  ])('refuses %s', (_, text) => {
    expect(text).not.toBe(line);
    expect(bad(text)).not.toBe('');
    expect(bad(utf8(text))).not.toBe('');
  });

  it.each([
    ['a further member', line.replace('{"payload"', '{"a":1,"payload"'), 'exactly the members payload, payloadType, signatures'],
    ['a further member of the signature', line.replace('"keyid"', '"cert":"","keyid"'), 'exactly the members keyid, sig'],
    ['two signatures', line.replace(/\[(.*)\]/, '[$1,$1]'), 'exactly one signature'],
    ['an object in place of the signatures', line.replace(/\[(.*)\]/, '{"0":$1,"length":1}'), 'exactly one signature'],
  ])('says what is wrong about %s', (_, text, message) => {
    expect(bad(text)).toContain(message);
  });

  it('refuses invalid UTF-8', () => {
    expect(bad(Uint8Array.of(0xff))).toContain('UTF-8');
  });

  it('does not write what it would not read', () => {
    expect(() => encodeEnvelope({ ...envelope, payloadType: 'é' })).toThrow(/payload type/);
    expect(() => encodeEnvelope({ ...envelope, signatures: [{ keyid: '', sig: new Uint8Array(0) }] })).toThrow(/key id/);
  });
});
