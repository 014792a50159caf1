import { describe, expect, it } from 'vitest';
import { owner, type VaultOwner } from './person.js';

const PASSWORD = ' päss wörd\t';

async function withPasswords(): Promise<VaultOwner> {
  const alice = await owner();
  await alice.must(['seal', 'ansible-vault/prod', '--from', '-'], { input: PASSWORD });
  await alice.must(['seal', 'legacy/default', '--from', '-'], { input: 'other' });
  return alice;
}

describe('ansible vault-client', () => {
  it('prints the password of the vault id and nothing else', async () => {
    const alice = await withPasswords();
    expect(await alice.ov(['ansible', 'vault-client', '--vault-id', 'prod'])).toMatchObject({ code: 0, text: PASSWORD, stderr: '' });
    for (const under of ['legacy', 'legacy/']) expect(await alice.ov(['ansible', 'vault-client', '--under', under])).toMatchObject({ code: 0, text: 'other', stderr: '' });
    expect((await alice.must(['audit', 'log', '--last', '1'])).text).toContain('opened legacy/default v1 (ansible vault-client)');
  });

  it.each([
    ['none', 'SECRET_NOT_FOUND'],
    ['No Such', 'BAD_NAME'],
  ])('exits with 2 where %s has none, so that Ansible asks elsewhere', async (label, code) => {
    const alice = await withPasswords();
    const { code: exit, text, stderr } = await alice.ov(['ansible', 'vault-client', '--vault-id', label]);
    expect([exit, text, stderr.trimEnd().split('\n')]).toEqual([2, '', [expect.stringMatching(`^oxp-vault: ${code}: `)]]);
  });

  it('exits with 2 for nothing else, with one line', async () => {
    const alice = await withPasswords();
    const args = ['ansible', 'vault-client', '--vault-id', 'prod'];
    const cases = [
      [{ tty: true }, [], 1, 'USAGE'],
      [{}, ['--vault', '/nowhere'], 3, 'VAULT_NOT_FOUND'],
      [{}, ['--identity', '/nowhere'], 9, 'IDENTITY_NOT_FOUND'],
      [{}, ['--vault', 'ftp://x'], 1, 'BAD_ADDRESS'],
      [{}, ['--expect', '00'.repeat(32)], 5, 'EXPECT_MISMATCH'],
    ] as const;
    for (const [options, words, exit, code] of cases) {
      const failed = await alice.ov([...args, ...words], options);
      expect([failed.code, failed.text, failed.stderr.trimEnd().split('\n')]).toEqual([exit, '', [expect.stringMatching(`^oxp-vault: ${code}: `)]]);
    }
  });
});
