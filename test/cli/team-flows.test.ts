/** A team over Git runs itself: how many commands, and how many people, it takes when laptops and colleagues come and go. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { parseIdentity } from '../../packages/core/src/policy/identity.js';
import { ageDecrypt } from '../../packages/core/src/primitives/age.js';
import { mustRun } from '../support/run.js';
import { type Sandbox, sandbox } from '../support/sandbox.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { type MainOptions, type MainResult, runMain } from './harness.js';

/** One device: a home of its own, a clone of the people's repository, and what is typed there. */
interface Laptop extends Sandbox {
  readonly repository: string;
  /** Types a command; it must end with `exit`. */
  type(line: string, options?: MainOptions & { exit?: number }): Promise<MainResult>;
}

describeWith(['git'], 'a team over Git', ({ git }) => {
  // Some forty commands each, with a push for every one that writes.
  vi.setConfig({ testTimeout: 240_000 });

  let remote: string;
  let typed: { who: string; line: string }[];

  /** What it took since the last call: the commands, and the people who typed them. */
  const taken = (): { commands: string[]; people: string[] } => {
    const all = typed;
    typed = [];
    return { commands: all.map(({ line }) => line), people: [...new Set(all.map(({ who }) => who))] };
  };

  const laptop = (person: string): Laptop => {
    const box = sandbox(person);
    const repository = join(box.work, 'platform');
    return {
      ...box,
      repository,
      type: async (line, { exit = 0, ...options } = {}) => {
        typed.push({ who: person, line });
        const cwd = existsSync(repository) ? repository : box.work;
        const result = await runMain(box, line.split(' '), { cwd, ...(options.input === undefined ? { answers: [true] } : {}), ...options });
        if (result.code !== exit) throw new Error(`${person}$ oxp-vault ${line}\nexit code ${result.code}\n${result.text}${result.stderr}`);
        return result;
      },
    };
  };

  const inGit = (where: Laptop, ...args: string[]): Promise<unknown> => mustRun(git, ['-C', where.repository, ...args], { env: where.env });
  const clone = (where: Laptop): Promise<unknown> => mustRun(git, ['clone', '-q', remote, where.repository], { env: where.env });
  const cardOf = (where: Laptop): string => where.at('.config', 'oxp-vault', `${where.person}.card`);

  /** A card is public: it goes by mail, and is checked by voice. Its path from where it arrives. */
  const send = (from: Laptop, to: Laptop, name = from.person): string => {
    copyFileSync(cardOf(from), join(to.repository, `${name}.card`));
    return `${name}.card`;
  };
  const open = async (where: Laptop, name: string): Promise<string> => (await where.type(`open ${name} --max-age 0`)).text;
  const status = async (where: Laptop): Promise<string> => (await where.type('status')).text;

  /** Everybody has an identity; alice makes the vault in the repository that the others clone. Seals docs/plan to infra, app/token to both. */
  const found = async (): Promise<{ alice: Laptop; bruno: Laptop; carol: Laptop; dora: Laptop }> => {
    const [alice, bruno, carol, dora] = ['alice', 'bruno', 'carol', 'dora'].map(laptop) as [Laptop, Laptop, Laptop, Laptop];
    for (const each of [alice, bruno, carol, dora]) await each.type('identity create --device laptop --no-passphrase');
    await clone(alice);
    for (const each of [bruno, carol, dora]) send(each, alice);
    await alice.type('init --name platform --role infra --role platform --admin bruno.card --admin carol.card --member infra=bruno.card --member platform=carol.card --member platform=dora.card');
    const draft = join(alice.repository, 'policy.yaml');
    const rule = '  - { path: app/, owners: [infra], writers: [infra, platform], readers: [infra, platform] }';
    writeFileSync(draft, readFileSync(draft, 'utf8').replace(/^( *platform:.*)steward: alice/m, '$1managed: { need: 1, of: [carol, dora] }, steward: alice').trimEnd() + `\n${rule}\n`);
    await alice.type('policy propose');
    await inGit(alice, 'add', 'oxp-vault.yaml', 'policy.yaml', 'bootstrap.yaml');
    await inGit(alice, 'commit', '-q', '-m', 'Where the vault is');
    await inGit(alice, 'push', '-q', 'origin', 'HEAD:main');
    for (const each of [bruno, carol, dora]) await clone(each);
    await bruno.type('policy sign');
    await carol.type('role rekey platform');
    await alice.type('seal docs/plan --from -', { input: 'two' });
    await alice.type('seal app/token --from -', { input: 'swordfish' });
    taken();
    return { alice, bruno, carol, dora };
  };

  beforeEach(async () => {
    remote = join(tempDir('remote'), 'platform.git');
    typed = [];
    await mustRun(git, ['init', '-q', '--bare', '-b', 'main', remote]);
  });

  /** Everything that the remote holds of a role's newest epoch. */
  const newestGrants = async (role: string): Promise<{ epoch: number; files: Buffer[] }> => {
    const { text } = await mustRun(git, ['-C', remote, 'ls-tree', '-r', '--name-only', 'oxp-vault', `roles/${role}/`]);
    const paths = text.trim().split('\n');
    const epoch = paths.map((path) => path.split('/')[2]!).sort().at(-1)!;
    const files = paths.filter((path) => path.split('/')[2] === epoch).map((path) => mustRun(git, ['-C', remote, 'show', `oxp-vault:${path}`]));
    return { epoch: Number(epoch), files: (await Promise.all(files)).map(({ stdout }) => stdout) };
  };

  /** With the keys of a device, plain age, and whatever lies in the repository. */
  const opensAny = async (device: Laptop, files: readonly Buffer[]): Promise<boolean> => {
    const { age } = await parseIdentity(readFileSync(device.at('.config', 'oxp-vault', 'identity.age'), 'utf8'));
    const opened = await Promise.all(files.map((file) => age.useText((line) => ageDecrypt(file, [line])).then(() => true, () => false)));
    return opened.includes(true);
  };

  const addLaptop = async (alice: Laptop): Promise<Laptop> => {
    const second = laptop('alice');
    await second.type('identity create --device laptop2 --no-passphrase');
    await alice.type(`device add ${send(second, alice, 'laptop2')}`);
    return second;
  };

  it('a new laptop: two commands of one person, and it reads everything', async () => {
    const { alice } = await found();

    const second = await addLaptop(alice);
    expect(taken()).toEqual({ commands: ['identity create --device laptop2 --no-passphrase', 'device add laptop2.card'], people: ['alice'] });

    await clone(second);
    expect((await second.type('open --role infra --format json')).text).toBe((await alice.type('open --role infra --format json')).text);
    expect(await open(second, 'docs/plan')).toBe('two');
    await second.type('seal docs/next --from -', { input: 'three' });
    expect(await open(alice, 'docs/next')).toBe('three');
    expect(await status(second)).toContain('you       alice (admin, role infra)');
  });

  it('a lost laptop: one command of the one who lost it, and what is sealed from then on is closed to it', async () => {
    const { alice, bruno } = await found();
    const second = await addLaptop(alice);
    await clone(second);
    const before = await newestGrants('infra');
    expect(await opensAny(alice, before.files)).toBe(true);
    taken();

    const removed = await second.type('device remove laptop');
    expect(taken()).toEqual({ commands: ['device remove laptop'], people: ['alice'] });
    expect(removed.text).toContain('~ role infra has a new key');

    const after = await newestGrants('infra');
    expect(after.epoch).toBe(before.epoch + 1);
    await bruno.type('seal docs/plan --from -', { input: 'three' });
    expect(await open(second, 'docs/plan')).toBe('three');
    expect((await alice.type('open docs/plan --max-age 0', { exit: 4 })).stderr).toContain('NOT_ENROLLED');
    expect(await opensAny(alice, after.files)).toBe(false);
    expect(await opensAny(second, after.files)).toBe(true);
  });

  it('a laptop that leaves by itself: its roles are stale until the next command of a member who remains, which is any', async () => {
    const { alice, bruno } = await found();
    await addLaptop(alice);
    const before = await newestGrants('infra');
    taken();

    await alice.type('device remove laptop');
    expect(await status(bruno)).toMatch(/! the key of role infra is stale: alice or a device of theirs has left\. (?:alice or )?bruno turns? it/);
    typed = typed.filter(({ line }) => line !== 'status');
    expect((await bruno.type('seal docs/next --from -', { input: 'three' })).stderr).toContain('turned the key of role infra');
    expect(taken()).toEqual({ commands: ['device remove laptop', 'seal docs/next --from -'], people: ['alice', 'bruno'] });

    const after = await newestGrants('infra');
    expect(after.epoch).toBe(before.epoch + 1);
    expect(await opensAny(alice, after.files)).toBe(false);
  });

  it('a new colleague: two commands of two admins, and they join and open', async () => {
    const { alice, bruno } = await found();
    const erin = laptop('erin');
    await erin.type('identity create --device laptop --no-passphrase');
    await clone(erin);
    expect(await status(erin)).toContain('you (erin, device laptop) are not enrolled: send your card to somebody who can add you (alice bruno carol dora)');
    const card = send(erin, alice);
    taken();

    const waits = await alice.type(`member add ${card} --role infra`, { exit: 6 });
    expect(waits.text).toContain('waits for 1 of bruno carol');
    await bruno.type('policy sign');
    expect(taken()).toEqual({ commands: ['member add erin.card --role infra', 'policy sign'], people: ['alice', 'bruno'] });

    // No option: what the answer of a minute ago would refuse, is asked for.
    expect((await erin.type('open docs/plan')).text).toBe('two');
    expect(await status(erin)).toContain('you       erin (role infra)');
  });

  it('a new colleague of a team that manages itself: one command of a manager, no admin', async () => {
    const { carol, alice } = await found();
    const frank = laptop('frank');
    await frank.type('identity create --device laptop --no-passphrase');
    await clone(frank);
    const card = send(frank, carol);
    taken();

    await carol.type(`member add ${card} --role platform`);
    expect(taken()).toEqual({ commands: ['member add frank.card --role platform'], people: ['carol'] });

    expect(await open(frank, 'app/token')).toBe('swordfish');
    expect((await frank.type('open docs/plan', { exit: 4 })).stderr).toContain('NOT_A_READER');
    // Whoever joined decides nothing, and nobody else's team grew.
    expect((await alice.type('member list --max-age 0')).text).toMatch(/^frank +human +- +platform +laptop$/m);
  });

  it('a leaver: two commands of two admins turn the key and list what they know; then it is rotated', async () => {
    const { alice, carol, dora } = await found();
    expect(await open(dora, 'app/token')).toBe('swordfish');
    await alice.type('seal app/pin --kind password --set length=12');
    const before = await newestGrants('platform');
    taken();

    const removing = await alice.type('member remove dora', { exit: 6 });
    const signed = await carol.type('policy sign');
    expect(taken()).toEqual({ commands: ['member remove dora', 'policy sign'], people: ['alice', 'carol'] });
    expect(signed.stderr).toContain('~ role platform has a new key');
    expect(removing.text).toMatch(/^app\/pin +v1 +member of platform +oxp-vault rotate app\/pin$/m);
    expect(removing.text).toMatch(/^app\/token +v1 +member of platform +/m);
    expect(removing.text).toContain('2 secrets that dora could have known still have the same value.');

    const after = await newestGrants('platform');
    expect(after.epoch).toBe(before.epoch + 1);
    expect([await opensAny(dora, before.files), await opensAny(dora, after.files), await opensAny(carol, after.files)]).toEqual([true, false, true]);
    const old = await open(carol, 'app/pin');
    await alice.type('rotate app/pin');
    expect(await open(carol, 'app/pin')).not.toBe(old);
    expect((await dora.type('open app/pin', { exit: 4 })).stderr).toContain('NOT_ENROLLED');
  });

  it('opening touches nothing in the repository of the people', async () => {
    const { carol } = await found();
    await open(carol, 'app/token');
    const { text } = await mustRun(git, ['-C', carol.repository, 'status', '--porcelain'], { env: carol.env });
    expect(text).toBe('');
  });
});
