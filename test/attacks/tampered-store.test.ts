/** Somebody who can write to the store, and is nobody in the vault: push rights on the repository, a key to the bucket. */
import { beforeEach, describe, expect, it } from 'vitest';
import { signCheckpoint } from '../../packages/core/src/audit/checkpoint.js';
import { encodePage, pagePath } from '../../packages/core/src/audit/page.js';
import { encodePolicy } from '../../packages/core/src/policy/policy.js';
import { parseCard, signCard } from '../../packages/core/src/policy/card.js';
import { openSecrets, sealBatch, Secret, type Identity } from '../../packages/core/src/index.js';
import { sha256Hex, utf8 } from '../../packages/core/src/primitives/hash.js';
import { parseCanonical } from '../../packages/core/src/primitives/canonical-json.js';
import { codeOf, copyOf, failure, flip, forger, makeVault, memoryLocal, openAs, pathOf, people, person, proposalBy, rawStore, readRawLog, recipientOf, seal, successor, writeRawLog, type RawStore, type World } from '../support/vaults.js';

type Cast = Record<'alice' | 'bob' | 'mallory', Identity>;
let cast: Cast;
let store: RawStore;
let world: World;

beforeEach(async () => {
  cast = await people('alice', 'bob', 'mallory');
  store = rawStore();
  world = await makeVault({ people: [cast.alice, cast.bob], store });
  await seal(world.vault, 'app/password', 'hunter2');
});

const fresh = (): Promise<string> => codeOf(openAs(store, cast.bob));
/** Changes one file and loads as a newcomer, who has seen nothing before. */
const loadWithout = async (pattern: RegExp, change: (path: string) => void): Promise<string> => {
  change(pathOf(store, pattern));
  return fresh();
};

describe('recipient added by editing a stored policy', () => {
  it('is no policy of this vault any more', async () => {
    const path = pathOf(store, /^policy\/0001/);
    const policy = parseCanonical(store.files.get(path)!) as unknown as World['policy'];
    store.files.set(path, encodePolicy({ ...policy, persons: { ...policy.persons, mallory: { cards: [cast.mallory.card.line] } }, roles: { team: { members: ['alice', 'bob', 'mallory'] } } }));
    expect(await failure(openAs(store, cast.bob))).toMatchObject({ code: 'STORE_INCOMPLETE', message: expect.stringContaining(path) as string });
  });

  it('does not turn the removal of a member into a void entry', async () => {
    const { roles } = world.policy;
    const without = successor(world.vault, { persons: { alice: world.policy.persons['alice']! }, roles: { team: { ...roles['team']!, members: ['alice'] } } });
    const { entry, file } = proposalBy(world.vault, cast.alice, without);
    await world.vault.append({ entries: [entry], files: [file] });
    expect(world.vault.policy.people.has('bob')).toBe(false);
    flip(store.files, file.path);
    expect(await codeOf(openAs(store, cast.alice))).toBe('STORE_INCOMPLETE');
  });
});

describe('files taken away or changed', () => {
  it('a policy file', async () => expect(await loadWithout(/^policy\//, (path) => store.files.delete(path))).toBe('STORE_INCOMPLETE'));
  it('the last page', async () => expect(await loadWithout(/^log\/0/, (path) => store.files.delete(path))).toBe('STORE_INCOMPLETE'));
  it('one bit of the last page', async () => expect(await loadWithout(/^log\/0/, (path) => flip(store.files, path, 200))).toBe('STORE_INCOMPLETE'));

  it('a body in objects/', async () => {
    await seal(world.vault, 'app/big', 'x');
    const big = Array.from({ length: 900 }, (_, i) => [`k${i}`, 'v'.repeat(80)] as const);
    const batch = await sealBatch(world.vault, [{ name: 'app/huge', kind: 'document', file: Secret.fromText('x'), parameters: {}, public: Object.fromEntries(big), origin: 'imported' }]);
    await world.vault.append(batch);
    const object = pathOf(store, /^objects\//);
    expect((await openAs(store, cast.bob)).state.secrets.versions.has('app/huge')).toBe(true);
    const kept = store.files.get(object)!;
    flip(store.files, object);
    expect(await fresh()).toBe('STORE_INCOMPLETE');
    store.files.delete(object);
    expect(await fresh()).toBe('STORE_INCOMPLETE');
    store.files.set(object, kept);
    await openAs(store, cast.bob);
  });

  it('behind the back of somebody who has a cache', async () => {
    const local = memoryLocal();
    await openAs(store, cast.bob, { local });
    store.files.delete(pathOf(store, /^policy\//));
    expect(await codeOf(openAs(store, cast.bob, { local }))).toBe('STORE_INCOMPLETE');
  });

  it('a version of a secret is reported missing, not absent', async () => {
    const path = pathOf(store, /^secrets\/app\/password\/0001/);
    store.files.delete(path);
    const bob = await openAs(store, cast.bob);
    expect(bob.state.secrets.versions.has('app/password')).toBe(true);
    const error = await failure(openSecrets(bob, { secrets: [{ name: 'app/password' }] }));
    expect(error).toMatchObject({ code: 'BLOB_MISSING', message: expect.stringContaining(path) as string });
  });

  it('a grant', async () => {
    store.files.delete(pathOf(store, /^roles\/team\/0001\/bob/));
    expect(await codeOf(openSecrets(await openAs(store, cast.bob), { secrets: [{ name: 'app/password' }] }))).toBe('BLOB_MISSING');
  });

  it('one bit of a grant', async () => {
    flip(store.files, pathOf(store, /^roles\/team\/0001\/bob/));
    expect(await codeOf(openSecrets(await openAs(store, cast.bob), { secrets: [{ name: 'app/password' }] }))).toBe('HASH_MISMATCH');
  });

  it('makes a writer who has the vault open stop, and write nothing', async () => {
    const bob = await world.as(cast.bob);
    store.files.delete(pathOf(store, /^log\/0/));
    const before = [...store.files.keys()].filter((path) => path === 'log/checkpoint' || path.startsWith('policy/'));
    const checkpoint = store.files.get('log/checkpoint')!;
    expect(await codeOf(seal(bob, 'app/other'))).toBe('STORE_INCOMPLETE');
    expect(store.files.get('log/checkpoint')).toEqual(checkpoint);
    expect([...store.files.keys()]).toEqual(expect.arrayContaining(before));
  });
});

describe('the checkpoint', () => {
  it('garbage in its place', async () => {
    store.files.set('log/checkpoint', utf8('garbage\n'));
    expect(await fresh()).toBe('BAD_CHECKPOINT');
  });

  it('signed by a stranger', async () => {
    const log = await readRawLog(store);
    await writeRawLog(store, log.vault, log.lines, forger(cast.mallory));
    expect(await fresh()).toBe('BAD_CHECKPOINT');
  });

  it('signed by a stranger in the name of a member', async () => {
    const log = await readRawLog(store);
    await writeRawLog(store, log.vault, log.lines, { person: 'alice', device: 'laptop', key: cast.mallory.signingKey });
    expect(await fresh()).toBe('BAD_CHECKPOINT');
  });

  it('signed by a member under the name of another device', async () => {
    const log = await readRawLog(store);
    await writeRawLog(store, log.vault, log.lines, { ...forger(cast.alice), device: 'phone' });
    expect(await fresh()).toBe('BAD_CHECKPOINT');
  });

  it('with a root that is not that of the pages', async () => {
    const log = await readRawLog(store);
    await writeRawLog(store, log.vault, log.lines, forger(cast.alice), { root: 'ab'.repeat(32) });
    expect(await fresh()).toBe('BAD_CHECKPOINT');
  });

  it('with a size that is not that of the pages', async () => {
    const log = await readRawLog(store);
    for (const size of [log.size - 1, log.size + 1, log.size + 256, 2 ** 40]) {
      await writeRawLog(store, log.vault, log.lines, forger(cast.alice), { size });
      expect(await fresh()).toBe('STORE_INCOMPLETE');
    }
  });

  it('of a log that begins with another vault', async () => {
    const log = await readRawLog(store);
    await writeRawLog(store, 'cd'.repeat(32), log.lines, forger(cast.alice));
    expect(await fresh()).toBe('WRONG_VAULT');
  });

  it('an unsigned newer tip is no fork for those who know the log', async () => {
    const local = memoryLocal();
    await openAs(store, cast.bob, { local });
    const log = await readRawLog(store);
    const lie = [...log.lines.slice(0, -1), utf8('garbage'), utf8('more')];
    await writeRawLog(store, log.vault, lie, forger(cast.mallory));
    expect(await codeOf(openAs(store, cast.bob, { local }))).toBe('BAD_CHECKPOINT');
  });
});

describe('pages', () => {
  it('chained to another page than the one before', async () => {
    const log = await readRawLog(store);
    const { point } = await openAs(store, cast.bob);
    const bytes = encodePage({ previous: 'ef'.repeat(32), lines: log.lines });
    const page = sha256Hex(bytes);
    store.files.set(pagePath(0, page), bytes);
    store.files.set('log/checkpoint', signCheckpoint({ ...point, vault: log.vault, page }, forger(cast.alice), cast.alice.signingKey));
    expect(await codeOf(openAs(store, cast.bob))).toBe('BAD_CHECKPOINT');
  });

  it('with a line more than the checkpoint counts, or no newline at the end', async () => {
    const log = await readRawLog(store);
    const { point } = await openAs(store, cast.bob);
    const path = pathOf(store, /^log\/0/);
    const original = store.files.get(path)!;
    for (const bytes of [Buffer.concat([original, utf8('{}\n')]), original.subarray(0, -1), Buffer.concat([original, utf8('\n')]), Buffer.concat([utf8('\n'), original])]) {
      const page = sha256Hex(bytes);
      store.files.set(pagePath(0, page), bytes);
      store.files.set('log/checkpoint', signCheckpoint({ ...point, vault: log.vault, page }, forger(cast.alice), cast.alice.signingKey));
      expect(await fresh()).toBe('STORE_INCOMPLETE');
    }
  });
});

describe('a store that forgets', () => {
  it('what it has just accepted is found out at once', async () => {
    const bob = await world.as(cast.bob);
    const backup = copyOf(store);
    const swap = store.swapCheckpoint.bind(store);
    const forgetful = Object.assign(bob.store as RawStore, {
      swapCheckpoint: async (old: Uint8Array | undefined, next: Uint8Array) => {
        const accepted = await swap(old, next);
        store.files.clear();
        for (const [path, bytes] of backup.files) store.files.set(path, bytes);
        return accepted;
      },
    });
    expect(forgetful.files.size).toBe(backup.files.size);
    expect(await codeOf(seal(bob, 'app/other'))).toBe('ROLLBACK');
  });
});

describe('recipients that nothing can be sealed to', () => {
  it.each([
    ['a point of low order', recipientOf(new Uint8Array(32))],
    ['another point of low order', recipientOf(Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0)))],
    ['a point that is not canonical', recipientOf(new Uint8Array(32).fill(0xff))],
    ['a wrong checksum', `${recipientOf(new Uint8Array(32).fill(9)).slice(0, -1)}q`],
    ['a wrong length', recipientOf(new Uint8Array(40).fill(9))],
  ])('%s', async (_, recipient) => {
    const eve = await person('eve');
    const { line } = signCard({ person: 'eve', device: 'laptop', kind: 'human', recipient, created: 1 }, eve.signingKey);
    expect(await codeOf(() => parseCard(line))).toBe('WEAK_KEY');
  });
});
