import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isVaultError } from '../../packages/core/src/errors.js';
import { sshCa, sshKey } from '../../packages/core/src/material/ssh.js';
import { mustRun, run } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';

const context = { now: 0, name: 'ssh/bootstrap' };

describeWith(['ssh-keygen'], 'ssh-keygen', ({ 'ssh-keygen': keygen }) => {
  const write = (dir: string, bytes: Uint8Array | string): string => {
    const path = join(dir, 'key');
    writeFileSync(path, bytes, { mode: 0o600 });
    return path;
  };

  it.each(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-3072', 'rsa-4096'])('reads a generated %s key as we do', async (algorithm) => {
    const key = await sshKey.generate!(sshKey.parameters({ algorithm, comment: 'bootstrap@example.internal' }), context);
    const path = key.file.use((bytes) => write(tempDir(), bytes));
    expect((await mustRun(keygen, ['-y', '-f', path])).text).toBe(`${String(key.public['public-key'])}\n`);
    const [bits, fingerprint, comment] = (await mustRun(keygen, ['-l', '-f', path])).text.split(' ');
    expect(fingerprint).toBe(key.public['fingerprint']);
    expect(comment).toBe('bootstrap@example.internal');
    expect(bits).toBe(algorithm.includes('-') ? algorithm.replace(/\D*/, '') : '256');
  });

  // Numbers with leading zero bytes come once in 256 keys: each encoding of them has to be the one that ssh takes.
  it.each(['ed25519', 'ecdsa-p256', 'ecdsa-p521'])('takes each of many %s keys', async (algorithm) => {
    const dir = tempDir();
    for (let i = 0; i < 60; i++) {
      const key = await sshKey.generate!(sshKey.parameters({ algorithm, comment: 'x' }), context);
      expect((await mustRun(keygen, ['-y', '-f', key.file.use((bytes) => write(dir, bytes))])).text).toBe(`${String(key.public['public-key'])}\n`);
    }
  });

  it.each([
    ['-t', 'ed25519'],
    ['-t', 'ecdsa', '-b', '384'],
    ['-t', 'ecdsa', '-b', '521', '-m', 'PEM'],
    ['-t', 'rsa', '-b', '2048', '-m', 'PEM'],
    ['-t', 'rsa', '-b', '2048', '-m', 'PKCS8'],
    ['-t', 'rsa', '-b', '3072'],
  ])('makes a key that is taken in: %s %s %s %s %s %s', async (...options) => {
    const path = join(tempDir(), 'key');
    await mustRun(keygen, ['-q', '-N', '', '-C', 'made elsewhere', '-f', path, ...options.filter((option) => option !== undefined)]);
    const bytes = readFileSync(path);
    const key = await sshKey.import(bytes, {}, context);
    expect(key.file.use((file) => Buffer.from(file))).toEqual(bytes);
    expect((await mustRun(keygen, ['-l', '-f', path])).text).toContain(` ${String(key.public['fingerprint'])} `);
    expect((await sshKey.check(key, { now: 0 })).filter(({ ok }) => !ok)).toEqual([]);
    const publicLine = readFileSync(`${path}.pub`, 'utf8').trim();
    expect(publicLine.startsWith(String(key.public['public-key']))).toBe(true);
  });

  it.each([[], ['-m', 'PEM'], ['-m', 'PKCS8']])('has a key under a passphrase refused: %s %s', async (...options) => {
    const path = join(tempDir(), 'key');
    await mustRun(keygen, ['-q', '-t', 'ecdsa', '-N', 'correct horse', '-f', path, ...options]);
    const error: unknown = await sshKey.import(readFileSync(path), {}, context).catch((caught: unknown) => caught);
    expect(isVaultError(error, 'BAD_MATERIAL') && error.message).toContain('passphrase');
  });

  describe('what we refuse, it refuses', () => {
    it.each([
      ['no final line break', (text: string) => text.trimEnd()],
      ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
      ['a leading blank line', (text: string) => `\n${text}`],
    ])('%s', async (_title, spoil) => {
      const key = await sshKey.generate!(sshKey.parameters({}), context);
      const spoilt = key.file.useText(spoil);
      expect((await run(keygen, ['-y', '-P', '', '-f', write(tempDir(), spoilt)])).code).not.toBe(0);
      await expect(sshKey.import(new TextEncoder().encode(spoilt), {}, context)).rejects.toMatchObject({ code: 'BAD_MATERIAL' });
    });
  });

  it('signs certificates with a generated CA key', async () => {
    const dir = tempDir();
    const ca = await sshCa.generate!(sshCa.parameters({ comment: 'users' }), context);
    const caPath = ca.file.use((bytes) => write(dir, bytes));
    const user = await sshKey.generate!(sshKey.parameters({}), context);
    writeFileSync(join(dir, 'user.pub'), `${String(user.public['public-key'])}\n`);
    await mustRun(keygen, ['-q', '-s', caPath, '-I', 'carol', '-n', 'carol', '-V', '+1h', join(dir, 'user.pub')]);
    const shown = (await mustRun(keygen, ['-L', '-f', join(dir, 'user-cert.pub')])).text;
    expect(shown).toContain(`Signing CA: ED25519 ${String(ca.public['fingerprint'])}`);
  });
});
