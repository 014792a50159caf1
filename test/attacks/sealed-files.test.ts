/** Files that are sealed to the right people by the wrong ones, to the wrong people by the right ones, or are not what was signed. */
import { beforeEach, describe, expect, it } from 'vitest';
import { findVersion, openSecrets, readersOf, sealBatch, Secret, turnRole, withoutMember, type Identity, type Sealable, type Statement, type Vault } from '../../packages/core/src/index.js';
import { ageEncrypt, fileKeyOf, generateAgeIdentity, identityToRecipient, splitHeader } from '../../packages/core/src/primitives/age.js';
import { X25519Recipient } from '../../packages/core/src/primitives/age-native.js';
import { concatBytes, sha256Hex, toBase64, utf8 } from '../../packages/core/src/primitives/hash.js';
import { ciphertextPath } from '../../packages/core/src/seal/statement.js';
import { grantPath } from '../../packages/core/src/policy/roles.js';
import { judge } from '../../packages/core/src/state.js';
import { codeOf, entryBy, failure, makeVault, openAs, people, person, proposalBy, rawStore, rule, seal, successor, type RawStore, type World } from '../support/vaults.js';

type Cast = Record<'alice' | 'bob' | 'carol', Identity>;
let cast: Cast;
let store: RawStore;
let world: World;
let vault: Vault;

beforeEach(async () => {
  cast = await people('alice', 'bob', 'carol');
  store = rawStore();
  world = await makeVault({
    people: [cast.alice, cast.bob, cast.carol], store,
    roles: { infra: ['alice', 'bob'], platform: { members: ['carol'], steward: 'alice' }, web: ['bob'] },
    rules: [rule('/', 'infra'), rule('shared/', 'infra', { readers: ['infra', 'platform'] }), rule('web/', 'infra', { writers: ['web'] })],
  });
  vault = world.vault;
  await seal(vault, 'app/password', 'hunter2');
});

const item = (name: string, value = 'value'): Sealable => ({ name, kind: 'password', file: Secret.fromText(value), parameters: {}, public: {}, origin: 'imported' });
const statementOf = (name: string, version = 1): Statement => vault.state.secrets.versions.get(name)![version - 1]!.statement;
const open = (by: Vault, name: string, version?: number): ReturnType<typeof openSecrets> => openSecrets(by, { secrets: [{ name, ...(version === undefined ? {} : { version }) }] });
/** The code with which a signed statement, whatever it says, is refused. */
const sealed = (by: Identity, change: object, name = 'app/next'): Promise<string> => codeOf(async () => {
  const client = await world.as(by);
  // Made by somebody who may: what is tried is the statement.
  const batch = await sealBatch(by === cast.carol ? vault : client, [item(name)]);
  const { statement } = batch.sealed[0]!;
  return client.append({ entries: [entryBy(client, by, 'secret.seal', { statement: { ...statement, ...change } })], files: batch.files });
});

describe('a file that is not the signed one', () => {
  it('made by an outsider from the public recipient', async () => {
    const statement = statementOf('app/password');
    const forged = await ageEncrypt(utf8('evil'), readersOf(vault, 'app/password').map((r) => r.recipient));
    store.files.set(ciphertextPath(statement), forged);
    expect(await codeOf(open(await world.as(cast.bob), 'app/password'))).toBe('HASH_MISMATCH');
  });

  it('with a stanza added to its header by a reader, the payload as it was', async () => {
    const path = ciphertextPath(statementOf('app/password'));
    const original = store.files.get(path)!;
    const stranger = await person('stranger');
    const { payload } = splitHeader(original);
    expect(payload.length).toBeGreaterThan(0);
    const [stanza] = new X25519Recipient(stranger.card.recipient).wrapFileKey(new Uint8Array(16));
    const text = Buffer.from(original).toString('latin1');
    const extra = `-> ${stanza!.args.join(' ')}\n${toBase64(stanza!.body).replaceAll('=', '')}\n`;
    store.files.set(path, Buffer.from(text.replace('\n--- ', `\n${extra}--- `), 'latin1'));
    expect(await codeOf(open(await world.as(cast.bob), 'app/password'))).toBe('HASH_MISMATCH');
  });

  it('with more or fewer recipients than signed, or of another kind: nothing is decrypted', async () => {
    const { recipient } = readersOf(vault, 'app/two')[0]!;
    const other = await identityToRecipient(await generateAgeIdentity());
    const pq = await identityToRecipient(await generateAgeIdentity({ pq: true }));
    const bob = await world.as(cast.bob);
    for (const [name, recipients] of [['app/two', [recipient, other]], ['app/pq', [pq]]] as const) {
      const bytes = await ageEncrypt(utf8('x'), recipients);
      const batch = await sealBatch(vault, [item(name)]);
      const { statement } = batch.sealed[0]!;
      const lie = { ...statement, ciphertext: { ...statement.ciphertext, sha256: sha256Hex(bytes), size: bytes.length } };
      await vault.append({ entries: [entryBy(vault, cast.alice, 'secret.seal', { statement: lie })], files: [{ path: ciphertextPath(lie), bytes }] });
      await bob.refresh();
      expect(await codeOf(open(bob, name))).toBe('STANZA_MISMATCH');
    }
  });

  it('of the signed size but other bytes, or of other size', async () => {
    const path = ciphertextPath(statementOf('app/password'));
    const original = store.files.get(path)!;
    const bob = await world.as(cast.bob);
    for (const bytes of [Uint8Array.from(original, (b, i) => (i === 30 ? b ^ 1 : b)), original.subarray(0, -1), new Uint8Array(0), concatBytes(original, utf8('x'))]) {
      store.files.set(path, bytes);
      expect(await codeOf(open(bob, 'app/password'))).toBe('HASH_MISMATCH');
    }
  });
});

describe('a sealer at fault', () => {
  const sealBytes = async (name: string, bytes: Uint8Array): Promise<void> => {
    const batch = await sealBatch(vault, [item(name)]);
    const { statement } = batch.sealed[0]!;
    const lie = { ...statement, ciphertext: { ...statement.ciphertext, sha256: sha256Hex(bytes), size: bytes.length } };
    await vault.append({ entries: [entryBy(vault, cast.alice, 'secret.seal', { statement: lie })], files: [{ path: ciphertextPath(lie), bytes }] });
  };

  it('who signs what is no age file, or one for somebody else, is named', async () => {
    await sealBytes('app/garbage', utf8('not an age file'));
    await sealBytes('app/foreign', await ageEncrypt(utf8('x'), [await identityToRecipient(await generateAgeIdentity())]));
    const bob = await world.as(cast.bob);
    for (const name of ['app/garbage', 'app/foreign']) {
      expect(await failure(open(bob, name))).toMatchObject({ code: 'SEALER_FAULT', message: expect.stringContaining('alice') as string });
    }
  });

  it('who grants what does not open, or holds another key, takes nothing away: the grant before it still opens', async () => {
    const regrant = async (bytes: Uint8Array): Promise<void> => {
      const { recipient } = vault.policy.roles.get('infra')!.epochs[0]!;
      const blob = { sha256: sha256Hex(bytes), size: bytes.length };
      await vault.append({ entries: [vault.sign('role.grant', { role: 'infra', epoch: 1, recipient, person: 'bob', blob })], files: [{ path: grantPath('infra', 1, 'bob', blob.sha256), bytes }] });
    };
    for (const bytes of [utf8('not an age file'), await ageEncrypt(utf8('AGE-SECRET-KEY-1'), [cast.carol.card.recipient]), await ageEncrypt(utf8(`${await generateAgeIdentity()}\n`), [cast.bob.card.recipient])]) {
      await regrant(bytes);
      expect(await open(await world.as(cast.bob), 'app/password')).toBeDefined();
    }
  });
});

describe('a statement', () => {
  it('renamed, or of another vault, is not its signature', async () => {
    const other = await makeVault({ people: [cast.alice, cast.bob], salt: 'staging' });
    await seal(other.vault, 'app/next');
    const theirs = other.vault.state.secrets.versions.get('app/next')![0]!.statement;
    const error = await codeOf(vault.append({ entries: [entryBy(vault, cast.alice, 'secret.seal', { statement: theirs })], files: [] }));
    // Sealed to a role of that vault, whose key is another.
    expect(error).toBe('READERS_MISMATCH');
  });

  it('cannot pass off the file of one secret as another, not even by somebody who may write both', async () => {
    expect(await sealed(cast.bob, { ciphertext: statementOf('app/password').ciphertext }, 'web/config')).toBe('WRONG_STATEMENT');
    expect(await sealed(cast.alice, { ciphertext: statementOf('app/password').ciphertext })).toBe('WRONG_STATEMENT');
  });

  it('skips no version, repeats none, and follows the one before', async () => {
    const { digest } = findVersion(vault, 'app/password');
    expect(await sealed(cast.alice, { version: 3 }, 'app/password')).toBe('RACE_LOST');
    expect(await sealed(cast.alice, { version: 1, previous: null }, 'app/password')).toBe('RACE_LOST');
    expect(await sealed(cast.alice, { previous: 'ab'.repeat(32) }, 'app/password')).toBe('RACE_LOST');
    expect(await sealed(cast.alice, { previous: null }, 'app/password')).toBe('RACE_LOST');
    expect(await sealed(cast.alice, { previous: digest })).toBe('RACE_LOST');
    expect(await sealed(cast.alice, { origin: { how: 'reseal', of: 'ab'.repeat(32) } }, 'app/password')).toBe('RACE_LOST');
  });

  it('names exactly the readers of the rule, in its order, each at its newest key', async () => {
    const infra = readersOf(vault, 'app/x');
    const both = readersOf(vault, 'shared/x');
    const stanzas = (count: number): object => ({ ciphertext: { sha256: 'ab'.repeat(32), size: 1, stanzas: { type: 'X25519', count } } });
    expect(both.map((r) => r.role)).toEqual(['infra', 'platform']);
    expect(await sealed(cast.alice, { readers: both, ...stanzas(2) })).toBe('READERS_MISMATCH');
    expect(await sealed(cast.alice, { readers: infra, ...stanzas(1) }, 'shared/x')).toBe('READERS_MISMATCH');
    expect(await sealed(cast.alice, { readers: [...both].reverse() }, 'shared/x')).toBe('READERS_MISMATCH');
    expect(await sealed(cast.alice, { readers: [both[0], both[0]] }, 'shared/x')).toBe('READERS_MISMATCH');
    expect(await sealed(cast.alice, { readers: [] }, 'shared/x')).toBe('BAD_ENTRY');
    expect(await sealed(cast.alice, { readers: [{ ...infra[0]!, recipient: cast.bob.card.recipient }] })).toBe('EPOCH_STALE');
    expect(await sealed(cast.alice, { readers: [{ ...infra[0]!, epoch: 2 }] })).toBe('EPOCH_STALE');
    expect(await sealed(cast.alice, stanzas(2))).toBe('STANZA_MISMATCH');
    expect(await sealed(cast.alice, { ciphertext: { sha256: 'ab'.repeat(32), size: 1, stanzas: { type: 'mlkem768x25519', count: 1 } } })).toBe('MIXED_RECIPIENTS');
    const custody = { group: 'g', scheme: 'split-v1', recipient: cast.bob.card.recipient, tree: { need: 1, of: ['alice'] }, leaves: [{ path: '0', person: 'alice', blob: { sha256: 'ab'.repeat(32), size: 1 }, commitment: 'ab'.repeat(32) }] };
    expect(await codeOf(async () => {
      const { readers, ...statement } = (await sealBatch(vault, [item('app/next')])).sealed[0]!.statement as Statement & { readers: unknown };
      expect(readers).toBeDefined();
      await vault.append({ entries: [entryBy(vault, cast.alice, 'secret.seal', { statement: { ...statement, custody } })], files: [] });
    })).toBe('READERS_MISMATCH');
  });

  it('under custody, along another tree, without its shares, or to a recipient that is not fresh or of another suite', async () => {
    const people = [cast.alice, cast.bob];
    const tree = { need: 2, of: ['alice', 'bob'] };
    const world = await makeVault({ people, roles: { infra: ['alice'] }, custody: { root: tree }, rules: [rule('/', 'infra'), { path: 'pki/root', owners: ['infra'], writers: ['infra'], consents: 1, custody: 'root' }] });
    const { readers: _readers, ...plain } = (await sealBatch(world.vault, [item('app/next')])).sealed[0]!.statement as Statement & { readers: unknown };
    const leaf = (path: string, person: string): object => ({ path, person, blob: { sha256: 'ab'.repeat(32), size: 1 }, commitment: 'ab'.repeat(32) });
    const good = { group: 'root', scheme: 'split-v1', recipient: await identityToRecipient(await generateAgeIdentity()), tree, leaves: [leaf('0', 'alice'), leaf('1', 'bob')] };
    const verdict = (change: object): string | undefined =>
      judge(world.vault.state, { data: entryBy(world.vault, cast.alice, 'secret.seal', { statement: { ...plain, name: 'pki/root', custody: { ...good, ...change } } }).line, file: () => undefined }).refused?.code;
    expect(verdict({})).toBeUndefined();
    expect(verdict({ tree: { need: 1, of: ['alice', 'bob'] } })).toBe('READERS_MISMATCH');
    expect(verdict({ leaves: [leaf('0', 'alice')] })).toBe('READERS_MISMATCH');
    expect(verdict({ leaves: [leaf('0', 'bob'), leaf('1', 'alice')] })).toBe('READERS_MISMATCH');
    // Somebody's own recipient would let that person open alone what takes two.
    expect(verdict({ recipient: cast.bob.card.recipient })).toBe('KEY_TAKEN');
    expect(verdict({ recipient: `age1${'q'.repeat(58)}` })).toBe('WEAK_KEY');
    // What an age file says of its stanzas is the sealer's word: nothing of a post-quantum vault may hang on X25519, nor the other way round.
    expect(verdict({ recipient: await identityToRecipient(await generateAgeIdentity({ pq: true })) })).toBe('MIXED_RECIPIENTS');
  });

  it('of somebody who may not write there', async () => {
    expect(await sealed(cast.carol, {})).toBe('NOT_ALLOWED');
    expect(await sealed(cast.alice, {}, 'web/x')).toBe('NOT_ALLOWED');
  });

  it('too large for a leaf lies in objects/, with as many readers as the rule has', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `r${String(i).padStart(2, '0')}`);
    const pq = await Promise.all(['alice'].map((name) => person(name, { suite: 'hybrid' })));
    const big = rawStore();
    const { vault: large, as } = await makeVault({ people: pq, store: big, suite: 'hybrid', roles: Object.fromEntries(names.map((n) => [n, ['alice']])), rules: [rule('/', 'r00', { readers: names })] });
    await seal(large, 'app/many', 'to sixty roles');
    expect([...big.files.keys()].filter((path) => path.startsWith('objects/'))).toHaveLength(1);
    const [opened] = await open(await as(pq[0]!), 'app/many');
    expect(opened!.file.useText((t) => t)).toBe('to sixty roles');
  }, 120_000);
});

describe('a role key', () => {
  it('that is stale, or superseded, seals nothing', async () => {
    const before = readersOf(vault, 'app/x');
    await vault.append(await turnRole(vault, 'infra'));
    expect(await sealed(cast.alice, { readers: before })).toBe('EPOCH_STALE');
    const gone = withoutMember(vault.policy, 'bob');
    const { entry, file } = proposalBy(vault, cast.alice, { ...gone, rules: gone.rules.filter((r) => !r.path.startsWith('web/')) });
    await vault.append({ entries: [entry], files: [file] });
    expect(vault.policy.roles.get('infra')!.stale).toBeDefined();
    expect(await codeOf(seal(vault, 'app/x'))).toBe('EPOCH_STALE');
    await vault.append(await turnRole(vault, 'infra'));
    await seal(vault, 'app/x');
  });

  it('that its steward made must say that it is provisional, and seals until a member makes the next', async () => {
    expect(vault.policy.roles.get('platform')!.epochs.map((e) => e.provisional)).toEqual([true]);
    await seal(vault, 'shared/x');
    const fresh = (await person('fresh')).card.recipient;
    const claim = (by: Identity, epoch: number, provisional: boolean): Promise<string> => codeOf(async () => {
      const client = await world.as(by);
      await client.append({ entries: [client.sign('role.epoch', { role: 'platform', epoch, recipient: fresh, provisional })], files: [] });
    });
    expect(await claim(cast.alice, 2, false)).toBe('NOT_ALLOWED');
    expect(await claim(cast.carol, 2, true)).toBe('NOT_ALLOWED');
    expect(await claim(cast.bob, 2, false)).toBe('NOT_ALLOWED');
    expect(await claim(cast.carol, 3, false)).toBe('RACE_LOST');
    const carol = await world.as(cast.carol);
    const old = readersOf(vault, 'shared/x');
    await carol.append(await turnRole(carol, 'platform'));
    await vault.refresh();
    expect(await claim(cast.alice, 3, true)).toBe('NOT_ALLOWED');
    expect(await sealed(cast.alice, { readers: old }, 'shared/y')).toBe('EPOCH_STALE');
  });

  it('is granted only to members, by who holds it', async () => {
    const { recipient } = vault.policy.roles.get('infra')!.epochs[0]!;
    const grant = (by: Identity, person: string, change: object = {}): Promise<string> => codeOf(async () => {
      const client = await world.as(by);
      await client.append({ entries: [client.sign('role.grant', { role: 'infra', epoch: 1, recipient, person, blob: { sha256: 'ab'.repeat(32), size: 1 }, ...change })], files: [] });
    });
    expect(await grant(cast.alice, 'carol')).toBe('NOT_ALLOWED');
    expect(await grant(cast.alice, 'nobody')).toBe('NOT_ALLOWED');
    expect(await grant(cast.carol, 'carol')).toBe('NOT_ALLOWED');
    expect(await grant(cast.alice, 'bob', { epoch: 2 })).toBe('EPOCH_STALE');
    expect(await grant(cast.alice, 'bob', { recipient: cast.bob.card.recipient })).toBe('EPOCH_STALE');
    expect(await grant(cast.alice, 'bob', { role: 'nothing' })).toBe('EPOCH_MISSING');
  });
});

describe('names', () => {
  it.each([
    '../evil', 'a/../b', 'a..b', '/etc/passwd', 'A', 'Ä', 'a b', 'a/', '/', '', 'a//b', './a', 'a/.git', '.git/config', '-rf', '1a', 'a\\b', 'a\nb', 'a\u0000', 'dns/\u0435vil', 'a'.repeat(256), `${'a/'.repeat(128)}a`,
  ])('%j names no secret', async (name) => {
    const before = [...store.files.keys()];
    expect(await codeOf(seal(vault, name))).toBe('BAD_NAME');
    const { statement } = (await sealBatch(vault, [item('app/next')])).sealed[0]!;
    expect(await codeOf(vault.append({ entries: [entryBy(vault, cast.alice, 'secret.seal', { statement: { ...statement, name } })], files: [] }))).toBe('BAD_ENTRY');
    expect([...store.files.keys()]).toEqual(before);
  });

  it.each(['a', 'a'.repeat(255), 'constructor', 'tostring', 'prototype/constructor', 'a.b-c_d/e1'])('%s names one', async (name) => {
    await seal(vault, name, 'v');
    const [opened] = await open(await world.as(cast.bob), name);
    expect(opened!.file.useText((t) => t)).toBe('v');
  });
});

it('a file key opens exactly the file it is of', async () => {
  const path = ciphertextPath(statementOf('app/password'));
  const stranger = await person('stranger');
  expect(await codeOf(stranger.age.useText((line) => fileKeyOf(store.files.get(path)!, [line])))).toBe('DECRYPT_FAILED');
});

it('two seals of one secret at once: one wins, the other is told, and nothing is half done', async () => {
  const [one, two] = [await world.as(cast.alice), await world.as(cast.bob)];
  const results = await Promise.allSettled([seal(one, 'app/race', 'one'), seal(two, 'app/race', 'two')]);
  expect(results.map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected']);
  const lost = results.find((r) => r.status === 'rejected')!;
  expect(lost.reason).toMatchObject({ code: 'RACE_LOST' });
  const reader = await openAs(store, cast.bob);
  expect(reader.state.secrets.versions.get('app/race')).toHaveLength(1);
  expect(reader.state.voids.size).toBe(0);
  expect(successor(reader).number).toBe(2);
});
