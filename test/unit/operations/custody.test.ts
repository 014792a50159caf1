/** Custody as its people live it: sealed, acknowledged, checked, carried from device to device, and never opened by one alone. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { combineShares } from '../../../packages/core/src/custody/combine.js';
import { custodyOf, leafOf } from '../../../packages/core/src/custody/state.js';
import {
  acknowledgeShares, addDevice, checkShares, custodyReport, doHousekeeping, findGarbage, findVersion, openSecrets, ownDevice, planSeal, readLog, removeDevice, runSealPlan, Secret,
  sealBatch, verifyVault, vaultStatus, type Identity, type LocalState, type Policy, type SealLine, type Vault, type WantedSecret,
} from '../../../packages/core/src/index.js';
import { openShare, sharesOf } from '../../../packages/core/src/operations/custody/own-shares.js';
import { proposePolicy } from '../../../packages/core/src/operations/people/policy-change.js';
import { ageDecrypt, ageEncrypt, ageHeaderStanzas } from '../../../packages/core/src/primitives/age.js';
import { sha256Hex, utf8 } from '../../../packages/core/src/primitives/hash.js';
import { ciphertextPath, sharePath } from '../../../packages/core/src/seal/statement.js';
import { codeOf, entryBy, failure, flip, makeVault, memoryLocal, NOW, openAs, pathOf, people, person, rawStore, rule, seal, successor, type RawStore } from '../../support/vaults.js';

const NAME = 'pki/root';
const VALUE = 'the root of everything 7f3c';
const TREE = { need: 2, of: [{ need: 2, of: ['alice', 'bob', 'carol'] }, { need: 1, of: ['dora', 'erin'] }] };
type Who = 'alice' | 'bob' | 'carol' | 'dora' | 'erin';
const DAY = 86_400;

let cast: Record<Who, Identity>;
let phone: Identity;
let store: RawStore;
const locals = new Map<string, LocalState>();

beforeAll(async () => {
  cast = await people('alice', 'bob', 'carol', 'dora', 'erin');
  phone = await person('bob', { device: 'phone' });
});

const underCustody = (path: string, group = 'root'): Policy['rules'][number] => ({ path, owners: ['infra'], writers: ['infra'], custody: group, consents: 1 });

async function found(spec: { rules?: Policy['rules']; custody?: Policy['custody'] } = {}): Promise<void> {
  store = rawStore();
  locals.clear();
  await makeVault({
    people: Object.values(cast), admins: ['alice'], roles: { infra: ['alice', 'bob'] }, store,
    custody: { root: TREE, ...spec.custody }, rules: spec.rules ?? [rule('/', 'infra'), underCustody(NAME)],
  });
}

/** Everybody works on a machine of their own. */
function as(who: Identity, now = NOW): Promise<Vault> {
  const key = who.card.id;
  const local = locals.get(key) ?? memoryLocal();
  locals.set(key, local);
  return openAs(store, who, { local, now });
}

const ack = async (...names: Who[]): Promise<void> => {
  for (const name of names) expect((await acknowledgeShares(await as(cast[name]))).map(({ fault }) => fault)).toEqual([undefined]);
};

/** What the shares of these people open, as nobody could alone. */
async function openWith(names: readonly Who[], version = 1): Promise<string> {
  const vault = await as(cast.alice);
  const { statement, digest } = findVersion(vault, NAME, version);
  const given = [];
  for (const name of names) {
    const own = await as(cast[name]);
    const held = sharesOf(own, name).find((each) => each.record.version === version)!;
    given.push({ path: held.leaf.path, share: (await openShare(own, held)).use((raw) => raw.slice()) });
  }
  const identity = await combineShares(vault.id, custodyOf(vault.state.custody, digest)!, given);
  return new TextDecoder().decode(await ageDecrypt((await store.get(ciphertextPath(statement)))!, [identity]));
}

beforeEach(() => found());

describe('sealing under custody', () => {
  it('gives each custodian a share file, and the payload to nobody', async () => {
    const vault = await as(cast.alice);
    await seal(vault, NAME, VALUE);
    const { statement } = findVersion(vault, NAME, 1);
    const ciphertext = (await store.get(ciphertextPath(statement)))!;
    expect(await ageHeaderStanzas(ciphertext)).toMatchObject({ count: 1, type: 'X25519' });
    for (const identity of Object.values(cast)) expect(await codeOf(identity.age.useText((line) => ageDecrypt(ciphertext, [line])))).toBe('DECRYPT_FAILED');
    expect((await store.list('secrets/')).filter((path) => path.includes('-shares/'))).toHaveLength(5);
    const all = Buffer.concat([...store.files.values(), ...[...locals.values()].flatMap((local) => [...(local as ReturnType<typeof memoryLocal>).files.values()])]);
    expect(all.includes(VALUE)).toBe(false);
    expect(all.includes('AGE-SECRET-KEY')).toBe(false);
  });

  it('opens with the shares of a satisfying set, with no fewer, and for no reader alone', async () => {
    await seal(await as(cast.alice), NAME, VALUE);
    for (const set of [['alice', 'bob', 'dora'], ['carol', 'bob', 'erin']] as const) expect(await openWith(set)).toBe(VALUE);
    expect(await codeOf(openWith(['alice', 'bob', 'carol']))).toBe('NEEDS_SHARES');
    expect(await codeOf(openWith(['alice', 'dora', 'erin']))).toBe('NEEDS_SHARES');
    const open = async (): Promise<unknown> => openSecrets(await as(cast.alice), { secrets: [{ name: NAME }] });
    expect(await failure(open())).toMatchObject({ code: 'PENDING', hint: 'They type: oxp-vault custody ack', details: ['2 of alice bob carol AND 1 of dora erin; awaited: alice bob carol dora erin'] });
    await ack('alice', 'bob', 'dora');
    expect(await failure(open())).toMatchObject({ code: 'NOT_A_READER', hint: `Its custodians open it together, once an owner (infra) asks: oxp-vault handover request ${NAME} --use --reason TEXT` });
  });

  it('works with post-quantum recipients', async () => {
    const hybrid = await Promise.all(['alice', 'bob'].map((name) => person(name, { suite: 'hybrid' })));
    store = rawStore();
    await makeVault({ people: hybrid, suite: 'hybrid', admins: ['alice'], roles: { infra: ['alice'] }, custody: { root: { need: 2, of: ['alice', 'bob'] } }, rules: [underCustody('/')], store });
    await seal(await as(hybrid[0]!), NAME, VALUE);
    for (const identity of hybrid) await acknowledgeShares(await as(identity));
    expect(findVersion(await as(hybrid[0]!), NAME).pending).toBe(false);
  });

  it('is proved by the fold: a custodian left out, or a share more, is refused', async () => {
    const vault = await as(cast.alice);
    const { entries, files } = vault.signed(await sealBatch(vault, [{ name: NAME, kind: 'password', file: Secret.fromText(VALUE), parameters: {}, public: {}, origin: 'generated' }]));
    const { statement } = (JSON.parse(Buffer.from((JSON.parse(Buffer.from(entries[0]!.line).toString()) as { payload: string }).payload, 'base64').toString()) as { body: { statement: { custody: { leaves: object[] } } } }).body;
    const lie = (leaves: object[]): Promise<string> => codeOf(vault.append({ entries: [entryBy(vault, cast.alice, 'secret.seal', { statement: { ...statement, custody: { ...statement.custody, leaves } } })], files }));
    expect(await lie(statement.custody.leaves.slice(1))).toBe('READERS_MISMATCH');
    expect(await lie([...statement.custody.leaves, statement.custody.leaves[0]!])).toBe('READERS_MISMATCH');
    await vault.append({ entries, files });
  });
});

describe('issuing from a root under custody', () => {
  const ROOT: WantedSecret = { name: NAME, kind: 'pki-root', parameters: { subject: { CN: 'Root' }, algorithm: 'ecdsa-p256' } };
  const INTERMEDIATE: WantedSecret = { name: 'pki/cluster', kind: 'pki-intermediate', parameters: { subject: { CN: 'Cluster' }, algorithm: 'ecdsa-p256', issuer: NAME }, issuer: NAME };
  const port = { env: () => undefined, file: async () => undefined, stdin: async () => undefined };
  const run = async (...wanted: WantedSecret[]): Promise<SealLine[]> => {
    const vault = await as(cast.alice);
    return runSealPlan(vault, await planSeal(vault, wanted, { port, mode: 'missing' }));
  };

  it('works in the run that makes the root, in memory; later it takes the custodians', async () => {
    expect((await run(ROOT, INTERMEDIATE)).map(({ name, action, refusal }) => [name, action, refusal?.message])).toEqual([[NAME, 'generate', undefined], ['pki/cluster', 'generate', undefined]]);
    expect(findVersion(await as(cast.bob), 'pki/cluster').pending).toBe(false);
    const another = { ...INTERMEDIATE, name: 'pki/second' };
    expect((await run(ROOT, another))[1]!.refusal).toMatchObject({ code: 'PENDING' });
    await ack('bob', 'carol', 'erin');
    const [root, second] = await run(ROOT, another);
    expect(root!.action).toBe('unchanged');
    expect(second!.refusal).toMatchObject({ code: 'NOT_A_READER', hint: expect.stringContaining(`handover request ${NAME} --use`) as string });
  });
});

describe('planning around custody', () => {
  const port = { env: () => 'the same value', file: async () => undefined, stdin: async () => undefined };
  const WANTED: WantedSecret = { name: 'app/token', kind: 'password', parameters: {}, import: { from: 'env', variable: 'X' } };
  const run = async (): Promise<string[]> => {
    const vault = await as(cast.alice);
    const lines = await runSealPlan(vault, await planSeal(vault, [WANTED], { port, mode: 'missing', resealOthers: true }));
    return lines.map(({ action, version, words }) => `${action} v${version} ${words}`);
  };

  it('reseals once what comes under custody, then waits; and leaves to its custodians what is', async () => {
    expect((await run())[0]).toMatch(/^import v1/);
    const change = async (rules: Policy['rules'], custody: Policy['custody'] = { root: TREE }): Promise<void> => void (await proposePolicy(await as(cast.alice), successor(await as(cast.alice), { rules, custody })));
    await change([rule('/', 'infra'), underCustody('app/')]);
    expect((await run())[0]).toMatch(/^reseal v2/);
    expect((await run())[0]).toBe('unchanged v1 waits for its custodians');
    await ack('alice', 'bob', 'erin');
    expect((await run())[0]).toBe('unchanged v2 unchanged');
    await change([rule('/', 'infra')]);
    expect((await run())[0]).toBe('unchanged v2 unchanged');
  });
});

describe('acknowledging', () => {
  it('opens, compares and signs; tells what is pending still; has nothing to do twice', async () => {
    await seal(await as(cast.alice), NAME, VALUE);
    expect(await acknowledgeShares(await as(cast.alice))).toEqual([{ name: NAME, version: 1, path: '0.0', pending: true }]);
    expect(await acknowledgeShares(await as(cast.alice))).toEqual([]);
    await ack('dora');
    expect(await acknowledgeShares(await as(cast.carol))).toMatchObject([{ pending: false }]);
    // Of what counts already, who has not acknowledged still may.
    expect(await acknowledgeShares(await as(cast.bob))).toMatchObject([{ pending: false }]);
    expect((await readLog(await as(cast.bob))).at(-1)!.words).toBe(`acknowledged a share of ${NAME} v1`);
  });

  it('does not sign for a share that is another: the sealer is at fault, and the version stays pending', async () => {
    // A sealer who gives Bob the share of Carol: his file opens, and holds a share for another place.
    const vault = await as(cast.alice);
    const { entries, files } = vault.signed(await sealBatch(vault, [{ name: NAME, kind: 'password', file: Secret.fromText(VALUE), parameters: {}, public: {}, origin: 'generated' }]));
    const { statement } = (JSON.parse(Buffer.from((JSON.parse(Buffer.from(entries[0]!.line).toString()) as { payload: string }).payload, 'base64').toString()) as { body: { statement: { custody: { leaves: { person: string; blob: object }[] } } } }).body;
    const cases: [path: string, share: Uint8Array, message: string][] = [
      ['0.2', Buffer.alloc(33, 1), 'the share file holds no share 0.1'],
      ['0.1', Buffer.alloc(33, 1), 'from bob is not the one that was dealt'],
      ['0.1', Buffer.alloc(33, 0), 'from bob is none: its index is 0'],
      ['0.1', Buffer.alloc(32, 1), 'from bob is none: it has 32 bytes instead of 33'],
    ];
    for (const [path, share, message] of cases) {
      const number = (vault.state.secrets.versions.get(NAME)?.length ?? 0) + 1;
      const bytes = await ageEncrypt(utf8(`oxp-share/v1 ${vault.id} ${NAME} ${number} ${path} ${Buffer.from(share).toString('base64')}\n`), [cast.bob.card.recipient]);
      const blob = { sha256: sha256Hex(bytes), size: bytes.length };
      const last = vault.state.secrets.versions.get(NAME)?.at(-1);
      const leaves = statement.custody.leaves.map((leaf) => (leaf.person === 'bob' ? { ...leaf, blob } : leaf));
      const version = (last?.statement.version ?? 0) + 1;
      const other = await ageEncrypt(utf8(String(version)), [cast.alice.card.recipient]);
      const lying = { ...statement, version, previous: last?.digest ?? null, ciphertext: { ...(statement as unknown as { ciphertext: object }).ciphertext, sha256: sha256Hex(other), size: other.length }, custody: { ...statement.custody, leaves } };
      await vault.append({ entries: [entryBy(vault, cast.alice, 'secret.seal', { statement: lying })], files: [...files, { path: sharePath(NAME, version, 'bob', blob.sha256), bytes }] });
      const bob = await as(cast.bob);
      const [outcome] = (await acknowledgeShares(bob)).filter((each) => each.version === version);
      expect(outcome!.fault!.code).toBe('SHARE_MISMATCH');
      expect(outcome!.fault!.message).toContain(message);
      expect(leafOf(custodyOf(bob.state.custody, findVersion(bob, NAME, version).digest)!, 'bob')!.acknowledged).toBeUndefined();
    }
  });
});

describe('checking', () => {
  it('signs what it found, good or bad; a spoilt file is found out', async () => {
    await seal(await as(cast.alice), NAME, VALUE);
    await ack('alice', 'bob', 'dora');
    expect(await checkShares(await as(cast.bob))).toEqual([{ name: NAME, version: 1, path: '0.1' }]);
    flip(store.files, pathOf(store, /0001-shares\/bob-/));
    const [outcome] = await checkShares(await as(cast.bob, NOW + 5));
    expect(outcome!.fault!.code).toBe('HASH_MISMATCH');
    store.files.delete(pathOf(store, /0001-shares\/bob-/));
    expect((await checkShares(await as(cast.bob, NOW + 6)))[0]!.fault!.code).toBe('BLOB_MISSING');
    const vault = await as(cast.carol);
    expect(custodyReport(vault)[0]!.custodians.find((each) => each.person === 'bob')!.checked).toMatchObject({ ok: false, time: NOW + 6 });
    expect((await vaultStatus(vault, cast.bob.card)).items.filter((item) => item.text.includes('did not open'))).toMatchObject([{ mark: '!', mine: true }]);
    expect((await verifyVault(vault)).missing.map((fault) => fault.what)).toEqual([`the share of ${NAME} v1 of bob`]);
  });

  it('is asked for after 90 days, of who did not look', async () => {
    await seal(await as(cast.alice), NAME, VALUE);
    await ack('alice', 'bob', 'dora');
    const late = async (now: number): Promise<string[]> => (await vaultStatus(await as(cast.bob, now), cast.bob.card)).items.filter((item) => item.text.includes('90 days')).map((item) => `${item.mine} ${item.text}`);
    expect(await late(NOW + 90 * DAY)).toEqual([]);
    expect(await late(NOW + 91 * DAY)).toEqual([`true nobody has looked for 90 days whether the share of ${NAME} v1 of alice, bob, dora still opens`]);
    await checkShares(await as(cast.bob, NOW + 91 * DAY));
    expect(await late(NOW + 92 * DAY)).toEqual([`false nobody has looked for 90 days whether the share of ${NAME} v1 of alice, dora still opens`]);
    // Whose share does not open is not late, and who cannot look any more is not asked to.
    flip(store.files, pathOf(store, /0001-shares\/dora-/));
    await checkShares(await as(cast.dora, NOW + 92 * DAY));
    const bob = await as(cast.bob);
    await bob.append({ entries: [bob.sign('device.add', { card: phone.card.line })], files: [] });
    const onPhone = await as(phone);
    await removeDevice(onPhone, ownDevice(onPhone, 'laptop'), { lost: true });
    expect((await vaultStatus(await as(phone, NOW + 300 * DAY), phone.card)).items.filter((item) => item.text.includes('90 days')).map((item) => item.text)).toEqual([`nobody has looked for 90 days whether the share of ${NAME} v1 of alice still opens`]);
  });
});

describe('devices of a custodian', () => {
  beforeEach(async () => {
    await seal(await as(cast.alice), NAME, VALUE);
    await ack('alice', 'bob', 'dora');
  });

  const blobs = (): number => [...store.files.keys()].filter((path) => /0001-shares\/bob-/.test(path)).length;

  it('get the share as soon as they are added; then the first one may go', async () => {
    const done = await addDevice(await as(cast.bob), phone.card);
    expect(done.shares).toEqual([{ name: NAME, version: 1 }]);
    expect(blobs()).toBe(2);
    expect((await checkShares(await as(phone)))[0]!.fault).toBeUndefined();
    const vault = await as(phone);
    expect((await removeDevice(vault, ownDevice(vault, 'laptop'))).shares).toEqual([{ name: NAME, version: 1 }]);
    expect(custodyReport(await as(cast.alice))[0]!.custodians.find((each) => each.person === 'bob')!.canAct).toBe(true);
    expect((await checkShares(await as(phone)))[0]!.fault).toBeUndefined();
  });

  it('get it with the next writing command of one that can open it, if they were added without', async () => {
    const vault = await as(cast.bob);
    await vault.append({ entries: [vault.sign('device.add', { card: phone.card.line })], files: [] });
    expect((await checkShares(await as(phone)))[0]!.fault).toMatchObject({ code: 'NOT_A_READER', hint: 'Run any writing command on laptop: it seals the share to all your devices.' });
    expect((await doHousekeeping(await as(phone))).shares).toEqual([]);
    const onPhone = await as(phone);
    expect(await failure(removeDevice(onPhone, ownDevice(onPhone, 'laptop')))).toMatchObject({ code: 'WOULD_STRAND' });
    expect((await doHousekeeping(await as(cast.bob))).shares).toEqual([{ name: NAME, version: 1 }]);
    expect((await doHousekeeping(await as(cast.bob))).shares).toEqual([]);
    expect((await checkShares(await as(phone)))[0]!.fault).toBeUndefined();
    expect(await openWith(['alice', 'bob', 'erin'])).toBe(VALUE);
  });

  it('may be lost with the share, which is then an alarm', async () => {
    const vault = await as(cast.bob);
    await vault.append({ entries: [vault.sign('device.add', { card: phone.card.line })], files: [] });
    const onPhone = await as(phone);
    await removeDevice(onPhone, ownDevice(onPhone, 'laptop'), { lost: true });
    const [report] = custodyReport(await as(cast.alice));
    expect(report!.alarms.map(({ path, left, text }) => [path, left, text])).toEqual([
      ['0', 2, '2 of 3 are left where 2 are needed (alice carol): none may be lost'],
      ['1', 2, '2 of 2 are left where 1 is needed (dora erin): one may be lost, not two'],
    ]);
    const items = (await vaultStatus(await as(cast.alice), cast.alice.card)).items.filter((item) => item.text.startsWith('custodians of'));
    expect(items).toEqual([{ mark: '!', mine: true, text: `custodians of ${NAME} v1: 2 of 3 are left where 2 are needed (alice carol): none may be lost`, next: 'oxp-vault custody status' }]);
    expect((await checkShares(await as(phone)))[0]!.fault!.hint).toMatch(/sealed anew/);
  });

  it('fall back on the file of the sealing where the newest one is spoilt', async () => {
    await addDevice(await as(cast.bob), phone.card);
    const vault = await as(cast.bob);
    const { record, leaf } = sharesOf(vault, 'bob')[0]!;
    flip(store.files, sharePath(record.name, 1, 'bob', leaf.share.blob.sha256));
    expect((await checkShares(await as(cast.bob)))[0]!.fault).toBeUndefined();
    // The phone never could open that one.
    expect((await checkShares(await as(phone)))[0]!.fault!.code).toBe('HASH_MISMATCH');
  });

  it('leave no garbage: every share that the log names stays', async () => {
    await addDevice(await as(cast.bob), phone.card);
    store.files.set(sharePath(NAME, 1, 'bob', 'ab'.repeat(32)), utf8('of nobody'));
    const vault = await as(cast.alice);
    expect((await findGarbage(vault)).paths).toEqual([sharePath(NAME, 1, 'bob', 'ab'.repeat(32))]);
    const newest = sharesOf(vault, 'bob')[0]!.leaf.share.blob.sha256;
    flip(store.files, sharePath(NAME, 1, 'bob', newest));
    expect((await verifyVault(vault)).damaged.map((fault) => fault.path)).toEqual([sharePath(NAME, 1, 'bob', newest)]);
  });
});

describe('who is left', () => {
  const report = async (): Promise<string[]> => custodyReport(await as(cast.alice))[0]!.alarms.map(({ path, text, lost }) => `${path} ${lost} ${text}`);
  const drop = async (...names: Who[]): Promise<void> => {
    const vault = await as(cast.alice);
    const base = successor(vault);
    const left = Object.fromEntries(Object.entries(base.persons).filter(([name]) => !names.includes(name as Who)));
    await proposePolicy(vault, { ...base, persons: left, rules: [rule('/', 'infra')], custody: {}, roles: { infra: { members: ['alice'] } }, abandon: { secrets: [NAME], roles: [] } });
  };

  it('is counted at every node, and told before it is too late', async () => {
    await seal(await as(cast.alice), NAME, VALUE);
    await ack('alice', 'bob', 'dora');
    expect(await report()).toEqual([
      '0 false 3 of 3 are left where 2 are needed (alice bob carol): one may be lost, not two',
      '1 false 2 of 2 are left where 1 is needed (dora erin): one may be lost, not two',
    ]);
    await drop('erin');
    expect((await report())[1]).toBe('1 true 1 of 2 is left where 1 is needed (dora): none may be lost');
    await drop('bob', 'carol');
    expect((await report()).slice(0, 2)).toEqual([
      ' true 1 of 2 is left where 2 are needed (alice dora): it can never be opened again',
      '0 true 1 of 3 is left where 2 are needed (alice): it can never be opened again',
    ]);
  });

  it('is told of what still counts, in order of name and version', async () => {
    await found({ rules: [underCustody('/')] });
    for (const name of ['b', 'a', 'b', 'b', 'a']) await seal(await as(cast.alice), name, VALUE);
    const listed = async (): Promise<string[]> => custodyReport(await as(cast.alice)).map(({ name, version }) => `${name}${version}`);
    expect(await listed()).toEqual(['a1', 'a2', 'b1', 'b2', 'b3']);
    for (const who of ['alice', 'bob', 'dora'] as const) {
      const vault = await as(cast[who]);
      await vault.append({ entries: [entryBy(vault, cast[who], 'custody.ack', { statement: findVersion(vault, 'b', 2).digest, path: sharesOf(vault, who)[0]!.leaf.path })], files: [] });
    }
    expect(await listed()).toEqual(['a1', 'a2', 'b2', 'b3']);
  });

  it('is no alarm for a group that has enough', async () => {
    await found({ custody: { root: { need: 2, of: ['alice', 'bob', 'carol', 'dora'] } }, rules: [underCustody('/')] });
    await seal(await as(cast.alice), NAME, VALUE);
    expect(await report()).toEqual([]);
  });

  it('says to each what waits for them', async () => {
    await seal(await as(cast.alice), NAME, VALUE);
    const items = async (who: Identity): Promise<object[]> => (await vaultStatus(await as(who), who.card)).items.filter((item) => item.text.includes(NAME));
    const text = `${NAME} v1 is pending until 2 of alice bob carol AND 1 of dora erin have acknowledged their shares; awaited: alice bob carol dora erin`;
    expect(await items(cast.carol)).toEqual([{ mark: '!', mine: true, text, next: 'oxp-vault custody ack' }]);
    await ack('alice', 'bob', 'dora');
    expect(await items(cast.carol)).toEqual([{ mark: '-', mine: true, text: `you have not acknowledged your share of ${NAME} v1`, next: 'oxp-vault custody ack' }]);
    expect(await items(cast.bob)).toEqual([]);
  });
});
