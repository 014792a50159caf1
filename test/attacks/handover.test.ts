/** What a requester, a custodian, an admin or a thief of push rights tries against a handover. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  abortHandover, completeHandover, consentTo, doHousekeeping, finalizeHandover, makeMissingKeys, planConsent, proposePolicy, releaseDue, releaseTo, successorBase, requestHandover, sealBatch, Secret, showHandover, taintsOf, verifyHandover, verifyVault, type Identity, type Vault,
} from '../../packages/core/src/index.js';
import { custodyOf, leafOf } from '../../packages/core/src/custody/state.js';
import type { SignedEntry } from '../../packages/core/src/audit/entry.js';
import { authorityNow, findHandover } from '../../packages/core/src/operations/handover/find.js';
import { bindsDigest } from '../../packages/core/src/handover/binds.js';
import { recipientDigest, releasePath } from '../../packages/core/src/handover/release.js';
import { acknowledgeShares } from '../../packages/core/src/operations/custody/custodian.js';
import { hasOneTime } from '../../packages/core/src/operations/handover/one-time.js';
import { makeVersion } from '../../packages/core/src/operations/sealing/seal.js';
import { ageEncrypt } from '../../packages/core/src/primitives/age.js';
import { sha256Hex } from '../../packages/core/src/primitives/hash.js';
import type { Store } from '../../packages/core/src/ports.js';
import { versionOf } from '../../packages/core/src/seal/state.js';
import { directoryStore } from '../../packages/core/src/stores/index.js';
import { withLock } from '../../packages/core/src/stores/lock.js';
import { ALL, completed, consented, generate, handoverWorld, released, requested, valueOf, type HandoverWorld, type Who } from '../support/handover-world.js';
import { tempDir } from '../support/tmp.js';
import { appendRaw, codeOf, copyOf, digestOf, entryBy, failure, flip, NOW, openAs, person, rawStore, rule, voidCodes, type RawStore } from '../support/vaults.js';

let template: RawStore;
let base: HandoverWorld;
let store: RawStore;
let world: HandoverWorld;

// Making the teams takes a while; every test gets a copy of them.
beforeAll(async () => {
  template = rawStore();
  base = await handoverWorld({ store: template });
});
beforeEach(() => {
  store = copyOf(template);
  const as = (who: Who, now = NOW): Promise<Vault> => openAs(store, base.cast[who], { local: base.locals[who], now });
  for (const local of Object.values(base.locals)) local.files.clear();
  world = { ...base, store, as, policy: async (change) => {
    const vault = await as('alice');
    const from = successorBase(vault.policy);
    await proposePolicy(vault, { ...from, ...change(from) });
  } };
});

/** What becomes of a leaf that somebody appends with an editor: the code under which it is void. */
async function forced(by: Who | Identity, entry: SignedEntry): Promise<string | undefined> {
  const who = typeof by === 'string' ? world.cast[by] : by;
  await appendRaw(store, who, [entry]);
  const vault = await openAs(store, world.cast.grace);
  return Object.values(voidCodes(vault)).at(-1);
}

const binds = (vault: Vault, id: string): string => bindsDigest(findHandover(vault, id), authorityNow(vault));
const statementOf = (vault: Vault, name: string, version = 1): string => versionOf(vault.state.secrets, name, version)!.digest;
const handed = (): string[] => [...store.files.keys()].filter((path) => path.startsWith('handovers/'));

describe('consents and releases', () => {
  it('a consent given to one request, shown for another, or a release where a consent belongs', async () => {
    const one = (await requested(world)).digest;
    const two = (await requested(world)).digest;
    await consented(world, one);
    const alice = await world.as('alice');
    const given = findHandover(alice, one).consents[0]!;
    const again = entryBy(alice, world.cast.alice, 'handover.consent', { request: two, leaves: given.leaves, ownership: given.ownership, binds: given.binds });
    expect(await forced('alice', again)).toBe('CONSENT_STALE');
    const share = leafOf(custodyOf(alice.state.custody, statementOf(alice, 'pki/root'))!, 'alice')!;
    const releaseFor = (request: string, consents: readonly string[]): SignedEntry => entryBy(alice, world.cast.alice, 'handover.release', {
      request, consents: [...consents].sort(), keys: [],
      shares: [{ statement: statementOf(alice, 'pki/root'), path: share.path, commitment: share.commitment, recipient: recipientDigest(findHandover(alice, request).request.recipient), blob: { sha256: 'ab'.repeat(32), size: 1 } }],
    });
    const consents = findHandover(alice, one).consents.map((c) => c.digest);
    expect(await forced('alice', releaseFor(two, consents))).toBe('CONSENT_STALE');
    await released(world);
    const now = await world.as('alice');
    // A release is no consent, and no consent is a release.
    expect(await forced('alice', releaseFor(two, [findHandover(now, one).releases[0]!.digest]))).toBe('CONSENT_STALE');
    expect(await forced('carol', entryBy(now, world.cast.carol, 'handover.complete', { request: one, releases: [...consents].sort(), targets: findHandover(now, one).targets.map((t) => ({ old: t.statement, new: null, checks: [{ check: 'x', ok: false }] })) }))).toBe('NEEDS_CONSENT');
  });

  it('the one-time recipient of a request, swapped by whoever holds the store', async () => {
    const vault = await world.as('carol');
    const thief = await person('thief');
    const { digest } = await requested(world);
    const { request } = findHandover(await world.as('carol'), digest);
    const genuine = entryBy(vault, world.cast.carol, 'handover.request', request);
    const line = JSON.parse(new TextDecoder().decode(genuine.line)) as { payload: string };
    const payload = Buffer.from(line.payload, 'base64').toString().replace(request.recipient, thief.card.recipient);
    const swapped = new TextEncoder().encode(JSON.stringify({ ...line, payload: Buffer.from(payload).toString('base64') }));
    await appendRaw(store, world.cast.grace, [swapped]);
    expect(Object.values(voidCodes(await openAs(store, world.cast.grace)))).toEqual(['BAD_SIGNATURE']);
    // In her own name the thief has no right to ask.
    expect(await forced('frank', entryBy(vault, world.cast.frank, 'handover.request', { ...request, recipient: thief.card.recipient }))).toBe('NOT_ALLOWED');
  });

  it('consents to two requests that both run out: no share has left anybody', async () => {
    const one = (await requested(world)).digest;
    const two = (await requested(world)).digest;
    await consented(world, one, ['alice', 'frank']);
    await consented(world, two, ['bob', 'grace']);
    const late = NOW + 30 * 86_400;
    for (const who of ['alice', 'bob', 'frank', 'grace'] as const) {
      expect((await doHousekeeping(await world.as(who, late))).released).toEqual([]);
      const vault = await world.as(who, late);
      for (const id of [one, two]) expect(await codeOf(releaseTo(vault, findHandover(vault, id)))).toBe('EXPIRED');
      for (const id of [one, two]) expect(await codeOf(completeHandover(await world.as('carol', late), id))).toBe('EXPIRED');
    }
    expect(handed()).toEqual([]);
    // An entry that claims an earlier time is judged by what it claims: its signer lies, and can only give what is theirs.
    expect(showHandover(await world.as('grace', late), one)).toMatchObject({ blocked: { code: 'EXPIRED' } });
  });

  it('rotated between request and complete: refused, and nothing is reverted', async () => {
    const { digest } = await requested(world);
    await consented(world, digest);
    await released(world);
    const alice = await world.as('alice');
    await generate(alice, 'dns/key', 'tsig', { key: 'external-dns.' });
    const value = await valueOf(alice, 'dns/key');
    expect(await codeOf(completeHandover(await world.as('carol'), digest))).toBe('RACE_LOST');
    expect(await codeOf(planConsent(await world.as('erin'), digest))).toBe('RACE_LOST');
    expect(await valueOf(await world.as('bob'), 'dns/key')).toBe(value);
    expect(await hasOneTime(await world.as('carol'), digest)).toBe(true);
  });

  it('members, rules or tree change between consent and release: given again; anything else leaves it valid', async () => {
    const { digest } = await requested(world);
    await consented(world, digest);
    await world.policy((p) => ({ roles: { ...p.roles, security: { members: ['erin', 'frank'] } } }));
    await released(world, ['alice']);
    expect(handed()).toHaveLength(2);
    await world.policy((p) => ({ roles: { ...p.roles, platform: { members: ['carol', 'dora', 'grace'] } } }));
    const bob = await world.as('bob');
    expect(await codeOf(releaseTo(bob, findHandover(bob, digest)))).toBe('NEEDS_CONSENT');
    expect((await releaseDue(bob)).released).toEqual([]);
    await consented(world, digest);
    await released(world, ['bob', 'frank']);
    expect((await completeHandover(await world.as('carol'), digest)).targets).toHaveLength(2);
  });
});

describe('who asks', () => {
  it('a custodian of the target; for a use their own consent does not count', async () => {
    await world.policy((p) => ({ roles: { ...p.roles, platform: { members: ['carol', 'dora', 'frank'] } } }));
    expect(await codeOf(requestHandover(await world.as('frank'), ALL))).toBe('NOT_ALLOWED');
    const use = await requestHandover(await world.as('bob'), { names: ['pki/root'], use: true });
    await consented(world, use.digest, ['alice', 'bob', 'grace']);
    for (const who of ['alice', 'bob', 'grace'] as const) {
      const vault = await world.as(who);
      expect(await codeOf(releaseTo(vault, findHandover(vault, use.digest)))).toBe('NEEDS_CONSENT');
    }
    await consented(world, use.digest, ['erin']);
    const bob = await world.as('bob');
    expect(await releaseTo(bob, findHandover(bob, use.digest))).toMatchObject({ shares: ['pki/root'] });
  });

  it('a destination whose key its steward still holds, or somebody who has left', async () => {
    await world.policy((p) => ({ roles: { ...p.roles, web: { members: ['dora'], steward: 'alice' } } }));
    await makeMissingKeys(await world.as('alice'));
    const web = { names: ['dns/key'], role: 'web' };
    const first = (await openAs(store, world.cast.dora)).policy.roles.get('web');
    expect(first).toBeDefined();
    expect(first!.epochs[0]!.provisional).toBe(true);
    expect(await codeOf(requestHandover(await world.as('dora'), web))).toBe('EPOCH_STALE');
    await world.policy((p) => ({ roles: { ...p.roles, platform: { members: ['dora'] } } }));
    expect(await codeOf(requestHandover(await world.as('dora'), { names: ['dns/key'], role: 'platform' }))).toBe('EPOCH_STALE');
  });
});

describe('what is delivered', () => {
  it('a key that does not match its public parts: not handed over, and that is on the record', async () => {
    const alice = await world.as('alice');
    // A sealer who lies about what is in the file.
    const { statement } = versionOf(alice.state.secrets, 'dns/key', 1)!;
    await alice.append(await sealBatch(alice, [{ name: 'dns/key', kind: 'tsig', file: Secret.fromText('key "other." { algorithm hmac-sha256; secret "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; };\n'), parameters: statement.parameters, public: statement.public, origin: 'imported' }]));
    const { digest: id } = await requested(world, { names: ['dns/key'], role: 'platform' });
    await consented(world, id, ['alice']);
    await released(world, ['alice']);
    const fault = await failure(completeHandover(await world.as('carol'), id));
    expect(fault).toMatchObject({ code: 'SELF_CHECK_FAILED', details: [expect.stringContaining('public parts match')] });
    const vault = await world.as('bob');
    expect(showHandover(vault, id)).toMatchObject({ stage: 'failed', targets: [{ outcome: { pending: false, checks: expect.arrayContaining([{ check: 'public parts match', ok: false }]) } }] });
    expect(versionOf(vault.state.secrets, 'dns/key', 3)).toBeUndefined();
    expect(taintsOf(vault, statementOf(vault, 'dns/key', 2))).toHaveLength(1);
    expect((await verifyHandover(vault, id)).checks.find((c) => c.check.includes('failed its checks'))).toMatchObject({ ok: true, detail: expect.stringContaining('public parts match') });
    // The same again says the same, and writes nothing.
    const { size } = vault.point;
    expect(await codeOf(completeHandover(await world.as('carol'), id))).toBe('SELF_CHECK_FAILED');
    expect((await world.as('bob')).point.size).toBe(size);
  });

  it('one of two: the other is handed over all the same', async () => {
    const alice = await world.as('alice');
    const { statement } = versionOf(alice.state.secrets, 'dns/key', 1)!;
    await alice.append(await sealBatch(alice, [{ name: 'dns/key', kind: 'tsig', file: Secret.fromText('nonsense'), parameters: statement.parameters, public: statement.public, origin: 'imported' }]));
    const id = await completed(world);
    expect(showHandover(await world.as('alice'), id)).toMatchObject({ stage: 'completed', targets: [{ name: 'dns/key', outcome: { pending: false } }, { name: 'pki/root', outcome: { version: 2, pending: true } }] });
    expect((await world.as('alice')).ruleFor('dns/key')?.owners).toEqual(['infra']);
  });

  it('a share that a custodian has spoilt: named, and another custodian can step in', async () => {
    const { digest } = await requested(world, { ...ALL, names: ['pki/root'] });
    await consented(world, digest, ['alice', 'bob', 'erin', 'frank']);
    const alice = await world.as('alice');
    const handover = findHandover(alice, digest);
    const leaf = leafOf(custodyOf(alice.state.custody, handover.targets[0]!.statement)!, 'alice')!;
    const bytes = await ageEncrypt(new TextEncoder().encode(`oxp-share/v1 ${alice.id} pki/root 1 ${leaf.path} ${Buffer.alloc(33, 7).toString('base64')}\n`), [handover.request.recipient]);
    const blob = { sha256: sha256Hex(bytes), size: bytes.length };
    await alice.append({ entries: [alice.sign('handover.release', {
      request: digest, consents: handover.consents.map((c) => c.digest).sort(), keys: [],
      shares: [{ statement: handover.targets[0]!.statement, path: leaf.path, commitment: leaf.commitment, recipient: recipientDigest(handover.request.recipient), blob }],
    })], files: [{ path: releasePath(digest, 'alice', blob.sha256), bytes }] });
    await released(world, ['bob', 'frank']);
    expect(await failure(completeHandover(await world.as('carol'), digest))).toMatchObject({ code: 'SHARE_MISMATCH', message: expect.stringContaining('alice') });
    const erin = await world.as('erin');
    await releaseTo(erin, findHandover(erin, digest));
    expect((await completeHandover(await world.as('carol'), digest)).targets).toMatchObject([{ version: 2, pending: true }]);
  });

  it('a released file changed or taken away in the store: named, nothing is handed over', async () => {
    const { digest } = await requested(world, { names: ['dns/key'], role: 'platform' });
    await consented(world, digest, ['alice']);
    await released(world, ['alice']);
    const [path] = handed();
    const whole = store.files.get(path!)!.slice();
    flip(store.files, path!);
    expect(await failure(completeHandover(await world.as('carol'), digest))).toMatchObject({ code: 'HASH_MISMATCH', message: expect.stringContaining('alice') });
    store.files.delete(path!);
    expect(await codeOf(completeHandover(await world.as('carol'), digest))).toBe('BLOB_MISSING');
    expect((await verifyVault(await world.as('grace'))).missing.map((f) => f.path)).toEqual([path]);
    store.files.set(path!, whole);
    expect((await completeHandover(await world.as('carol'), digest)).targets).toMatchObject([{ version: 2 }]);
  });

  it('sealed by its receiver to more than its destination: void, whatever the client', async () => {
    const { digest } = await requested(world, { names: ['dns/key'], role: 'platform' });
    await consented(world, digest, ['alice']);
    await released(world, ['alice']);
    const carol = await world.as('carol');
    const old = versionOf(carol.state.secrets, 'dns/key', 1)!;
    const made = await makeVersion(carol, { ...old.statement, file: Secret.fromText('x'), origin: { resealOf: old.digest } }, { path: '/', owners: ['platform'], writers: ['platform'], readers: ['platform', 'security'] });
    const entry = entryBy(carol, world.cast.carol, 'handover.complete', { request: digest, releases: findHandover(carol, digest).releases.map((r) => r.digest), targets: [{ old: old.digest, new: made.statement, checks: [{ check: 'x', ok: true }] }] });
    expect(await forced('carol', entry)).toBe('READERS_MISMATCH');
    expect(digestOf(entry)).toHaveLength(64);
  });
});

describe('between complete and finalize', () => {
  it('the givers\' next seal cannot undo it, nor can the receivers loosen it', async () => {
    await completed(world);
    for (const [who, name] of [['alice', 'dns/key'], ['bob', 'pki/root']] as const) {
      const vault = await world.as(who);
      expect(await codeOf(sealBatch(vault, [{ name, kind: 'document', file: Secret.fromText('x'), parameters: {}, public: { size: 1 }, origin: 'imported' }])), name).toBe('NOT_ALLOWED');
    }
    // To its whole role instead of its custodians, with an editor.
    const carol = await world.as('carol');
    const last = versionOf(carol.state.secrets, 'pki/root', 2)!;
    const made = await makeVersion(carol, { name: 'pki/root', kind: 'document', file: Secret.fromText('x'), parameters: {}, public: {}, origin: 'imported' }, { path: '/', owners: ['platform'], writers: ['platform'], readers: ['platform'] });
    expect(made.statement.previous).toBe(last.digest);
    expect(await forced('carol', entryBy(carol, world.cast.carol, 'secret.seal', { statement: made.statement }))).toBe('READERS_MISMATCH');
    // The client goes by the rule in effect, and splits it.
    const batch = await sealBatch(carol, [{ name: 'pki/root', kind: 'document', file: Secret.fromText('x'), parameters: {}, public: { size: 1 }, origin: 'imported' }]);
    expect(batch.sealed[0]!.statement).toMatchObject({ custody: { group: 'platform-root' } });
  });

  it('an admin takes the receivers\' role or group away: refused', async () => {
    await completed(world);
    const without = async (change: Parameters<HandoverWorld['policy']>[0]): Promise<string> => codeOf(world.policy(change));
    expect(await without((p) => ({ custody: { 'pki-root': p.custody['pki-root']! } }))).toBe('WOULD_STRAND');
    expect(await without((p) => ({ roles: { infra: p.roles['infra']!, security: p.roles['security']! }, abandon: { secrets: [], roles: ['platform'] } }))).toBe('WOULD_STRAND');
  });

  it('finalize, or destroying the one-time identity, before the new custodians have acknowledged', async () => {
    const id = await completed(world);
    await doHousekeeping(await world.as('carol'));
    expect(await hasOneTime(await world.as('carol'), id)).toBe(true);
    expect(await codeOf(finalizeHandover(await world.as('carol'), id))).toBe('PENDING');
    const carol = await world.as('carol');
    expect(await forced('carol', entryBy(carol, world.cast.carol, 'handover.finalize', { request: id, policy: carol.policy.digest, unrotated: [] }))).toBe('PENDING');
    for (const who of ['carol', 'dora'] as const) await acknowledgeShares(await world.as(who));
    await doHousekeeping(await world.as('carol'));
    expect(await hasOneTime(await world.as('carol'), id)).toBe(false);
  });

  it('the new custodians never acknowledge: abort takes the root back, the rest is finalized, nobody is locked out', async () => {
    const before = await valueOf(await world.as('alice'), 'dns/key');
    const id = await completed(world);
    await abortHandover(await world.as('carol'), id);
    expect(await valueOf(await world.as('dora'), 'dns/key')).toBe(before);
    expect(await codeOf(finalizeHandover(await world.as('alice'), id))).toBe('NOT_ALLOWED');
    expect(await finalizeHandover(await world.as('dora'), id)).toMatchObject({ done: true });
    const vault = await world.as('alice');
    expect(vault.ruleFor('pki/root')).toMatchObject({ owners: ['infra'], custody: 'pki-root' });
    // The old version is the newest that counts, opens with its old custodians, and can be asked for again.
    const again = await requested(world, { ...ALL, names: ['pki/root'] });
    await consented(world, again.digest);
    await released(world);
    expect((await completeHandover(await world.as('carol'), again.digest)).targets).toMatchObject([{ version: 3, pending: true }]);
    expect(await acknowledgeShares(await world.as('carol'))).toMatchObject([{ name: 'pki/root', version: 3 }]);
  });
});

it('a consenter who was shown one thing cannot be made to sign another', async () => {
  const { digest } = await requested(world);
  const alice = await world.as('alice');
  const plan = await planConsent(alice, digest);
  await world.policy((p) => ({ rules: p.rules.map((r) => (r.path === '/' ? rule('/', 'infra', { consents: 2 }) : r)) }));
  await alice.refresh();
  expect(await codeOf(consentTo(alice, plan))).toBe('CONSENT_STALE');
  expect(binds(alice, digest)).not.toBe(plan.binds);
});

describe('a receiver who can read the directory of the vault', () => {
  /** The vault in a directory, with what `race` does right before alice's page is written. */
  async function inDirectory(race: (carol: () => Promise<Vault>, id: string, dir: string) => Promise<void>): Promise<{ dir: string; fault: string | undefined; left: readonly string[] }> {
    const { digest } = await requested(world);
    await consented(world, digest);
    const dir = join(tempDir('shared'), 'vault');
    for (const [path, bytes] of store.files) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), bytes);
    }
    const own = directoryStore(dir, { lockPatience: 50 });
    let raced = false;
    const alices: Store = {
      address: own.address, get: (path) => own.get(path), list: (prefix) => own.list(prefix), remove: (path) => own.remove(path),
      swapCheckpoint: (old, next) => own.swapCheckpoint(old, next), swapCheckpointWith: (old, next, files) => own.swapCheckpointWith!(old, next, files),
      putNew: async (path, bytes) => {
        if (!raced && path.startsWith('log/')) {
          raced = true;
          await race(() => openAs(directoryStore(dir), base.cast.carol), digest, dir);
        }
        await own.putNew(path, bytes);
      },
    };
    const alice = await openAs(alices, base.cast.alice);
    const { faults } = await releaseDue(alice);
    return { dir, fault: faults[0]?.code, left: await own.list('handovers/') };
  }

  it('gets nothing of a release that loses against an abort', async () => {
    const { fault, left } = await inDirectory(async (carol, id) => void (await abortHandover(await carol(), id, 'now')));
    expect({ fault, left }).toEqual({ fault: 'ALREADY_DONE', left: [] });
  });

  it('gets nothing by holding the lock', async () => {
    let free = (): void => undefined;
    let holding = Promise.resolve();
    const { fault, left } = await inDirectory(async (_, __, dir) => {
      await new Promise<void>((held) => {
        holding = withLock(dir, () => new Promise<void>((resolve) => {
          free = resolve;
          held();
        }));
      });
    });
    free();
    await holding;
    expect({ fault, left }).toEqual({ fault: 'LOCKED', left: [] });
  });

  it('gets what is in the log', async () => {
    const { dir, fault, left } = await inDirectory(async () => undefined);
    expect(fault).toBeUndefined();
    expect(left).toHaveLength(2);
    const { handovers } = (await openAs(directoryStore(dir), base.cast.carol)).state.handovers;
    expect([...handovers.values()].map(({ releases }) => releases.length)).toEqual([1]);
  });
});
