/** One passphrase a day: what is written every day goes through the agent, and what decides who may what asks all the same. */
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SOPS_KEY, sopsVector } from '../support/sops.js';
import { tempDir } from '../support/tmp.js';
import { buildCli, type MainOptions, runBin } from './harness.js';
import { owner, type VaultOwner } from './person.js';

let alice: VaultOwner;
/** Of the agent that every command finds, of one below app/ and of one that only opens. */
let env: Record<string, string>;
let below: Record<string, string>;
let reading: Record<string, string>;
/** The identity as it was before it came under the passphrase. */
let plain: string;
const started: number[] = [];

/** alice types her passphrase for these agents; from then on nobody is there, and no file holds it. */
beforeAll(async () => {
  await buildCli();
  alice = await owner();
  await alice.must(['seal']);
  await alice.must(['seal', 'dns/key', '--kind', 'tsig', '--set', 'key=demo.']);
  const runtime = tempDir('run');
  chmodSync(runtime, 0o700);
  env = { XDG_RUNTIME_DIR: runtime };
  const start = async (...words: readonly string[]): Promise<Record<string, string>> => {
    const { code, text, stderr } = await runBin(alice, ['agent', 'start', '--json', ...words], { env });
    expect(code, stderr).toBe(0);
    const { pid, socket } = JSON.parse(text) as { pid: number; socket: string };
    started.push(pid);
    return { ...env, OXP_VAULT_AGENT: socket };
  };
  await start();
  below = await start('--socket', join(runtime, 'b', 's'), '--scope', 'app/');
  reading = await start('--socket', join(runtime, 'r', 's'), '--read-only');
  const identity = alice.at('.config/oxp-vault/identity.age');
  plain = join(alice.work, 'plain.age');
  copyFileSync(identity, plain);
  alice.write('card', (await alice.must(['identity', 'show', '--card'])).text);
  await alice.must(['identity', 'passwd', '--new-passphrase-file', alice.write('phrase', 'one passphrase\n')]);
}, 600_000);

afterAll(() => {
  for (const pid of started) process.kill(pid, 'SIGKILL');
});

const log = async (): Promise<string[]> => (await alice.must(['audit', 'log'])).text.trim().split('\n').map((line) => line.replace(/^.*\d{2}:\d{2} UTC +/, ''));

describe('one passphrase a day', () => {
  it('seals, edits, rotates, retires, imports and offers; the agent signs and appends', async () => {
    const must = (argv: readonly string[], options: MainOptions = {}): ReturnType<VaultOwner['must']> => alice.must(argv, { ...options, env: { ...env, ...options.env } });
    await must(['seal', 'docs/plan', '--from', '-'], { input: 'first\n' });
    expect((await must(['seal', 'docs/plan', '--from', '-'], { input: 'first\n' })).text).toContain('unchanged');
    expect((await must(['seal', 'docs/plan', '--from', '-', '--dry-run'], { input: 'second\n' })).text).toContain('1 to seal');
    expect((await must(['edit', 'docs/plan'], { env: { EDITOR: `sh -c 'echo second > "$1"' --`, VISUAL: undefined } })).text).toContain('docs/plan   v2   sealed\n');
    expect((await must(['rotate', 'app/password', 'dns/key'])).text).toContain('2 rotated');
    await must(['retire', 'app/password', 'docs/plan@1']);
    alice.write('bootstrap.yaml', 'secrets:\n  app/more: { kind: password }\n  pki/root: { kind: pki-root, subject: { CN: Root }, algorithm: ecdsa-p256 }\n');
    expect((await must(['seal'])).text).toContain('2 sealed');
    alice.write('bootstrap.yaml', 'secrets:\n  app/ca: { kind: pki-intermediate, subject: { CN: Next }, issuer: pki/root, algorithm: ecdsa-p256 }\n');
    // Its issuer's key is opened by the agent.
    expect((await must(['seal', 'app/ca'])).text).toContain('app/ca');
    copyFileSync(sopsVector('types.yaml'), join(alice.work, 'types.yaml'));
    const imported = await runBin(alice, ['import', 'sops', 'types.yaml', '--split', '--prefix', 'sops'], { env: { ...env, SOPS_AGE_KEY: SOPS_KEY } });
    expect([imported.code, imported.text]).toEqual([0, expect.stringMatching(/[1-9]\d* sealed/)]);
    await must(['handover', 'offer', 'dns/', '--to', 'team']);
    expect((await must(['sync'])).text).toContain('Nothing waits here');
    expect((await must(['open', 'docs/plan'])).text).toBe('second\n');
    const lines = await log();
    expect(lines.filter((line) => line.includes('began'))).toEqual(['/ (agent, may write)', 'app/ (agent, may write)', '/ (agent)'].map((may) => `alice (laptop)  began a session that may open ${may}`));
    expect(lines.every((line) => line.startsWith('alice (laptop)'))).toBe(true);
    expect(JSON.parse((await must(['audit', 'verify', '--json'])).text)).toMatchObject({ ok: true });
    expect((await must(['agent', 'status'])).text).toMatch(/^opened +docs\/plan, pki\/root$/m);
  });

  it.each([
    ['policy sign', ['policy', 'sign', '--yes', '--expect', 'ab'.repeat(32)]],
    ['policy propose', ['policy', 'propose', '--yes']],
    ['policy withdraw', ['policy', 'withdraw', 'abcdef12']],
    ['handover consent', ['handover', 'consent', 'abcdef12', '--yes']],
    ['handover release', ['handover', 'release', 'abcdef12']],
    ['handover request', ['handover', 'request', 'dns/key', '--to', 'team', '--reason', 'x']],
    ['handover complete', ['handover', 'complete', 'abcdef12']],
    ['handover finalize', ['handover', 'finalize', 'abcdef12']],
    ['handover abort', ['handover', 'abort', 'abcdef12', '--reason', 'x']],
    ['member add', ['member', 'add', 'card']],
    ['device add', ['device', 'add', 'card']],
    ['role rekey', ['role', 'rekey', 'team']],
    ['role grant', ['role', 'grant', 'team']],
    ['standing', ['standing', 'alice', 'dns/', '--not-after', '90d']],
    ['custody ack', ['custody', 'ack']],
    ['custody check', ['custody', 'check']],
    ['drill', ['drill']],
    ['exec', ['exec', '--', 'true']],
  ] as const)('%s asks all the same', async (_, argv) => {
    const before = await log();
    const refused = await alice.ov(argv, { env });
    expect([refused.code === 125 ? 9 : refused.code, refused.stderr]).toEqual([9, expect.stringContaining('error PASSPHRASE_NEEDED')]);
    expect(await log()).toEqual(before);
  });

  it('asks for what is outside of its scope, and where an identity is named', async () => {
    await alice.must(['rotate', 'app/password'], { env: below });
    for (const argv of [['rotate', 'dns/key'], ['rotate', 'app/password', 'dns/key'], ['rotate', 'app/ca'], ['retire', 'dns/key'], ['edit', 'dns/key'], ['seal'], ['seal', 'dns/new', '--from', '-'], ['seal', 'app/new', '--kind', 'pki-intermediate', '--set', 'issuer=pki/root'], ['handover', 'offer', 'dns/', '--to', 'team'], ['rotate', 'app/password', '--identity', alice.at('.config/oxp-vault/identity.age')]]) {
      expect([argv, (await alice.ov(argv, { input: 'x', env: below })).stderr]).toEqual([argv, expect.stringContaining('error PASSPHRASE_NEEDED')]);
    }
  });

  it('asks where the agent was started to open only, and says so in its status', async () => {
    for (const argv of [['rotate', 'app/password'], ['sync']]) expect((await alice.ov(argv, { env: reading })).stderr).toContain('error PASSPHRASE_NEEDED');
    await alice.must(['open', 'app/password'], { env: reading });
    await alice.must(['seal', 'app/password', '--from', '-', '--dry-run'], { env: reading, input: 'x' }).catch(() => undefined);
    expect((await alice.must(['agent', 'status'], { env: reading })).text).toMatch(/^writes +nothing$/m);
    expect((await alice.must(['agent', 'status'], { env })).text).toMatch(/^writes +what is sealed, retired or offered there$/m);
  });

  it('writes in nobody else\'s name because an agent was left running', async () => {
    const phrase = alice.write('other', 'another passphrase\n');
    await alice.must(['identity', 'create', '--person', 'bob', '--device', 'desk', '--out', 'bob.age', '--passphrase-file', phrase]);
    expect((await alice.ov(['rotate', 'app/password'], { env: { ...env, OXP_VAULT_IDENTITY: join(alice.work, 'bob.age') } })).stderr).toContain('error PASSPHRASE_NEEDED');
  });

  it('says what waits for the passphrase, and leaves it; sync does it where somebody types it', async () => {
    await alice.must(['identity', 'create', '--person', 'carol', '--device', 'desk', '--out', 'carol.age', '--no-passphrase']);
    const added = await alice.ov(['member', 'add', 'carol.card', '--role', 'team', '--admin', '--yes', '--json', '--identity', plain]);
    const { policy: { digest } } = JSON.parse(added.text) as { policy: { digest: string } };
    // In effect with her signature: only alice can grant her the key.
    await alice.must(['policy', 'sign', '--yes', '--expect', digest, '--identity', 'carol.age']);
    const words = 'Waits for your passphrase, and your agent leaves it: grant carol the key of role team. Do it with: oxp-vault sync\n';
    expect((await alice.must(['rotate', 'app/password'], { env })).stderr).toContain(words);
    expect((await alice.must(['sync'], { env })).stderr).toContain(words);
    const done = await alice.must(['sync'], { env, answers: ['one passphrase'] });
    expect([done.asked.length, done.stderr]).toEqual([1, expect.stringContaining('granted carol the key of role team\n')]);
    expect((await alice.must(['sync'], { env, answers: [] })).stderr).not.toContain('Waits');
  });
});
