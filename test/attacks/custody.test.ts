/** Custodians, sealers and insiders who say what is not so of shares. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { combineShares, type GivenShare } from '../../packages/core/src/custody/combine.js';
import { shareCommitment } from '../../packages/core/src/custody/share.js';
import { custodyOf, leafOf, type CustodyRecord } from '../../packages/core/src/custody/state.js';
import { acknowledgeShares, addDevice, checkShares, findVersion, openSecrets, parseDraft, vaultStatus, type Identity, type Policy, type Vault } from '../../packages/core/src/index.js';
import { openShare, sharesOf } from '../../packages/core/src/operations/custody/own-shares.js';
import { ageEncrypt } from '../../packages/core/src/primitives/age.js';
import { sha256Hex, utf8 } from '../../packages/core/src/primitives/hash.js';
import type { ThresholdTree } from '../../packages/core/src/primitives/threshold-tree.js';
import { sharePath } from '../../packages/core/src/seal/statement.js';
import { appendRaw, codeOf, entryBy, failure, flip, makeVault, openAs, pathOf, people, person, proposalBy, rawStore, rule, seal, successor, voidCodes, type RawStore } from '../support/vaults.js';

const NAME = 'pki/root';
const TREE: ThresholdTree = { need: 2, of: [{ need: 2, of: ['alice', 'bob', 'carol'] }, { need: 1, of: ['dora', 'erin'] }] };
type Who = 'alice' | 'bob' | 'carol' | 'dora' | 'erin';

let cast: Record<Who, Identity>;
let mallory: Identity;
let store: RawStore;

beforeAll(async () => {
  cast = await people('alice', 'bob', 'carol', 'dora', 'erin');
  mallory = await person('mallory');
});

const underCustody: Policy['rules'][number] = { path: NAME, owners: ['infra'], writers: ['infra'], custody: 'root', consents: 1 };

beforeEach(async () => {
  store = rawStore();
  const { vault } = await makeVault({
    people: [...Object.values(cast), mallory], admins: ['alice'], roles: { infra: ['alice', 'mallory'] }, custody: { root: TREE }, rules: [rule('/', 'infra'), underCustody], store,
  });
  await seal(vault, NAME, 'the root');
});

const as = (who: Identity): Promise<Vault> => openAs(store, who);
const version = async (who: Identity = cast.alice, number = 1): Promise<{ vault: Vault; record: CustodyRecord; statement: string; pending: boolean }> => {
  const vault = await as(who);
  const { digest, pending } = findVersion(vault, NAME, number);
  return { vault, record: custodyOf(vault.state.custody, digest)!, statement: digest, pending };
};
const pathFor = async (who: Who): Promise<string> => leafOf((await version()).record, who)!.path;

async function shareOf(who: Who): Promise<GivenShare> {
  const vault = await as(cast[who]);
  const held = sharesOf(vault, who)[0]!;
  return { path: held.leaf.path, share: (await openShare(vault, held)).use((raw) => raw.slice()) };
}
const sharesFrom = (...names: Who[]): Promise<GivenShare[]> => Promise.all(names.map(shareOf));

describe('a share that is not the one that was dealt', () => {
  it('with one byte flipped, names its custodian, at every byte; nothing comes out', async () => {
    const { vault, record } = await version();
    const [alice, bob, dora] = (await sharesFrom('alice', 'bob', 'dora')) as [GivenShare, GivenShare, GivenShare];
    for (let at = 0; at < bob.share.length; at++) {
      const spoilt = { ...bob, share: bob.share.map((byte, i) => (i === at ? byte ^ 0x40 : byte)) };
      const error = await failure(combineShares(vault.id, record, [alice, spoilt, dora]));
      expect([error.code, error.message.includes(' from bob ')], `byte ${at}`).toEqual(['SHARE_MISMATCH', true]);
    }
  });

  it('of index 0, which gives the secret itself away, is refused, also where a sealer committed to it', async () => {
    const { vault, record } = await version();
    const [alice, bob, dora] = (await sharesFrom('alice', 'bob', 'dora')) as [GivenShare, GivenShare, GivenShare];
    const zero = { ...bob, share: bob.share.map((byte, i) => (i === bob.share.length - 1 ? 0 : byte)) };
    const committed = { ...record, leaves: record.leaves.map((leaf) => (leaf.person === 'bob' ? { ...leaf, commitment: shareCommitment({ vault: vault.id, name: NAME, version: 1, path: leaf.path }, zero.share) } : leaf)) };
    for (const said of [record, committed]) expect((await failure(combineShares(vault.id, said, [alice, zero, dora]))).message).toMatch(/from bob is none: its index is 0/);
  });

  it('is missing: with one too few there is an error and no output, whoever is missing', async () => {
    const { vault, record } = await version();
    for (const names of [['alice', 'bob'], ['alice', 'dora'], ['dora', 'erin'], ['alice', 'bob', 'carol'], ['carol', 'dora', 'erin']] as Who[][]) {
      expect(await codeOf(combineShares(vault.id, record, await sharesFrom(...names))), names.join()).toBe('NEEDS_SHARES');
    }
  });

  it('flipped in the store, is found before it is decrypted, acknowledged or used', async () => {
    flip(store.files, pathOf(store, /-shares\/bob-/));
    expect((await acknowledgeShares(await as(cast.bob)))[0]!.fault!.code).toBe('HASH_MISMATCH');
    expect(leafOf((await version()).record, 'bob')!.acknowledged).toBeUndefined();
    expect((await checkShares(await as(cast.bob)))[0]!.fault!.code).toBe('HASH_MISMATCH');
  });
});

describe('who is not the custodian', () => {
  it('acknowledges, checks or re-seals nothing: a writer, another custodian, one with no share', async () => {
    const { vault, statement } = await version();
    const path = await pathFor('bob');
    const blob = { sha256: 'ab'.repeat(32), size: 1 };
    for (const who of [mallory, cast.alice]) {
      const code = (op: string, body: object): Promise<string> => codeOf(async () => (await as(who)).append({ entries: [entryBy(vault, who, op, body)], files: [] }));
      expect(await code('custody.ack', { statement, path })).toBe('NOT_ALLOWED');
      expect(await code('custody.check', { statement, path, ok: true })).toBe('NOT_ALLOWED');
      expect(await code('custody.share', { name: NAME, version: 1, path, blob })).toBe('NOT_ALLOWED');
    }
  });

  it('cannot put such entries into the log by hand either: they are void, and change nothing', async () => {
    const { vault, statement } = await version();
    const entries = await Promise.all((['bob', 'carol', 'dora'] as const).map(async (who) => entryBy(vault, mallory, 'custody.ack', { statement, path: await pathFor(who) })));
    await appendRaw(store, mallory, entries);
    expect(Object.values(voidCodes(await as(cast.alice)))).toEqual(['NOT_ALLOWED', 'NOT_ALLOWED', 'NOT_ALLOWED']);
    expect((await version()).pending).toBe(true);
  });

  it('does not become one under the name of one who left', async () => {
    for (const who of ['alice', 'dora'] as const) await acknowledgeShares(await as(cast[who]));
    const base = successor(await as(cast.alice));
    const { bob: _, ...persons } = base.persons;
    const change = async (policy: Policy): Promise<void> => {
      const vault = await as(cast.alice);
      const { entry, file } = proposalBy(vault, cast.alice, policy);
      await vault.append({ entries: [entry], files: [file] });
    };
    await change({ ...base, persons, rules: [rule('/', 'infra')], custody: {} });
    const impostor = await person('bob', { salt: 'impostor' });
    const next = successor(await as(cast.alice));
    await change({ ...next, persons: { ...next.persons, bob: { cards: [impostor.card.line] } } });
    expect((await acknowledgeShares(await as(impostor)))[0]!.fault).toMatchObject({ code: 'NOT_A_READER', hint: expect.stringContaining('sealed anew') as string });
    const { vault, statement } = await version();
    expect(await codeOf(async () => (await as(impostor)).append({ entries: [entryBy(vault, impostor, 'custody.ack', { statement, path: '0.1' })], files: [] }))).toBe('NOT_ALLOWED');
    expect((await version()).pending).toBe(true);
  });
});

describe('one person', () => {
  it('twice in a nested tree is refused: in the draft, and in a policy that somebody signs all the same', async () => {
    const yaml = (tree: string): string => `based-on: 1\nadmins: { need: 1, of: [alice] }\nroles: { infra: { members: [alice] } }\ncustody:\n  root: ${tree}\nrules:\n  - { path: /, owners: [infra], writers: [infra], readers: [infra] }\n`;
    const twice = '{ need: 2, of: [ { need: 1, of: [alice, bob] }, { need: 1, of: [alice, carol] } ] }';
    expect((await failure(() => parseDraft(yaml(twice)))).message).toContain('names alice twice: a person counts once');
    const vault = await as(cast.alice);
    const root: ThresholdTree = { need: 2, of: [{ need: 1, of: ['alice', 'bob'] }, { need: 1, of: ['alice', 'carol'] }] };
    const { entry, file } = proposalBy(vault, cast.alice, successor(vault, { custody: { root } }));
    expect(await codeOf(vault.append({ entries: [entry], files: [file] }))).toBe('BAD_POLICY');
    await appendRaw(store, cast.alice, [entry], [file]);
    expect((await as(cast.alice)).policy.policy.number).toBe(1);
  });

  it('with two devices acknowledges once', async () => {
    const phone = await person('alice', { device: 'phone' });
    await acknowledgeShares(await as(cast.alice));
    await addDevice(await as(cast.alice), phone.card);
    const { vault, statement } = await version();
    expect(await acknowledgeShares(await as(phone))).toEqual([]);
    expect(await codeOf(async () => (await as(phone)).append({ entries: [entryBy(vault, phone, 'custody.ack', { statement, path: '0.0' })], files: [] }))).toBe('ALREADY_DONE');
    for (const who of ['dora', 'erin'] as const) await acknowledgeShares(await as(cast[who]));
    expect((await version()).pending).toBe(true);
  });
});

describe('a version that is not acknowledged', () => {
  it('stays pending, supersedes nothing, opens for nobody, and is listed with who is awaited', async () => {
    await seal(await as(mallory), NAME, 'planted');
    for (const who of ['alice', 'bob', 'dora'] as const) {
      const vault = await as(cast[who]);
      const { statement, pending } = await version(cast[who]);
      expect(pending).toBe(true);
      const path = await pathFor(who);
      await vault.append({ entries: [entryBy(vault, cast[who], 'custody.ack', { statement, path })], files: [] });
    }
    const vault = await as(cast.alice);
    expect(findVersion(vault, NAME).statement.version).toBe(1);
    expect(findVersion(vault, NAME, 2).pending).toBe(true);
    expect(await codeOf(openSecrets(vault, { secrets: [{ name: NAME, version: 2 }] }))).toBe('NOT_A_READER');
    expect((await vaultStatus(vault)).items.map((item) => item.text)).toContain(`${NAME} v2 is pending until 2 of alice bob carol AND 1 of dora erin have acknowledged their shares; awaited: alice bob carol dora erin`);
    // An acknowledgement of version 1 says nothing of version 2, whose shares are at the same places.
    expect(custodyOf(vault.state.custody, findVersion(vault, NAME, 2).digest)!.leaves.every((leaf) => leaf.acknowledged === undefined)).toBe(true);
  });
});

describe('a custodian who spoils the own share', () => {
  it('harms no other, and its check says so', async () => {
    const bob = await as(cast.bob);
    const bytes = await ageEncrypt(utf8('oxp-share/v1 nothing of the kind\n'), [cast.bob.card.recipient]);
    const blob = { sha256: sha256Hex(bytes), size: bytes.length };
    // With the file of the sealing gone as well, nothing is left to fall back on.
    store.files.delete(pathOf(store, /-shares\/bob-/));
    await bob.append({ entries: [entryBy(bob, cast.bob, 'custody.share', { name: NAME, version: 1, path: '0.1', blob })], files: [{ path: sharePath(NAME, 1, 'bob', blob.sha256), bytes }] });
    expect((await acknowledgeShares(await as(cast.bob)))[0]!.fault!.code).toBe('SHARE_MISMATCH');
    const { vault, record } = await version();
    expect(await combineShares(vault.id, record, await sharesFrom('alice', 'carol', 'erin'))).toMatch(/^AGE-SECRET-KEY-1/);
  });
});
