import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sshCa, sshKey } from '../../../packages/core/src/material/ssh.js';
import { expectBound, failures, generate, read, refused, Secret, take, textOf } from './helpers.js';

const pem = (key: { privateKey: KeyObject }, type: 'pkcs1' | 'pkcs8' | 'sec1', passphrase?: string): string => {
  const lock = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  return String(key.privateKey.export({ type, format: 'pem', ...lock } as { type: 'pkcs8'; format: 'pem' }));
};
const ed = generateKeyPairSync('ed25519');
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const own = textOf(await generate(sshKey, { comment: 'me@here' }));

/** ssh-keygen -t ed25519 -N hunter2hunter2 */
const encrypted = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABBDhUZk+0
GIKF5uXS7qc8s4AAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIDlsPjUVxwAL1nup
coB4zwiw/vnCciwJEo4hmWtZCCImAAAAkHmI3LCpnXN7fKfh8Ti5bu6y/1jIorK7drizZQ
nc163ouX0568LDLXv5GdZbvPVmshv8nPUzh5CeFWLfzDgJydQw5v170+9c4HU585QQnVZS
zc3tt9Tk92nIx14DRA3WUJIiP1/h5f+Ua1c9SosyoZRgUTLd/3l+7VZbVHoWGpWrj3fnE3
0DjPzE2Jfum4NpwA==
-----END OPENSSH PRIVATE KEY-----
`;

/** An OpenSSH file with the same bytes but for some. */
function patched(text: string, from: string | Buffer, to: string | Buffer): string {
  const content = Buffer.from(text.replace(/-----.*-----/g, ''), 'base64').toString('latin1');
  const changed = content.replaceAll(from.toString('latin1'), to.toString('latin1'));
  expect(changed).toHaveLength(content.length);
  expect(changed).not.toBe(content);
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from(changed, 'latin1').toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

async function publicBytes(): Promise<Buffer> {
  return Buffer.from(read(sshKey, await generate(sshKey), 'public-key').split(' ')[1]!, 'base64').subarray(-32);
}

describe('generate', () => {
  it.each([
    [sshKey, {}, 'ed25519', 'ssh-ed25519'],
    [sshKey, { algorithm: 'ecdsa-p256' }, 'ecdsa-p256', 'ecdsa-sha2-nistp256'],
    [sshKey, { algorithm: 'ecdsa-p384' }, 'ecdsa-p384', 'ecdsa-sha2-nistp384'],
    [sshKey, { algorithm: 'ecdsa-p521' }, 'ecdsa-p521', 'ecdsa-sha2-nistp521'],
    [sshKey, { algorithm: 'rsa-3072' }, 'rsa-3072', 'ssh-rsa'],
    [sshCa, {}, 'ed25519', 'ssh-ed25519'],
  ])('makes a %o key with %o', async (kind, parameters, algorithm, type) => {
    const key = await generate(kind, { comment: 'bootstrap@example.internal', ...parameters });
    expect(key.kind).toBe(kind.kind);
    expect(key.public['algorithm']).toBe(algorithm);
    expect(read(kind, key, 'public-key')).toMatch(new RegExp(`^${type} [A-Za-z0-9+/]+=* bootstrap@example\\.internal$`));
    expect(read(kind, key, 'fingerprint')).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
    expect(textOf(key)).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n(?:[A-Za-z0-9+/=]{1,70}\n)+-----END OPENSSH PRIVATE KEY-----\n$/);
    expect(key.parameters).toEqual({ algorithm, comment: 'bootstrap@example.internal' });
    expect(await failures(kind, key)).toEqual([]);
  });

  it('takes the name of the secret as a comment', async () => {
    expect(read(sshKey, await generate(sshKey), 'public-key')).toMatch(/ some\/name$/);
  });

  it.each([[{ algorithm: 'dsa' }], [{ algorithm: 'rsa-1024' }], [{ comment: 'a\nssh-ed25519 AAAA' }], [{ comment: '' }], [{ bits: 4096 }]])('refuses %o', async (parameters) => {
    await refused('BAD_VALUE', () => sshKey.parameters(parameters));
  });
});

describe('import', () => {
  it.each([
    ['OpenSSH format', own, 'ed25519'],
    ['ECDSA in SEC1', pem(ec, 'sec1'), 'ecdsa-p256'],
    ['ECDSA in PKCS#8', pem(ec, 'pkcs8'), 'ecdsa-p256'],
    ['RSA in PKCS#1', pem(rsa, 'pkcs1'), 'rsa-2048'],
  ])('keeps a key in %s to the last byte', async (_title, text, algorithm) => {
    const key = await take(sshKey, text);
    expect(textOf(key)).toBe(text);
    expect(key.public['algorithm']).toBe(algorithm);
    expect(await failures(sshKey, key)).toEqual([]);
  });

  it('gives the next key the algorithm and comment of this one', async () => {
    expect((await take(sshKey, own)).parameters).toEqual({ algorithm: 'ed25519', comment: 'me@here' });
    expect((await take(sshKey, pem(ec, 'sec1'))).parameters).toEqual({ algorithm: 'ecdsa-p256' });
    expect((await take(sshKey, pem(rsa, 'pkcs1'))).parameters).toEqual({ algorithm: 'rsa-4096' });
    expect((await take(sshKey, own, { comment: 'you@there' })).parameters).toEqual({ algorithm: 'ed25519', comment: 'you@there' });
  });

  it.each([
    ['without its final line break', own.trimEnd(), /no line break at its end/],
    ['with CRLF', own.replaceAll('\n', '\r\n'), /CRLF/],
    ['after a blank line', `\n${own}`, /does not begin with/],
    ['followed by another', own + own, /one private key|cannot be read/],
    ['followed by a word', `${own}x\n`, /one private key/],
    ['Ed25519 in PKCS#8', pem(ed, 'pkcs8'), /which ssh refuses/],
    ['under a passphrase, OpenSSH', encrypted, /passphrase/],
    ['under a passphrase, PKCS#8', pem(ec, 'pkcs8', 'hunter2hunter2'), /passphrase/],
    ['under a passphrase, PKCS#1', pem(rsa, 'pkcs1', 'hunter2hunter2'), /passphrase/],
    ['under a passphrase in a way that is not known here', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAAAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n', /passphrase/],
    ['DSA', pem(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }), 'pkcs8'), /neither an Ed25519/],
    ['public', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKAnoAYpHyxUyyGLCcqOBzZUTNDdUAWRiKJBIDPyS0uF me@here\n', /does not begin with/],
    ['public, in PEM', String(ec.publicKey.export({ type: 'spki', format: 'pem' })), /cannot be read/],
    ['short', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }), 'pkcs1'), /1024 bits/],
    ['on a strange curve', pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), 'sec1'), /cannot be read/],
    ['with a comment that breaks the line', patched(own, 'me@here', 'm\n@here'), /control characters/],
    ['cut short', `${own.slice(0, 200)}\n-----END OPENSSH PRIVATE KEY-----\n`, /cannot be read/],
    ['none at all', 'hunter2\n', /does not begin with/],
  ])('refuses a key that is %s', async (_title, text, message) => {
    const body = text.split('\n')[3] ?? text;
    const error = await refused('BAD_MATERIAL', () => take(sshKey, text), body.slice(0, 20) || 'hunter2');
    expect(error.message).toMatch(message);
  });

  it('says how to take off a passphrase', async () => {
    for (const text of [encrypted, pem(ec, 'pkcs8', 'x')]) expect((await refused('BAD_MATERIAL', () => take(sshKey, text))).hint).toContain('ssh-keygen -p -N ""');
  });

  it('finds that the public half is of another key', async () => {
    const mine = Buffer.from(read(sshKey, await take(sshKey, own), 'public-key').split(' ')[1]!, 'base64').subarray(-32);
    const key = await take(sshKey, patched(own, mine, await publicBytes()));
    expect(await failures(sshKey, key)).toMatchObject([{ check: 'public half derives', ok: false }]);
  });
});

describe('check', () => {
  it('binds the file to the public half', async () => {
    for (const algorithm of ['ed25519', 'ecdsa-p256']) {
      const [one, other] = [await generate(sshKey, { algorithm }), await generate(sshKey, { algorithm })];
      await expectBound(sshKey, one, other);
    }
  });

  it('tells nothing of a broken file', async () => {
    const key = await generate(sshKey);
    const broken = { ...key, file: Secret.fromText('hunter2') };
    expect(JSON.stringify(await sshKey.check(broken, { now: 0 }))).not.toContain('hunter2');
    expect(await failures(sshKey, broken)).toHaveLength(1);
  });
});

it('rotates by itself, into a key of the same kind', async () => {
  const key = await take(sshKey, pem(ec, 'sec1'));
  expect(sshKey.rotation(key.parameters, key.public).how).toBe('generate');
  expect((await generate(sshKey, key.parameters)).public['algorithm']).toBe('ecdsa-p256');
});
