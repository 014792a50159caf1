import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkpointSignedBy, readCheckpoint } from '../../packages/core/src/audit/checkpoint.js';
import { writeStateCache } from '../../packages/core/src/engine/state-cache.js';
import { leafHash, rootOf } from '../../packages/core/src/primitives/merkle.js';
import { parseTlogProof, provesInclusion } from '../../packages/core/src/primitives/tlog-proof.js';
import { sha256Hex, toHex } from '../../packages/core/src/primitives/hash.js';
import { PersistentMap } from '../../packages/core/src/primitives/persistent-map.js';
import { mustRunMain, runMain } from './harness.js';
import { forceAppend, type TestVault, vaultOfAlice } from './vaults.js';

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));

const theOnly = ({ directory }: TestVault, part: string): string => {
  const [path, ...more] = filesBelow(directory).filter((file) => file.includes(part));
  expect(more).toEqual([]);
  return path!;
};

describe('audit log', () => {
  it('shows every entry in words, and those about some secrets or of some person', async () => {
    const { alice } = await vaultOfAlice();
    const { text } = await mustRunMain(alice, ['audit', 'log']);
    expect(text.split('\n').map((line) => line.replace(/^( +\d+) {2}\S+ \S+ UTC/, '$1  TIME'))).toEqual([
      '   0  TIME  alice (laptop)  made the vault',
      '   1  TIME  alice (laptop)  made the key of role team, epoch 1',
      '   2  TIME  alice (laptop)  granted role team, epoch 1, to alice',
      '   3  TIME  alice (laptop)  sealed app/password v1, password, to team',
      '',
    ]);
    const log = async (...argv: string[]): Promise<number[]> => JSON.parse((await mustRunMain(alice, ['audit', 'log', '--json', ...argv])).text).entries.map((entry: { leaf: number }) => entry.leaf);
    expect(await log()).toEqual([0, 1, 2, 3]);
    expect(await log('--last', '2')).toEqual([2, 3]);
    expect(await log('app/')).toEqual([3]);
    expect(await log('app/password')).toEqual([3]);
    expect(await log('app')).toEqual([]);
    expect(await log('--person', 'bruno')).toEqual([]);
    expect(await runMain(alice, ['audit', 'log', '--last', 'x'])).toMatchObject({ code: 2 });
  });
});

describe('audit verify', () => {
  it('finds a good vault sound, without an identity', async () => {
    const { alice } = await vaultOfAlice();
    rmSync(alice.at('.config', 'oxp-vault'), { recursive: true });
    const result = await runMain(alice, ['audit', 'verify']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.text).toMatch(/^4 entries, root [0-9a-f]{8}: every page, signature and checkpoint verified; 3 files read\.\nThe vault is sound\.\n$/);
  });

  it.each([['secrets/', 'app/password v1'], ['roles/', 'the grant of team, epoch 1, to alice']])('names a file below %s that is missing or changed, and exits with 5', async (part, what) => {
    const vault = await vaultOfAlice();
    const path = theOnly(vault, part);
    const good = readFileSync(path);
    const bad = Buffer.from(good);
    bad[bad.length - 1]! ^= 1;
    writeFileSync(path, bad);
    const changed = await runMain(vault.alice, ['audit', 'verify', '--json']);
    expect(changed.code).toBe(5);
    expect(JSON.parse(changed.text)).toMatchObject({ verdict: 'not sound', ok: false, missing: [], damaged: [{ what }] });
    writeFileSync(path, good.subarray(0, good.length - 1));
    expect(await runMain(vault.alice, ['audit', 'verify'])).toMatchObject({ code: 5 });
    rmSync(path);
    const missing = await runMain(vault.alice, ['audit', 'verify']);
    expect(missing.code).toBe(5);
    expect(missing.text).toContain(`! missing: ${what}`);
    expect(missing.text).toMatch(/The vault is not sound\.\n$/);
    writeFileSync(path, good);
    expect(await runMain(vault.alice, ['audit', 'verify'])).toMatchObject({ code: 0 });
  });

  it('believes no cache: an entry rewritten in a page that this machine has verified is found', async () => {
    const vault = await vaultOfAlice();
    const page = theOnly(vault, '.jsonl');
    const text = readFileSync(page, 'utf8');
    // Without a cache the next command writes one that covers the whole log.
    const { id } = await vault.open();
    rmSync(vault.alice.at('.local', 'state', 'oxp-vault', 'vaults', id, 'state.bin'));
    await mustRunMain(vault.alice, ['list']);
    writeFileSync(page, text.replace('"sig":"', '"sig":"A'));
    // Whoever only adds entries does not read the old ones again.
    expect(await runMain(vault.alice, ['list'])).toMatchObject({ code: 0 });
    expect(await runMain(vault.alice, ['audit', 'verify'])).toMatchObject({ code: 8, text: '' });
  });

  it('lists void entries, traces of a fork and foreign files as remarks, which --strict takes for faults', async () => {
    const vault = await vaultOfAlice();
    const library = await vault.open();
    await forceAppend(library, library.sign('role.grant', { role: 'nobody', epoch: 1, recipient: library.requireEnrolled().card.recipient, person: 'alice', blob: { sha256: '00'.repeat(32), size: 1 } }));
    writeFileSync(join(vault.directory, 'notes.txt'), 'mine');
    mkdirSync(join(vault.directory, 'objects'), { recursive: true });
    writeFileSync(join(vault.directory, 'objects', `${'ab'.repeat(32)}.json`), '{}');
    const result = await runMain(vault.alice, ['audit', 'verify']);
    expect(result.code).toBe(0);
    expect(result.text).toMatch(/^! entry 4 is void \(EPOCH_MISSING\) /m);
    expect(result.text).toMatch(/^- named by no entry +notes\.txt$/m);
    expect(result.text).toMatch(/The vault is sound, with remarks\.\n$/);
    expect(await runMain(vault.alice, ['audit', 'verify', '--strict'])).toMatchObject({ code: 5 });
    const report = JSON.parse((await runMain(vault.alice, ['audit', 'verify', '--json'])).text);
    expect(report).toMatchObject({ ok: true, entries: 5, voids: [{ leaf: 4, code: 'EPOCH_MISSING' }], strays: [] });
    expect(report.foreign).toEqual(['notes.txt', `objects/${'ab'.repeat(32)}.json`]);
    expect((await mustRunMain(vault.alice, ['audit', 'log', '--last', '1'])).text).toContain('! void, EPOCH_MISSING: granted role nobody');
  });

  it('believes no cache about what is void either', async () => {
    const vault = await vaultOfAlice();
    const library = await vault.open();
    await forceAppend(library, library.sign('secret.retire', { statement: '00'.repeat(32) }));
    const { id, local, log } = await vault.open();
    await writeStateCache(local, id, { ...log, state: { ...log.state, voids: PersistentMap.from([]) } });
    expect((await vault.open()).state.voids.size).toBe(0);
    expect(JSON.parse((await runMain(vault.alice, ['audit', 'verify', '--json'])).text).voids).toMatchObject([{ leaf: 4 }]);
  });

  it('takes a file of another size than was signed for damaged, as every reader does', async () => {
    const vault = await vaultOfAlice();
    const library = await vault.open();
    const grant = readFileSync(theOnly(vault, 'roles/'));
    const blob = { sha256: sha256Hex(grant), size: grant.length + 1 };
    const { recipient } = library.policy.roles.get('team')!.epochs[0]!;
    await library.append({ entries: [library.sign('role.grant', { role: 'team', epoch: 1, recipient, person: 'alice', blob })], files: [] });
    expect(JSON.parse((await runMain(vault.alice, ['audit', 'verify', '--json'])).text)).toMatchObject({ ok: false, damaged: [{ leaf: 4 }] });
  });

  it('does not ask for what only a void entry names', async () => {
    const vault = await vaultOfAlice();
    const library = await vault.open();
    await forceAppend(library, library.sign('role.grant', { role: 'team', epoch: 7, recipient: library.requireEnrolled().card.recipient, person: 'alice', blob: { sha256: '11'.repeat(32), size: 1 } }));
    expect(JSON.parse((await runMain(vault.alice, ['audit', 'verify', '--json'])).text)).toMatchObject({ ok: true, missing: [], voids: [{ leaf: 4 }] });
  });
});

describe('audit proof, checkpoint and export', () => {
  it('proves an entry by name, index and digest, under a checkpoint that alice has signed', async () => {
    const vault = await vaultOfAlice();
    const library = await vault.open();
    const entries = JSON.parse((await mustRunMain(vault.alice, ['audit', 'log', '--json'])).text).entries as { leaf: number; digest: string }[];
    const lines = readFileSync(theOnly(vault, '.jsonl'), 'utf8').trimEnd().split('\n').slice(1);
    const byIndex = (await mustRunMain(vault.alice, ['audit', 'proof', '3'])).stdout;
    for (const what of ['app/password', 'app/password@1', 'app/password@v1', entries[3]!.digest, entries[3]!.digest.slice(0, 10)]) {
      expect((await mustRunMain(vault.alice, ['audit', 'proof', what])).stdout.equals(byIndex)).toBe(true);
    }
    const proof = parseTlogProof(byIndex);
    expect(proof.index).toBe(3);
    expect(provesInclusion(proof, leafHash(Buffer.from(lines[3]!)))).toBe(true);
    expect(provesInclusion(proof, leafHash(Buffer.from(lines[2]!)))).toBe(false);
    const checkpoint = readCheckpoint(proof.checkpoint);
    expect(checkpointSignedBy(checkpoint, { person: 'alice', device: 'laptop' }, library.requireEnrolled().card.key)).toBe(true);
    expect(Buffer.from(proof.checkpoint).equals((await mustRunMain(vault.alice, ['audit', 'checkpoint'])).stdout)).toBe(true);
  });

  it.each([['4', 3], ['99', 3], ['app/nothing', 3], ['app/password@2', 3], ['ffffffff', 3]])('says that %s is not there', async (what, code) => {
    const { alice } = await vaultOfAlice();
    expect(await runMain(alice, ['audit', 'proof', what])).toMatchObject({ code, text: '' });
  });

  it('exports tiles from which the root is computed, into a new place only', async () => {
    const vault = await vaultOfAlice();
    await mustRunMain(vault.alice, ['audit', 'export', '--tiles', 'tiles']);
    const at = (path: string): Buffer => readFileSync(join(vault.alice.work, 'tiles', path));
    expect(filesBelow(join(vault.alice.work, 'tiles')).map((path) => path.slice(vault.alice.work.length + 7)).toSorted()).toEqual(['checkpoint', 'tile/0/000.p/4', 'tile/entries/000.p/4']);
    const tile = at('tile/0/000.p/4');
    const hashes = [0, 1, 2, 3].map((i) => tile.subarray(32 * i, 32 * (i + 1)));
    expect(toHex(rootOf(hashes))).toBe((await vault.open()).point.root);
    const bundle = at('tile/entries/000.p/4');
    const first = bundle.subarray(2, 2 + bundle.readUInt16BE(0));
    expect(toHex(leafHash(first))).toBe(toHex(hashes[0]!));
    expect(await runMain(vault.alice, ['audit', 'export', '--tiles', 'tiles'])).toMatchObject({ code: 2 });
  });
});
