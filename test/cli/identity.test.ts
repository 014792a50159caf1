import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { parseCard } from '../../packages/core/src/policy/card.js';
import { parseIdentity } from '../../packages/core/src/policy/identity.js';
import { agePassphraseDecrypt } from '../../packages/core/src/primitives/age.js';
import { type Sandbox, sandbox } from '../support/sandbox.js';
import { describeWith } from '../support/tools.js';
import { mustRunMain, runMain } from './harness.js';

// Two dozen passphrases at a second each. That nobody asks for less work than the default is held here, what the default is in age.test.ts.
vi.mock(import('../../packages/core/src/primitives/age.js'), async (original) => {
  const age = await original();
  return {
    ...age,
    agePassphraseEncrypt: (bytes, passphrase, workFactor) => {
      if (workFactor !== undefined) throw new Error(`asked for the work factor ${workFactor}`);
      return age.agePassphraseEncrypt(bytes, passphrase, 10);
    },
  };
});

const CREATE = ['identity', 'create', '--device', 'laptop'];
const PASSPHRASE = 'correct horse battery staple';
const mode = (path: string): number => statSync(path).mode & 0o777;
const identityOf = (person: Sandbox): string => person.at('.config', 'oxp-vault', 'identity.age');

function passphraseFile(person: Sandbox, passphrase = PASSPHRASE): string {
  const path = join(person.work, 'passphrase');
  writeFileSync(path, `${passphrase}\n`);
  return path;
}

describe('identity create', () => {
  it('asks for a passphrase, makes one on Enter, and shows it once, on the terminal only', async () => {
    const alice = sandbox('alice');
    const made = await mustRunMain(alice, CREATE, { answers: [''] });
    expect(made.asked).toEqual(['Passphrase for your identity (Enter: make one for me):']);
    const [passphrase = ''] = /^ {2}([a-z]+(?:-[a-z]+){7})$/m.exec(made.stderr)?.slice(1) ?? [];
    expect(passphrase).not.toBe('');
    expect(made.text).toBe(
      'alice, device laptop\n' +
        '  identity   ~/.config/oxp-vault/identity.age   keep it, back it up: nobody can remake it\n' +
        '  card       ~/.config/oxp-vault/alice.card     public: send it to whoever adds you to a vault\n',
    );
    expect(made.stderr).toMatch(/^Next: oxp-vault init$/m);
    const plain = await agePassphraseDecrypt(readFileSync(identityOf(alice)), passphrase);
    const identity = await parseIdentity(new TextDecoder().decode(plain));
    expect(parseCard(readFileSync(alice.at('.config', 'oxp-vault', 'alice.card'), 'utf8').trim())).toEqual(identity.card);
    // No two are alike.
    expect((await mustRunMain(sandbox('alice'), CREATE, { answers: [''] })).stderr).not.toContain(passphrase);
  });

  it('asks for a typed passphrase twice, and takes neither two different ones nor a short one, however often', async () => {
    const alice = sandbox('alice');
    expect(await runMain(alice, CREATE, { answers: [PASSPHRASE, 'another one', PASSPHRASE, 'another one', PASSPHRASE, 'another one'] })).toMatchObject({ code: 2 });
    expect(await runMain(alice, CREATE, { answers: ['short', 'short', 'short'] })).toMatchObject({ code: 2 });
    expect(existsSync(identityOf(alice))).toBe(false);
    await mustRunMain(alice, CREATE, { answers: [PASSPHRASE, PASSPHRASE] });
    await expect(agePassphraseDecrypt(readFileSync(identityOf(alice)), PASSPHRASE)).resolves.toBeDefined();
  });

  it('needs a terminal, a file, or to be told that none is wanted', async () => {
    const alice = sandbox('alice');
    expect(await runMain(alice, CREATE)).toMatchObject({ code: 9, text: '', asked: [] });
    expect((await runMain(alice, CREATE)).stderr).toContain('PASSPHRASE_NEEDED');
    await mustRunMain(alice, [...CREATE, '--passphrase-file', passphraseFile(alice)]);
    await expect(agePassphraseDecrypt(readFileSync(identityOf(alice)), PASSPHRASE)).resolves.toBeDefined();
  });

  it('leaves one that is there alone, and says how to have another', async () => {
    const alice = sandbox('alice');
    await mustRunMain(alice, [...CREATE, '--no-passphrase']);
    const before = readFileSync(identityOf(alice), 'utf8');
    const again = await runMain(alice, [...CREATE, '--no-passphrase']);
    expect(again).toMatchObject({ code: 2, text: '' });
    expect(again.stderr).toContain('oxp-vault identity create --out FILE');
    expect(readFileSync(identityOf(alice), 'utf8')).toBe(before);
  });

  it('keeps the file to its owner', async () => {
    const alice = sandbox('alice');
    chmodSync(alice.at('.config'), 0o755);
    await mustRunMain(alice, [...CREATE, '--no-passphrase']);
    expect([mode(identityOf(alice)), mode(alice.at('.config', 'oxp-vault'))]).toEqual([0o600, 0o700]);
  });

  it('never overwrites anything, not even a link that leads nowhere', async () => {
    const alice = sandbox('alice');
    await mustRunMain(alice, [...CREATE, '--no-passphrase']);
    const before = readFileSync(identityOf(alice));
    expect(await runMain(alice, [...CREATE, '--no-passphrase'])).toMatchObject({ code: 2, text: '' });
    expect(readFileSync(identityOf(alice)).equals(before)).toBe(true);
    symlinkSync('/nowhere/at/all', join(alice.work, 'link.age'));
    expect((await runMain(alice, [...CREATE, '--no-passphrase', '--out', 'link.age'])).stderr).toContain('OUTPUT_EXISTS');
    writeFileSync(join(alice.work, 'alice.card'), 'mine');
    expect((await runMain(alice, [...CREATE, '--no-passphrase', '--out', 'other.age'])).stderr).toContain('OUTPUT_EXISTS');
    // A card in the way: then there is no identity either.
    expect(existsSync(join(alice.work, 'other.age'))).toBe(false);
    expect(readFileSync(join(alice.work, 'alice.card'), 'utf8')).toBe('mine');
  });

  it('makes a name of the login name, and asks where there is none to be made', async () => {
    const made = await mustRunMain(sandbox('alice', { env: { USER: 'Alice.Müller+x' } }), [...CREATE, '--no-passphrase', '--json']);
    expect(JSON.parse(made.text)).toMatchObject({ person: 'alice.m-ller-x', device: 'laptop', kind: 'human' });
    for (const USER of ['root', '12345', 'ŻŻ']) {
      const nobody = sandbox('nobody', { env: { USER } });
      expect(await runMain(nobody, [...CREATE, '--no-passphrase'])).toMatchObject({ code: 2 });
      const asked = await mustRunMain(nobody, [...CREATE, '--no-passphrase', '--json'], { answers: ['bruno'] });
      expect(JSON.parse(asked.text)).toMatchObject({ person: 'bruno' });
    }
    expect((await runMain(sandbox('alice'), ['identity', 'create', '--person', 'Not A Name', '--no-passphrase'])).stderr).toContain('BAD_NAME');
  });

  it('makes machines and post-quantum identities', async () => {
    const ci = sandbox('ci');
    const made = JSON.parse((await mustRunMain(ci, [...CREATE, '--machine', '--pq', '--no-passphrase', '--json'])).text);
    expect(made).toMatchObject({ person: 'ci', kind: 'machine' });
    expect(made.recipient).toMatch(/^age1pq1/);
  });

  it('leaves no part of a key in its output', async () => {
    const alice = sandbox('alice');
    const made = await mustRunMain(alice, [...CREATE, '--no-passphrase', '--json']);
    const text = readFileSync(identityOf(alice), 'utf8');
    const secrets = [/AGE-SECRET-KEY-1\S+/.exec(text)?.[0], /signing key: (\S+)/.exec(text)?.[1]];
    for (const secret of secrets) {
      expect(secret).toBeTypeOf('string');
      expect(made.text + made.stderr).not.toContain(secret);
    }
  });
});

describe('identity show', () => {
  it('needs no passphrase on the machine that made it, and asks for it on another', async () => {
    const alice = sandbox('alice');
    await mustRunMain(alice, [...CREATE, '--passphrase-file', passphraseFile(alice)]);
    const here = await mustRunMain(alice, ['identity', 'show']);
    expect(here.text).toMatch(/^alice, device laptop\n {2}identity .*under a passphrase\n/);

    const elsewhere = { XDG_STATE_HOME: join(alice.home, 'another-state') };
    expect(await runMain(alice, ['identity', 'show'], { env: elsewhere })).toMatchObject({ code: 9, text: '' });
    const asked = await mustRunMain(alice, ['identity', 'show'], { env: elsewhere, answers: ['wrong passphrase', PASSPHRASE] });
    expect(asked.asked).toEqual(['Passphrase for ~/.config/oxp-vault/identity.age:', 'Passphrase for ~/.config/oxp-vault/identity.age:']);
    expect(asked.text).toBe(here.text);
    // Now it is known there too.
    expect((await mustRunMain(alice, ['identity', 'show'], { env: elsewhere })).text).toBe(here.text);
  });

  it('gives up after three wrong passphrases, and at once with a wrong file', async () => {
    const alice = sandbox('alice');
    await mustRunMain(alice, [...CREATE, '--passphrase-file', passphraseFile(alice)]);
    const env = { XDG_STATE_HOME: join(alice.home, 'another-state') };
    const wrong = await runMain(alice, ['identity', 'show'], { env, answers: ['wrong one', 'wrong two', 'wrong three', PASSPHRASE] });
    expect(wrong).toMatchObject({ code: 9, text: '' });
    expect(wrong.asked).toHaveLength(3);
    expect(wrong.stderr).toContain('error PASSPHRASE_WRONG: that passphrase does not open ~/.config/oxp-vault/identity.age\n  Nobody can recover it. A backup opens with');
    expect(wrong.stderr).not.toContain('wrong one');
    const wrongFile = passphraseFile(alice, 'wrong again');
    const refused = await runMain(alice, ['identity', 'show', '--passphrase-file', wrongFile], { env });
    expect(refused).toMatchObject({ code: 9, asked: [] });
    expect(refused.stderr).toMatch(/: the passphrase in .+ does not open ~\/\.config\/oxp-vault\/identity\.age\n/);
    expect(refused.stderr).not.toContain('wrong again');
  });

  it('prints the card that create wrote', async () => {
    const alice = sandbox('alice');
    await mustRunMain(alice, [...CREATE, '--no-passphrase']);
    expect((await mustRunMain(alice, ['identity', 'show', '--card'])).text).toBe(readFileSync(alice.at('.config', 'oxp-vault', 'alice.card'), 'utf8'));
  });

  it('takes the identity from the place that is named, or from the environment', async () => {
    const alice = sandbox('alice');
    await mustRunMain(alice, [...CREATE, '--no-passphrase', '--out', 'elsewhere/id.age']);
    const path = join(alice.work, 'elsewhere', 'id.age');
    expect((await runMain(alice, ['identity', 'show'])).stderr).toContain('IDENTITY_NOT_FOUND');
    for (const [argv, env] of [[['--identity', 'elsewhere/id.age'], {}], [[], { OXP_VAULT_IDENTITY: path }], [[], { OXP_VAULT_IDENTITY_DATA: readFileSync(path, 'utf8') }]] as const) {
      expect((await mustRunMain(alice, ['identity', 'show', ...argv], { env })).text).toMatch(/^alice, device laptop\n/);
    }
  });

  it.each([['nothing', ''], ['a plain age identity', 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n'], ['armour', '-----BEGIN AGE ENCRYPTED FILE-----\n']])('refuses %s', async (_, text) => {
    const alice = sandbox('alice');
    writeFileSync(join(alice.work, 'id'), text);
    const result = await runMain(alice, ['identity', 'show', '--identity', 'id']);
    expect(result).toMatchObject({ code: 9, text: '' });
    expect(result.stderr).toContain('IDENTITY_INVALID');
    expect(result.stderr).not.toContain('AGE-SECRET');
  });
});

describe('identity passwd', () => {
  it('changes, removes and adds a passphrase; the keys stay, and so does what is known without it', async () => {
    const alice = sandbox('alice');
    await mustRunMain(alice, [...CREATE, '--passphrase-file', passphraseFile(alice)]);
    const before = (await mustRunMain(alice, ['identity', 'show', '--card'])).text;
    const path = identityOf(alice);

    await mustRunMain(alice, ['identity', 'passwd'], { answers: [PASSPHRASE, 'another passphrase', 'another passphrase'] });
    await expect(agePassphraseDecrypt(readFileSync(path), PASSPHRASE)).rejects.toMatchObject({ code: 'PASSPHRASE_WRONG' });
    await expect(agePassphraseDecrypt(readFileSync(path), 'another passphrase')).resolves.toBeDefined();
    expect((await mustRunMain(alice, ['identity', 'show', '--card'])).text).toBe(before);

    await mustRunMain(alice, ['identity', 'passwd', '--no-passphrase'], { answers: ['another passphrase'] });
    expect((await parseIdentity(readFileSync(path, 'utf8'))).card.line).toBe(before.trim());
    await mustRunMain(alice, ['identity', 'passwd', '--new-passphrase-file', passphraseFile(alice)]);
    await expect(agePassphraseDecrypt(readFileSync(path), PASSPHRASE)).resolves.toBeDefined();
    expect(mode(path)).toBe(0o600);
  });

  it('leaves the file alone when the old passphrase is wrong', async () => {
    const alice = sandbox('alice');
    await mustRunMain(alice, [...CREATE, '--passphrase-file', passphraseFile(alice)]);
    const before = readFileSync(identityOf(alice));
    expect(await runMain(alice, ['identity', 'passwd'], { answers: ['wrong one', 'wrong two', 'wrong three'] })).toMatchObject({ code: 9 });
    expect(readFileSync(identityOf(alice)).equals(before)).toBe(true);
  });
});

/** Runs argv[2:] on a terminal of its own and types argv[1] when it asks; `age` reads passphrases from nowhere else. */
const ON_A_TERMINAL = `
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
seen, typed, end = b'', False, time.time() + 50
while time.time() < end:
    try:
        data = os.read(fd, 65536) if select.select([fd], [], [], 0.2)[0] else None
    except OSError:
        break
    if data == b'':
        break
    seen += data or b''
    if not typed and b'passphrase' in seen:
        os.write(fd, sys.argv[1].encode() + b'\\n'); typed = True
sys.stderr.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

describeWith(['age', 'age-keygen', 'python3'], 'the identity file in the hands of the age program', ({ age, 'age-keygen': keygen, python3 }) => {
  it('opens with its passphrase, and decrypts what is encrypted to the card', async () => {
    const alice = sandbox('alice');
    const made = JSON.parse((await mustRunMain(alice, [...CREATE, '--passphrase-file', passphraseFile(alice), '--json'])).text);
    const plain = join(alice.work, 'plain.txt');
    const opened = await alice.run(python3, ['-c', ON_A_TERMINAL, PASSPHRASE, age, '-d', '-o', plain, identityOf(alice)]);
    expect(opened.code, opened.stderr).toBe(0);
    expect((await alice.run(keygen, ['-y', plain])).text.trim()).toBe(made.recipient);

    const file = await alice.run(age, ['-r', made.recipient], { input: 'hello' });
    writeFileSync(join(alice.work, 'hello.age'), file.stdout);
    const read = await alice.run(python3, ['-c', ON_A_TERMINAL, PASSPHRASE, age, '-d', '-i', identityOf(alice), '-o', join(alice.work, 'hello'), 'hello.age']);
    expect(read.code, read.stderr).toBe(0);
    expect(readFileSync(join(alice.work, 'hello'), 'utf8')).toBe('hello');
  });
});

describe('an identity file without a passphrase that others may read', () => {
  it.runIf(process.geteuid !== undefined)('is used, and said; identity show says it as well', async () => {
    const alice = sandbox('alice');
    await mustRunMain(alice, [...CREATE, '--no-passphrase']);
    const path = identityOf(alice);
    const said = /Others may read ~\/\.config\/oxp-vault\/identity\.age.*chmod 600/g;
    expect((await mustRunMain(alice, ['init', 'vault'])).stderr).not.toMatch(said);
    expect((await mustRunMain(alice, ['identity', 'show'])).text).toContain('without a passphrase\n');
    chmodSync(path, 0o640);
    expect((await mustRunMain(alice, ['identity', 'show'])).text).toContain('without a passphrase; others may read it\n');
    expect((await mustRunMain(alice, ['sync', '--vault', 'vault'])).stderr.match(said)).toHaveLength(1);
    // In the variable of a job there is no file, and nothing to be said of one.
    const env = { OXP_VAULT_IDENTITY_DATA: readFileSync(path, 'utf8') };
    expect((await mustRunMain(alice, ['sync', '--vault', 'vault'], { env })).stderr).not.toMatch(said);
  });
});

it('identity create where an oxp-vault.yaml names a vault: the card goes to an admin of that one', async () => {
  const bruno = sandbox('bruno');
  writeFileSync(join(bruno.work, 'oxp-vault.yaml'), 'vault: git+https://git.example/infra.git\n');
  const { stderr } = await mustRunMain(bruno, [...CREATE, '--no-passphrase']);
  expect(stderr).toMatch(/^Next: send ~\/\.config\/oxp-vault\/bruno\.card to an admin of the vault at git\+https:\/\/git\.example\/infra\.git, who types: oxp-vault member add bruno\.card --role ROLE$/m);
  writeFileSync(join(bruno.work, 'oxp-vault.yaml'), 'nonsense');
  expect((await mustRunMain(bruno, [...CREATE, '--no-passphrase', '--out', 'other.age', '--card', 'other.card'])).stderr).toMatch(/^Next: oxp-vault init$/m);
});
