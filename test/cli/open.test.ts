import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { owner, person, type VaultOwner } from './person.js';

const openings = async (alice: VaultOwner): Promise<number> => (await alice.must(['audit', 'log'])).text.split('\n').filter((line) => line.includes(' opened ')).length;

async function withSecrets(): Promise<VaultOwner> {
  const alice = await owner();
  alice.write('bootstrap.yaml', `secrets:
  pki/root: { kind: pki-root, subject: { CN: Root }, algorithm: ecdsa-p256 }
  dns/tsig: { kind: tsig, key: external-dns. }
  notes: { kind: document, import: { env: NOTES } }
`);
  await alice.must(['seal'], { env: { NOTES: 'line one\nno newline at the end' } });
  return alice;
}

describe('open', () => {
  it('gives the raw bytes of one secret, exactly, and records it first', async () => {
    const alice = await withSecrets();
    const opened = await alice.must(['open', 'notes', '--purpose', 'deploy']);
    expect(opened.text).toBe('line one\nno newline at the end');
    expect(opened.stderr).toBe('Newest as of 6 entries, read just now from ./vault.\n');
    expect((await alice.must(['audit', 'log'])).text).toMatch(/opened notes v1 \(deploy\)/);
  });

  it('gives several as one JSON document; --json is --format json', async () => {
    const alice = await withSecrets();
    await alice.must(['seal', 'bin', '--from', '-'], { input: Uint8Array.of(255) });
    const both = JSON.parse((await alice.must(['open', 'notes', 'bin'])).text);
    expect(both).toEqual({ bin: { base64: '/w==' }, notes: 'line one\nno newline at the end' });
    const json = await alice.must(['open', 'notes', '--json']);
    expect(json.text).toBe((await alice.must(['open', 'notes', '--format', 'json'])).text);
    expect(JSON.parse(json.text)).toEqual({ notes: 'line one\nno newline at the end' });
    expect((await alice.ov(['open', 'notes', '--json', '--format', 'env'])).code).toBe(2);
  });

  it('shows a table on a terminal: nothing is decrypted, nothing recorded, no passphrase asked', async () => {
    const alice = await withSecrets();
    const shown = await alice.must(['open', '--role', 'team'], { tty: true, env: { OXP_VAULT_IDENTITY: '/nowhere' } });
    expect(shown.text).toMatch(/^NAME {6}VERSION {2}KIND {6}SEALED BY\ndns\/tsig {2}v1 {7}tsig {6}alice, .*\nnotes .*\npki\/root {2}v1 {7}pki-root {2}alice, .*\n$/);
    expect(shown.stderr).toContain('Nothing was decrypted.');
    expect(shown.stderr).toContain('Newest as of 6 entries');
    const json = JSON.parse((await alice.must(['open', 'notes', '--json'], { tty: true })).text);
    expect(json).toMatchObject({ shown: false, secrets: [{ name: 'notes', version: 1 }] });
    expect(await openings(alice)).toBe(0);
  });

  it('shows a value on a terminal when asked to, unless the terminal would act on it', async () => {
    const alice = await withSecrets();
    expect((await alice.must(['open', 'notes', '--show'], { tty: true })).text).toBe('line one\nno newline at the end\n');
    await alice.must(['seal', 'evil', '--from', '-'], { input: 'a\u001b]52;c;canary\u0007' });
    const evil = await alice.ov(['open', 'evil', '--show'], { tty: true });
    expect([evil.code, evil.text]).toEqual([2, '']);
    expect(evil.stderr).toContain('FORMAT_UNSUITABLE');
    expect(evil.stderr).not.toContain('canary');
    expect((await alice.must(['open', 'evil'])).text).toContain('canary');
  });

  it('gives public fields to whoever can read the vault, without a record', async () => {
    const alice = await withSecrets();
    const stranger = { env: { OXP_VAULT_IDENTITY: '/nowhere' } };
    expect((await alice.must(['open', 'pki/root#certificate'], { ...stranger, tty: true })).text).toContain('BEGIN CERTIFICATE');
    expect((await alice.must(['open', 'dns/tsig#keyname', 'dns/tsig#algorithm'], stranger)).text).toContain('hmac-sha256');
    expect(await openings(alice)).toBe(0);
    const key = await alice.ov(['open', 'dns/tsig#secret'], stranger);
    expect([key.code, key.text]).toEqual([9, '']);
    expect((await alice.must(['open', 'dns/tsig#secret'])).text).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    expect(await openings(alice)).toBe(1);
  });

  it('opens an older version, and every version that is in use for bind', async () => {
    const alice = await withSecrets();
    const first = (await alice.must(['open', 'dns/tsig'])).text;
    await alice.must(['rotate', 'dns/tsig']);
    expect((await alice.must(['open', 'dns/tsig', '--at', '1'])).text).toBe(first);
    const both = (await alice.must(['open', 'dns/tsig', '--format', 'bind'])).text;
    expect(both).toContain('key "external-dns." {');
    expect(both).toContain('key "external-dns-v2." {');
    await alice.must(['retire', 'dns/tsig']);
    const after = (await alice.must(['open', 'dns/tsig', '--format', 'bind'])).text;
    expect(after).not.toContain('key "external-dns." {');
    // Nor was the retired one opened for it.
    expect((await alice.must(['audit', 'log', '--last', '1'])).text).toMatch(/opened dns\/tsig v2 \(open\)\n$/);
    expect((await alice.must(['open', 'dns/tsig', '--format', 'external-dns'])).text).toContain('rfc2136-tsig-keyname');
  });

  it('keeps the record of an offline opening in the queue, and the next writing command takes it along', async () => {
    const alice = await withSecrets();
    const offline = await alice.must(['open', 'notes', '--offline']);
    expect(offline.stderr).toContain('nobody was asked for news (--offline)');
    expect(await openings(alice)).toBe(0);
    const seal = await alice.must(['seal'], { env: { NOTES: 'x' } });
    expect(seal.stderr).toContain('1 opening that waited here is in the log now.');
    expect(await openings(alice)).toBe(1);
  });

  it('tells where the vault cannot be written that the record waits here, and the next writing command takes it along', async () => {
    const alice = await withSecrets();
    const lock = join(alice.work, 'vault', 'lock');
    mkdirSync(lock); // a lock that nobody can take, root neither
    const opened = await alice.must(['open', 'notes']);
    rmdirSync(lock);
    expect(opened.text).toContain('line one');
    expect(opened.stderr).toMatch(/^! STORE_IO: .*\. The record of this opening waits on this machine, and your next writing command takes it along\.\nNewest as of/);
    expect((await alice.must(['seal'], { env: { NOTES: 'x' } })).stderr).toContain('1 opening that waited here');
    expect((await alice.must(['open', 'notes'])).stderr).not.toContain('waits');
  });

  it('asks twice for the password of a p12, and says where to put it when nobody can be asked', async () => {
    const alice = await withSecrets();
    const asked = await alice.must(['open', 'pki/root', '--format', 'p12'], { answers: ['changeit please', 'changeit please'] });
    expect(asked.asked).toEqual(['Password for the p12:', 'The same again:']);
    expect(asked.stdout[0]).toBe(0x30); // a DER sequence
    expect((await alice.must(['open', 'pki/root', '--format', 'p12'], { answers: [], tty: true })).text).toContain('pki/root  v1');
    const before = await openings(alice);
    const differ = await alice.ov(['open', 'pki/root', '--format', 'p12'], { answers: ['changeit please', 'changeit pleasf'] });
    expect([differ.code, differ.text]).toEqual([2, '']);
    const alone = await alice.ov(['open', 'pki/root', '--format', 'p12']);
    expect([alone.code, alone.text, alone.stderr]).toEqual([2, '', expect.stringContaining('--password-file FILE')]);
    expect(await openings(alice)).toBe(before);
  });

  it.each([
    ['notes@1', 'oxp-vault open notes --at 1'],
    ['dns/', 'oxp-vault list dns/'],
    ['Notes', 'oxp-vault list'],
    ['dns/tisg', 'Did you mean: dns/tsig?'],
    ['tsig', 'Did you mean: dns/tsig?'],
    ['zzz/qqqqqq', 'See what there is: oxp-vault list'],
  ])('says for %s what was probably meant', async (typed, hint) => {
    const alice = await withSecrets();
    expect((await alice.ov(['open', typed])).stderr.split('\n')[1]).toContain(hint);
  });

  it('shows nothing where the opening can neither be logged nor queued', async () => {
    const alice = await withSecrets();
    const state = join(alice.home, 'file');
    writeFileSync(state, '');
    const result = await alice.ov(['open', 'notes'], { env: { XDG_STATE_HOME: state } });
    expect([result.code, result.text]).toEqual([8, '']);
  });

  it('says on a copy that nobody vouched for that its freshness is unknown', async () => {
    const alice = await withSecrets();
    const elsewhere = { cwd: alice.home, env: { XDG_STATE_HOME: join(alice.home, 'fresh') } };
    const result = await alice.must(['open', 'notes', '--vault', join(alice.work, 'vault')], elsewhere);
    expect(result.stderr).toContain('freshness unknown');
    expect(result.text).toContain('line one');
  });

  it.each([
    [['open'], 2, 'USAGE'],
    [['open', 'nope'], 3, 'SECRET_NOT_FOUND'],
    [['open', '../up'], 2, 'BAD_NAME'],
    [['open', 'notes#'], 2, 'BAD_NAME'],
    [['open', 'notes#nope'], 3, 'FIELD_NOT_FOUND'],
    [['open', 'notes', '--at', '2'], 3, 'VERSION_NOT_FOUND'],
    [['open', 'notes', '--at', 'x'], 2, 'USAGE'],
    [['open', 'notes', 'dns/tsig', '--at', '1'], 2, 'USAGE'],
    [['open', 'notes', 'notes'], 2, 'USAGE'],
    [['open', '--role', 'nope'], 3, 'ROLE_NOT_FOUND'],
    [['open', 'notes', '--format', 'nope'], 2, 'USAGE'],
    [['open', 'notes', '--format', 'bind'], 2, 'FORMAT_UNSUITABLE'],
    [['open', 'notes', '--format', 'files'], 2, 'USAGE'],
    [['open', 'notes', '--prefix', 'A_'], 2, 'USAGE'],
    [['open', 'notes', '--purpose', 'a\u001b[2Jb'], 2, 'USAGE'],
    [['open', 'notes', '--purpose', ''], 2, 'USAGE'],
    // Fewer than 200 characters, and more than 200 UTF-16 code units, which are what the format counts.
    [['open', 'notes', '--purpose', '\u{1F511}'.repeat(101)], 2, 'USAGE'],
    [['open', 'notes', '--format', 'env', '--prefix', '9'], 2, 'BAD_VALUE'],
  ])('refuses %j before anything is decrypted', async (argv, code, error) => {
    const alice = await withSecrets();
    const result = await alice.ov(argv);
    expect([result.code, result.text, result.stderr]).toEqual([code, '', expect.stringContaining(error)]);
    expect(await openings(alice)).toBe(0);
  });

  it('tells a person who is not enrolled, and one who does not read', async () => {
    const alice = await withSecrets();
    const bob = person('bob');
    await bob.must(['identity', 'create', '--person', 'bob', '--device', 'pc', '--no-passphrase']);
    const result = await bob.ov(['open', 'notes', '--vault', join(alice.work, 'vault')]);
    expect([result.code, result.text, result.stderr]).toEqual([4, '', expect.stringContaining('NOT_ENROLLED')]);
  });
});

describe('open --out', () => {
  it('writes the files that tools want into a directory of its own, for its owner alone', async () => {
    const alice = await withSecrets();
    expect((await alice.must(['open', '--role', 'team', '--out', './in'])).stderr).toMatch(/^4 files in \.\/in, for you alone\. Remove them when they are where they belong\.\nNewest/);
    expect((await alice.must(['open', 'notes', '--out', './one'])).stderr).toMatch(/^1 file in \.\/one, for you alone\. Remove it when it is where it belongs\.\nNewest/);
    const directory = join(alice.work, 'in');
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1)).toSorted()).toEqual(['dns/tsig.key', 'notes', 'pki/root.crt', 'pki/root.key']);
    for (const entry of files) expect(statSync(join(entry.parentPath, entry.name)).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(directory, 'notes'), 'utf8')).toBe('line one\nno newline at the end');
    expect(readdirSync(alice.work).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  it('puts one document of a format into it, and takes an empty directory', async () => {
    const alice = await withSecrets();
    mkdirSync(join(alice.work, 'empty'));
    await alice.must(['open', 'notes', '--format', 'env', '--out', 'empty']);
    expect(readdirSync(join(alice.work, 'empty'))).toHaveLength(1);
  });

  it('never overwrites, and looks before it decrypts', async () => {
    const alice = await withSecrets();
    alice.write('in/mine', 'untouched');
    alice.write('file', 'untouched');
    for (const target of ['in', 'file']) {
      const result = await alice.ov(['open', 'notes', '--out', target]);
      expect([result.code, result.stderr]).toEqual([2, expect.stringContaining('OUTPUT_EXISTS')]);
    }
    expect(readFileSync(join(alice.work, 'file'), 'utf8')).toBe('untouched');
    expect(readdirSync(join(alice.work, 'in'))).toEqual(['mine']);
    expect(await openings(alice)).toBe(0);
  });

  it('never follows a link', async () => {
    const alice = await withSecrets();
    mkdirSync(join(alice.home, 'elsewhere'));
    symlinkSync(join(alice.home, 'elsewhere'), join(alice.work, 'in'));
    symlinkSync(join(alice.home, 'nowhere'), join(alice.work, 'dangling'));
    for (const target of ['in', 'dangling']) {
      const result = await alice.ov(['open', 'notes', '--out', target]);
      expect([result.code, result.stderr]).toEqual([5, expect.stringContaining('LINK_REFUSED')]);
    }
    expect(readdirSync(join(alice.home, 'elsewhere'))).toEqual([]);
    expect(existsSync(join(alice.home, 'nowhere'))).toBe(false);
    expect(await openings(alice)).toBe(0);
  });

  it('writes all files or none', async () => {
    const alice = await withSecrets();
    // One name is a file where the other needs a directory.
    await alice.must(['seal', 'dns/tsig.key/x', '--from', '-'], { input: 'x' });
    const result = await alice.ov(['open', 'dns/tsig', 'dns/tsig.key/x', '--out', 'in']);
    expect([result.code, result.stderr]).toEqual([2, expect.stringContaining('FORMAT_UNSUITABLE')]);
    expect(existsSync(join(alice.work, 'in'))).toBe(false);
    expect(readdirSync(alice.work).filter((name) => name.includes('.tmp'))).toEqual([]);
  });
});
