import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { visible } from '../../packages/cli/src/secret-words.js';
import { owner, type VaultOwner } from './person.js';

const INVENTORY = 'all:\n  hosts:\n    one:\n    two:\n';

/** An editor that is a shell script (`$1` is the file), and a directory in memory of this test's own, where a plaintext left behind is noticed. */
function editor(alice: VaultOwner, script: string): { VISUAL: string; XDG_RUNTIME_DIR: string } {
  const path = alice.write(`editor-${Math.random().toString(36).slice(2)}`, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o700);
  const memory = mkdtempSync('/dev/shm/oxp-test-');
  onTestFinished(() => {
    const left = readdirSync(memory);
    rmSync(memory, { recursive: true });
    expect(left).toEqual([]);
  });
  return { VISUAL: path, XDG_RUNTIME_DIR: memory };
}

describe('list and show', () => {
  it('shows every secret at its newest version, without an identity', async () => {
    const alice = await owner();
    expect((await alice.must(['list'])).text).toBe('no secrets yet\n');
    await alice.must(['seal']);
    await alice.must(['seal', 'dns/key', '--kind', 'tsig']);
    await alice.must(['rotate', 'app/password']);
    const stranger = { env: { OXP_VAULT_IDENTITY: '/nowhere' } };
    const listed = await alice.must(['list'], stranger);
    expect(listed.text).toMatch(/^NAME {10}VERSION {2}KIND {6}READERS {2}SEALED BY\napp\/password {2}v2 {7}password {2}team {5}alice, .*\ndns\/key {7}v1 {7}tsig {6}team {5}alice, .*\n$/);
    expect(JSON.parse((await alice.must(['list', 'dns/', '--json'], stranger)).text).secrets).toMatchObject([{ name: 'dns/key', version: 1, kind: 'tsig', readers: ['team'], sealedBy: 'alice' }]);
    expect((await alice.ov(['list', 'nothing/here'])).code).toBe(3);
  });

  it('shows one secret with its versions and how it gets the next one', async () => {
    const alice = await owner();
    await alice.must(['seal']);
    await alice.must(['rotate', 'app/password']);
    await alice.must(['retire', 'app/password@1']);
    const shown = await alice.must(['show', 'app/password'], { env: { OXP_VAULT_IDENTITY: '/nowhere' } });
    expect(shown.text).toContain('app/password v2\n  kind       password: 24 bytes\n  sealed to  team\n');
    expect(shown.text).toMatch(/v2 {2}generated {2}alice \(laptop\), .* {2}the newest\n {4}v1 .* retired by alice\n/);
    expect(JSON.parse((await alice.must(['show', 'app/password', '--json'])).text)).toMatchObject({ version: 2, parameters: { length: 24 }, versions: [{ version: 1, retired: { by: 'alice' } }, { version: 2 }] });
    expect(visible('a\u001b[2Jb\u202ec\n')).toBe('a [2Jb c');
    expect((await alice.ov(['show', 'nope'])).code).toBe(3);
    expect((await alice.ov(['show', '../x'])).code).toBe(2);
  });
});

describe('show, of a CA', () => {
  it('gives times as dates, and lists as words', async () => {
    const alice = await owner();
    await alice.must(['seal', 'ca', '--kind', 'pki-root', '--set', 'subject.CN=Root', '--set', 'algorithm=ecdsa-p256'], { now: 1_800_000_000 });
    await alice.must(['seal', 'sub', '--kind', 'pki-intermediate', '--set', 'issuer=ca', '--set', 'subject.CN=Sub', '--set', 'permit=["a.example","b.example"]'], { now: 1_800_000_000 });
    const ca = (await alice.must(['show', 'ca'])).text;
    expect(ca).toMatch(/^ {4}chain +none$/m);
    expect(ca).toMatch(/^ {4}notBefore +2027-01-15$/m);
    const sub = (await alice.must(['show', 'sub'])).text;
    expect(sub).toMatch(/^ {4}permit +a\.example, b\.example$/m);
    expect(sub).toMatch(/^ {4}chain +-----BEGIN CERTIFICATE-----…$/m);
  });
});

describe('rotate and retire', () => {
  it('makes the next version with a new TSIG key name, and says what is to be done', async () => {
    const alice = await owner();
    await alice.must(['seal', 'dns/key', '--kind', 'tsig', '--set', 'key=external-dns.']);
    const rotated = await alice.must(['rotate', 'dns/key']);
    expect(rotated.text).toContain('+ dns/key   v2   hmac-sha256, 256 bits, generated   -> team\n');
    expect(rotated.text).toContain('dns/key: let the name server know both keys, move the clients, then retire the old one. Until it is retired, v1 still counts as in use.');
    expect(rotated.stderr).toBe('Next: deploy, then: oxp-vault retire dns/key\n');
    expect((await alice.must(['open', 'dns/key#keyname'])).text).toBe('external-dns-v2.');
    expect(JSON.parse((await alice.must(['rotate', 'dns/key', '--json'])).text).todo).toMatchObject([{ name: 'dns/key', version: 3, stillInUse: [2, 1] }]);
  });

  it('rotates from the signed parameters, not from bootstrap.yaml', async () => {
    const alice = await owner();
    await alice.must(['seal', 'pin', '--kind', 'password', '--set', 'length=40', '--set', 'alphabet=hex']);
    alice.write('bootstrap.yaml', 'secrets:\n  pin: { kind: password, length: 12 }\n');
    await alice.must(['rotate', 'pin']);
    expect((await alice.must(['open', 'pin'])).text).toMatch(/^[0-9a-f]{40}$/);
  });

  it('says what a person has to do where it cannot make the next value, and rotates the others', async () => {
    const alice = await owner();
    await alice.must(['seal']);
    await alice.must(['seal', 'notes', '--from', '-'], { input: 'x' });
    const alone = await alice.ov(['rotate', 'notes']);
    expect([alone.code, alone.text]).toEqual([2, '']);
    expect(alone.stderr).toContain('UNSUPPORTED');
    expect(alone.stderr).toContain('oxp-vault seal notes --from FILE');
    const both = await alice.ov(['rotate', 'notes', 'app/password']);
    expect(both.code).toBe(2);
    expect(both.text).toContain('! notes');
    expect(both.text).toContain('+ app/password   v2');
    expect(both.text).toContain('1 rotated, 1 not.');
  });

  it.each([
    [['rotate', 'nope'], 3, 'SECRET_NOT_FOUND'],
    [['rotate', 'app/password', 'app/password'], 2, 'USAGE'],
    [['rotate', '../x'], 2, 'BAD_NAME'],
    [['edit', '../x'], 2, 'BAD_NAME'],
    [['retire', 'nope'], 3, 'SECRET_NOT_FOUND'],
    [['retire', 'app/password@2'], 3, 'VERSION_NOT_FOUND'],
    [['retire', 'app/password@1'], 4, 'NOT_ALLOWED'],
    [['retire', 'app/password@x'], 2, 'BAD_NAME'],
    [['retire', 'app/password@1', 'app/password@1'], 2, 'USAGE'],
  ])('refuses %j', async (argv, code, error) => {
    const alice = await owner();
    await alice.must(['seal']);
    const result = await alice.ov(argv);
    expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(error)]);
    expect(JSON.parse((await alice.must(['show', 'app/password', '--json'])).text).versions).toHaveLength(1);
  });

  it('retires all versions but the newest, once', async () => {
    const alice = await owner();
    await alice.must(['seal']);
    await alice.must(['rotate', 'app/password']);
    await alice.must(['rotate', 'app/password']);
    expect((await alice.must(['retire', 'app/password'])).text).toMatch(/^- app\/password {3}v1 .*\n- app\/password {3}v2 .*\n2 versions retired\. /);
    expect((await alice.must(['retire', 'app/password'])).text).toMatch(/^nothing to retire: no version but the newest is in use\. Log: /);
    expect((await alice.ov(['retire', 'app/password@1'])).code).toBe(7);
  });
});

describe('edit', () => {
  it('seals what the editor leaves, and removes the file', async () => {
    const alice = await owner();
    await alice.must(['seal', 'ansible/inventory', '--kind', 'ansible-inventory', '--from', '-'], { input: INVENTORY });
    const edited = await alice.must(['edit', 'ansible/inventory'], { env: { ...editor(alice, `printf '    three:\\n' >> "$1"; env > ${join(alice.work, 'env')}`), OXP_VAULT_IDENTITY_DATA: readFileSync(join(alice.home, '.config', 'oxp-vault', 'identity.age'), 'utf8') } });
    expect(readFileSync(join(alice.work, 'env'), 'utf8')).not.toContain('AGE-SECRET-KEY');
    expect(edited.text).toMatch(/^\+ ansible\/inventory {3}v2 {3}sealed\nLog: /);
    expect(edited.stderr).toBe('Next: deploy, then: oxp-vault retire ansible/inventory\n');
    expect((await alice.must(['open', 'ansible/inventory'])).text).toBe(`${INVENTORY}    three:\n`);
    expect(JSON.parse((await alice.must(['show', 'ansible/inventory', '--json'])).text).public).toMatchObject({ hosts: 3 });
  });

  it('lets the editor see a file that only its owner can read, in memory', async () => {
    const alice = await owner();
    await alice.must(['seal', 'notes', '--from', '-'], { input: 'canary' });
    const seen = join(alice.work, 'seen');
    await alice.must(['edit', 'notes'], { env: editor(alice, `stat -c '%a %n' "$1" "$(dirname "$1")" > ${seen}; cat "$1" >> ${seen}`) });
    const [file, directory, content] = readFileSync(seen, 'utf8').split('\n');
    const path = directory!.slice(4);
    expect(file).toBe(`600 ${path}/notes`);
    expect(directory).toMatch(/^700 /);
    expect(content).toBe('canary');
    expect(path).toMatch(/^(\/dev\/shm|\/run)\//);
    expect(existsSync(path)).toBe(false);
  });

  it('seals nothing where nothing changed, or the editor failed', async () => {
    const alice = await owner();
    await alice.must(['seal', 'notes', '--from', '-'], { input: 'x' });
    expect((await alice.must(['edit', 'notes'], { env: editor(alice, 'true') })).text).toBe('notes is unchanged: nothing was sealed.\n');
    const failed = await alice.ov(['edit', 'notes'], { env: editor(alice, 'echo y > "$1"; exit 3') });
    expect([failed.code, failed.stderr]).toEqual([2, expect.stringContaining('exit code 3')]);
    expect((await alice.must(['open', 'notes'])).text).toBe('x');
  });

  it('offers to go on where the kind refuses the result, and loses nothing', async () => {
    const alice = await owner();
    await alice.must(['seal', 'inv', '--kind', 'ansible-inventory', '--from', '-'], { input: INVENTORY });
    // Broken the first time; the second time the editor finds what it left, and mends it.
    const env = editor(alice, `if grep -q BROKEN "$1"; then sed -i '/BROKEN/d' "$1"; else printf '    new:\\n\\tBROKEN\\n' >> "$1"; fi`);
    const edited = await alice.must(['edit', 'inv'], { env, answers: [false] });
    expect(edited.asked).toEqual(['Give up, and lose what you changed?']);
    expect(edited.stderr).toContain('BAD_MATERIAL');
    expect((await alice.must(['open', 'inv'])).text).toBe(`${INVENTORY}    new:\n`);

    const given = await alice.ov(['edit', 'inv'], { env: editor(alice, `printf '\\tBROKEN\\n' >> "$1"`), answers: [true] });
    expect([given.code, given.stderr]).toEqual([2, expect.stringContaining('nothing was sealed')]);
    const alone = await alice.ov(['edit', 'inv'], { env: editor(alice, `printf '\\tBROKEN\\n' >> "$1"`) });
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('BAD_MATERIAL')]);
  });

  it('keeps what was typed, sealed, where the store cannot be written, and seals it with the next command', async () => {
    const alice = await owner();
    await alice.must(['seal', 'notes', '--from', '-'], { input: 'before' });
    const secrets = join(alice.work, 'vault', 'secrets', 'notes');
    const edited = await alice.must(['edit', 'notes'], { env: editor(alice, `echo after > "$1"; rm -rf ${secrets}; echo > ${secrets}`) });
    expect(edited.text).toContain('waits here, sealed');
    expect(edited.stderr).toContain('STORE_IO');
    expect(existsSync(secrets)).toBe(true);
    const { rmSync } = await import('node:fs');
    rmSync(secrets);
    mkdirSync(secrets);
    expect((await alice.must(['retire', 'notes'])).stderr).toContain('1 seal that waited here is in the log now.');
    expect((await alice.must(['open', 'notes'])).text).toBe('after\n');
  });

  it('refuses what is not written by hand, what is not there, and what this person may not write', async () => {
    const alice = await owner();
    await alice.must(['seal', 'dns/key', '--kind', 'tsig']);
    expect((await alice.ov(['edit', 'dns/key'])).stderr).toContain('UNSUPPORTED');
    expect((await alice.ov(['edit', 'nope'])).code).toBe(3);
    expect((await alice.ov(['edit', '../x'])).code).toBe(2);
  });
});
