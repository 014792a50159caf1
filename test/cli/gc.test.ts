import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mustRunMain, runMain } from './harness.js';
import { forceAppend, type TestVault, vaultOfAlice } from './vaults.js';

const HOURS = 3_600_000;

/** A file of the vault's directory, two hours old unless said otherwise. */
function leave({ directory }: TestVault, path: string, age = 2 * HOURS): string {
  const file = join(directory, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'left behind');
  const when = new Date(Date.now() - age);
  utimesSync(file, when, when);
  return file;
}

const snapshot = ({ directory }: TestVault): Record<string, string> =>
  Object.fromEntries(readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(directory, path)).isFile()).map((path) => [path, readFileSync(join(directory, path), 'hex')]));

const orphans = ['objects/' + 'ab'.repeat(32) + '.json', 'policy/0009-abcdef01.json', 'secrets/app/password/0002-abcdef01.age', 'secrets/app/password/0002-shares/bruno-abcdef01.age', 'roles/team/0001/bruno-abcdef01.age', 'log/0000000000-0123456789abcdef-0000000000.jsonl'];

describe('gc', () => {
  it('removes what no entry names, and nothing that one names or that is not of the vault', async () => {
    const vault = await vaultOfAlice();
    const before = snapshot(vault);
    const left = orphans.map((path) => leave(vault, path));
    const mine = ['notes.txt', 'secrets/app/password/readme.age', 'policy/policy.json'].map((path) => leave(vault, path));

    const dry = await mustRunMain(vault.alice, ['gc', '--dry-run', '--json']);
    expect(JSON.parse(dry.text)).toMatchObject({ removed: orphans.toSorted(), dryRun: true, kept: 0 });
    for (const path of [...left, ...mine]) expect(existsSync(path)).toBe(true);

    expect(JSON.parse((await mustRunMain(vault.alice, ['gc', '--json'])).text).removed).toEqual(orphans.toSorted());
    for (const path of left) expect(existsSync(path)).toBe(false);
    for (const path of mine) expect(existsSync(path)).toBe(true);
    expect(snapshot(vault)).toMatchObject(before);
    expect(await runMain(vault.alice, ['audit', 'verify'])).toMatchObject({ code: 0 });
  });

  it('spares what is younger than an hour, which a writer may be about to commit, unless told that nobody writes', async () => {
    const vault = await vaultOfAlice();
    const young = leave(vault, orphans[0]!, HOURS / 2);
    const kept = await mustRunMain(vault.alice, ['gc', '--json']);
    expect(JSON.parse(kept.text)).toMatchObject({ removed: [], kept: 1 });
    expect(existsSync(young)).toBe(true);
    await mustRunMain(vault.alice, ['gc', '--now']);
    expect(existsSync(young)).toBe(false);
  });

  it('removes unfinished files of killed writers', async () => {
    const vault = await vaultOfAlice();
    const old = leave(vault, 'log/.tmp-0123456789ab');
    const young = leave(vault, 'secrets/.tmp-0123456789ab', 0);
    expect(JSON.parse((await mustRunMain(vault.alice, ['gc', '--json'])).text)).toMatchObject({ leftovers: 1 });
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
    expect((await mustRunMain(vault.alice, ['gc', '--now'])).text).toContain('1 unfinished file');
    expect(existsSync(young)).toBe(false);
  });

  it('keeps the files of entries in effect that were replaced since, and those that only a void entry names', async () => {
    const vault = await vaultOfAlice();
    await mustRunMain(vault.alice, ['rotate', 'app/password', '--yes']);
    const library = await vault.open();
    const sha256 = 'cd'.repeat(32);
    await forceAppend(library, library.sign('role.grant', { role: 'team', epoch: 7, recipient: library.requireEnrolled().card.recipient, person: 'alice', blob: { sha256, size: 11 } }));
    leave(vault, 'roles/team/0007/alice-cdcdcdcd.age');
    expect(JSON.parse((await mustRunMain(vault.alice, ['gc', '--json', '--now'])).text).removed).toEqual([]);
    expect(await runMain(vault.alice, ['audit', 'verify'])).toMatchObject({ code: 0 });
  });

  it('touches only pages in a log with ops that it does not know, since it cannot know their files', async () => {
    const vault = await vaultOfAlice();
    const library = await vault.open();
    await forceAppend(library, library.sign('future.thing', { blob: '00' }));
    const left = orphans.map((path) => leave(vault, path));
    const result = await mustRunMain(vault.alice, ['gc', '--json']);
    expect(JSON.parse(result.text)).toMatchObject({ removed: [orphans.at(-1)], pagesOnly: true });
    expect(result.stderr).toContain('newer release');
    expect(left.map((path) => existsSync(path))).toEqual([true, true, true, true, true, false]);
  });

  it('breaks a lock only on a yes, and never that of a living process', async () => {
    const vault = await vaultOfAlice();
    const lock = join(vault.directory, 'lock');
    const foreign = { host: 'another.example', pid: 1, started: 1, since: 1_700_000_000, nonce: '00'.repeat(16) };
    writeFileSync(lock, JSON.stringify(foreign));
    expect(await runMain(vault.alice, ['gc', '--break-lock'])).toMatchObject({ code: 2 });
    expect(existsSync(lock)).toBe(true);
    expect(await mustRunMain(vault.alice, ['gc', '--break-lock', '--dry-run', '--yes'])).toMatchObject({ code: 0 });
    expect(existsSync(lock)).toBe(true);
    const broken = await mustRunMain(vault.alice, ['gc', '--break-lock'], { answers: [true] });
    expect(broken.stderr).toContain('process 1 on another.example');
    expect(existsSync(lock)).toBe(false);
    expect(hostname()).not.toBe('another.example');
  });
});
