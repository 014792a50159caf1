import { describe, expect, it } from 'vitest';
import { stateKey } from '../../../packages/core/src/material/state-key.js';
import { expectBound, failures, generate, read, refused, Secret, take, textOf } from './helpers.js';

const KEY = new Uint8Array(32).map((_, i) => i * 7);

describe('generate', () => {
  it('makes 32 raw bytes with a key id that is no digest of them', async () => {
    const [a, b] = [await generate(stateKey), await generate(stateKey)];
    expect(a.file.length).toBe(32);
    expect(Buffer.from(read(stateKey, a, 'base64'), 'base64')).toEqual(a.file.use((bytes) => Buffer.from(bytes)));
    expect(a.public['keyid']).toMatch(/^[0-9a-f]{16}$/);
    expect(a.public['keyid']).not.toBe(b.public['keyid']);
    expect((await take(stateKey, KEY)).public['keyid']).not.toBe((await take(stateKey, KEY)).public['keyid']);
    await expectBound(stateKey, a, b);
  });

  it('makes a passphrase of 32 characters at least', async () => {
    const key = await generate(stateKey, { method: 'pbkdf2' });
    expect(textOf(key)).toMatch(/^[A-Za-z0-9]{43}$/);
    expect(key.public['method']).toBe('pbkdf2');
    await expectBound(stateKey, key, await generate(stateKey, { method: 'pbkdf2' }));
    await refused('BAD_VALUE', () => stateKey.parameters({ method: 'pbkdf2', length: 31 }));
    await refused('BAD_VALUE', () => stateKey.parameters({ method: 'aes_gcm', length: 32 }));
    await refused('BAD_VALUE', () => stateKey.parameters({ method: 'none' }));
  });
});

describe('import', () => {
  it.each([
    ['raw', KEY],
    ['base64', `${Buffer.from(KEY).toString('base64')}\n`],
    ['hex', Buffer.from(KEY).toString('hex')],
    ['upper-case hex', `${Buffer.from(KEY).toString('hex').toUpperCase()}\r\n`],
  ])('takes a key in %s', async (_title, value) => {
    const key = await take(stateKey, value);
    expect(key.file.use((bytes) => [...bytes])).toEqual([...KEY]);
    expect(await failures(stateKey, key)).toEqual([]);
  });

  it.each([['16 bytes', KEY.slice(16)], ['a passphrase', 'correct horse battery'], ['nothing', ''], ['33 bytes', new Uint8Array(33)], ['base64 without padding', Buffer.from(KEY).toString('base64').slice(0, -1)]])('refuses %s', async (_title, value) => {
    await refused('BAD_MATERIAL', () => take(stateKey, value), 'correct');
  });

  it('takes a passphrase that OpenTofu takes', async () => {
    expect(textOf(await take(stateKey, 'correct horse battery\n', { method: 'pbkdf2' }))).toBe('correct horse battery');
    await refused('BAD_MATERIAL', () => take(stateKey, 'fifteen chars!!', { method: 'pbkdf2' }), 'fifteen');
  });

  it('publishes nothing from which an imported value could be guessed', async () => {
    expect(Object.keys((await take(stateKey, 'correct horse battery', { method: 'pbkdf2' })).public).sort()).toEqual(['keyid', 'method']);
    expect(Object.keys((await take(stateKey, KEY)).public).sort()).toEqual(['keyid', 'method']);
  });
});

describe('check', () => {
  it('tells a key of the wrong length, and a probe that is none', async () => {
    const key = await generate(stateKey);
    expect(await failures(stateKey, { ...key, file: Secret.take(new Uint8Array(16)) })).toContainEqual({ check: 'is a 256-bit key', ok: false });
    expect(await failures(stateKey, { ...key, public: { ...key.public, probe: 'AAAA' } })).not.toEqual([]);
    expect(await failures(stateKey, { ...key, public: { ...key.public, extra: 1 } })).not.toEqual([]);
  });

  it('tells a key file from a passphrase', async () => {
    const passphrase = await generate(stateKey, { method: 'pbkdf2' });
    const { probe: _, ...rest } = passphrase.public;
    expect(await failures(stateKey, { ...passphrase, public: { ...rest, method: 'aes_gcm' } })).toContainEqual({ check: 'is a 256-bit key', ok: false });
    expect(await failures(stateKey, { ...passphrase, public: rest, file: Secret.take(Uint8Array.of(0xff)) })).toContainEqual({ check: 'is a passphrase', ok: false });
  });
});
