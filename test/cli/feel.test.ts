/** What people are told and offered: the one next thing, who is meant, what would be, and nothing that concerns only others. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { tempDir } from '../support/tmp.js';
import type { MainOptions, MainResult } from './harness.js';
import { owner, person, type VaultOwner } from './person.js';

const WHO = ['alice', 'bruno', 'carol', 'dora', 'frank'] as const;
type Who = (typeof WHO)[number];

describe('a team with one vault in a shared directory', () => {
  vi.setConfig({ testTimeout: 120_000 });

  let people: Record<Who, VaultOwner>;
  let shared: string;
  const at = (who: Who, argv: readonly string[], options: MainOptions = {}): Promise<MainResult> =>
    people[who].ov(argv, { ...options, env: { OXP_VAULT: join(shared, 'vault'), OXP_VAULT_EXPECT: expected, ...options.env } });
  const must = async (who: Who, argv: readonly string[], options: MainOptions & { code?: number } = {}): Promise<MainResult> => {
    const result = await at(who, argv, options);
    if (result.code !== (options.code ?? 0)) throw new Error(`${who}$ ${argv.join(' ')} gave ${result.code}\n${result.text}${result.stderr}`);
    return result;
  };
  const card = (who: Who): string => join(shared, `${who}.card`);
  const size = async (): Promise<number> => (JSON.parse((await must('alice', ['audit', 'log', '--json'])).text) as { size: number }).size;
  let expected: string;

  /** infra: alice, bruno; platform: carol, dora; pki/root under 2 of alice bruno frank. One admin, so that every policy counts at once. */
  beforeEach(async () => {
    shared = tempDir('shared');
    expected = '';
    people = Object.fromEntries(WHO.map((who) => [who, person(who)])) as Record<Who, VaultOwner>;
    for (const who of WHO) await people[who].must(['identity', 'create', '--person', who, '--device', 'laptop', '--no-passphrase', '--card', card(who)]);
    const made = await people.alice.must(['init', join(shared, 'vault'), '--name', 'platform', '--role', 'infra', '--role', 'platform', '--role', 'security', '--json',
      '--member', `infra=${card('bruno')}`, '--member', `platform=${card('carol')}`, '--member', `platform=${card('dora')}`, '--member', `security=${card('frank')}`]);
    expected = (JSON.parse(made.text) as { expect: string }).expect;
    const draft = join(people.alice.work, 'policy.yaml');
    writeFileSync(draft, `${readFileSync(draft, 'utf8').replace(/^rules:/m, 'custody:\n  pki: { need: 2, of: [alice, bruno, frank] }\n  plat: { need: 2, of: [carol, dora, frank] }\nrules:')}  - { path: pki/root, owners: [infra], writers: [infra], custody: pki }\n  - { path: sec/, owners: [security], writers: [security], readers: [security] }\n`);
    const { digest } = JSON.parse((await must('alice', ['policy', 'propose', '--dry-run', '--json'])).text) as { digest: string };
    // The vault is named by the environment: the draft is the one that lies here.
    await must('alice', ['policy', 'propose', '--yes', '--expect', digest]);
    await must('alice', ['seal', 'pki/root', '--kind', 'pki-root', '--set', 'subject.CN=Root', '--set', 'algorithm=ecdsa-p256']);
    await must('alice', ['seal', 'dns/key', '--kind', 'password', '--set', 'length=24']);
    for (const who of ['alice', 'bruno'] as const) await must(who, ['custody', 'ack']);
    await must('carol', ['role', 'rekey', 'platform']);
  });

  const request = async (...more: string[]): Promise<{ id: string; binds: string }> =>
    JSON.parse((await must('carol', ['handover', 'request', ...more, '--to', 'platform', '--json'])).text) as { id: string; binds: string };

  it('consent, complete and finalize find the one that waits; two are listed; what was done is said to be done', async () => {
    expect((await at('bruno', ['handover', 'consent'])).stderr).toMatch(/^error ENTRY_NOT_FOUND: no handover waits for you \(bruno\) to consent\n/);
    const first = await request('dns/key');
    const shown = JSON.parse((await must('bruno', ['handover', 'show', first.id, '--json'])).text) as { binds: string };
    const second = await request('pki/root', '--custody', 'plat');
    const several = await at('bruno', ['handover', 'consent', '--yes', '--expect', shown.binds]);
    expect(several).toMatchObject({ code: 2 });
    expect(several.stderr).toMatch(new RegExp(`^error USAGE: 2 handovers wait for you: name one\\n  handover ${first.id.slice(0, 8)}: 1 secret.*\\n  handover ${second.id.slice(0, 8)}: 1 secret`));
    await must('carol', ['handover', 'abort', second.id, '--yes']);
    // What a script consents to, it has from `show`.
    const consent = await must('bruno', ['handover', 'consent', '--yes', '--expect', shown.binds]);
    expect(consent.text).toContain('consent logged: that is enough for all of it.');
    expect((await must('carol', ['handover', 'complete'])).stderr).not.toContain('already');
    const again = await must('carol', ['handover', 'complete', first.id]);
    expect(again.stderr).toContain(`handover ${first.id.slice(0, 8)} has its receipt already, just now: nothing was done again.`);
    expect(JSON.parse((await must('bruno', ['handover', 'show', first.id, '--json'])).text)).not.toHaveProperty('binds');
    await must('alice', ['handover', 'finalize', '--yes'], { code: 6 });
    expect((await must('carol', ['handover', 'finalize'])).text).toContain('is done: platform owns what it received.');
  });

  it('finalize names whose acknowledgements are missing, before it asks anything', async () => {
    const { id, binds } = await request('pki/root', '--custody', 'plat');
    for (const who of ['alice', 'bruno'] as const) await must(who, ['handover', 'consent', id, '--yes', '--expect', binds]);
    await must('alice', ['sync']);
    await must('carol', ['handover', 'complete', id]);
    await must('dora', ['custody', 'ack']);
    // An admin would be asked whether to propose: `answers` rejects a question.
    const early = await at('alice', ['handover', 'finalize', id], { answers: [] });
    expect(early).toMatchObject({ code: 6, asked: [] });
    expect(early.stderr).toContain('pki/root v2: 2 of carol dora frank; awaited: carol frank\n');
  });

  it('an offered path stays a path: what is sealed below it later moves with it', async () => {
    const { offer } = JSON.parse((await must('alice', ['handover', 'offer', 'dns/', '--to', 'platform', '--json'])).text) as { offer: string };
    const view = JSON.parse((await must('carol', ['handover', 'accept', offer, '--json'])).text) as { rules: { path: string }[] };
    expect(view.rules.map(({ path }) => path)).toEqual(['dns/']);
  });

  it('a use is asked for by an owner, and whoever is none is told who that is', async () => {
    const refused = await at('carol', ['handover', 'request', 'pki/root', '--use']);
    expect(refused).toMatchObject({ code: 4 });
    expect(refused.stderr).toContain('Who can (infra): alice or bruno. To have it moved to your role: --to ROLE');
  });

  it('who asks for what their role owns already is told so, and nothing is asked', async () => {
    const before = await size();
    const own = await at('bruno', ['handover', 'request', 'dns/key', '--to', 'infra']);
    expect(own.stderr).toContain('error ALREADY_DONE: infra owns dns/key already');
    expect(await size()).toBe(before);
    expect((await at('carol', ['handover', 'request', 'dns/key', '--to', 'platfrom'])).stderr).toContain('Did you mean: platform?');
  });

  it('status shows the risks that one can do something about, and --json all of them', async () => {
    const status = async (who: Who): Promise<string> => (await must(who, ['status'])).text;
    // alice alone is an admin: that is hers to mend, and whoever is in none of it is left alone with it.
    expect(await status('alice')).toContain('alice is the only admin');
    expect(await status('frank')).toContain('without frank nobody could');
    expect(await status('carol')).not.toMatch(/only admin|without frank/);
    expect((await must('carol', ['status', '--json'])).text).toMatch(/only admin[^]*without frank nobody could/);
  });

  it('a dry run shows what would be and writes nothing, for whom a passphrase is asked nowhere', async () => {
    await must('alice', ['rotate', 'dns/key']);
    await people.alice.must(['identity', 'passwd'], { answers: ['correct horse', 'correct horse'] });
    const before = await size();
    const dry = async (...argv: string[]): Promise<string> => {
      const { text, stderr, asked } = await must('alice', [...argv, '--dry-run'], { answers: [] });
      expect(asked, argv.join(' ')).toEqual([]);
      return stderr + text;
    };
    expect(await dry('rotate', 'dns/key')).toMatch(/\+ dns\/key +password, 24 characters +-> infra\n[^]*1 to seal, .*Nothing was written\. To do it: oxp-vault rotate dns\/key/);
    expect(await dry('retire', 'dns/key')).toMatch(/- dns\/key +v1 +would be retired\n1 version to retire\. Nothing was written/);
    expect(await dry('role', 'rekey', 'infra')).toContain('role infra: epoch 2, to be granted to alice bruno');
    expect(await dry('member', 'add', card('frank'), '--role', 'infra')).toMatch(/\+ frank joins|frank.*infra/);
    expect(await dry('member', 'remove', 'dora')).toMatch(/dora leaves[^]*Nothing was proposed/);
    const draft = join(people.alice.work, 'policy.yaml');
    writeFileSync(draft, (await must('alice', ['policy', 'show'])).text.replace('platform: { members: [carol, dora]', 'platform: { members: [carol]'));
    expect(await dry('policy', 'propose')).toMatch(/would have the digest [0-9a-f]{64}, and would be in effect at once/);
    expect(await size()).toBe(before);
    // What the log would refuse, the dry run refuses.
    expect(await at('bruno', ['member', 'add', card('frank'), '--role', 'infra', '--dry-run'])).toMatchObject({ code: 4 });
    expect(await at('frank', ['role', 'rekey', 'infra', '--dry-run'])).toMatchObject({ code: 4 });
    expect((await at('alice', ['role', 'rekey', 'infar', '--dry-run'])).stderr).toContain('Did you mean: infra?');
  });

  it('a custodian who leaves is taken out of the group where enough are left; else the very line is shown', async () => {
    await must('alice', ['member', 'remove', 'dora', '--yes']);
    expect(JSON.parse((await must('alice', ['policy', 'show', '--json'])).text)).toMatchObject({ custody: { plat: { need: 2, of: ['carol', 'frank'] } } });
    const stuck = await at('alice', ['member', 'remove', 'carol', '--yes']);
    expect(stuck).toMatchObject({ code: 4 });
    expect(stuck.stderr).toContain('without carol too few custodians would be left of plat');
    expect(stuck.stderr).toContain('\n    plat: { need: 2, of: [carol, frank] }\n');
  });

  it('exposure fits the terminal, and speaks of what somebody may know apart from what they could still know', async () => {
    const mine = await must('alice', ['exposure', '--person', 'alice']);
    expect(mine.text).toContain('alice may know 2 secrets.');
    await must('alice', ['member', 'remove', 'bruno', '--role', 'infra', '--yes']);
    expect((await must('alice', ['exposure', '--person', 'bruno'])).text).toContain('1 of 1 secret that bruno could have known still has the same value.');
  });

  it('who was removed is told what is left, and nothing that cannot be done', async () => {
    await must('alice', ['member', 'remove', 'dora', '--yes']);
    const status = (await must('dora', ['status'])).text;
    expect(status).toContain('are not enrolled any more: this key was removed, and never returns. What you could read: oxp-vault exposure --person dora.');
    expect(status).toContain('whose card alice can add\n      oxp-vault identity create --out FILE\n');
    expect((await at('dora', ['open', 'dns/key'])).stderr).toContain('What is left to do: oxp-vault status');
  });

  it('what waited on a machine is told in words', async () => {
    await must('alice', ['open', 'dns/key', '--offline', '--queue', join(shared, 'q')]);
    const taken = await must('alice', ['sync', '--from', join(shared, 'q')]);
    expect(taken.text).toContain('1 entry taken over (1 opening).');
  });
});

describe('slips', () => {
  it('a role that only a slip in --member names is not made', async () => {
    const alice = person('alice');
    await alice.must(['identity', 'create', '--person', 'alice', '--device', 'laptop', '--no-passphrase']);
    const bruno = person('bruno');
    await bruno.must(['identity', 'create', '--person', 'bruno', '--device', 'laptop', '--no-passphrase', '--card', join(alice.work, 'bruno.card')]);
    const slip = await alice.ov(['init', '--role', 'infra', '--role', 'platform', '--member', 'plaform=bruno.card']);
    expect(slip).toMatchObject({ code: 2 });
    expect(slip.stderr).toContain('Did you mean platform? To make plaform too: --role plaform');
    expect((await alice.ov(['init', '--member', 'platform=bruno.card', '--member', 'plaform=bruno.card'])).stderr).toContain('role platform and role plaform: one of them looks like a slip\n  To make both: --role platform --role plaform\n');
    await alice.must(['init', '--role', 'infra', '--role', 'platform', '--member', 'platform=bruno.card']);
  });

  it('a passphrase that was not typed the same twice is asked again', async () => {
    const alice = person('alice');
    const made = await alice.must(['identity', 'create', '--person', 'alice', '--device', 'laptop'], { answers: ['correct horse', 'correct house', 'short', 'correct horse', 'correct horse'] });
    expect(made.stderr).toContain('the two passphrases differ. Once more:');
    expect(made.stderr).toContain('the passphrase has fewer than 8 characters. Once more:');
    expect(await person('bruno').ov(['identity', 'create', '--person', 'bruno'], { answers: ['abc', 'abc', 'abc'] })).toMatchObject({ code: 2 });
  });

  it.each([['policy', 'propose', 'somewhere'], ['member', 'add', 'somewhere'], ['seal', 'app/x', '--from', 'somewhere'], ['seal', '--bootstrap', 'somewhere']])('a directory in the place of a file: %s %s', async (...argv) => {
    const alice = await owner();
    mkdirSync(join(alice.work, 'somewhere'));
    const refused = await alice.ov(argv);
    expect(refused, refused.stderr).toMatchObject({ code: 2 });
    expect(refused.stderr).toMatch(/somewhere is a directory\n {2}Name a file/);
  });

  it('an editor that cannot be used is named with the secret it was for', async () => {
    const alice = await owner();
    await alice.must(['seal']);
    expect((await alice.ov(['edit', 'app/password'], { env: { EDITOR: 'false' } })).stderr).toContain('EDITOR=nano oxp-vault edit app/password');
  });

  it('a draft beside whoever proposes is found where the environment names the vault', async () => {
    const alice = await owner();
    const away = join(alice.work, 'away');
    mkdirSync(away);
    copyFileSync(join(alice.work, 'policy.yaml'), join(away, 'policy.yaml'));
    const env = { OXP_VAULT: join(alice.work, 'vault') };
    expect((await alice.ov(['policy', 'propose', '--dry-run'], { cwd: away, env })).stderr).toContain('error ALREADY_DONE');
    rmSync(join(away, 'policy.yaml'));
    expect(await alice.ov(['policy', 'propose', '--dry-run'], { cwd: away, env })).toMatchObject({ code: 2 });
  });
});
