import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { BIN, buildCli, runBin } from './harness.js';
import { owner, person } from './person.js';

const ask = (query: object): { input: string } => ({ input: JSON.stringify(query) });
const HEADER = '{"magic":"OpenTofu-External-Key-Provider","version":1}\n';

describe('terraform external', () => {
  it('prints the public parts of a secret and records nothing', async () => {
    const alice = await owner();
    await alice.must(['seal', 'pki/root', '--kind', 'pki-root', '--set', 'subject.CN=Example Root']);
    const before = (await alice.must(['audit', 'log'])).text;
    const answer = await alice.must(['terraform', 'external'], { ...ask({ name: 'pki/root' }), env: { OXP_VAULT_IDENTITY: '/nowhere' } });
    expect(answer.stderr).toBe('');
    const result = JSON.parse(answer.text) as Record<string, string>;
    expect(result).toMatchObject({ name: 'pki/root', version: '1', kind: 'pki-root' });
    expect(Object.values(result).every((value) => typeof value === 'string')).toBe(true);
    const certificate = await alice.must(['terraform', 'external'], ask({ name: 'pki/root#certificate' }));
    expect((JSON.parse(certificate.text) as { value: string }).value).toBe((await alice.must(['open', 'pki/root#certificate'])).text);
    expect((await alice.must(['audit', 'log'])).text).toBe(before);
  });

  it('gives what is private only where the query allows it, and records that', async () => {
    const alice = await owner();
    await alice.must(['seal']);
    const value = (await alice.must(['open', 'app/password'])).text;
    const refused = await alice.ov(['terraform', 'external'], ask({ name: 'app/password#password' }));
    expect(refused).toMatchObject({ code: 1, text: '' });
    expect(refused.stderr).toMatch(/^oxp-vault: SECRET_IN_STATE: app\/password#password is private.*allow_secret_in_state = "true" in the query\n$/);
    expect(refused.stderr).not.toContain(value);
    const given = await alice.must(['terraform', 'external'], ask({ name: 'app/password', allow_secret_in_state: 'true' }));
    expect(JSON.parse(given.text)).toMatchObject({ value, version: '1' });
    expect((await alice.must(['audit', 'log', '--last', '1'])).text).toContain('opened app/password v1 (terraform external)');
  });

  it('fails with one line, nothing on standard output, and without asking', async () => {
    const alice = await owner();
    await alice.must(['seal']);
    const cases: [argv: string[], input: string, code: string][] = [
      [[], '{"name":"no/such"}', 'SECRET_NOT_FOUND'],
      [[], '{"name":"app/password#nope"}', 'FIELD_NOT_FOUND'],
      [[], '{"name":"app/password","version":"7"}', 'VERSION_NOT_FOUND'],
      [[], 'what?', 'USAGE'],
      [['--vault', '/nowhere'], '{"name":"a"}', 'VAULT_NOT_FOUND'],
      [['--identity', '/nowhere'], '{"name":"app/password","allow_secret_in_state":"true"}', 'IDENTITY_NOT_FOUND'],
    ];
    for (const [argv, input, code] of cases) {
      const failed = await alice.ov(['terraform', 'external', ...argv], { input });
      expect(failed, code).toMatchObject({ code: 1, text: '' });
      expect(failed.stderr).toMatch(new RegExp(`^oxp-vault: ${code}: [^\\n]+\\n$`));
    }
  });

  it('asks for no passphrase, not even at a terminal', async () => {
    const alice = person('alice');
    await alice.must(['identity', 'create', '--person', 'alice', '--passphrase-file', alice.write('phrase', 'correct horse battery\n')]);
    await alice.must(['init', '--passphrase-file', 'phrase']);
    await alice.must(['seal', '--passphrase-file', 'phrase']);
    const failed = await alice.ov(['terraform', 'external'], { ...ask({ name: 'app/password', allow_secret_in_state: 'true' }), answers: [] });
    expect(failed).toMatchObject({ code: 1, text: '', asked: [] });
    expect(failed.stderr).toContain('PASSPHRASE_NEEDED');
    const given = await alice.must(['terraform', 'external'], { ...ask({ name: 'app/password', allow_secret_in_state: 'true' }), env: { OXP_VAULT_PASSPHRASE_FILE: 'phrase' } });
    expect(given.stderr).toBe('');
  });
});

describe('terraform key-provider', () => {
  const answerOf = (text: string): { keys: Record<string, string>; meta: { external_data: { version: number } } } => {
    expect(text.startsWith(HEADER)).toBe(true);
    return JSON.parse(text.slice(HEADER.length)) as ReturnType<typeof answerOf>;
  };

  it('encrypts with the newest version, decrypts with the one that the state names', async () => {
    const alice = await owner();
    await alice.must(['seal', 'tf/state', '--kind', 'state-key']);
    const first = answerOf((await alice.must(['terraform', 'key-provider', 'tf/state'], { input: 'null' })).text);
    expect(Buffer.from(first.keys['encryption_key']!, 'base64')).toEqual((await alice.must(['open', 'tf/state'])).stdout);
    await alice.must(['rotate', 'tf/state']);
    const second = answerOf((await alice.must(['terraform', 'key-provider', 'tf/state'], { input: JSON.stringify(first.meta) })).text);
    expect(second.keys['decryption_key']).toBe(first.keys['encryption_key']);
    expect(second.keys['encryption_key']).not.toBe(first.keys['encryption_key']);
    expect(second.meta.external_data.version).toBe(2);
    expect((await alice.must(['audit', 'log', '--last', '1'])).text).toContain('(terraform key-provider)');
  });

  it('queues the opening where the vault cannot be written', async (context) => {
    if (process.getuid?.() === 0) return context.skip('skipped: root writes everywhere; the queue itself is tested in test/attacks');
    const alice = await owner();
    await alice.must(['seal', 'tf/state', '--kind', 'state-key']);
    chmodSync(join(alice.work, 'vault', 'log'), 0o500);
    const given = await alice.ov(['terraform', 'key-provider', 'tf/state'], { input: 'null' });
    chmodSync(join(alice.work, 'vault', 'log'), 0o700);
    expect(given.code).toBe(0);
    expect((await alice.must(['seal'])).stderr).toContain('opening that waited here');
  });

  it('keeps the opening in the queue with --offline', async () => {
    const alice = await owner();
    await alice.must(['seal', 'tf/state', '--kind', 'state-key']);
    await alice.must(['terraform', 'key-provider', 'tf/state', '--offline'], { input: 'null' });
    expect((await alice.must(['audit', 'log', '--last', '1'])).text).not.toContain('opened');
    expect((await alice.must(['seal'])).stderr).toContain('opening that waited here');
  });

  it('fails after the header with one line, and no key', async () => {
    const alice = await owner();
    await alice.must(['seal']);
    for (const [name, input, code] of [['app/password', 'null', 'FORMAT_UNSUITABLE'], ['no/such', 'null', 'SECRET_NOT_FOUND'], ['app/password', '{"external_data":{"kid":1}}', 'USAGE']] as const) {
      const failed = await alice.ov(['terraform', 'key-provider', name], { input });
      expect(failed, code).toMatchObject({ code: 1, text: HEADER });
      expect(failed.stderr).toMatch(new RegExp(`^oxp-vault: ${code}: [^\\n]+\\n$`));
    }
  });
});

describe('terraform encryption-config', () => {
  it('prints the block for the only state key, which the key provider then answers', async () => {
    const alice = await owner();
    expect(await alice.ov(['terraform', 'encryption-config'])).toMatchObject({ code: 2, text: '' });
    await alice.must(['seal', 'tf/state', '--kind', 'state-key']);
    const block = (await alice.must(['terraform', 'encryption-config'], { env: { OXP_VAULT_IDENTITY: '/nowhere' } })).text;
    const words = JSON.parse(/command = (\[.*\])/.exec(block)![1]!) as string[];
    expect(words).toEqual(['oxp-vault', 'terraform', 'key-provider', 'tf/state']);
    expect((await alice.must(words.slice(1), { input: 'null' })).text).toContain('encryption_key');
    expect((await alice.must(['terraform', 'encryption-config', '--migrate'])).text).toContain('method "unencrypted" "migrate" {}');
    expect((await alice.must(['audit', 'log', '--last', '1'])).text).toContain('(terraform key-provider)');
  });

  it('names the vault where it was named, and has the form of TF_ENCRYPTION', async () => {
    const alice = await owner();
    await alice.must(['seal', 'tf/state', '--kind', 'state-key']);
    const given = await alice.must(['terraform', 'encryption-config', 'tf/state', '--vault', 'vault', '--json']);
    const { key_provider } = JSON.parse(given.text) as { key_provider: { external: { oxp_vault: { command: string[] } } } };
    expect(key_provider.external.oxp_vault.command).toEqual(['oxp-vault', '--vault', join(alice.work, 'vault'), 'terraform', 'key-provider', 'tf/state']);
    expect(given.stderr).toBe('');
  });

  it('refuses what is no AES key, and asks which where there are several', async () => {
    const alice = await owner();
    await alice.must(['seal']);
    for (const [name, method] of [['tf/a', 'aes_gcm'], ['tf/b', 'pbkdf2']] as const) await alice.must(['seal', name, '--kind', 'state-key', '--set', `method=${method}`]);
    for (const name of ['app/password', 'tf/b']) expect((await alice.ov(['terraform', 'encryption-config', name])).stderr).toContain('FORMAT_UNSUITABLE');
    const which = await alice.ov(['terraform', 'encryption-config']);
    expect(which.code).toBe(2);
    expect(which.stderr).toContain('They are: tf/a, tf/b');
  });
});

describe('the program itself', () => {
  beforeAll(buildCli, 300_000);

  it('puts nothing but the one JSON object on standard output', async () => {
    const alice = await owner();
    await alice.must(['seal']);
    const given = await runBin(alice, ['terraform', 'external'], { input: '{"name":"app/password","allow_secret_in_state":"true"}' });
    expect(given).toMatchObject({ code: 0, stderr: '' });
    expect(given.text).toBe(`${JSON.stringify(JSON.parse(given.text))}\n`);
    expect(await runBin(alice, ['terraform', 'external'], { input: '{"name":"app/password#password"}' })).toMatchObject({ code: 1, text: '' });
  });

  it('writes the header before it has been told anything', async () => {
    const alice = await owner();
    await alice.must(['seal', 'tf/state', '--kind', 'state-key']);
    const child = spawn(process.execPath, [BIN, 'terraform', 'key-provider', 'tf/state'], { cwd: alice.work, env: alice.env, stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    const header = new Promise<void>((resolve) => child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('\n')) resolve();
    }));
    await header;
    expect(said).toBe(HEADER);
    child.stdin.end('null');
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    expect(JSON.parse(said.slice(HEADER.length))).toHaveProperty('keys.encryption_key');
  });
});
