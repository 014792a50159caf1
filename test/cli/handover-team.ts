/** Two teams and a third that watches, as they stand before a handover; every person a machine of their own, and only the vault between them. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from '../support/run.js';
import { type Sandbox, sandbox } from '../support/sandbox.js';
import { runBin, runMain, type MainOptions, type MainResult } from './harness.js';
import { snapshotOf } from './power-cut.js';

export const WHO = ['alice', 'bruno', 'carol', 'dora', 'frank'] as const;
export type Who = (typeof WHO)[number];

/** infra: alice and bruno; platform: carol and dora; security: frank. What is not said here infra reads, writes and owns. */
export const CUSTODY = 'custody:\n  pki-root: { all: [ { need: 2, of: [alice, bruno] }, { need: 1, of: [frank] } ] }\n  platform-root: { need: 2, of: [carol, dora, frank] }\nrules:';
export const RULES = `
  - { path: pki/root, owners: [infra], writers: [infra], custody: pki-root }
  - { path: dns/, owners: [infra], writers: [infra], readers: [infra, platform] }
`;
export const BOOTSTRAP = `secrets:
  pki/root: { kind: pki-root, subject: { CN: Root }, algorithm: ecdsa-p256 }
  dns/tsig: { kind: tsig, key: external-dns. }
  ssh/key: { kind: ssh-key }
  app/password: { kind: password }
`;

export interface Team {
  readonly people: Record<Who, Sandbox>;
  readonly address: string;
  /** The line that tells this vault from others. */
  expected(): string;
  /** Runs the program as one person, with the vault's address and the line that says which vault it is. */
  ov(who: Who | Sandbox, argv: readonly string[], options?: { readonly input?: string; readonly env?: Readonly<Record<string, string>> }): Promise<RunResult>;
  /** The same; rejects unless it ends with `code`. */
  must(who: Who | Sandbox, argv: readonly string[], code?: number): Promise<RunResult>;
  /** In this process, with a clock or with answers. */
  here(who: Who, argv: readonly string[], options: MainOptions): Promise<MainResult>;
  /** What one person's program says of the vault, as a program reads it. */
  ask<T>(who: Who, argv: readonly string[]): Promise<T>;
  /** Everything that these people's machines and the vault's place hold, to go back to. */
  snapshot(): { restore(): void };
}

export interface TeamOptions {
  readonly admins?: readonly Who[];
  /** Further lines of the bootstrap.yaml, and of the rules. */
  readonly bootstrap?: string;
  readonly rules?: string;
  /** What is imported, by name of file; gone once it is sealed. */
  readonly inputs?: Readonly<Record<string, string>>;
}

/** `place`: a directory that all of them reach; `address`: of the vault to be, in or below it. */
export async function makeTeam(place: string, address: string, { admins = ['alice', 'bruno', 'carol'], bootstrap = BOOTSTRAP, rules = RULES, inputs = {} }: TeamOptions = {}): Promise<Team> {
  const people = Object.fromEntries(WHO.map((who) => [who, sandbox(who)])) as Record<Who, Sandbox>;
  let expected = '';
  const envFor = (): Record<string, string> => ({ OXP_VAULT: address, ...(expected === '' ? {} : { OXP_VAULT_EXPECT: expected }) });
  const boxOf = (who: Who | Sandbox): Sandbox => (typeof who === 'string' ? people[who] : who);
  const team: Team = {
    people,
    address,
    expected: () => expected,
    ov: (who, argv, options = {}) => runBin(boxOf(who), argv, { timeout: 120_000, ...options, env: { ...boxOf(who).env, ...envFor(), ...options.env } }),
    must: async (who, argv, code = 0) => {
      const result = await team.ov(who, argv);
      if (result.code !== code) throw new Error(`${boxOf(who).person}$ oxp-vault ${argv.join(' ')}\ngave ${result.code}, not ${code}\n${result.text}${result.stderr}`);
      return result;
    },
    here: (who, argv, options) => runMain(people[who], argv, { ...options, env: { ...envFor(), ...options.env } }),
    ask: async <T>(who: Who, argv: readonly string[]) => JSON.parse((await team.must(who, [...argv, '--json'])).text) as T,
    snapshot: () => snapshotOf([place, ...WHO.map((who) => join(people[who].home, '..'))]),
  };
  for (const who of WHO) await team.must(who, ['identity', 'create', '--device', 'laptop', '--no-passphrase', '--card', join(place, `${who}.card`)]);
  const card = (who: Who): string => join(place, `${who}.card`);
  const others = admins.filter((who) => who !== 'alice');
  await team.must('alice', ['init', '--name', 'platform', ...['infra', 'platform', 'security'].flatMap((role) => ['--role', role]), ...others.flatMap((who) => ['--admin', card(who)]),
    '--member', `infra=${card('bruno')}`, '--member', `platform=${card('carol')}`, '--member', `platform=${card('dora')}`, '--member', `security=${card('frank')}`]);
  const { work } = people.alice;
  const draft = join(work, 'policy.yaml');
  writeFileSync(draft, readFileSync(draft, 'utf8').replace(/^rules:/m, CUSTODY).trimEnd() + rules);
  expected = (await team.ask<{ expect: string }>('alice', ['status'])).expect;
  await changePolicy(team, 'alice', admins);
  writeFileSync(join(work, 'bootstrap.yaml'), bootstrap);
  for (const [name, text] of Object.entries(inputs)) writeFileSync(join(work, name), text);
  await team.must('alice', ['seal']);
  for (const name of Object.keys(inputs)) rmSync(join(work, name));
  for (const who of ['alice', 'bruno', 'frank'] as const) await team.must(who, ['custody', 'ack']);
  await team.must('carol', ['role', 'rekey', 'platform']);
  return team;
}

/** Proposes the draft that lies in this person's directory, and has the others sign. */
export async function changePolicy(team: Team, who: Who, admins: readonly Who[]): Promise<void> {
  const draft = join(team.people[who].work, 'policy.yaml');
  const { digest } = await team.ask<{ digest: string }>(who, ['policy', 'propose', draft, '--dry-run']);
  await team.must(who, ['policy', 'propose', draft, '--yes', '--expect', digest]);
  for (const other of admins.filter((each) => each !== who)) {
    if ((await team.ask<{ status: string }[]>(other, ['policy', 'log', '--max-age', '0'])).at(-1)?.status === 'in effect') return;
    await team.must(other, ['policy', 'sign', '--yes', '--expect', digest]);
  }
}

/** Asks, and gives the id. */
export async function requested(team: Team, who: Who, argv: readonly string[]): Promise<string> {
  return (await team.ask<{ id: string }>(who, ['handover', 'request', ...argv])).id;
}

/** The digest that this person's program shows before it asks. */
export async function bindsOf(team: Team, who: Who, id: string): Promise<string> {
  const { stderr } = await team.must(who, ['handover', 'consent', id, '--yes'], 2);
  return /--yes --expect ([0-9a-f]{64})/.exec(stderr)![1]!;
}

export function consented(team: Team, who: Who, id: string, binds: string): Promise<RunResult> {
  return team.must(who, ['handover', 'consent', id, '--yes', '--expect', binds]);
}

/** All that pki/root needs, and with it what infra owns: consents, and then every release. */
export async function agreedByAll(team: Team, id: string, persons: readonly Who[] = ['alice', 'bruno', 'frank']): Promise<void> {
  const binds = await bindsOf(team, persons[0]!, id);
  for (const who of persons) await consented(team, who, id, binds);
  // The last one has released already.
  for (const who of persons.slice(0, -1)) await team.must(who, ['sync']);
}
