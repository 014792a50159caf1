/** Keys as ssh-keygen reads them from the files that `open --out` writes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { mustRun } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { generated, streamed, written } from '../unit/formats/opened.js';

describeWith(['ssh-keygen'], 'openssh, through ssh-keygen', ({ 'ssh-keygen': keygen }) => {
  it.each([['ed25519'], ['ecdsa-p384'], ['rsa-3072']])('%s: both halves, as they are on disk', async (algorithm) => {
    const { secret } = await generated('ssh/bootstrap', 'ssh-key', { algorithm, comment: 'bootstrap@example.internal' });
    const directory = tempDir();
    const files = await written('openssh', [secret]);
    expect([...files].map(([path, { mode }]) => [path, mode])).toEqual([
      ['ssh/bootstrap', 0o600],
      ['ssh/bootstrap.pub', 0o644],
    ]);
    for (const { path, bytes, mode } of files.values()) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), bytes, { mode: mode ?? 0o600 });
    }
    const key = join(directory, 'ssh/bootstrap');
    const derived = await mustRun(keygen, ['-y', '-f', key]);
    const fromPublic = await mustRun(keygen, ['-l', '-f', `${key}.pub`]);
    expect(Buffer.from(files.get('ssh/bootstrap.pub')!.bytes).toString()).toBe(derived.text);
    expect(fromPublic.text).toContain('bootstrap@example.internal');
  });

  it('the stream is the private file byte for byte', async () => {
    const { secret } = await generated('ssh/ca', 'ssh-ca');
    const bytes = await streamed('openssh', [secret]);
    expect(secret.file.use((file) => Buffer.compare(file, bytes))).toBe(0);
    const key = join(tempDir(), 'key');
    writeFileSync(key, bytes, { mode: 0o600 });
    await mustRun(keygen, ['-y', '-f', key]);
  });
});
