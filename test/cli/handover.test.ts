/** Handovers as people make them: each with a process, a home and a clone of their own, and nothing but a Git remote between them. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { mustRun } from '../support/run.js';
import { sandbox } from '../support/sandbox.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { BIN, buildCli } from './harness.js';
import { agreedByAll, bindsOf, consented, makeTeam, requested, type Team, type Who } from './handover-team.js';

const DAY = 86_400;
const GIVERS = ['alice', 'bruno'] as const;

interface Listed {
  readonly secrets: readonly { readonly name: string; readonly version: number }[];
}

describeWith(['git'], 'a handover between people who share only the vault', ({ git }) => {
  vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

  const place = tempDir('remote');
  const remote = join(place, 'vault.git');
  let team: Team;
  let ready: { restore(): void };

  beforeAll(async () => {
    await buildCli();
    await mustRun(git, ['init', '-q', '--bare', remote]);
    team = await makeTeam(place, `git+file://${remote}`);
    ready = team.snapshot();
  });

  beforeEach(() => ready.restore());

  const ops = async (): Promise<string[]> => {
    await team.must('dora', ['status']);
    return (await team.ask<{ entries: { op: string }[] }>('dora', ['audit', 'log'])).entries.map((entry) => entry.op);
  };
  const size = async (): Promise<number> => (await ops()).length;
  const versions = async (who: Who): Promise<Record<string, number>> => Object.fromEntries((await team.ask<Listed>(who, ['list', '--max-age', '0'])).secrets.map(({ name, version }) => [name, version]));
  const handedOver = async (argv: readonly string[]): Promise<string> => {
    const id = await requested(team, 'carol', argv);
    await agreedByAll(team, id);
    await team.must('carol', ['handover', 'complete', id]);
    return id;
  };
  const signed = async (who: Who): Promise<void> => {
    const { digest } = (await team.ask<{ digest: string }[]>(who, ['policy', 'log', '--max-age', '0'])).at(-1)!;
    await team.must(who, ['policy', 'sign', '--yes', '--expect', digest]);
  };

  /** A command that goes on beside the others. */
  const beside = (who: Who, argv: readonly string[]): { said(pattern: RegExp): Promise<void>; done: Promise<{ code: number | null; seen: string }> } => {
    const { env, work } = team.people[who];
    const child = spawn(process.execPath, [BIN, ...argv], { cwd: work, env: { ...env, OXP_VAULT: team.address, OXP_VAULT_EXPECT: team.expected() }, stdio: ['ignore', 'pipe', 'pipe'] });
    let seen = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    const done = new Promise<{ code: number | null; seen: string }>((resolve) => child.on('close', (code) => resolve({ code, seen })));
    return { said: (pattern) => vi.waitFor(() => expect(seen).toMatch(pattern), { timeout: 100_000, interval: 100 }), done };
  };

  it('of everything, with the admins: the givers change, seal and open nothing any more', async () => {
    const id = await handedOver(['/', '--to', 'platform', '--custody', 'platform-root', '--admin', 'carol', '--admin', 'dora', '--threshold', '2', '--reason', 'go-live']);
    for (const who of ['carol', 'dora'] as const) await team.must(who, ['custody', 'ack']);
    const waits = await team.must('carol', ['handover', 'finalize', id, '--rotate', '--yes'], 6);
    // Of the old admins one more, of the new ones one more: neither alone.
    expect(waits.stderr).toContain('oxp-vault policy sign');
    await signed('alice');
    expect(await team.must('carol', ['handover', 'finalize', id, '--rotate'], 6)).toMatchObject({ code: 6 });
    await signed('dora');
    const done = await team.must('carol', ['handover', 'finalize', id, '--rotate']);
    for (const name of ['app/password', 'dns/tsig', 'ssh/key']) expect(done.text).toMatch(new RegExp(`^\\+ ${name} +v3, new value$`, 'm'));
    expect(done.text).toMatch(/^! pki\/root +v2 still has the value that the givers knew: .*docs\/pki-root-succession\.md$/m);

    const before = await ops();
    const value = join(tempDir('value'), 'value');
    writeFileSync(value, 'a value of the givers');
    const wrong: string[] = [];
    const stranger = sandbox('erin');
    await team.must(stranger, ['identity', 'create', '--device', 'laptop', '--no-passphrase', '--card', join(place, 'erin.card')]);
    for (const who of GIVERS) {
      const { work } = team.people[who];
      const policy = (await team.must(who, ['policy', 'show', '--max-age', '0'])).text;
      const propose = async (name: string, change: (text: string) => string): Promise<string[]> => {
        const path = join(work, name);
        writeFileSync(path, change(policy));
        const { digest } = await team.ask<{ digest: string }>(who, ['policy', 'propose', path, '--dry-run']);
        return ['policy', 'propose', path, '--yes', '--expect', digest];
      };
      const back = await propose('rules.yaml', (text) => text.replace(/^( *- \{ path: app\/.*|rules:)$/m, 'rules:\n  - { path: app/, owners: [infra], writers: [infra], readers: [infra] }'));
      const tries: readonly (readonly string[])[] = [
        back,
        ['member', 'add', join(place, 'erin.card'), '--role', 'infra', '--yes'],
        ['member', 'remove', 'dora', '--yes'],
        ['role', 'rekey', 'platform'],
        ['role', 'grant', 'platform', who],
        ['seal', 'app/new', '--kind', 'password', '--set', 'length=24'],
        ['seal', 'app/password', '--from', value],
        ['rotate', 'app/password'],
        ['retire', 'app/password@1'],
        ['open', 'app/password'],
        ['open', 'app/password', '--at', '2'],
        ['open', 'pki/root'],
        ['handover', 'offer', 'app/password', '--to', 'infra'],
        ['handover', 'request', 'app/password', '--to', 'infra'].concat(who === 'alice' ? [] : ['--reason', 'again']),
        ['handover', 'request', 'pki/root', '--use'],
      ];
      for (const argv of tries) {
        const result = await team.ov(who, argv);
        // To ask is free: what counts is that nobody of the givers can consent to it. A key that one does not hold one cannot give.
        const due = argv[1] === 'request' && argv.includes('infra') ? 0 : argv[1] === 'grant' ? 6 : 4;
        if (result.code !== due) wrong.push(`${who}$ ${argv.join(' ')}\ngave ${result.code}, not ${due}\n${result.text}${result.stderr}`);
        expect(result.text, argv.join(' ')).not.toMatch(/PRIVATE KEY/);
      }
    }
    expect(wrong).toEqual([]);
    // To propose oneself as an admin is free as well; without those who are, it comes to nothing.
    const policy = (await team.must('alice', ['policy', 'show', '--max-age', '0'])).text;
    const wanted = join(team.people.alice.work, 'admins.yaml');
    writeFileSync(wanted, policy.replace(/^admins:.*$/m, 'admins: { need: 2, of: [alice, bruno] }'));
    const { digest } = await team.ask<{ digest: string }>('alice', ['policy', 'propose', wanted, '--dry-run']);
    // 64 bits are found twice by whoever writes both texts; 128 are enough, and fewer are refused.
    expect(await team.ov('alice', ['policy', 'propose', wanted, '--yes', '--expect', digest.slice(0, 31)])).toMatchObject({ code: 2 });
    expect((await team.must('alice', ['policy', 'propose', wanted, '--yes', '--expect', digest.slice(0, 32)])).text).toContain('waits for 2 of bruno carol dora');
    await signed('bruno');
    expect((await team.ask<{ digest: string; status: string }[]>('dora', ['policy', 'log', '--max-age', '0'])).at(-1)).toMatchObject({ digest, status: 'waits for signatures' });
    expect((await team.must('alice', ['policy', 'show', '--max-age', '0'])).text).toBe(policy);
    const after = (await ops()).slice(before.length);
    expect(after.filter((op) => !['handover.request', 'policy.propose', 'policy.sign'].includes(op))).toEqual([]);
    const asked = (await team.ask<{ handovers: { id: string; role?: string }[] }>('dora', ['handover', 'list'])).handovers.filter((each) => each.role === 'infra');
    expect(asked).toHaveLength(2);
    for (const { id: wanted } of asked) for (const who of GIVERS) expect(await team.ov(who, ['handover', 'consent', wanted, '--yes', '--expect', '0'.repeat(64)]), who).toMatchObject({ code: 4 });

    // What they had they have: said, and not hidden.
    expect(await team.ov('alice', ['open', 'app/password', '--at', '1'])).toMatchObject({ code: 0 });
    expect((await team.must('carol', ['exposure', '--person', 'alice'])).text).toMatch(/^app\/password +v1/m);
    // And the receivers can do all of it.
    await team.must('dora', ['seal', 'app/new', '--kind', 'password', '--set', 'length=24']);
    expect((await team.must('carol', ['open', 'app/new'])).text).toHaveLength(24);
    await team.must('dora', ['audit', 'verify', '--strict']);
  });

  it('of three secrets: the rest stays with the givers, untouched', async () => {
    const before = await versions('alice');
    const password = (await team.must('alice', ['open', 'app/password'])).text;
    const rules = async (): Promise<string[]> => (await team.must('alice', ['policy', 'show', '--max-age', '0'])).text.split('\n').filter((line) => line.includes('path:'));
    const [everything] = (await rules()).filter((line) => line.includes('path: /,'));
    const id = await handedOver(['pki/root', 'dns/', 'ssh/key', '--to', 'platform', '--custody', 'platform-root', '--keep-reader', 'infra']);
    for (const who of ['carol', 'frank'] as const) await team.must(who, ['custody', 'ack']);
    await team.must('carol', ['handover', 'finalize', id, '--yes'], 6);
    await signed('bruno');
    const done = await team.must('dora', ['handover', 'finalize', id]);
    expect(done.text).toContain(': platform owns what it received.');

    expect(await versions('alice')).toEqual({ ...before, 'pki/root': 2, 'dns/tsig': 2, 'ssh/key': 2 });
    expect(await rules()).toContain(everything);
    expect((await team.must('bruno', ['open', 'app/password'])).text).toBe(password);
    await team.must('bruno', ['rotate', 'app/password']);
    expect(await team.ov('carol', ['open', 'app/password', '--max-age', '0'])).toMatchObject({ code: 4 });
    // What they were left as readers they read, and no more.
    expect((await team.must('alice', ['open', 'dns/tsig', '--max-age', '0'])).text).toBe((await team.must('dora', ['open', 'dns/tsig'])).text);
    expect(await team.ov('alice', ['rotate', 'dns/tsig'])).toMatchObject({ code: 4 });
    // What is sealed below the path from now on is platform's as well; beside it, infra's.
    await team.must('carol', ['seal', 'dns/next', '--kind', 'tsig', '--set', 'key=next.']);
    expect(await team.ov('alice', ['seal', 'dns/other', '--kind', 'tsig', '--set', 'key=other.'])).toMatchObject({ code: 4 });
    await team.must('alice', ['seal', 'ssh/other', '--kind', 'ssh-key']);
  });

  it('a yes is to what was read: it needs the digest, a terminal, or both', async () => {
    const id = await requested(team, 'carol', ['app/password', '--to', 'platform']);
    const before = await size();
    const consent = ['handover', 'consent', id];
    const binds = await bindsOf(team, 'alice', id);
    expect(await team.ov('alice', consent)).toMatchObject({ code: 2 });
    expect(await team.ov('alice', [...consent, '--yes', '--expect', binds.slice(0, 31)])).toMatchObject({ code: 2 });
    expect(await team.ov('alice', [...consent, '--yes', '--expect', 'no digest at all'])).toMatchObject({ code: 2 });
    const other = await team.ov('alice', [...consent, '--yes', '--expect', '0'.repeat(64)]);
    expect(other.code).toBe(5);
    expect(other.stderr).toContain('EXPECT_MISMATCH');
    // The id of the request is not what it asks for.
    expect(await team.ov('alice', [...consent, '--yes', '--expect', id])).toMatchObject({ code: 5 });
    // Who has no say, and who asks.
    expect((await team.must('frank', [...consent, '--yes', '--expect', binds], 4)).stderr).toContain('you (frank) have no say');
    expect((await team.must('carol', [...consent, '--yes', '--expect', binds], 4)).stderr).toContain('others have to consent');
    const refused = await team.here('alice', consent, { answers: [false] });
    expect(refused).toMatchObject({ code: 0, asked: [`Consent to ${id.slice(0, 8)} (digest ${binds.slice(0, 8)} ${binds.slice(8, 16)}…)?`] });
    expect(refused.stderr).toContain('Nothing was signed.');
    expect(await size()).toBe(before);

    const agreed = await team.here('alice', consent, { answers: [true] });
    expect(agreed.text).toBe('consent logged: that is enough for all of it.\n');
    expect(agreed.stderr).toContain('the file key of app/password was released to carol. Done.');
    expect((await ops()).slice(before)).toEqual(['handover.consent', 'handover.release']);
  });

  it('what was consented to changes: the consents die, nothing leaves, and each is told', async () => {
    const id = await requested(team, 'carol', ['pki/root', '--to', 'platform', '--custody', 'platform-root']);
    const old = await bindsOf(team, 'alice', id);
    await consented(team, 'bruno', id, old);
    const waiting = beside('alice', ['handover', 'consent', id, '--wait', '--yes', '--expect', old]);
    await waiting.said(/^Waiting for frank\./m);

    const erin = sandbox('erin');
    await team.must(erin, ['identity', 'create', '--device', 'laptop', '--no-passphrase', '--card', join(place, 'erin.card')]);
    await team.must('carol', ['member', 'add', join(place, 'erin.card'), '--role', 'platform', '--yes'], 6);
    await signed('bruno');

    const late = await team.must('frank', ['handover', 'consent', id, '--yes', '--expect', old], 5);
    expect(late.stderr).toContain('carol, dora, erin, frank will receive');
    expect(late.stderr).toContain('it has changed since');
    const gone = await waiting.done;
    expect(gone.code).toBe(7);
    expect(gone.seen).toContain('CONSENT_STALE');
    expect(gone.seen).toContain('Nothing of yours has left.');
    const shown = await team.must('frank', ['handover', 'show', id]);
    for (const who of GIVERS) expect(shown.text).toContain(`the consent of ${who} no longer counts`);
    expect((await team.must('bruno', ['status'])).text).toContain('look at it again: what you consented to has changed');
    expect(await team.ov('bruno', ['handover', 'release', id])).toMatchObject({ code: 6 });
    expect(await ops()).not.toContain('handover.release');

    await agreedByAll(team, id);
    await team.must('carol', ['handover', 'complete', id]);
  });

  it('too late: no consent, no release, no receipt; and who asked is told to ask anew', async () => {
    const id = await requested(team, 'carol', ['app/password', '--to', 'platform', '--not-after', '12h']);
    const now = Math.floor(Date.now() / 1000) + DAY;
    const before = await size();
    const late = await team.here('alice', ['handover', 'consent', id], { answers: [true], now });
    expect(late).toMatchObject({ code: 4, asked: [] });
    expect(late.stderr).toContain('error EXPIRED');
    expect((await team.here('carol', ['status'], { now })).text).toContain('ask anew: it is too late for this one');
    await consented(team, 'alice', id, await bindsOf(team, 'alice', id));
    expect(await team.here('bruno', ['handover', 'release', id], { now })).toMatchObject({ code: 4 });
    expect(await team.here('carol', ['handover', 'complete', id], { now })).toMatchObject({ code: 4 });
    expect((await ops()).slice(before)).toEqual(['handover.consent', 'handover.release']);
  });

  it('is completed where it was asked for: another machine of the same person is told which', async () => {
    const id = await requested(team, 'carol', ['app/password', '--to', 'platform']);
    await consented(team, 'bruno', id, await bindsOf(team, 'bruno', id));
    const desktop = sandbox('carol');
    await team.must(desktop, ['identity', 'create', '--device', 'desktop', '--no-passphrase', '--card', join(place, 'desktop.card')]);
    await team.must('carol', ['device', 'add', join(place, 'desktop.card'), '--yes']);
    const elsewhere = await team.must(desktop, ['handover', 'complete', id], 9);
    expect(elsewhere.stderr).toContain('It lies where carol asked (device laptop)');
    // Asking, looking and stopping go from anywhere.
    expect((await team.must(desktop, ['handover', 'show', id])).stderr).toContain(`oxp-vault handover complete ${id.slice(0, 8)}`);
    expect((await team.must('carol', ['handover', 'complete', id])).text).toMatch(/^\+ app\/password .* -> v2 platform$/m);
    expect((await team.must(desktop, ['open', 'app/password', '--max-age', '0'])).text).toHaveLength(24);
  });

  it('custodians who never acknowledge lock nobody out: abort takes back what waits, the rest is finished', async () => {
    const id = await handedOver(['pki/root', 'app/password', '--to', 'platform', '--custody', 'platform-root']);
    expect(await team.ov('carol', ['handover', 'finalize', id, '--yes'])).toMatchObject({ code: 6 });
    const aborted = await team.must('carol', ['handover', 'abort', id, '--yes', '--reason', 'frank is away']);
    expect(aborted.text).toContain('pki/root taken back; the version before counts');
    expect(aborted.stderr).toContain('Something of pki/root had been released: count it as known to carol');
    expect(aborted.stderr).toContain(`Next: oxp-vault handover finalize ${id.slice(0, 8)} --rotate, for the rest`);
    await team.must('carol', ['handover', 'finalize', id, '--yes'], 6);
    await signed('alice');
    expect((await team.must('carol', ['handover', 'finalize', id])).text).toContain('is done');
    expect(await versions('alice')).toMatchObject({ 'pki/root': 1, 'app/password': 2 });
    const status = await team.must('alice', ['status']);
    expect(status.text).toContain('pki/root v1 was released to carol, who has not received it');
    expect(await team.ov('alice', ['check'])).toMatchObject({ code: 6 });
    // And again, for what stayed.
    const again = await requested(team, 'carol', ['pki/root', '--to', 'platform', '--custody', 'platform-root']);
    await agreedByAll(team, again);
    expect((await team.must('carol', ['handover', 'complete', again])).text).toContain('-> v3 platform-root');
  });

  it('a custodian who waits outlasts a remote that is away', async () => {
    const id = await requested(team, 'carol', ['pki/root', '--to', 'platform', '--custody', 'platform-root']);
    const binds = await bindsOf(team, 'alice', id);
    await consented(team, 'bruno', id, binds);
    const waiting = beside('alice', ['handover', 'consent', id, '--wait', '--yes', '--expect', binds]);
    await waiting.said(/^Waiting for frank\./m);
    renameSync(remote, `${remote}.away`);
    await waiting.said(/Still waiting\.$/m);
    renameSync(`${remote}.away`, remote);
    await consented(team, 'frank', id, binds);
    const { code, seen } = await waiting.done;
    expect(code, seen).toBe(0);
    expect(seen).toContain('your share of pki/root was released to carol. Done.');
  });

  it('an auditor judges it from a copy and the line that says which vault it is; and sees what is not as it was', async () => {
    const id = await handedOver(['pki/root', 'app/password', '--to', 'platform', '--custody', 'platform-root']);
    const { expect: expected } = await team.ask<{ expect: string }>('dora', ['status']);
    const copy = join(tempDir('copy'), 'vault');
    await team.must('dora', ['clone', '--backup', team.address, copy]);
    const auditor = sandbox('auditor');
    const verify = async (...more: string[]) => auditor.run(process.execPath, [BIN, 'handover', 'verify', id, '--vault', copy, ...more]);
    const good = await verify('--expect', expected);
    expect(good.code, good.stderr).toBe(0);
    expect(good.text).toMatch(/^\+ pki\/root v1: passed \d+ checks and was sealed as v2 by this very receipt$/m);
    expect(good.text).toMatch(/All of it holds\. Judged on \d+ entries/);
    const report = JSON.parse((await verify('--expect', expected, '--json')).text) as { ok: boolean; steps: { op: string }[]; handover: { receipt: { digest: string } } };
    expect(report.ok).toBe(true);
    expect(report.steps.map((step) => step.op.replace('handover.', ''))).toEqual(['request', 'consent', 'consent', 'consent', 'release', 'release', 'release', 'complete']);

    const files = join(copy, 'handovers', id.slice(0, 8));
    const share = join(files, readdirSync(files).find((name) => name.startsWith('frank-'))!);
    const bytes = readFileSync(share);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(share, bytes);
    const bad = await verify('--expect', expected);
    expect(bad.code).toBe(5);
    expect(bad.text).toContain('It does NOT hold');
    expect(bad.text).toContain('/frank-');
    // Another vault with handovers of its own is not taken for this one.
    const wrong = await verify('--expect', expected.replace(/^./, (digit) => (digit === '0' ? '1' : '0')));
    expect(wrong.code).toBe(5);
  });
});
