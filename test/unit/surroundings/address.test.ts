import { chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { normalAddress } from '../../../packages/core/src/surroundings/address.js';
import { findVault } from '../../../packages/core/src/surroundings/find-vault.js';
import { storeAt } from '../../../packages/core/src/surroundings/store-at.js';
import { readConfig } from '../../../packages/core/src/surroundings/vault-config.js';
import { tempDir } from '../../support/tmp.js';

const ID = 'ab'.repeat(32);

/** A directory tree with a vault's checkpoint below `at`. */
function place(files: Record<string, string>): string {
  const root = tempDir('place');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  mkdirSync(join(root, 'a', 'b'), { recursive: true });
  return root;
}

describe('an address as servers show it for copying', () => {
  it.each([
    ['git@git.example.org:infra/vault.git', 'git+ssh://git@git.example.org/infra/vault.git'],
    ['git@git.example.org:/srv/vault.git', 'git+ssh://git@git.example.org/srv/vault.git'],
  ])('%s is refused with the one that works', (typed, works) => {
    expect(() => normalAddress(typed, '/w')).toThrow(expect.objectContaining({ code: 'BAD_ADDRESS', hint: expect.stringContaining(`${works}.`) }));
  });

  it('is still a directory where it is written as one', () => {
    expect(normalAddress('./git@git.example.org:vault', '/w')).toBe('/w/git@git.example.org:vault');
    expect(normalAddress('a@b/c:d', '/w')).toBe('/w/a@b/c:d');
    expect(normalAddress('x:y', '/w')).toBe('/w/x:y');
  });
});

describe('finding the vault', () => {
  it('goes by --vault, then OXP_VAULT, then the nearest oxp-vault.yaml, then the nearest vault', async () => {
    const root = place({ 'oxp-vault.yaml': `vault: ./far\nexpect: ${ID}\n`, 'a/vault/log/checkpoint': 'x' });
    const cwd = join(root, 'a', 'b');
    const env = { OXP_VAULT: 'named' };
    expect(await findVault({ cwd, env }, 'typed')).toEqual({ address: join(cwd, 'typed'), base: cwd, from: '--vault' });
    expect(await findVault({ cwd, env }, undefined)).toEqual({ address: join(cwd, 'named'), base: cwd, from: 'OXP_VAULT' });
    // Relative to the file, and the file goes before a vault that is nearer.
    expect(await findVault({ cwd, env: {} }, undefined)).toEqual({ address: join(root, 'far'), base: root, expect: ID, from: join(root, 'oxp-vault.yaml') });
  });

  it('finds a vault above, itself or in vault/', async () => {
    const root = place({ 'a/vault/log/checkpoint': 'x', 'log/checkpoint': 'x' });
    expect((await findVault({ cwd: join(root, 'a', 'b'), env: {} }, undefined)).address).toBe(join(root, 'a', 'vault'));
    expect((await findVault({ cwd: join(root, 'a', 'vault', 'log'), env: {} }, undefined)).address).toBe(join(root, 'a', 'vault'));
    expect((await findVault({ cwd: root, env: {} }, undefined)).address).toBe(root);
  });

  it('does not take a link for the file', async () => {
    const root = place({ 'other/oxp-vault.yaml': 'vault: ./evil\n' });
    symlinkSync(join(root, 'other', 'oxp-vault.yaml'), join(root, 'a', 'oxp-vault.yaml'));
    await expect(findVault({ cwd: join(root, 'a'), env: {} }, undefined)).rejects.toMatchObject({ code: 'VAULT_NOT_FOUND' });
  });

  it('does not believe an oxp-vault.yaml that another user has put above', async () => {
    const root = place({ 'oxp-vault.yaml': `vault: ./v\nexpect: ${ID}\n` });
    // Root can give the file away; anybody else pretends to be another user.
    if (process.getuid?.() === 0) chownSync(join(root, 'oxp-vault.yaml'), 4242, 4242);
    else vi.spyOn(process, 'getuid').mockReturnValue((process.getuid?.() ?? 0) + 1);
    await expect(findVault({ cwd: root, env: {} }, undefined)).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    vi.restoreAllMocks();
  });

  it('says so when an oxp-vault.yaml cannot be read', async () => {
    // A directory in its place, because no mode keeps root out.
    await expect(readConfig(place({ 'oxp-vault.yaml/x': '' }) + '/oxp-vault.yaml')).rejects.toMatchObject({ code: 'STORE_IO', exitCode: 8 });
  });

  it('says so when there is none', async () => {
    await expect(findVault({ cwd: tempDir('none'), env: {} }, undefined)).rejects.toMatchObject({ code: 'VAULT_NOT_FOUND', exitCode: 3 });
  });

  it.each([
    ['', 1, 'the file is empty'],
    ['- a\n', 1, 'expected lines of `key: value`'],
    ['# where\nexpect: x\n', 2, '`vault: ADDRESS` is missing'],
    ['expect: x\nvault: [x]\n', 2, 'vault is not a text'],
    ['vault: ./v\nhunter2: ./w\n', 2, 'there is a key beside vault and expect'],
    ['vault: ./v\nexpect: 5\n', 2, 'expect is not a text'],
    ['vault: ./v\nvault: ./w\n', 2, 'the same key twice in one map'],
    ['vault: &x ./v\nexpect: *x\n', 1, 'an anchor (&name), which is not allowed'],
    ['vault: ./v\nexpect: !x y\n', 2, 'a tag (!name), which is not allowed'],
    ['vault: "unfinished\n', 2, 'a character is missing, such as a comma, a closing quote or a bracket'],
  ])('refuses %j in oxp-vault.yaml, and says where', async (text, line, what) => {
    const cwd = place({ 'oxp-vault.yaml': text });
    await expect(findVault({ cwd, env: {} }, undefined)).rejects.toMatchObject({
      code: 'BAD_YAML', message: `${join(cwd, 'oxp-vault.yaml')}, line ${line}: ${what}`, hint: expect.stringContaining('vault: ADDRESS'),
    });
  });
});

describe('an address', () => {
  const at = (address: string) => storeAt({ address, base: '/' }, { io: { env: {} }, offline: false, interactive: false });

  it.each(['git+https://example.org/v.git', 'git+.', 's3://bucket/prefix'])('%s is left as typed', (address) => {
    expect(normalAddress(address, '/base')).toBe(address);
  });

  it('in Git has a Git store, and what would reach another program than git none', async () => {
    expect((await at('git+https://example.org/v.git#b')).address).toBe('git+https://example.org/v.git#b');
    await expect(at('git+--upload-pack=touch /tmp/x')).rejects.toMatchObject({ code: 'BAD_ADDRESS' });
    await expect(at('git+.')).rejects.toMatchObject({ code: 'BAD_ADDRESS' });
  });

  it('in a bucket is told to come later', async () => {
    await expect(at('s3://bucket/prefix')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it.each(['', 'a\nb', 'https://example.org/vault', 'file:///x'])('%j is refused', (address) => {
    expect(() => normalAddress(address, '/base')).toThrowError(expect.objectContaining({ code: 'BAD_ADDRESS' }));
  });

  it('that is a path counts from where it was written', () => {
    expect(normalAddress('../v', '/base/x')).toBe('/base/v');
    expect(normalAddress('/abs', '/base')).toBe('/abs');
  });
});
