/**
 * The power fails before each write of the steps of a handover. Whatever it leaves verifies; the same command then gets to its end with
 * the same entries and no second one; no plaintext lies anywhere; and no request is in the log whose private half is lost. At the first
 * write of every kind and around each commit, or with OXP_TEST_CRASH_ALL=1 at each.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { runCrashingAt, traceWrites } from '../support/crash.js';
import { tempDir } from '../support/tmp.js';
import { BIN, buildCli, type MainOptions, type MainResult, runMain } from './harness.js';
import { bindsOf, consented, makeTeam, requested, RULES, type Team, type Who, WHO } from './handover-team.js';
import { files, placesToFail } from './power-cut.js';

const CANARY = 'canary-of-the-power-cut';
const BOOTSTRAP = `secrets:
  pki/root: { kind: pki-root, subject: { CN: Root }, algorithm: ecdsa-p256 }
  dns/tsig: { kind: tsig, key: external-dns. }
  docs/plan: { kind: document, import: { file: plan } }
`;

/** Where a handover stands, in order. */
const STAGES = ['ready', 'asked', 'nearly agreed', 'agreed', 'released', 'acknowledged', 'policy moved', 'use agreed'] as const;
type Stage = (typeof STAGES)[number];

interface Scenario {
  readonly title: string;
  readonly stage: Stage;
  readonly who: Who;
  /** `ID`, `USE` and `BINDS` stand for what the stage has. */
  readonly argv: readonly string[];
  /** Exit code when nothing fails. Default: 0. */
  readonly code?: number;
  /** Exit codes of the command when it is typed again; it may have been done already. Default: `code`. */
  readonly again?: readonly number[];
  /** True: typed again, it begins something new beside what the crash has left. */
  readonly anew?: true;
  readonly ends?: (stage: { readonly team: Team; readonly where: string }) => void;
}

const SCENARIOS: readonly Scenario[] = [
  { title: 'request', stage: 'ready', who: 'carol', argv: ['handover', 'request', 'docs/', '--to', 'platform'], anew: true },
  { title: 'a consent among others', stage: 'asked', who: 'bruno', argv: ['handover', 'consent', 'ID', '--yes', '--expect', 'BINDS'], again: [0, 7] },
  { title: 'the last consent, and its release', stage: 'nearly agreed', who: 'frank', argv: ['handover', 'consent', 'ID', '--yes', '--expect', 'BINDS'], again: [0, 7] },
  { title: 'release', stage: 'agreed', who: 'alice', argv: ['handover', 'release', 'ID'], again: [0, 7] },
  { title: 'complete', stage: 'released', who: 'carol', argv: ['handover', 'complete', 'ID'] },
  { title: "finalize, the admin's part", stage: 'acknowledged', who: 'alice', argv: ['handover', 'finalize', 'ID', '--yes'], code: 6, again: [4, 6] },
  { title: 'finalize --rotate', stage: 'policy moved', who: 'carol', argv: ['handover', 'finalize', 'ID', '--rotate'], again: [0, 7] },
  {
    title: 'complete of a use', stage: 'use agreed', who: 'dora', argv: ['handover', 'complete', 'USE', '--out', 'opened'], again: [0, 2],
    ends: ({ team, where }) => expect(readFileSync(join(team.people.dora.work, 'opened', 'docs', 'plan')).toString(), where).toBe(CANARY),
  },
];

describe('the power fails in a handover', () => {
  vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

  const place = tempDir('shared');
  const vault = join(place, 'vault');
  const moments = new Map<Stage, { restore(): void }>();
  let team: Team;
  let words: Record<string, string>;

  beforeAll(async () => {
    await buildCli();
    team = await makeTeam(place, vault, { admins: ['alice'], bootstrap: BOOTSTRAP, rules: RULES, inputs: { plan: CANARY } });
    const reached = (stage: Stage): void => void moments.set(stage, team.snapshot());
    const { frank, alice, bruno, carol, dora } = Object.fromEntries(WHO.map((who) => [who, (...argv: string[]) => team.must(who, argv)])) as Record<Who, (...argv: string[]) => Promise<unknown>>;
    reached('ready');
    const id = await requested(team, 'carol', ['pki/root', 'dns/', 'docs/', '--to', 'platform', '--custody', 'platform-root']);
    words = { ID: id, BINDS: await bindsOf(team, 'alice', id) };
    reached('asked');
    for (const who of ['bruno', 'alice'] as const) await consented(team, who, id, words['BINDS']!);
    reached('nearly agreed');
    await consented(team, 'frank', id, words['BINDS']!);
    reached('agreed');
    await alice('sync');
    await bruno('sync');
    reached('released');
    await carol('handover', 'complete', id);
    for (const ack of [carol, frank]) await ack('custody', 'ack');
    reached('acknowledged');
    await team.must('alice', ['handover', 'finalize', id, '--yes'], 6);
    reached('policy moved');
    await carol('handover', 'finalize', id);
    const use = await requested(team, 'dora', ['docs/plan', '--use']);
    words['USE'] = use;
    await consented(team, 'carol', use, await bindsOf(team, 'carol', use));
    await dora('sync');
    reached('use agreed');
  });

  it.each(SCENARIOS)('at the writes of $title', async ({ stage, who, argv: line, code = 0, again = [code], anew, ends }) => {
    const argv = line.map((word) => words[word] ?? word);
    const person = team.people[who];
    const options = { cwd: person.work, env: { ...person.env, OXP_VAULT: vault, OXP_VAULT_EXPECT: team.expected() } };
    const moment = moments.get(stage)!;
    moment.restore();
    const before = await stateOf();
    const effects = traceWrites(process.execPath, [BIN, ...argv], { ...options, allowedCodes: [code] });
    const after = await stateOf();
    const kept = oneTimes();
    expect(after.words.length, 'the command itself').toBeGreaterThan(before.words.length);
    expect(plaintext()).toEqual([]);
    for (const n of placesToFail(effects, process.env['OXP_TEST_CRASH_ALL'] === '1')) {
      moment.restore();
      const where = `write ${n} of ${effects.length}: ${effects[n - 1]!.call} ${effects[n - 1]!.path ?? ''}`;
      const crash = runCrashingAt(n, process.execPath, [BIN, ...argv], options);
      expect(crash, where).toMatchObject({ crashed: true });
      const now = await stateOf();
      expect(now.words, where).toEqual(after.words.slice(0, now.words.length));
      expect(await look(['audit', 'verify']), where).toMatchObject({ code: 0 });
      expect(plaintext(true), where).toEqual([]);
      expectKeys(now, where);

      const next = await runMain(person, argv, { cwd: person.work, env: options.env });
      expect(again, `${where}, again: ${next.stderr}`).toContain(next.code);
      // What was written out in full is not written over: elsewhere, then, and the one-time identity goes.
      if (next.code === 2) expect(await runMain(person, argv.map((word) => (word === 'opened' ? 'opened.again' : word)), { cwd: person.work, env: options.env }), where).toMatchObject({ code: 0 });
      const last = await stateOf();
      if (anew) expect([after.words, [...after.words, after.words.at(-1)]], where).toContainEqual(last.words);
      else expect(last, where).toEqual(after);
      expectKeys(last, where);
      if (!anew) expect(oneTimes(), where).toEqual(kept);
      await runMain(person, ['gc', '--now'], { cwd: person.work, env: options.env });
      expect(await look(['audit', 'verify', '--strict']), where).toMatchObject({ code: 0 });
      expect([...files(vault)].filter((path) => /\/\.|tmp|lock/i.test(path.slice(place.length))), where).toEqual([]);
      expect(plaintext(), where).toEqual([]);
      ends?.({ team, where });
    }
  });

  /** A look leaves no trace on a machine that has to recover. */
  function look(argv: readonly string[]): Promise<MainResult> {
    const { env } = team.people.dora;
    const options: MainOptions = { env: { ...env, XDG_STATE_HOME: tempDir('look'), OXP_VAULT: vault, OXP_VAULT_EXPECT: team.expected() } };
    return runMain(team.people.dora, argv, options);
  }

  interface State {
    readonly words: readonly string[];
    /** `NAME VERSION` */
    readonly secrets: readonly string[];
    /** `MODE STAGE`, of each handover, and what it asks for. */
    readonly handovers: readonly string[];
    readonly open: readonly string[];
  }

  async function stateOf(): Promise<State> {
    const read = async <T>(...argv: string[]): Promise<T> => JSON.parse((await look([...argv, '--json'])).text) as T;
    const log = await read<{ entries: { words: string }[] }>('audit', 'log');
    const list = await read<{ secrets: { name: string; version: number }[] }>('list');
    const { handovers } = await read<{ handovers: { id: string; mode: string; stage: string; targets: { name: string; released: boolean }[] }[] }>('handover', 'list');
    return {
      words: log.entries.map((entry) => entry.words),
      secrets: list.secrets.map(({ name, version }) => `${name} ${version}`),
      handovers: handovers.map(({ mode, stage, targets }) => `${mode} ${stage} ${targets.map(({ name, released }) => `${name} ${released}`).join()}`),
      open: handovers.filter((each) => each.stage === 'open').map((each) => each.id).sort(),
    };
  }

  function oneTimes(): string[] {
    return WHO.flatMap((who) => [...files(team.people[who].at('.local', 'state'))]).map((path) => /\/handovers\/([0-9a-f]{64})\.age$/.exec(path)?.[1]).filter((id) => id !== undefined).sort();
  }

  /** What is asked for can be received: the private half is there, and nowhere as it is. */
  function expectKeys(state: State, where: string): void {
    for (const id of state.open) expect(oneTimes(), `${where}: the one-time identity`).toContain(id);
  }

  /**
   * Files with a value in them. Identities lie where people keep them, what dora asked for lies where she asked; `half`: it may also lie
   * beside that, where it was being written.
   */
  function plaintext(half = false): string[] {
    const { work } = team.people.dora;
    const own = (path: string): boolean => path.endsWith('/identity.age') || ['opened', 'opened.again'].some((name) => path.startsWith(join(work, name, '/'))) || (half && path.startsWith(join(work, '.opened.')));
    const all = [place, ...WHO.map((who) => join(team.people[who].home, '..'))].flatMap((root) => [...files(root)]).filter((path) => existsSync(path) && !own(path));
    const needles = [CANARY, Buffer.from(CANARY).toString('base64').slice(0, -4), 'PRIVATE KEY-----', 'secret "', 'AGE-SECRET-KEY-', 'oxp-share/v1', 'oxp-file-key/'];
    return all.filter((path) => needles.some((needle) => readFileSync(path).includes(needle)));
  }
});
