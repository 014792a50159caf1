import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../support/tmp.js';
import { type MainOptions, mustRunMain, runMain } from './harness.js';
import { type TestVault, vaultOfAlice } from './vaults.js';

/** Alice's other machine: same identity, nothing known of the vault, no oxp-vault.yaml. */
function elsewhere({ alice, directory }: TestVault): { vault: string[]; options: MainOptions & Required<Pick<MainOptions, 'env'>> } {
  return { vault: ['--vault', directory], options: { cwd: tempDir('elsewhere'), env: { XDG_STATE_HOME: join(alice.home, 'other-state') } } };
}

const expectLine = async ({ alice }: TestVault): Promise<string> => JSON.parse((await mustRunMain(alice, ['status', '--json'])).text).expect;
const entries = async ({ alice }: TestVault): Promise<number> => JSON.parse((await mustRunMain(alice, ['audit', 'checkpoint'])).text.split('\n')[1]!);

describe('where the state directory cannot be written', () => {
  it.each(['list', 'show app/password', 'status', 'check', 'exposure', 'policy show', 'policy log', 'audit log', 'handover list'])('%s goes on, and says in one line that nothing is remembered', async (line) => {
    const test = await vaultOfAlice();
    const file = join(tempDir('no-directory'), 'file');
    writeFileSync(file, '');
    const { vault, options } = elsewhere(test);
    const env = { ...options.env, XDG_STATE_HOME: file };
    const argv = [...line.split(' '), ...vault, '--expect', await expectLine(test)];
    const result = await runMain(test.alice, argv, { ...options, env });
    expect(result.stderr.match(/Nothing of this is remembered: .* cannot be written/g)).toHaveLength(1);
    expect(result.text).toBe((await runMain(test.alice, argv, options)).text);
  });

  it.each(['rotate app/password --yes', 'open app/password', 'sync'])('%s fails and says why', async (line) => {
    const test = await vaultOfAlice();
    const file = join(tempDir('no-directory'), 'file');
    writeFileSync(file, '');
    const { vault, options } = elsewhere(test);
    const before = await entries(test);
    const result = await runMain(test.alice, [...line.split(' '), ...vault, '--expect', await expectLine(test)], { ...options, env: { ...options.env, XDG_STATE_HOME: file } });
    expect(result).toMatchObject({ code: 8, text: '' });
    expect(result.stderr).toContain(file);
    expect(await entries(test)).toBe(before);
  });
});

describe('the first write on a machine that has not met the vault', () => {
  it('is refused where nobody can be asked; reading works', async () => {
    const test = await vaultOfAlice();
    const { vault, options } = elsewhere(test);
    expect(await runMain(test.alice, ['list', ...vault], options)).toMatchObject({ code: 0 });
    const before = await entries(test);
    const refused = await runMain(test.alice, ['rotate', 'app/password', '--yes', ...vault], options);
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain('EXPECT_NEEDED');
    expect(await entries(test)).toBe(before);
  });

  it.each(['--expect', 'OXP_VAULT_EXPECT'])('is allowed with the line in %s, and then without', async (way) => {
    const test = await vaultOfAlice();
    const { vault, options } = elsewhere(test);
    const line = await expectLine(test);
    const flag = way === '--expect' ? [way, line] : [];
    const env = way === '--expect' ? options.env : { ...options.env, [way]: line };
    expect(await runMain(test.alice, ['rotate', 'app/password', '--yes', ...vault, ...flag], { ...options, env })).toMatchObject({ code: 0 });
    expect(await runMain(test.alice, ['rotate', 'app/password', '--yes', ...vault], options)).toMatchObject({ code: 0 });
  });

  it('asks a person for the line, or for digits of the id, without showing them', async () => {
    for (const digits of [16, 64, 0]) {
      const test = await vaultOfAlice();
      const { vault, options } = elsewhere(test);
      const line = await expectLine(test);
      const answer = digits === 0 ? ` ${line} ` : line.slice(0, digits);
      const asked = await runMain(test.alice, ['rotate', 'app/password', '--yes', ...vault], { ...options, answers: [answer] });
      expect(asked.code, asked.stderr).toBe(0);
      expect(asked.asked).toHaveLength(1);
      expect(asked.stderr).toContain('for the line `expect` that `oxp-vault status` prints');
      expect(asked.stderr.slice(0, asked.stderr.indexOf('met the vault'))).not.toContain(line.slice(0, 8));
    }
  });

  it.each([
    ['too few digits', (line: string) => line.slice(0, 15), 6],
    ['another id', () => 'ab'.repeat(8), 5],
    ['another whole id', () => 'ab'.repeat(32), 5],
    ['another root', (line: string) => line.replace(/:.*/, `:${'cd'.repeat(32)}`), 5],
    ['nonsense', () => 'yes', 2],
    ['nothing', () => '', 2],
  ])('takes no %s', async (_, answer, code) => {
    const test = await vaultOfAlice();
    const { vault, options } = elsewhere(test);
    const before = await entries(test);
    expect((await runMain(test.alice, ['rotate', 'app/password', '--yes', ...vault], { ...options, answers: [answer(await expectLine(test))] })).code).toBe(code);
    expect(await entries(test)).toBe(before);
  });
});

describe('a question that needs a yes', () => {
  it('is answered by --yes, refused without a terminal, and no is no', async () => {
    const { alice } = await vaultOfAlice();
    expect(await runMain(alice, ['gc', '--break-lock'])).toMatchObject({ code: 2, asked: [] });
    expect((await mustRunMain(alice, ['gc', '--break-lock', '--yes'])).stderr).toContain('There was no lock.');
    expect((await mustRunMain(alice, ['gc', '--break-lock'], { answers: [false] })).stderr).not.toContain('lock');
  });
});
