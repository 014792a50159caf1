/** The test vectors of the age specification (https://github.com/C2SP/CCTV/tree/main/age), all but the armored ones. */
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { VaultError, type ErrorCode } from '../../packages/core/src/errors.js';
import {
  ageDecrypt,
  ageHeaderStanzas,
  agePassphraseDecrypt,
  decryptWithFileKey,
  fileKeyOf,
  splitHeader,
} from '../../packages/core/src/primitives/age.js';
import { decryptPayloadStream, decryptStreamPayload } from '../../packages/core/src/primitives/age-payload.js';
import { concatBytes, sha256Hex, toHex } from '../../packages/core/src/primitives/hash.js';

interface Vector {
  readonly name: string;
  readonly expect: string;
  readonly payload: string | undefined;
  readonly fileKey: string | undefined;
  readonly identities: readonly string[];
  readonly passphrases: readonly string[];
  readonly file: Uint8Array;
}

function parse(name: string, base64: string): Vector {
  const raw = Buffer.from(base64, 'base64');
  const blank = raw.indexOf('\n\n');
  const fields = raw.subarray(0, blank).toString('utf8').split('\n').map((line) => line.split(': ') as [string, string]);
  const all = (key: string): string[] => fields.filter(([k]) => k === key).map(([, value]) => value);
  const [outcome = ''] = all('expect');
  const body = raw.subarray(blank + 2);
  return {
    name,
    expect: outcome,
    payload: all('payload')[0],
    fileKey: all('file key')[0],
    identities: all('identity'),
    passphrases: all('passphrase'),
    file: Uint8Array.from(all('compressed').includes('zlib') ? inflateSync(body) : body),
  };
}

const { vectors } = JSON.parse(readFileSync(new URL('age-cctv.json', import.meta.url), 'utf8')) as { vectors: Record<string, string> };
const all = Object.entries(vectors).map(([name, base64]) => parse(name, base64));

async function refusal(fn: () => Promise<unknown>): Promise<ErrorCode> {
  try {
    await fn();
  } catch (error) {
    if (error instanceof VaultError) return error.code;
    throw error;
  }
  throw new Error('it opened');
}

const open = async (vector: Vector): Promise<Uint8Array> => {
  const [passphrase] = vector.passphrases;
  return passphrase === undefined ? ageDecrypt(vector.file, vector.identities) : agePassphraseDecrypt(vector.file, passphrase);
};

async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return concatBytes(...parts);
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe.each(all.filter((v) => v.expect === 'success'))('$name', (vector) => {
  it('opens', async () => {
    expect(sha256Hex(await open(vector))).toBe(vector.payload);
  });

  it('opens with its file key, whole or as a stream', async () => {
    const fileKey = Uint8Array.from(Buffer.from(vector.fileKey ?? '', 'hex'));
    expect(sha256Hex(await decryptWithFileKey(vector.file, fileKey))).toBe(vector.payload);
    const { payload } = splitHeader(vector.file);
    expect(sha256Hex(await collect(decryptPayloadStream(fileKey, inPieces(payload, 7001))))).toBe(vector.payload);
    if (vector.passphrases.length === 0) expect(toHex(await fileKeyOf(vector.file, vector.identities))).toBe(vector.fileKey);
  });
});

describe('refused', () => {
  it.each(all.filter((v) => v.expect !== 'success'))('$name: $expect', async (vector) => {
    const code = await refusal(() => open(vector));
    const underPassphrase = /^-> scrypt /m.test(Buffer.from(vector.file).toString('latin1'));
    expect(code).toBe(vector.expect === 'no match' && underPassphrase ? 'PASSPHRASE_WRONG' : 'DECRYPT_FAILED');
    if (vector.fileKey !== undefined && vector.expect === 'payload failure') {
      const fileKey = Uint8Array.from(Buffer.from(vector.fileKey, 'hex'));
      const { payload } = splitHeader(vector.file);
      expect(() => decryptStreamPayload(fileKey, payload)).toThrow(VaultError);
      expect(await refusal(() => collect(decryptPayloadStream(fileKey, inPieces(payload, 7001))))).toBe('DECRYPT_FAILED');
    }
  });
});

describe('stanzas without a key', () => {
  it.each(all.filter((v) => v.expect === 'success' || v.expect === 'no match'))('$name', async ({ file }) => {
    const header = Buffer.from(splitHeader(file).header).toString('latin1');
    const types = [...header.matchAll(/^-> (\S+)/gm)].map((match) => match[1]);
    const found = await ageHeaderStanzas(file);
    expect(found.types).toEqual(types);
    expect(found.count).toBe(types.length);
    expect(found.type).toBe(new Set(types).size === 1 ? types[0] : undefined);
  });
});

it('the vectors are all there', () => {
  expect(all.length).toBe(110);
});
