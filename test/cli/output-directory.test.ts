import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeOutputDirectory } from '../../packages/cli/src/files/output-directory.js';
import { tempDir } from '../support/tmp.js';
import { buildCli, runBin } from './harness.js';
import { owner } from './person.js';

describe('a directory of opened secrets', () => {
  it('takes no path that leads out of it, and leaves nothing behind', async () => {
    const parent = tempDir('out');
    await expect(writeOutputDirectory(join(parent, 'in'), [{ path: 'a', bytes: Buffer.from('a') }, { path: '../b', bytes: Buffer.from('b') }])).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(readdirSync(parent)).toEqual([]);
  });

  it('does not take over what appeared in its place meanwhile', async () => {
    const parent = tempDir('out');
    await writeOutputDirectory(join(parent, 'in'), [{ path: 'a', bytes: Buffer.from('mine') }]);
    await expect(writeOutputDirectory(join(parent, 'in'), [{ path: 'a', bytes: Buffer.from('other') }])).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    expect(readFileSync(join(parent, 'in', 'a'), 'utf8')).toBe('mine');
    expect(readdirSync(parent)).toEqual(['in']);
  });

  it('gives the signals back', async () => {
    const before = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => process.listenerCount(signal));
    await writeOutputDirectory(join(tempDir('out'), 'in'), [{ path: 'a', bytes: Buffer.from('a') }]);
    expect(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => process.listenerCount(signal))).toEqual(before);
  });
});

describe('a command that is stopped while the editor has the plaintext', () => {
  beforeAll(buildCli, 300_000);

  it('removes it', async () => {
    const alice = await owner();
    await alice.must(['seal', 'notes', '--from', '-'], { input: 'canary' });
    const seen = join(alice.work, 'seen');
    // Up to the first process that is Node, which is the command.
    const editor = alice.write('editor', `#!/bin/sh
dirname "$1" > ${seen}
pid=$PPID
while case "$(readlink /proc/$pid/exe)" in */node) false;; esac; do pid=$(awk '/^PPid/ { print $2 }' /proc/$pid/status); done
kill -TERM $pid
sleep 2
`);
    chmodSync(editor, 0o700);
    const result = await runBin(alice, ['edit', 'notes'], { env: { VISUAL: editor } });
    expect(result.code).toBe(143);
    expect(existsSync(readFileSync(seen, 'utf8').trim())).toBe(false);
    expect((await alice.must(['open', 'notes'])).text).toBe('canary');
  });
});
