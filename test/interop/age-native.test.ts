/** Files of ours that the `age` program reads, and files of its own that we read. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  ageDecrypt,
  ageEncrypt,
  ageHeaderStanzas,
  agePassphraseDecrypt,
  agePassphraseEncrypt,
  generateAgeIdentity,
  identityToRecipient,
} from '../../packages/core/src/primitives/age.js';
import { CHUNK_SIZE } from '../../packages/core/src/primitives/age-payload.js';
import { run } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
const sizes = [0, 1, 1000, CHUNK_SIZE, CHUNK_SIZE + 1, 5 * CHUNK_SIZE];

function keyFile(identity: string): string {
  const path = join(tempDir('age'), 'identity.txt');
  writeFileSync(path, `# a comment\n${identity}\n`, { mode: 0o600 });
  return path;
}

describeWith(['age', 'age-keygen'], 'classic files', ({ age, 'age-keygen': keygen }) => {
  it.each(sizes)('%i bytes: age reads ours', async (size) => {
    const identities = [await generateAgeIdentity(), await generateAgeIdentity()];
    const file = await ageEncrypt(bytes(size), await Promise.all(identities.map(identityToRecipient)));
    for (const identity of identities) {
      const result = await run(age, ['-d', '-i', keyFile(identity)], { input: file });
      expect([result.code, result.stderr]).toEqual([0, '']);
      expect(Buffer.compare(result.stdout, bytes(size))).toBe(0);
    }
  });

  it.each(sizes)('%i bytes: we read those of age', async (size) => {
    const identities = [await generateAgeIdentity(), await generateAgeIdentity()];
    const recipients = await Promise.all(identities.map(identityToRecipient));
    const result = await run(age, recipients.flatMap((recipient) => ['-r', recipient]), { input: bytes(size) });
    expect([result.code, result.stderr]).toEqual([0, '']);
    const file = Uint8Array.from(result.stdout);
    // Newer releases add a stanza of a made-up type now and then, so that readers learn to pass over it.
    expect((await ageHeaderStanzas(file)).types.filter((type) => type === 'X25519')).toHaveLength(2);
    for (const identity of identities) expect(Buffer.compare(await ageDecrypt(file, [identity]), bytes(size))).toBe(0);
  });

  it('keys are the same on both sides', async () => {
    const made = await run(keygen);
    const identity = /^AGE-SECRET-KEY-1.+$/m.exec(made.text)?.[0] ?? '';
    expect(made.text).toContain(await identityToRecipient(identity));
    const ours = await generateAgeIdentity();
    expect((await run(keygen, ['-y', keyFile(ours)])).text.trim()).toBe(await identityToRecipient(ours));
  });

  it('age refuses ours when a bit is flipped, as we do', async () => {
    const identity = await generateAgeIdentity();
    const file = await ageEncrypt(bytes(100), [await identityToRecipient(identity)]);
    const damaged = file.map((b, i) => (i === file.length - 20 ? b ^ 1 : b));
    expect((await run(age, ['-d', '-i', keyFile(identity)], { input: damaged })).code).not.toBe(0);
    await expect(ageDecrypt(damaged, [identity])).rejects.toMatchObject({ code: 'DECRYPT_FAILED' });
  });
});

describeWith(['age@1.3', 'age-plugin-batchpass'], 'passphrase files', (paths) => {
  const env = { PATH: `${join(paths['age-plugin-batchpass'], '..')}:${process.env['PATH'] ?? ''}`, AGE_PASSPHRASE: 'pässphrase one', AGE_PASSPHRASE_WORK_FACTOR: '12' };

  it('age reads ours', async () => {
    const file = await agePassphraseEncrypt(bytes(1000), 'pässphrase one', 12);
    const result = await run(paths['age@1.3'], ['-d', '-j', 'batchpass'], { input: file, env });
    expect([result.code, result.stderr]).toEqual([0, '']);
    expect(Buffer.compare(result.stdout, bytes(1000))).toBe(0);
  });

  it('we read those of age', async () => {
    const result = await run(paths['age@1.3'], ['-e', '-j', 'batchpass'], { input: bytes(1000), env });
    expect([result.code, result.stderr]).toEqual([0, '']);
    const file = Uint8Array.from(result.stdout);
    expect(await agePassphraseDecrypt(file, 'pässphrase one')).toEqual(bytes(1000));
    await expect(agePassphraseDecrypt(file, 'passphrase one')).rejects.toMatchObject({ code: 'PASSPHRASE_WRONG' });
  });
});

describeWith(['age@1.3', 'age-keygen@1.3'], 'post-quantum files', (paths) => {
  it('go both ways', async () => {
    const identity = await generateAgeIdentity({ pq: true });
    const recipient = await identityToRecipient(identity);
    const path = keyFile(identity);
    expect((await run(paths['age-keygen@1.3'], ['-y', path])).text.trim()).toBe(recipient);
    const read = await run(paths['age@1.3'], ['-d', '-i', path], { input: await ageEncrypt(bytes(70_000), [recipient]) });
    expect([read.code, read.stderr]).toEqual([0, '']);
    expect(Buffer.compare(read.stdout, bytes(70_000))).toBe(0);
    const made = await run(paths['age@1.3'], ['-r', recipient], { input: bytes(70_000) });
    expect(made.code).toBe(0);
    expect(Buffer.compare(await ageDecrypt(Uint8Array.from(made.stdout), [identity]), bytes(70_000))).toBe(0);
  });
});
