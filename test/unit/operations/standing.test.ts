/** What a machine opens under standing access is recorded nowhere; everything else is recorded as ever. */
import { beforeEach, describe, expect, it } from 'vitest';
import { listQueued } from '../../../packages/core/src/engine/queue.js';
import type { Identity } from '../../../packages/core/src/index.js';
import { readLog } from '../../../packages/core/src/operations/log/view.js';
import { grantMissing } from '../../../packages/core/src/operations/people/members.js';
import { openSecrets } from '../../../packages/core/src/operations/opening/open.js';
import { endStanding, giveStanding, listStanding, standingOf } from '../../../packages/core/src/operations/opening/standing.js';
import type { Vault } from '../../../packages/core/src/vault.js';
import { failure, makeVault, people, person, rule, seal, type World } from '../../support/vaults.js';

let world: World;
let alice: Vault;
let ci: Vault;
let carol: Identity;
let now: number;

beforeEach(async () => {
  const cast = await people('alice', 'carol');
  carol = cast.carol;
  const machine = await person('ci', { kind: 'machine' });
  world = await makeVault({
    people: [cast.alice, cast.carol, machine],
    roles: { infra: ['alice', 'ci'], platform: ['carol'] },
    rules: [rule('/', 'infra'), rule('shared/', 'infra', { owners: ['platform'] }), rule('theirs/', 'platform', { writers: ['infra'], readers: ['infra'] })],
  });
  alice = world.vault;
  await grantMissing(alice);
  for (const name of ['app/a', 'app/b', 'shared/x']) await seal(alice, name);
  ci = await world.as(machine);
  now = alice.clock.now();
});

const opened = async (vault: Vault, ...names: string[]): Promise<{ free: readonly string[]; entries: number; queued: number }> => {
  let free: readonly string[] = [];
  const before = vault.point.size;
  const files = await openSecrets(vault, { secrets: names.map((name) => ({ name })), onStanding: (list) => (free = list) });
  expect(files.map((file) => file.name)).toEqual(names);
  await vault.refresh();
  return { free, entries: vault.point.size - before, queued: (await listQueued(vault.local, vault.id, 'queue')).length };
};

describe('opening under standing access', () => {
  it('writes nothing to the log or the queue, and says so', async () => {
    expect(await opened(ci, 'app/a')).toEqual({ free: [], entries: 1, queued: 0 });
    await giveStanding(alice, 'ci', ['app/'], now + 60);
    await ci.refresh();
    expect(await opened(ci, 'app/a', 'app/b')).toEqual({ free: ['app/a', 'app/b'], entries: 0, queued: 0 });
    const names = ci.state.secrets.versions.sortedKeys();
    expect(names.filter((name) => standingOf(ci, name) !== undefined)).toEqual(['app/a', 'app/b']);
  });

  it('records what is not covered, and only that', async () => {
    await giveStanding(alice, 'ci', ['app/a'], now + 60);
    await ci.refresh();
    expect(await opened(ci, 'app/a', 'app/b')).toEqual({ free: ['app/a'], entries: 1, queued: 0 });
    const last = (await readLog(ci)).at(-1);
    expect(last?.secrets).toEqual(['app/b']);
  });

  it('offline, too', async () => {
    await giveStanding(alice, 'ci', ['app/'], now + 60);
    await ci.refresh();
    await openSecrets(ci, { secrets: [{ name: 'app/a' }], offline: true });
    expect(await listQueued(ci.local, ci.id, 'queue')).toEqual([]);
    await openSecrets(ci, { secrets: [{ name: 'shared/x' }], offline: true });
    expect(await listQueued(ci.local, ci.id, 'queue')).toHaveLength(1);
  });

  it('is never what a human does', async () => {
    await giveStanding(alice, 'ci', ['/'], now + 60);
    expect(await opened(alice, 'app/a')).toEqual({ free: [], entries: 1, queued: 0 });
  });

  it('ends with its time, by the clock of the machine', async () => {
    await giveStanding(alice, 'ci', ['app/'], now + 60);
    const late = await world.as(ci.identity!, { now: now + 60 });
    expect(await opened(late, 'app/a')).toMatchObject({ free: [], entries: 1 });
  });

  it('ends when it is ended', async () => {
    await giveStanding(alice, 'ci', ['app/'], now + 60);
    await endStanding(alice, 'ci');
    await ci.refresh();
    expect(await opened(ci, 'app/a')).toMatchObject({ free: [], entries: 1 });
  });
});

describe('giving it', () => {
  it('refuses the past, what is no time, nobody, humans, no names and what is none', async () => {
    const code = async (machine: string, names: string[], time = now + 60): Promise<string> => (await failure(giveStanding(alice, machine, names, time))).code;
    expect(await code('ci', ['app/'], now)).toBe('BAD_VALUE');
    expect(await code('ci', ['app/'], Number.NaN)).toBe('BAD_VALUE');
    expect(await code('ci', ['app/'], 253402300800)).toBe('BAD_VALUE');
    expect(await code('cd', ['app/'])).toBe('PERSON_NOT_FOUND');
    expect(await code('carol', ['app/'])).toBe('NOT_ALLOWED');
    expect(await code('ci', [])).toBe('USAGE');
    expect(await code('ci', ['App'])).toBe('BAD_NAME');
    expect(await code('ci', ['../x'])).toBe('BAD_NAME');
    expect(await code('ci', ['shared/'])).toBe('NOT_ALLOWED');
    expect((await failure(giveStanding(alice, 'S3cret!', ['app/'], now + 60))).message).not.toContain('S3cret');
    expect(listStanding(alice)).toEqual([]);
  });

  it('tells what others own, and what the machine cannot read anyway', async () => {
    expect(await giveStanding(alice, 'ci', ['/'], now + 60)).toEqual({ machine: 'ci', scope: ['/'], notAfter: now + 60, notOwned: ['shared/x'], notReadable: [] });
    const asCarol = await world.as(carol);
    expect((await giveStanding(asCarol, 'ci', ['theirs/', 'shared/'], now + 60)).notOwned).toEqual([]);
  });
});

describe('what stands', () => {
  it('is listed with what it covers, why it does not, and no longer when it is ended', async () => {
    const asCarol = await world.as(carol);
    await giveStanding(asCarol, 'ci', ['shared/'], now + 90);
    await giveStanding(asCarol, 'ci', ['theirs/'], now + 60);
    await alice.refresh();
    await giveStanding(alice, 'ci', ['/'], now + 60);
    expect(listStanding(alice).map(({ path, by, state, secrets }) => [path, by, state, secrets])).toEqual([
      ['/', 'alice', 'stands', ['app/a', 'app/b']],
      ['shared/', 'carol', 'stands', ['shared/x']],
      ['theirs/', 'carol', 'stands', []],
    ]);
    const late = await world.as(ci.identity!, { now: now + 60 });
    expect(listStanding(late).map(({ path, state }) => [path, state])).toEqual([['/', 'expired'], ['shared/', 'stands'], ['theirs/', 'expired']]);
    await endStanding(alice, 'ci');
    expect(listStanding(alice).map(({ path }) => path)).toEqual(['shared/', 'theirs/']);
    expect((await readLog(alice)).slice(-2).map((line) => line.words)).toEqual([
      expect.stringMatching(/^gave ci standing access to \/ until \d{4}-\d\d-\d\d \d\d:\d\d UTC$/) as string,
      'ended the standing access of ci',
    ]);
  });
});
