import { chmodSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openVault, type Secret, serveAgent, Session, socketOf, withSecret } from '../../../packages/core/src/index.js';
import { owner, person, type VaultOwner } from '../../cli/person.js';
import { tempDir } from '../../support/tmp.js';
import { codeOf } from '../../support/vaults.js';

async function sealed(): Promise<{ alice: VaultOwner; value: string; at: { cwd: string; env: Record<string, string | undefined> } }> {
  const alice = await owner();
  await alice.must(['seal']);
  const value = (await alice.must(['open', 'app/password'])).text;
  const runtime = tempDir('run');
  chmodSync(runtime, 0o700);
  return { alice, value, at: { cwd: alice.work, env: { ...alice.env, XDG_RUNTIME_DIR: runtime } } };
}

const lastLine = async (alice: VaultOwner): Promise<string> => (await alice.must(['audit', 'log', '--last', '1'])).text.trim();

describe('openVault', () => {
  it('finds, verifies and unlocks as the command would; a value is recorded, given to the work, and wiped', async () => {
    const { alice, value, at } = await sealed();
    const vault = await openVault(at);
    const { kept, length } = await withSecret(vault, 'app/password', (secret) => ({ kept: secret, length: secret.useText((text) => (text === value ? text.length : 0)) }), { purpose: 'a script', env: at.env });
    expect(length).toBe(value.length);
    expect(kept.useText((text) => text.replaceAll('\0', ''))).toBe('');
    expect(await lastLine(alice)).toContain('opened app/password v1 (a script)');
  });

  it('wipes the value also where the work fails, whose error arrives as it is', async () => {
    const { at } = await sealed();
    let kept: Secret | undefined;
    await expect(withSecret(await openVault(at), 'app/password', (secret) => { kept = secret; throw new RangeError('mine'); })).rejects.toThrow(RangeError);
    expect(kept!.useText((text) => text.replaceAll('\0', ''))).toBe('');
  });

  it('takes the passphrase as it is given, or from the file that the environment names, and asks nobody', async () => {
    const alice = person('alice');
    const phrase = alice.write('phrase', 'correct horse battery\n');
    await alice.must(['identity', 'create', '--person', 'alice', '--passphrase-file', phrase]);
    await alice.must(['init', '--passphrase-file', phrase]);
    const at = { cwd: alice.work, env: alice.env };
    expect(await codeOf(openVault(at))).toBe('PASSPHRASE_NEEDED');
    expect(await codeOf(openVault({ ...at, passphrase: 'wrong horse' }))).toBe('PASSPHRASE_WRONG');
    expect((await openVault({ ...at, passphrase: 'correct horse battery' })).identity?.card.person).toBe('alice');
    expect((await openVault({ ...at, env: { ...alice.env, OXP_VAULT_PASSPHRASE_FILE: phrase } })).identity?.card.person).toBe('alice');
  });

  it('reads without an identity what is public, and opens through an agent', async () => {
    const { alice, value, at } = await sealed();
    await alice.must(['seal', 'pki/root', '--kind', 'pki-root', '--set', 'subject.CN=Root', '--set', 'algorithm=ecdsa-p256']);
    const path = join(alice.home, '.config/oxp-vault/identity.age');
    const mine = await openVault(at);
    renameSync(path, `${path}.away`);
    const vault = await openVault(at);
    expect(vault.identity).toBeUndefined();
    expect(await withSecret(vault, 'pki/root#certificate', (secret) => secret.useText((text) => text), { env: at.env })).toContain('BEGIN CERTIFICATE');
    expect(await codeOf(withSecret(vault, 'app/password', () => 0, { env: at.env }))).toBe('IDENTITY_NOT_FOUND');
    const agent = await serveAgent(await Session.begin(mine, { scope: ['app/'], purpose: 'agent' }), { socket: socketOf(at.env, mine.store.address), until: Math.floor(Date.now() / 1000) + 60 });
    expect(await withSecret(await openVault(at), 'app/password', (secret) => secret.useText((text) => text), { env: at.env })).toBe(value);
    await agent.stop();
  });

  it('is told which vault it must be', async () => {
    const { at } = await sealed();
    expect(await codeOf(openVault({ ...at, expect: 'ab'.repeat(32) }))).toBe('EXPECT_MISMATCH');
    expect(await codeOf(openVault({ ...at, vault: '/nowhere' }))).toBe('VAULT_NOT_FOUND');
  });
});
