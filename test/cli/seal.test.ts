import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { owner } from './person.js';

const BOOTSTRAP = `secrets:
  pki/root: { kind: pki-root, subject: { CN: Example Root }, algorithm: ecdsa-p256 }
  pki/issuing: { kind: pki-intermediate, issuer: pki/root, subject: { CN: Example Issuing }, algorithm: ecdsa-p256 }
  dns/tsig: { kind: tsig, key: external-dns. }
  scaleway/root: { kind: api-key, import: { env: { access: SCW_ACCESS_KEY, secret: SCW_SECRET_KEY } } }
  notes: { kind: document, import: { file: notes.txt } }
`;

describe('seal by bootstrap.yaml', () => {
  it('says in a dry run what it would do, and writes nothing', async () => {
    const alice = await owner();
    alice.write('bootstrap.yaml', BOOTSTRAP);
    alice.write('notes.txt', 'canary');
    const before = (await alice.must(['status', '--json'])).text;
    const dry = await alice.must(['seal', '--dry-run']);
    expect(dry.text).toBe(`+ pki/root        P-256 root, 20 years, path length 1   -> team
+ pki/issuing     issued by pki/root in this run        -> team
+ dns/tsig        hmac-sha256, 256 bits                 -> team
! scaleway/root   SCW_ACCESS_KEY is not set: will be skipped
+ notes           document, 6 bytes, imported           -> team
4 to seal, 0 unchanged, 1 not given. Nothing was written. To do it: oxp-vault seal
`);
    expect((await alice.must(['status', '--json'])).text).toBe(before);
    expect(dry.text + dry.stderr).not.toContain('canary');
  });

  it('seals what is missing, once', async () => {
    const alice = await owner();
    alice.write('bootstrap.yaml', BOOTSTRAP);
    alice.write('notes.txt', 'one');
    const first = await alice.must(['seal']);
    expect(first.text).toMatch(/^\+ pki\/root {8}v1 {3}P-256 root, 20 years, path length 1, generated {16,}-> team$/m);
    expect(first.text).toMatch(/\n4 sealed, 0 unchanged, 1 not given\. Log: 7 entries, root [0-9a-f]{8}\.\n$/);
    expect(first.stderr).toBe('Next: oxp-vault list\n');
    alice.write('notes.txt', 'two');
    const second = await alice.must(['seal']);
    expect(second.text).toBe(`! scaleway/root   SCW_ACCESS_KEY is not set: not sealed\n0 sealed, 4 unchanged, 1 not given. ${first.text.slice(first.text.indexOf('Log:'))}`);
    expect(second.stderr).toBe('');
    expect((await alice.must(['seal', '--dry-run'])).text).toMatch(/\n0 to seal, 4 unchanged, 1 not given\. There is nothing to do\.\n$/);
    expect((await alice.must(['open', 'notes'])).text).toBe('one');
  });

  it('reads the file that is named, and what it names relative to it; below a directory the one above it', async () => {
    const alice = await owner();
    alice.write('sub/other.yaml', 'secrets: { from-sub: { kind: document, import: { file: value.txt } } }');
    alice.write('sub/value.txt', 'sub');
    await alice.must(['seal', '--bootstrap', 'sub/other.yaml']);
    expect((await alice.must(['open', 'from-sub'])).text).toBe('sub');
    const below = await alice.must(['seal', '--dry-run'], { cwd: join(alice.work, 'sub') });
    expect(below.text).toContain('app/password');
  });

  it('gives one JSON document with whole digests', async () => {
    const alice = await owner();
    const result = await alice.must(['seal', '--json']);
    const document = JSON.parse(result.text);
    expect(document).toMatchObject({ dryRun: false, sealed: 1, unchanged: 0, notGiven: 0, refused: 0, log: { size: 4 }, secrets: [{ name: 'app/password', action: 'generate', version: 1, readers: ['team'] }] });
    expect(document.log.root).toMatch(/^[0-9a-f]{64}$/);
    expect(result.stderr).toBe('');
  });

  it('tells a line that is refused, seals the others, and exits with its code', async () => {
    const alice = await owner();
    alice.write('bootstrap.yaml', 'secrets:\n  a: { kind: pki-intermediate, issuer: no/such, subject: { CN: A } }\n  b: { kind: password }\n');
    const result = await alice.ov(['seal']);
    expect(result.code).toBe(3);
    expect(result.text).toContain('! a        SECRET_NOT_FOUND: its issuer no/such is neither in bootstrap.yaml nor in the vault\n');
    expect(result.text).toContain('1 sealed, 0 unchanged, 0 not given, 1 refused.');
  });

  it.each([
    [['seal', '--bootstrap', 'none.yaml'], 3, 'FILE_NOT_FOUND'],
    [['seal', '--from', 'x'], 2, 'USAGE'],
    [['seal', '--kind', 'password'], 2, 'USAGE'],
    [['seal', 'a', 'b', '--from', 'x'], 2, 'USAGE'],
    [['seal', 'a', 'a'], 2, 'USAGE'],
    [['seal', 'a', 'b'], 2, 'USAGE'],
    [['seal', '../up'], 2, 'BAD_NAME'],
    [['seal', '/abs'], 2, 'BAD_NAME'],
    [['seal', 'a', '--kind', 'canary'], 2, 'USAGE'],
    [['seal', 'app/password', '--kind', 'document', '--from', 'x'], 2, 'USAGE'],
    [['seal', 'app/password', '--set', 'length=30'], 2, 'USAGE'],
    [['seal', 'a', '--set', 'password=canary'], 2, 'USAGE'],
    [['seal', 'a', '--kind', 'api-key', '--set', 'secret=canary'], 2, 'USAGE'],
    [['seal', 'a', '--set', 'canary'], 2, 'USAGE'],
    [['seal', 'a'], 2, 'USAGE'],
    [['seal', 'a', '--kind', 'document'], 2, 'USAGE'],
    [['seal', 'a', '--from', '.'], 2, 'BAD_VALUE'],
    [['seal', 'a', '--from', 'none'], 3, 'FILE_NOT_FOUND: none is not there: a was not sealed'],
    [['seal', 'a', '--from', 'none', '--dry-run'], 3, 'FILE_NOT_FOUND'],
    [['seal', 'r/1', '--from', 'x'], 2, 'each beginning with a letter'],
  ])('refuses %j', async (argv, code, error) => {
    const alice = await owner();
    const result = await alice.ov(argv);
    expect([result.code, result.stderr + result.text]).toEqual([code, expect.stringContaining(error)]);
    expect(result.stderr + result.text).not.toContain('canary');
    expect((await alice.must(['list', '--json'])).text).toContain('"secrets": []');
  });

  it('says where there is no bootstrap.yaml', async () => {
    const alice = await owner();
    const result = await alice.ov(['seal', '--vault', join(alice.work, 'vault')], { cwd: alice.home });
    expect([result.code, result.stderr]).toEqual([3, expect.stringContaining('FILE_NOT_FOUND')]);
  });
});

describe('seal NAME', () => {
  it('fails where bootstrap.yaml says where the value of NAME comes from, and it is not there', async () => {
    const alice = await owner();
    alice.write('bootstrap.yaml', 'secrets:\n  a: { kind: document, import: { env: NONE } }\n  b: { kind: document, import: { file: none } }\n');
    const unset = await alice.ov(['seal', 'a']);
    expect([unset.code, unset.stderr]).toEqual([2, expect.stringContaining('USAGE: NONE is not set: a was not sealed')]);
    expect((await alice.ov(['seal', 'b'])).code).toBe(3);
    expect((await alice.must(['seal'])).text).toContain('0 sealed, 0 unchanged, 2 not given.');
  });

  it('says what comes next: nothing that would show the key of a CA unasked', async () => {
    const alice = await owner();
    const next = async (...argv: string[]): Promise<string> => (await alice.must(['seal', ...argv], { input: 'x' })).stderr;
    expect(await next('app/password')).toBe('Next: oxp-vault open app/password | cat\n');
    expect(await next('ca', '--kind', 'pki-root', '--set', 'subject.CN=Root')).toBe('Next: oxp-vault show ca\n');
    expect(await next('notes', '--from', '-')).toBe('Next: oxp-vault show notes\n');
    alice.write('notes', 'y'.repeat(1234));
    expect((await alice.must(['seal', 'notes', '--from', 'notes', '--dry-run'])).text).toContain('document, 1,234 bytes, imported');
    expect((await alice.must(['show', 'notes'])).text).toContain('document: 1 byte\n');
    expect(await next('notes', '--from', 'notes')).toBe('Next: deploy, then: oxp-vault retire notes\n');
  });

  it('tells what bootstrap.yaml calls by another kind', async () => {
    const alice = await owner();
    await alice.must(['seal']);
    alice.write('bootstrap.yaml', 'secrets:\n  app/password: { kind: api-key }\n');
    const again = await alice.must(['seal']);
    expect(again.stderr).toBe('! app/password is a password in the vault, and ./bootstrap.yaml says api-key: it stays what it is\n');
    expect(again.text).toContain('0 sealed, 1 unchanged');
  });

  it('takes a file, standard input or a typed value, and what is there already as its kind', async () => {
    const alice = await owner();
    alice.write('plan.bin', Uint8Array.of(0, 1, 2, 255));
    await alice.must(['seal', 'docs/plan', '--from', 'plan.bin']);
    expect((await alice.must(['open', 'docs/plan'])).stdout).toEqual(Buffer.of(0, 1, 2, 255));
    await alice.must(['seal', 'docs/plan', '--from', '-'], { input: 'from stdin' });
    expect((await alice.must(['open', 'docs/plan'])).text).toBe('from stdin');

    const typed = await alice.must(['seal', 'app/token'], { answers: ['correct horse', 'correct horse'] });
    expect(typed.asked).toEqual(['Value of app/token (not shown):', 'The same again:']);
    expect(typed.text + typed.stderr).not.toContain('correct');
    expect((await alice.must(['open', 'app/token'])).text).toBe('correct horse');
    expect((await alice.must(['show', 'app/token', '--json'])).text).toContain('"kind": "password"');

    const differs = await alice.ov(['seal', 'app/token'], { answers: ['one', 'other'] });
    expect([differs.code, differs.stderr]).toEqual([2, expect.stringContaining('BAD_VALUE')]);
    // A password stays one, also when it comes from a file.
    await alice.must(['seal', 'app/token', '--from', '-'], { input: 'next\n' });
    expect((await alice.must(['open', 'app/token'])).text).toBe('next');
  });

  it('follows a link to the person’s own file', async () => {
    const alice = await owner();
    symlinkSync(alice.write('real.txt', 'linked'), join(alice.work, 'link.txt'));
    await alice.must(['seal', 'a', '--from', 'link.txt']);
    expect((await alice.must(['open', 'a'])).text).toBe('linked');
  });

  it('makes what it is given parameters for', async () => {
    const alice = await owner();
    const made = await alice.must(['seal', 'app/pin', '--kind', 'password', '--set', 'length=32', '--set', 'alphabet=hex']);
    expect(made.text).toContain('+ app/pin   v1   password, 32 characters, generated   -> team');
    expect((await alice.must(['open', 'app/pin'])).text).toMatch(/^[0-9a-f]{32}$/);
    await alice.must(['seal', 'dns/key', '--kind', 'tsig']);
    expect((await alice.must(['open', 'dns/key'])).text).toMatch(/^key "dns-key\." \{/);
  });

  it('seals nothing where the value is the current one', async () => {
    const alice = await owner();
    await alice.must(['seal', 'a', '--from', '-'], { input: 'same' });
    const again = await alice.must(['seal', 'a', '--from', '-'], { input: 'same' });
    expect(again.text).toContain('0 sealed, 1 unchanged, 0 not given.');
    const next = await alice.must(['seal', 'a', '--from', '-', '--dry-run'], { input: 'other' });
    expect(next.text).toContain('+ a   document, 5 bytes, imported   -> team\n1 to seal');
    expect((await alice.must(['open', 'a'])).text).toBe('same');
  });

  it('takes an import of bootstrap.yaml in again, and points to rotate for what was made', async () => {
    const alice = await owner();
    alice.write('bootstrap.yaml', 'secrets:\n  key: { kind: document, import: { env: KEY } }\n  made: { kind: password }\n');
    await alice.must(['seal'], { env: { KEY: 'one' } });
    expect((await alice.must(['seal', 'key'], { env: { KEY: 'one' } })).text).toContain('0 sealed, 1 unchanged');
    expect((await alice.must(['seal', 'key'], { env: { KEY: 'two' } })).text).toContain('+ key   v2   document, 3 bytes, imported   -> team');
    const made = await alice.ov(['seal', 'made', 'key'], { env: { KEY: 'three' } });
    expect(made.code).toBe(2);
    expect(made.text).toContain('To make the next one: oxp-vault rotate made');
    expect(made.text).toContain('+ key    v3');
    // A value from elsewhere takes its place all the same.
    await alice.must(['seal', 'made', '--from', '-'], { input: 'mine' });
    expect((await alice.must(['open', 'made'])).text).toBe('mine');
  });
});
