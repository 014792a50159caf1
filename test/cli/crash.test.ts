/**
 * The power fails before each write of a command. Whatever it leaves is a vault that verifies, in its old state or the new one; the
 * same command then gets to its end; gc leaves nothing behind; and no plaintext lies anywhere. In `seal` it fails at each and every
 * write; in the others at the first of every kind and around each commit, or with OXP_TEST_CRASH_ALL=1 at each as well.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Effect, runCrashingAt, traceWrites } from '../support/crash.js';
import { type Sandbox, sandbox } from '../support/sandbox.js';
import { tempDir } from '../support/tmp.js';
import { BIN, buildCli, type MainResult, mustRunMain, runMain } from './harness.js';
import { files, placesToFail, snapshotOf } from './power-cut.js';

const CANARY = 'canary-of-the-power-cut';

interface World {
  readonly alice: Sandbox;
  readonly bruno: Sandbox;
  /** Where both work. */
  readonly work: string;
}

interface Scenario {
  readonly title: string;
  readonly prepare?: (world: World) => Promise<void>;
  /** True: at every write, always. */
  readonly everywhere?: true;
  readonly argv: (world: World) => Promise<readonly string[]> | readonly string[];
  /** Exit codes of the command when it is typed again: it may have been done already. Default: 0. */
  readonly again?: readonly number[];
  /** The last state: what `list` shows after the command was typed again. Default: as after an undisturbed run. */
  readonly lands?: readonly (readonly string[])[];
  /** True: stdout may only hold something once its record is in the log. */
  readonly records?: true;
  /** What else must be so in the end. */
  readonly ends?: (world: World) => void;
}

const BOOTSTRAP = `secrets:
  app/password: { kind: password }
  app/imported: { kind: password, import: { file: inputs/imported } }
  dns/tsig:     { kind: tsig, key: k. }
  ssh/key:      { kind: ssh-key }
  pki/root:     { kind: pki-root, subject: { CN: Root }, algorithm: ecdsa-p256 }
  pki/issuing:  { kind: pki-intermediate, issuer: pki/root, subject: { CN: Issuing } }
`;

const at = (world: World, person: Sandbox = world.alice): { cwd: string; env: Readonly<Record<string, string | undefined>> } => ({ cwd: world.work, env: person.env });

const SMALL = 'secrets: { app/imported: { kind: password, import: { file: inputs/imported } } }\n';

async function vault(world: World, bootstrap = BOOTSTRAP): Promise<void> {
  await mustRunMain(world.alice, ['init', '--name', 'platform', '--role', 'team', '--role', 'guests'], at(world));
  writeFileSync(join(world.work, 'bootstrap.yaml'), bootstrap);
}

async function sealed(world: World, bootstrap = BOOTSTRAP): Promise<void> {
  await vault(world, bootstrap);
  await mustRunMain(world.alice, ['seal'], at(world));
}

const SCENARIOS: readonly Scenario[] = [
  {
    title: 'init',
    argv: () => ['init', '--name', 'platform'],
    // 2: all of it is there.
    again: [0, 2],
    ends: ({ work }) => expect(['oxp-vault.yaml', 'bootstrap.yaml', 'policy.yaml'].filter((name) => readFileSync(join(work, name), 'utf8').length > 50)).toHaveLength(3),
  },
  { title: 'seal', prepare: vault, argv: () => ['seal'] },
  { title: 'open', prepare: sealed, argv: () => ['open', 'app/imported'], records: true },
  { title: 'open --out', prepare: sealed, argv: () => ['open', '--role', 'team', '--out', join('outputs', 'in')], again: [0, 2] },
  { title: 'rotate', prepare: sealed, argv: () => ['rotate', 'app/password'], lands: [['app/password 2'], ['app/password 3']] },
  { title: 'retire', prepare: async (world) => { await sealed(world); await mustRunMain(world.alice, ['rotate', 'app/password'], at(world)); }, argv: () => ['retire', 'app/password@1'], again: [0, 7] },
  { title: 'member add', prepare: sealed, argv: ({ bruno }) => ['member', 'add', bruno.at('.config', 'oxp-vault', 'bruno.card'), '--role', 'team', '--yes'], again: [0, 7] },
  { title: 'sync', prepare: async (world) => { await sealed(world); await mustRunMain(world.alice, ['open', 'app/imported', '--offline'], at(world)); }, argv: () => ['sync'] },
  {
    title: 'sync --from',
    prepare: async (world) => {
      await sealed(world);
      cpSync(join(world.work, 'vault'), join(world.work, 'copy'), { recursive: true });
      // On a machine of its own: the one that syncs has not seen it.
      const [expected] = /[0-9a-f]{64}/.exec(readFileSync(join(world.work, 'oxp-vault.yaml'), 'utf8'))!;
      await mustRunMain(world.alice, ['rotate', 'app/password', '--vault', 'copy', '--expect', expected], { ...at(world), env: { ...world.alice.env, XDG_STATE_HOME: tempDir('elsewhere') } });
    },
    argv: () => ['sync', '--from', 'copy'],
  },
  { title: 'role rekey', prepare: sealed, argv: () => ['role', 'rekey', 'team'] },
  {
    title: 'policy propose',
    prepare: async (world) => {
      await sealed(world);
      const draft = join(world.work, 'policy.yaml');
      writeFileSync(draft, readFileSync(draft, 'utf8').replace(/^rules:\n/m, 'rules:\n  - { path: dns/, owners: [team], writers: [team], readers: [team, guests] }\n'));
    },
    argv: async (world) => {
      const { text } = await mustRunMain(world.alice, ['policy', 'propose', '--dry-run', '--json'], at(world));
      return ['policy', 'propose', '--yes', '--expect', (JSON.parse(text) as { digest: string }).digest];
    },
    again: [0, 2, 5, 7],
  },
];

describe('the power fails', () => {
  beforeAll(buildCli, 300_000);

  it.each(SCENARIOS)('at the writes of $title', async (scenario) => {
    const world = await makeWorld(scenario);
    const argv = [...(await scenario.argv(world))];
    const moment = snapshotOf(placesOf(world));
    const before = await stateOf(world);
    const effects = traceWrites(process.execPath, [BIN, ...argv], at(world) as { cwd: string; env: Record<string, string> });
    const after = await stateOf(world);
    expect(after.size, 'the command itself').toBeGreaterThan(before.size);
    const points = placesToFail(effects, scenario.everywhere ?? process.env['OXP_TEST_CRASH_ALL'] === '1');
    for (const n of points) {
      moment.restore();
      const crash = runCrashingAt(n, process.execPath, [BIN, ...argv], at(world) as { cwd: string; env: Record<string, string> });
      const where = `write ${n} of ${effects.length}: ${effects[n - 1]!.call} ${effects[n - 1]!.path ?? ''}`;
      expect(crash, where).toMatchObject({ crashed: true });
      await expectWhole(world, scenario, { before, after, effects, where, stdout: crash.stdout });
      await expectCompleted(world, scenario, argv, { before, after, where });
    }
  }, 300_000);
});

interface Copying {
  readonly title: string;
  readonly argv: readonly string[];
  readonly prepare?: (world: World) => void;
  /** Where the command writes. */
  readonly place: string;
  /** What oxp-vault.yaml names before and after. */
  readonly names: readonly [string, string];
}

const COPYINGS: readonly Copying[] = [
  { title: 'clone', argv: ['clone', './vault', './moved'], place: 'moved', names: ['./vault', './moved'] },
  {
    title: 'sync --restore',
    prepare: ({ work }) => {
      cpSync(join(work, 'vault'), join(work, 'backup'), { recursive: true });
      rmSync(join(work, 'vault', 'log'), { recursive: true });
      rmSync(join(work, 'vault', 'secrets', 'app'), { recursive: true });
    },
    argv: ['sync', '--restore', '--from', 'backup'],
    place: 'vault',
    names: ['./vault', './vault'],
  },
];

it.each(COPYINGS)('the power fails at each of the writes of $title: the place holds no vault yet, or all of it', async ({ argv, prepare, place, names }) => {
  await buildCli();
  const world = await makeWorld({ title: '', argv: () => argv, prepare: async (each) => { await sealed(each, SMALL); prepare?.(each); } });
  const moment = snapshotOf(placesOf(world));
  const there = join(world.work, place);
  const options = at(world) as { cwd: string; env: Record<string, string> };
  const effects = traceWrites(process.execPath, [BIN, ...argv], options);
  const whole = [...files(there)].sort();
  expect(effects.length).toBeGreaterThan(20);
  for (const n of effects.keys()) {
    moment.restore();
    const where = `write ${n + 1} of ${effects.length}: ${effects[n]!.call} ${effects[n]!.path ?? ''}`;
    expect(runCrashingAt(n + 1, process.execPath, [BIN, ...argv], options), where).toMatchObject({ crashed: true });
    if (existsSync(join(there, 'log', 'checkpoint'))) expect(await runMain(world.alice, ['audit', 'verify', '--vault', there], at(world)), where).toMatchObject({ code: 0 });
    const named = /^vault: "?([^"\n]*)"?$/m.exec(readFileSync(join(world.work, 'oxp-vault.yaml'), 'utf8'))?.[1];
    expect(names, where).toContain(named);
    // Once oxp-vault.yaml names the copy, the copy is whole.
    if (named === names[1] && named !== names[0]) expect(existsSync(join(there, 'log', 'checkpoint')), where).toBe(true);
    expect(await runMain(world.alice, argv, at(world)), where).toMatchObject({ code: 0 });
    await mustRunMain(world.alice, ['gc', '--now', '--vault', there], at(world));
    expect(await runMain(world.alice, ['audit', 'verify', '--strict', '--vault', there], at(world)), where).toMatchObject({ code: 0 });
    expect([...files(there)].sort(), where).toEqual(whole);
    expect(plaintextIn(world), where).toEqual([]);
  }
}, 600_000);

async function makeWorld({ prepare }: Scenario): Promise<World> {
  const work = tempDir('crash');
  const [alice, bruno] = ['alice', 'bruno'].map((name) => sandbox(name)) as [Sandbox, Sandbox];
  for (const person of [alice, bruno]) await mustRunMain(person, ['identity', 'create', '--device', 'laptop', '--no-passphrase']);
  for (const name of ['inputs', 'outputs']) mkdirSync(join(work, name));
  writeFileSync(join(work, 'inputs', 'imported'), CANARY);
  const world = { alice, bruno, work };
  await prepare?.(world);
  return world;
}

/** Everything that these people's machines hold. */
const placesOf = ({ alice, work }: World): string[] => [work, join(alice.home, '..')];

interface State {
  /** Entries of the log; 0 where there is no vault. */
  readonly size: number;
  /** What each entry says. */
  readonly words: readonly string[];
  /** `NAME VERSION` */
  readonly secrets: readonly string[];
}

async function stateOf(world: World): Promise<State> {
  if (!existsSync(join(world.work, 'vault', 'log', 'checkpoint'))) return { size: 0, words: [], secrets: [] };
  // A look leaves no trace on this machine, so that it hides nothing from what comes after.
  const env = { ...world.alice.env, XDG_STATE_HOME: tempDir('look') };
  const look = (...argv: string[]): Promise<MainResult> => mustRunMain(world.alice, [...argv, '--json', '--vault', join(world.work, 'vault')], { ...at(world), env });
  const log = JSON.parse((await look('audit', 'log')).text) as { size: number; entries: { words: string }[] };
  const list = JSON.parse((await look('list')).text) as { secrets: { name: string; version: number }[] };
  return { size: log.size, words: log.entries.map((entry) => entry.words), secrets: list.secrets.map(({ name, version }) => `${name} ${version}`) };
}

interface Expected {
  readonly before: State;
  readonly after: State;
  readonly where: string;
}

/** The vault as the crash left it. */
async function expectWhole(world: World, scenario: Scenario, { before, after, effects, where, stdout }: Expected & { effects: readonly Effect[]; stdout: string }): Promise<void> {
  const now = await stateOf(world);
  const commits = effects.filter(({ call, path }) => call === 'rename' && path?.endsWith('/log/checkpoint')).length;
  if (commits === 1) expect([before.size, after.size], where).toContain(now.size);
  expect(now.words, where).toEqual(after.words.slice(0, now.size));
  expect([before.secrets, after.secrets], where).toContainEqual(now.secrets);
  if (now.size > 0) expect(await runMain(world.alice, ['audit', 'verify', '--vault', join(world.work, 'vault')], at(world)), where).toMatchObject({ code: 0 });
  if (scenario.records) expect(stdout === '' || now.size === after.size, `${where}: shown before it was recorded`).toBe(true);
  if (before.size > 0) expect(readFileSync(join(world.work, 'policy.yaml'), 'utf8'), `${where}: the draft`).toMatch(/^based-on: \d+\n[^]*\n +- \{ path: \/,.*\}\n/m);
  expect(plaintextIn(world), where).toEqual([]);
}

async function expectCompleted(world: World, { again = [0], lands, ends }: Scenario, argv: readonly string[], { after, where }: Expected): Promise<void> {
  const next = await runMain(world.alice, argv, at(world));
  expect(again, `${where}, again: ${next.stderr}`).toContain(next.code);
  const last = await stateOf(world);
  if (lands) expect(lands.some((wanted) => wanted.every((line) => last.secrets.includes(line))), `${where}: ${last.secrets.join()}`).toBe(true);
  else expect(last.secrets, where).toEqual(after.secrets);
  await mustRunMain(world.alice, ['gc', '--now'], at(world));
  expect(await runMain(world.alice, ['audit', 'verify', '--strict'], at(world)), where).toMatchObject({ code: 0 });
  expect(leftIn(world), where).toEqual([]);
  expect(plaintextIn(world, 'in'), where).toEqual([]);
  ends?.(world);
}

/** Files with a value in them, besides those that the person keeps and asked for: `asked` in outputs, or all of it. */
function plaintextIn({ alice, work }: World, asked = ''): string[] {
  const own = [join(work, 'inputs'), join(work, 'outputs', asked)];
  const found = [...files(work), ...files(join(alice.home, '..'))].filter((path) => !own.some((place) => path.startsWith(join(place, '/'))));
  return found.filter((path) => [CANARY, Buffer.from(CANARY).toString('base64').slice(0, -4), 'PRIVATE KEY-----', 'secret "'].some((needle) => readFileSync(path).includes(needle)));
}

/** Unfinished files and locks of the vault. */
function leftIn({ work }: World): string[] {
  return [...files(join(work, 'vault'))].filter((path) => /\/\.|tmp|lock/i.test(path.slice(work.length)));
}
