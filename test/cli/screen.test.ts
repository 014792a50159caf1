/** What a person sees and types at a real terminal, with the real program. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { agePassphraseDecrypt } from '../../packages/core/src/primitives/age.js';
import { onTerminal, type TerminalResult, type Typed } from '../support/pty.js';
import { mustRun } from '../support/run.js';
import { type Sandbox, sandbox } from '../support/sandbox.js';
import { describeWith } from '../support/tools.js';
import { BIN, binDirectory, buildCli, runBin } from './harness.js';

const ESCAPE = '\x1b[';

describeWith(['python3', 'bash'], 'at a terminal', ({ python3, bash }) => {
  beforeAll(buildCli, 300_000);

  const terminal = (name: string, env: Readonly<Record<string, string | undefined>> = {}): Sandbox => sandbox(name, { env: { TERM: 'xterm-256color', NO_COLOR: undefined, ...env } });
  const at = (person: Sandbox, argv: readonly string[], answers: readonly Typed[] = [], more: { cwd?: string; env?: Readonly<Record<string, string | undefined>> } = {}): Promise<TerminalResult> =>
    onTerminal(python3, [process.execPath, BIN, ...argv], { env: { ...person.env, ...more.env }, cwd: more.cwd ?? person.work, answers });
  const shell = (person: Sandbox, command: string, answers: readonly Typed[] = []): Promise<TerminalResult> =>
    onTerminal(python3, [bash, '--norc', '-c', command], { env: { ...person.env, PATH: `${binDirectory(person.home)}:${person.env['PATH']}` }, cwd: person.work, answers });
  const owner = async (more: Readonly<Record<string, string | undefined>> = {}): Promise<Sandbox> => {
    const alice = terminal('alice', more);
    for (const argv of [['identity', 'create', '--no-passphrase', '--device', 'laptop'], ['init', '--name', 'platform'], ['seal']]) await mustRun(process.execPath, [BIN, ...argv], { cwd: alice.work, env: alice.env });
    return alice;
  };
  const keep = (alice: Sandbox, passphrase: string): string => {
    const file = alice.at('passphrase');
    writeFileSync(file, `${passphrase}\n`, { mode: 0o600 });
    return file;
  };
  const value = async (alice: Sandbox): Promise<string> => (await runBin(alice, ['open', 'app/password'])).text;

  it('takes three commands without any flag from an empty directory to the first sealed secret', async () => {
    const alice = terminal('alice');
    const place = join(alice.work, 'platform');
    mkdirSync(place);
    const made = await at(alice, ['identity', 'create'], [{ after: 'Passphrase for your identity (Enter: make one for me):', keys: '\r' }], { cwd: place });
    expect(made.code, made.text).toBe(0);
    const passphrase = /\b[a-z]+(?:-[a-z]+){7}\b/.exec(made.text)![0];
    await expect(agePassphraseDecrypt(readFileSync(alice.at('.config', 'oxp-vault', 'identity.age')), passphrase)).resolves.toBeDefined();
    const unlock: Typed = { after: 'Passphrase for ~/.config/oxp-vault/identity.age:', keys: `${passphrase}\r` };
    const initialised = await at(alice, ['init'], [unlock], { cwd: place });
    expect(initialised.code, initialised.text).toBe(0);
    expect(initialised.text).toMatch(/vault "platform" [0-9a-f]{8} in \.\/vault, made by alice\n/);
    const sealed = await at(alice, ['seal'], [unlock], { cwd: place });
    expect(sealed.code, sealed.text).toBe(0);
    expect(sealed.text).toMatch(/\+ app\/password {3}v1 {3}password, 24 characters, generated {3}-> team\n/);
    const screens = [initialised, sealed];
    expect(screens.flatMap(({ echoed }) => echoed)).toEqual([false, false]);
    for (const { raw } of screens) expect(raw).not.toContain(passphrase);
  });

  it('takes the same three without a terminal, where the passphrase stands in a file or is not wanted', async () => {
    for (const [flags, file] of [[['--no-passphrase'], ''], [[], 'a passphrase']] as const) {
      const alice = terminal('alice');
      const env = file === '' ? {} : { OXP_VAULT_PASSPHRASE_FILE: keep(alice, file) };
      const steps = [['identity', 'create', ...flags], ['init'], ['seal']];
      for (const argv of steps) expect(await runBin(alice, argv, { env }), argv.join(' ')).toMatchObject({ code: 0 });
      expect(JSON.parse((await runBin(alice, ['list', '--json'])).text)).toMatchObject({ secrets: [{ name: 'app/password', version: 1 }] });
    }
    const nobody = terminal('alice');
    const refused = await runBin(nobody, ['identity', 'create']);
    expect(refused).toMatchObject({ code: 9, text: '' });
    expect(refused.stderr).toMatch(/^error PASSPHRASE_NEEDED: /);
  });

  it('asks root, who is somebody else on every machine, for a name', async () => {
    const root = terminal('root', { USER: 'root', LOGNAME: 'root' });
    const made = await at(root, ['identity', 'create', '--no-passphrase'], [{ after: 'Your name in vaults:', keys: 'Alice!\r' }, { after: 'Lower-case letters', keys: '\x7f\x7f\x7f\x7f\x7f\x7falice\r' }]);
    expect(made.code, made.text).toBe(0);
    expect(existsSync(root.at('.config', 'oxp-vault', 'alice.card'))).toBe(true);
  });

  it('asks again after a wrong passphrase, and shows none of them', async () => {
    const alice = terminal('alice');
    await mustRun(process.execPath, [BIN, 'identity', 'create', '--passphrase-file', keep(alice, 'the right one')], { cwd: alice.work, env: alice.env });
    const wrong = await at(alice, ['init'], [{ after: 'Passphrase for', keys: 'a wrong one\r' }, { after: 'Again:', keys: 'the right one\r' }]);
    expect(wrong.code, wrong.text).toBe(0);
    expect(wrong.echoed).toEqual([false, false]);
    expect(wrong.raw).not.toMatch(/a wrong one|the right one/);
    const given = await at(alice, ['seal'], [{ after: 'Passphrase for', keys: 'wrong\r' }, { after: 'Again:', keys: 'wrong\r' }, { after: 'Again:', keys: 'wrong\r' }]);
    expect(given.code, given.text).toBe(9);
    expect(given.text).toContain('error PASSPHRASE_WRONG: ');
  });

  it('shows a table and no value, decrypts nothing, records nothing; values only with --show', async () => {
    const alice = await owner();
    const secret = await value(alice);
    const entries = async (): Promise<number> => (JSON.parse((await runBin(alice, ['audit', 'log', '--json'])).text) as { entries: unknown[] }).entries.length;
    const before = await entries();
    const table = await at(alice, ['open', '--role', 'team'], [], { env: { OXP_VAULT_IDENTITY: '/nowhere' } });
    expect(table.code, table.text).toBe(0);
    expect(table.text).toMatch(/^NAME +VERSION +KIND +SEALED BY\napp\/password +v1 +password +alice, just now\nNothing was decrypted\./);
    expect(table.raw).not.toContain(secret);
    expect(await entries()).toBe(before);
    for (const format of [[], ['--json'], ['--format', 'env']]) expect((await at(alice, ['open', 'app/password', ...format])).raw, format.join(' ')).not.toContain(secret);
    expect(await entries()).toBe(before);
    const shown = await at(alice, ['open', 'app/password', '--show']);
    expect(shown.text).toContain(`${secret}\n`);
    expect(await entries()).toBe(before + 1);
  });

  it('gives the value to a pipe, also where the questions go to the terminal', async () => {
    const alice = await owner();
    const secret = await value(alice);
    expect((await shell(alice, 'oxp-vault open app/password | cat')).text).toContain(secret);
    const quiet = await shell(alice, 'oxp-vault open app/password > out; wc -c < out');
    expect(quiet.text).toMatch(/\n24\n$/);
    expect(quiet.raw).not.toContain(secret);
  });

  it('takes Enter for no, and y for yes', async () => {
    const alice = await owner();
    const bruno = terminal('bruno');
    await mustRun(process.execPath, [BIN, 'identity', 'create', '--no-passphrase', '--device', 'laptop'], { cwd: bruno.work, env: bruno.env });
    const add = ['member', 'add', bruno.at('.config', 'oxp-vault', 'bruno.card'), '--role', 'team'];
    const no = await at(alice, add, [{ after: 'Add bruno?', keys: '\r' }]);
    expect(no.text).toContain('Nothing was changed.');
    expect((await runBin(alice, ['policy', 'show'])).text).toContain('based-on: 1');
    const yes = await at(alice, add, [{ after: 'Add bruno?', keys: 'y' }]);
    expect(yes.code, yes.text).toBe(0);
    expect((await runBin(alice, ['policy', 'show'])).text).toContain('based-on: 2');
    const stopped = await at(alice, ['member', 'remove', 'bruno'], [{ after: 'Remove bruno?', keys: '\x03' }]);
    expect(stopped.code, stopped.text).toBe(130);
    expect((await runBin(alice, ['policy', 'show'])).text).toContain('based-on: 2');
  });

  it('takes a value at a question, twice, and does not show it', async () => {
    const alice = await owner();
    const typed = 'typed-at-a-question';
    const sealed = await at(alice, ['seal', 'app/pin'], [{ after: 'Value of app/pin (not shown):', keys: `${typed}\r` }, { after: 'The same again:', keys: `${typed}\r` }]);
    expect(sealed.code, sealed.text).toBe(0);
    expect(sealed.raw).not.toContain(typed);
    expect((await runBin(alice, ['open', 'app/pin'])).text).toBe(typed);
    const differ = await at(alice, ['seal', 'app/pin'], [{ after: 'Value of app/pin', keys: 'one thing\r' }, { after: 'The same again:', keys: 'another\r' }]);
    expect(differ.code).toBe(2);
    expect(differ.raw).not.toMatch(/one thing|another/);
  });

  it('uses colours on a terminal that wants them, and only there', async () => {
    const alice = await owner();
    const failing = ['open', 'app/nothing'];
    expect((await at(alice, failing)).raw).toContain(ESCAPE);
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) expect((await at(alice, failing, [], { env })).raw, JSON.stringify(env)).not.toContain(ESCAPE);
    expect((await runBin(alice, failing)).stderr).not.toContain(ESCAPE);
    expect((await shell(alice, 'oxp-vault open app/nothing 2>&1 | cat')).raw).not.toContain(ESCAPE);
  });
});
