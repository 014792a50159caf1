/** Somebody enrolled who writes leaves and checkpoints with an editor instead of this program: their keys are good, their entries are not. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ENTRY_TYPE, MAX_OBJECT } from '../../packages/core/src/audit/entry.js';
import { createIdentity, sealBatch, Secret, turnRole, type Identity } from '../../packages/core/src/index.js';
import { signCard } from '../../packages/core/src/policy/card.js';
import { policyPath } from '../../packages/core/src/policy/policy.js';
import { generateAgeIdentity, identityToRecipient } from '../../packages/core/src/primitives/age.js';
import { canonicalJson } from '../../packages/core/src/primitives/canonical-json.js';
import { encodeEnvelope, preAuthEncoding } from '../../packages/core/src/primitives/dsse.js';
import { keyId } from '../../packages/core/src/primitives/ed25519.js';
import { sha256Hex, utf8 } from '../../packages/core/src/primitives/hash.js';
import { appendRaw, codeOf, digestOf, entryBy, failure, forger, makeVault, memoryLocal, openAs, people, person, proposalBy, rawStore, readRawLog, recipientOf, rule, seal, successor, voidCodes, writeRawLog, type RawStore, type World } from '../support/vaults.js';

type Cast = Record<'alice' | 'bob' | 'mallory', Identity>;
let cast: Cast;
let store: RawStore;
let world: World;

beforeEach(async () => {
  cast = await people('alice', 'bob', 'mallory');
  store = rawStore();
  // Mallory is enrolled and may sequence, and is in no role that may do anything.
  world = await makeVault({ people: [cast.alice, cast.bob, cast.mallory], store, roles: { team: ['alice', 'bob'], guests: ['mallory'] }, rules: [rule('/', 'team')] });
  await seal(world.vault, 'app/password', 'hunter2');
});

/** Mallory appends these leaves; the codes under which a newcomer then finds them void, in order. */
async function voidsOf(...leaves: Parameters<typeof appendRaw>[2][number][]): Promise<(string | undefined)[]> {
  const { size } = await readRawLog(store);
  await appendRaw(store, cast.mallory, leaves);
  const codes = voidCodes(await openAs(store, cast.bob));
  return leaves.map((_, i) => codes[String(size + i)]);
}

const line = (text: string): Uint8Array => utf8(text);
const textOf = (entry: { line: Uint8Array }): string => new TextDecoder().decode(entry.line);
const open = (by: Identity): ReturnType<typeof entryBy> => entryBy(world.vault, by, 'secret.open', { scope: ['/'], purpose: 'test', online: true });

describe('leaves that are not allowed are void, and the vault still loads', () => {
  it('an op that nobody knows, unknown words, an op named like a method', async () => {
    expect(await voidsOf(entryBy(world.vault, cast.mallory, 'future.op', {}), entryBy(world.vault, cast.mallory, 'to.string', {}))).toEqual(['UNKNOWN_OP', 'UNKNOWN_OP']);
    expect(await voidsOf(line('garbage'), line(''), line('{}'))).toEqual(['BAD_ENVELOPE', 'BAD_ENVELOPE', 'BAD_ENVELOPE']);
  });

  it('acts on what is not there', async () => {
    const digest = 'ab'.repeat(32);
    const ack = entryBy(world.vault, cast.mallory, 'custody.ack', { statement: digest, path: '0' });
    const abort = entryBy(world.vault, cast.mallory, 'handover.abort', { request: digest, reason: 'no' });
    expect(await voidsOf(ack, abort)).toEqual(['VERSION_NOT_FOUND', 'ENTRY_NOT_FOUND']);
  });

  it('a body with a member too many, too few, or of another type', async () => {
    const by = (body: object): ReturnType<typeof entryBy> => entryBy(world.vault, cast.mallory, 'secret.open', body);
    expect(await voidsOf(by({ scope: ['/'], purpose: 'x', online: true, more: 1 }), by({ scope: ['/'], purpose: 'x' }), by({ scope: ['/', 'a'], purpose: 1, online: true }),
      by({ scope: ['b', 'a'], purpose: 'x', online: true }), by({ scope: ['a', 'a'], purpose: 'x', online: true }), by({ scope: [], purpose: 'x', online: true }),
      entryBy(world.vault, cast.mallory, 'secret.open', null), entryBy(world.vault, cast.mallory, 'secret.open', []))).toEqual(Array.from({ length: 8 }, () => 'BAD_ENTRY'));
  });

  it('an entry for another vault, and one of another vault', async () => {
    const other = await makeVault({ people: [cast.alice], salt: 'staging' });
    const theirs = entryBy(other.vault, cast.alice, 'policy.withdraw', { digest: 'ab'.repeat(32) });
    expect(await voidsOf(entryBy(world.vault, cast.mallory, 'secret.open', { scope: ['/'], purpose: 'x', online: true }, { vault: 'ab'.repeat(32) }), theirs)).toEqual(['WRONG_VAULT', 'WRONG_VAULT']);
  });

  it('a second vault.init, and the same one again', async () => {
    const again = entryBy(world.vault, cast.alice, 'vault.init', { policy: world.vault.id });
    const { lines } = await readRawLog(store);
    expect(await voidsOf(again, lines[0]!)).toEqual(['BAD_ENTRY', 'DUPLICATE_ENTRY']);
  });

  it('what the policy does not allow them', async () => {
    const { vault } = world;
    const statement = vault.state.secrets.versions.get('app/password')![0]!.statement;
    const digest = vault.state.secrets.versions.get('app/password')![0]!.digest;
    const next = { ...statement, version: 2, previous: digest, ciphertext: { ...statement.ciphertext, sha256: 'ab'.repeat(32) } };
    const recipient = await identityToRecipient(await generateAgeIdentity());
    const team = vault.policy.roles.get('team')!.epochs[0]!;
    const blob = { sha256: 'ab'.repeat(32), size: 1 };
    expect(await voidsOf(
      entryBy(vault, cast.mallory, 'secret.seal', { statement: next }),
      entryBy(vault, cast.mallory, 'secret.retire', { statement: digest }),
      entryBy(vault, cast.mallory, 'role.epoch', { role: 'team', epoch: 2, recipient, provisional: false }),
      entryBy(vault, cast.mallory, 'role.epoch', { role: 'team', epoch: 2, recipient, provisional: true }),
      entryBy(vault, cast.mallory, 'role.grant', { role: 'team', epoch: 1, recipient: team.recipient, person: 'mallory', blob }),
      entryBy(vault, cast.mallory, 'policy.withdraw', { digest }),
    )).toEqual(['NOT_ALLOWED', 'NOT_ALLOWED', 'NOT_ALLOWED', 'NOT_ALLOWED', 'NOT_ALLOWED', 'STALE_DRAFT']);
  });

  it('a role named like a method of every object does not stop the fold', async () => {
    const recipient = await identityToRecipient(await generateAgeIdentity());
    const epoch = entryBy(world.vault, cast.mallory, 'role.epoch', { role: 'constructor', epoch: 1, recipient, provisional: false });
    const grant = entryBy(world.vault, cast.mallory, 'role.grant', { role: 'constructor', epoch: 1, recipient, person: 'constructor', blob: { sha256: 'ab'.repeat(32), size: 1 } });
    expect(await voidsOf(epoch, grant)).toEqual(['BAD_ENTRY', 'BAD_ENTRY']);
    const bob = await openAs(store, cast.bob);
    expect(await codeOf(turnRole(bob, 'constructor'))).toBe('ROLE_NOT_FOUND');
  });

  it('ten thousand of them', async () => {
    const spam = Array.from({ length: 10_000 }, (_, i) => line(`{"spam":${i}}`));
    await appendRaw(store, cast.mallory, spam);
    const bob = await openAs(store, cast.bob);
    expect(bob.state.voids.size).toBe(10_000);
    await seal(bob, 'app/next');
    expect((await openAs(store, cast.alice)).state.secrets.versions.has('app/next')).toBe(true);
  });
});

describe('whose entry it is', () => {
  it('signed by another key than the one it names', async () => {
    const { signingKey } = cast.mallory;
    const asBob = entryBy(world.vault, { ...cast.bob, signingKey }, 'secret.open', { scope: ['/'], purpose: 'x', online: true });
    expect(await voidsOf(asBob)).toEqual(['NOT_ENROLLED']);
    // The same with the key id of Bob's device written beside it.
    const envelope = JSON.parse(textOf(asBob)) as { payload: string; signatures: { keyid: string; sig: string }[] };
    const named = encodeEnvelope({ payloadType: ENTRY_TYPE, payload: Buffer.from(envelope.payload, 'base64'), signatures: [{ keyid: cast.bob.card.id, sig: Buffer.from(envelope.signatures[0]!.sig, 'base64') }] });
    expect(await voidsOf(line(named))).toEqual(['BAD_SIGNATURE']);
  });

  it('signed by a device under the name of another of the same person', async () => {
    const phone = { ...cast.mallory, card: { ...cast.mallory.card, device: 'phone' } };
    expect(await voidsOf(open(phone))).toEqual(['NOT_ENROLLED']);
  });

  it('of somebody who is not enrolled', async () => {
    expect(await voidsOf(open(await person('eve')), open(await person('constructor')))).toEqual(['NOT_ENROLLED', 'BAD_ENTRY']);
  });

  it('signed over another payload type, so that a card could never be an entry', async () => {
    const { payload } = JSON.parse(textOf(open(cast.mallory))) as { payload: string };
    const bytes = Buffer.from(payload, 'base64');
    const type = 'application/vnd.oxp-vault.card.v1+json';
    const sig = cast.mallory.signingKey.sign(preAuthEncoding(type, bytes));
    const keyid = keyId(cast.mallory.signingKey.publicKey);
    expect(await voidsOf(
      line(encodeEnvelope({ payloadType: type, payload: bytes, signatures: [{ keyid, sig }] })),
      line(encodeEnvelope({ payloadType: ENTRY_TYPE, payload: bytes, signatures: [{ keyid, sig }] })),
      line(cast.mallory.card.line),
    )).toEqual(['BAD_ENTRY', 'BAD_SIGNATURE', 'BAD_ENTRY']);
  });
});

describe('the same entry in other bytes', () => {
  it('reordered, spaced, padded, with another signature or two', async () => {
    const text = textOf(open(cast.mallory));
    const { payload, payloadType, signatures } = JSON.parse(text) as { payload: string; payloadType: string; signatures: [{ keyid: string; sig: string }] };
    const [first] = signatures;
    const variants = [
      JSON.stringify({ payloadType, payload, signatures }),
      JSON.stringify({ payload, payloadType, signatures: [{ sig: first.sig, keyid: first.keyid }] }),
      text.replace(':', ': '), `${text} `, ` ${text}`, `${text}\r`,
      JSON.stringify({ payload, payloadType, signatures: [first, first] }),
      JSON.stringify({ payload, payloadType, signatures: [] }),
      JSON.stringify({ payload, payloadType, signatures: [{ ...first, sig: first.sig.replace(/=+$/, '') }] }),
      JSON.stringify({ payload: `${payload.slice(0, 8)}\\n${payload.slice(8)}`, payloadType, signatures }),
      JSON.stringify({ payload: payload.replaceAll('+', '-').replaceAll('/', '_').replace(/=*$/, ''), payloadType, signatures }).replace(payload, `${payload}A`),
      JSON.stringify({ payload, payloadType, signatures, more: 1 }),
      text.replace('{"payload"', `{"payload":"","payload"`),
    ].map(line);
    // Where the payload holds none of + / =, base64url is the same text.
    const refused = await voidsOf(...variants.filter((v) => Buffer.compare(v, line(text)) !== 0));
    expect(new Set(refused)).toEqual(new Set(['BAD_ENVELOPE']));
  });

  it('a payload that is the same JSON in another form', async () => {
    const { payload } = JSON.parse(textOf(open(cast.mallory))) as { payload: string };
    const text = Buffer.from(payload, 'base64').toString();
    const forms = [text.replace('"online":true', '"online": true'), text.replace('{"actor"', '{"time":1,"actor"'), `\ufeff${text}`, text.replace('"purpose":"test"', String.raw`"purpose":"\u0074est"`), text.replace(/"time":(\d+)/, '"time":$1.0')];
    const signed = forms.map((form) => {
      const bytes = utf8(form);
      return line(encodeEnvelope({ payloadType: ENTRY_TYPE, payload: bytes, signatures: [{ keyid: cast.mallory.card.id, sig: cast.mallory.signingKey.sign(preAuthEncoding(ENTRY_TYPE, bytes)) }] }));
    });
    expect(forms.every((form) => form !== text)).toBe(true);
    expect(await voidsOf(...signed)).toEqual(['NOT_CANONICAL', 'NOT_CANONICAL', 'NOT_CANONICAL', 'NOT_CANONICAL', 'NOT_CANONICAL']);
  });

  it('appended twice', async () => {
    const entry = open(cast.mallory);
    expect(await voidsOf(entry, entry, entry)).toEqual([undefined, 'DUPLICATE_ENTRY', 'DUPLICATE_ENTRY']);
  });
});

describe('an entry of somebody else, put into the log before its time', () => {
  const withBadSignature = (entry: { line: Uint8Array }): Uint8Array => {
    const { payload, signatures: [{ keyid }] } = JSON.parse(textOf(entry)) as { payload: string; signatures: [{ keyid: string }] };
    return line(encodeEnvelope({ payloadType: ENTRY_TYPE, payload: Buffer.from(payload, 'base64'), signatures: [{ keyid, sig: new Uint8Array(64).fill(1) }] }));
  };

  it('with a bad signature does not use up its digest', async () => {
    const bob = await world.as(cast.bob);
    const batch = bob.signed(await sealBatch(bob, [{ name: 'app/next', kind: 'password', file: Secret.fromText('x'), parameters: {}, public: {}, origin: 'imported' }]));
    expect(await voidsOf(withBadSignature(batch.entries[0]!))).toEqual(['BAD_SIGNATURE']);
    await bob.append(batch);
    expect((await openAs(store, cast.alice)).state.secrets.versions.has('app/next')).toBe(true);
  });

  it('with its own signature is void for good, and its author is told instead of believing it done', async () => {
    const bob = await world.as(cast.bob);
    const batch = await turnRole(bob, 'team');
    // The grant without the epoch that comes first in Bob's batch.
    const grant = batch.entries[1]!;
    expect(await voidsOf(grant)).toEqual(['EPOCH_STALE']);
    const error = await failure(bob.append(batch));
    expect(error).toMatchObject({ code: 'EPOCH_STALE', message: expect.stringContaining('no effect') as string });
    expect(bob.policy.roles.get('team')!.epochs).toHaveLength(1);
    await bob.append(await turnRole(bob, 'team'));
    expect([...bob.policy.roles.get('team')!.epochs[1]!.grants.keys()]).toEqual(['alice', 'bob']);
  });
});

describe('claims', () => {
  it('that lie are reported, and void nothing', async () => {
    const lies = [
      entryBy(world.vault, cast.mallory, 'secret.open', { scope: ['/'], purpose: 'x', online: true }, { seen: { size: 3, root: 'ab'.repeat(32) } }),
      entryBy(world.vault, cast.mallory, 'secret.open', { scope: ['/'], purpose: 'x', online: true }, { seen: { size: 4000, root: 'ab'.repeat(32) } }),
      entryBy(world.vault, cast.mallory, 'secret.open', { scope: ['/'], purpose: 'x', online: true }, { policy: { number: 1, digest: 'ab'.repeat(32) } }),
      entryBy(world.vault, cast.mallory, 'secret.open', { scope: ['/'], purpose: 'x', online: true }, { policy: { number: 7, digest: world.vault.policy.digest } }),
    ];
    const { size } = await readRawLog(store);
    expect(await voidsOf(...lies, open(cast.mallory))).toEqual([undefined, undefined, undefined, undefined, undefined]);
    const bob = await openAs(store, cast.bob);
    expect(bob.log.strays.map(({ leaf, person }) => ({ leaf, person }))).toEqual([0, 1, 2, 3].map((i) => ({ leaf: size + i, person: 'mallory' })));
  });

  it('of a forged entry accuse nobody', async () => {
    const forged = entryBy(world.vault, { ...cast.bob, signingKey: cast.mallory.signingKey }, 'secret.open', { scope: ['/'], purpose: 'x', online: true }, { seen: { size: 3, root: 'ab'.repeat(32) } });
    expect(await voidsOf(forged)).toEqual(['NOT_ENROLLED']);
    expect((await openAs(store, cast.alice)).log.strays).toEqual([]);
  });

  it('about a policy that was in effect and is not any more are true', async () => {
    const before = open(cast.bob);
    const { entry, file } = proposalBy(world.vault, cast.alice, successor(world.vault, { roles: { ...world.policy.roles, more: { members: [] } } }));
    await world.vault.append({ entries: [entry], files: [file] });
    await appendRaw(store, cast.mallory, [before]);
    expect((await openAs(store, cast.bob)).log.strays).toEqual([]);
  });

  it('about the time may be anything, and order nothing', async () => {
    const tenYears = 315_360_000;
    for (const [by, now] of [[cast.alice, 1_767_225_600 - tenYears], [cast.bob, 1_767_225_600 + tenYears]] as const) {
      const vault = await world.as(by, { now });
      await seal(vault, 'app/clock', by.card.person);
    }
    const versions = (await openAs(store, cast.bob)).state.secrets.versions.get('app/clock')!;
    expect(versions.map(({ sealer, time }) => [sealer.person, time])).toEqual([['alice', 1_767_225_600 - tenYears], ['bob', 1_767_225_600 + tenYears]]);
  });
});

describe('the files that entries name', () => {
  it('an object that is not there: nobody accepts the state', async () => {
    const entry = entryBy(world.vault, cast.mallory, 'secret.open', { scope: Array.from({ length: 3000 }, (_, i) => `dir${String(i).padStart(4, '0')}/${'x'.repeat(20)}/`), purpose: 'x', online: true });
    expect(entry.object).toBeDefined();
    await appendRaw(store, cast.mallory, [entry.line]);
    expect(await codeOf(openAs(store, cast.bob))).toBe('STORE_INCOMPLETE');
    store.files.set(entry.object!.path, entry.object!.bytes);
    expect(voidCodes(await openAs(store, cast.bob))).toEqual({});
  });

  const naming = (object: object): Uint8Array => {
    const { body: _, ...frame } = JSON.parse(Buffer.from((JSON.parse(textOf(open(cast.mallory))) as { payload: string }).payload, 'base64').toString()) as { body: unknown };
    const payload = canonicalJson({ ...frame, object });
    return line(encodeEnvelope({ payloadType: ENTRY_TYPE, payload, signatures: [{ keyid: cast.mallory.card.id, sig: cast.mallory.signingKey.sign(preAuthEncoding(ENTRY_TYPE, payload)) }] }));
  };

  it('an object of another size than signed, or not canonical', async () => {
    const bytes = utf8('{"scope":["/"],"purpose":"x","online":true}');
    const sha256 = sha256Hex(bytes);
    const file = { path: `objects/${sha256}.json`, bytes };
    await appendRaw(store, cast.mallory, [naming({ sha256, size: bytes.length + 1 }), naming({ sha256, size: bytes.length })], [file]);
    expect(Object.values(voidCodes(await openAs(store, cast.bob)))).toEqual(['HASH_MISMATCH', 'NOT_CANONICAL']);
  });

  it('an object that is too large: its leaf is void, nobody needs it, and nobody here writes one', async () => {
    const object = { sha256: 'ab'.repeat(32), size: MAX_OBJECT + 1 };
    await appendRaw(store, cast.mallory, [naming(object)]);
    expect(Object.values(voidCodes(await openAs(store, cast.bob)))).toEqual(['BAD_ENTRY']);
    expect(await codeOf(() => entryBy(world.vault, cast.mallory, 'secret.open', { scope: ['/'], purpose: 'x'.repeat(MAX_OBJECT), online: true }))).toBe('BAD_VALUE');
    await appendRaw(store, cast.mallory, [naming({ ...object, size: MAX_OBJECT })]);
    expect(await codeOf(openAs(store, cast.bob))).toBe('STORE_INCOMPLETE');
  });

  it('two policies whose files have one name: the first is the one of the log', async () => {
    const first = proposalBy(world.vault, cast.mallory, successor(world.vault, { admins: { need: 1, of: ['mallory'] } }));
    await appendRaw(store, cast.mallory, [first.entry], [first.file]);
    // Finding a second policy with the same eight digits takes hours. The name is all that the loader goes by, so this entry names one.
    const digest = `${first.digest.slice(0, 8)}${'0'.repeat(56)}`;
    expect(policyPath(2, digest)).toBe(first.file.path);
    const second = entryBy(world.vault, cast.mallory, 'policy.propose', { number: 2, digest, previous: world.vault.policy.digest });
    expect(await voidsOf(second)).toEqual(['HASH_MISMATCH']);
    expect((await openAs(store, cast.bob)).policy.proposals.map((p) => p.digest)).toEqual([first.digest]);
  });
});

describe('who may sign a checkpoint', () => {
  it('not somebody removed, nor one who was enrolled only earlier', async () => {
    const { mallory: _, ...persons } = world.policy.persons;
    const without = proposalBy(world.vault, cast.alice, successor(world.vault, { persons, roles: { ...world.policy.roles, guests: { members: [] } } }));
    await world.vault.append({ entries: [without.entry], files: [without.file] });
    expect(world.vault.policy.people.has('mallory')).toBe(false);
    const log = await readRawLog(store);
    // Right at the leaf that removes Mallory, Mallory was enrolled just before it: somebody has to be able to sequence it.
    await writeRawLog(store, log.vault, log.lines, forger(cast.mallory));
    await openAs(store, cast.bob);
    await writeRawLog(store, log.vault, [...log.lines, utf8('void')], forger(cast.mallory));
    expect(await codeOf(openAs(store, cast.bob))).toBe('BAD_CHECKPOINT');
    await writeRawLog(store, log.vault, [...log.lines, utf8('void')], forger(cast.bob));
    await openAs(store, cast.bob);
  });

  it('nor is such a one ever written by this program', async () => {
    const phone = await person('bob', { device: 'phone' });
    const bob = await world.as(cast.bob);
    await bob.append({ entries: [bob.sign('device.add', { card: phone.card.line })], files: [] });
    const alice = await world.as(cast.alice);
    const checkpoint = store.files.get('log/checkpoint')!;
    // Bob removes this very laptop and takes an entry of Alice along: the checkpoint would be of nobody enrolled at its end.
    const entries = [bob.sign('device.remove', { key: cast.bob.card.id }), entryBy(alice, cast.alice, 'secret.open', { scope: ['/'], purpose: 'x', online: true })];
    expect(await codeOf(bob.append({ entries, files: [] }))).toBe('NOT_ENROLLED');
    expect(store.files.get('log/checkpoint')).toEqual(checkpoint);
    await bob.append({ entries: entries.slice(0, 1), files: [] });
    expect((await openAs(store, phone)).policy.people.get('bob')!.devices.map((d) => d.device)).toEqual(['phone']);
  });

  it('a removed signer cannot backdate', async () => {
    const stale = open(cast.mallory);
    const { mallory: _, ...persons } = world.policy.persons;
    const without = proposalBy(world.vault, cast.alice, successor(world.vault, { persons, roles: { ...world.policy.roles, guests: { members: [] } } }));
    await world.vault.append({ entries: [without.entry], files: [without.file] });
    await appendRaw(store, cast.bob, [stale]);
    expect(Object.values(voidCodes(await openAs(store, cast.bob)))).toEqual(['NOT_ENROLLED']);
  });
});

it('a leaf larger than leaf data may be: no page, so it is never in a log that anybody accepts, nor in the tiles of one', async () => {
  await appendRaw(store, cast.mallory, [new Uint8Array(65_536).fill(0x78)]);
  expect(await codeOf(openAs(store, cast.bob))).toBe('STORE_INCOMPLETE');
});

describe('recipients', () => {
  it('of a role that nothing can be sealed to, or that somebody has or had', async () => {
    const { vault } = world;
    const by = (recipient: string): ReturnType<typeof entryBy> => entryBy(vault, cast.mallory, 'role.epoch', { role: 'guests', epoch: 1, recipient, provisional: false });
    const pq = (await createIdentity({ person: 'pq', device: 'x', kind: 'human', suite: 'hybrid', now: 1 })).card.recipient;
    expect(await voidsOf(by(recipientOf(new Uint8Array(32))), by(cast.alice.card.recipient), by(cast.mallory.card.recipient), by(vault.policy.roles.get('team')!.epochs[0]!.recipient), by(pq)))
      .toEqual(['WEAK_KEY', 'KEY_TAKEN', 'KEY_TAKEN', 'KEY_TAKEN', 'MIXED_RECIPIENTS']);
  });

  it('a member of no use to anybody does not stop the others: device.add refuses it', async () => {
    const bad = await person('mallory', { device: 'phone' });
    const card = signCard({ person: 'mallory', device: 'phone', kind: 'human', recipient: recipientOf(new Uint8Array(32)), created: 1 }, bad.signingKey);
    expect(await voidsOf(entryBy(world.vault, cast.mallory, 'device.add', { card: card.line }))).toEqual(['WEAK_KEY']);
  });
});

it('an entry appended by an insider counts like any other when it is allowed', async () => {
  const bob = await world.as(cast.bob);
  const entry = bob.sign('secret.open', { scope: ['/'], purpose: 'x', online: true });
  expect(await voidsOf(entry)).toEqual([undefined]);
  expect((await openAs(store, cast.alice, { local: memoryLocal() })).state.digests.has(digestOf(entry))).toBe(true);
});
