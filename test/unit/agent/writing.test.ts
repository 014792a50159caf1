/** What an agent signs for whoever reaches its socket, and what it does not: asked over the socket itself, as any program of its user could. */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { requireAgent } from '../../../packages/core/src/agent/client.js';
import { deputyFor } from '../../../packages/core/src/agent/find.js';
import { serveAgent, type RunningAgent } from '../../../packages/core/src/agent/server.js';
import type { Acts } from '../../../packages/core/src/engine/append.js';
import { enqueue, listQueued } from '../../../packages/core/src/engine/queue.js';
import { VaultError } from '../../../packages/core/src/errors.js';
import {
  appendOrQueue, choresDue, doHousekeeping, findVersion, giveStanding, handoverOffer, openSecrets, proposePolicy, retireVersions, sealBatch, Secret, turnRole, verifyVault, type Policy, type Sealable, type Vault,
} from '../../../packages/core/src/index.js';
import { Session } from '../../../packages/core/src/operations/opening/session.js';
import { toBase64 } from '../../../packages/core/src/primitives/hash.js';
import { tempDir } from '../../support/tmp.js';
import { codeOf, makeVault, memoryLocal, NOW, openAs, people, person, rule, seal, successor, type TestLocal, type World } from '../../support/vaults.js';

const running: RunningAgent[] = [];
afterEach(async () => {
  for (const agent of running.splice(0)) await agent.stop();
});

const item = (name: string, text = 'value'): Sealable => ({ name, kind: 'document', file: Secret.fromText(text), parameters: {}, public: { size: text.length }, origin: 'imported' });

interface Served extends World {
  readonly socket: string;
  /** Where the agent keeps its queue. */
  readonly local: TestLocal;
  /** The vault as a program meets it that has no identity, and the agent. */
  program(names?: readonly string[]): Promise<Vault>;
}

/** alice's agent for `app/`, in a vault where she is admin; bob reads and writes as well. */
async function served({ writes = true, scope = ['app/'], rules = [rule('/', 'team')], custody = {} }: { writes?: boolean; scope?: string[]; rules?: Policy['rules']; custody?: Policy['custody'] } = {}): Promise<Served> {
  const cast = await people('alice', 'bob');
  const world = await makeVault({ people: [cast.alice, cast.bob], roles: { team: ['alice', 'bob'] }, rules, custody });
  await seal(world.vault, 'app/one');
  await seal(world.vault, 'dns/key');
  const local = memoryLocal();
  const session = await Session.begin(await world.as(cast.alice, { local }), { scope, purpose: 'agent' });
  const socket = join(tempDir('agent'), 'a', 's');
  running.push(await serveAgent(session, { socket, until: NOW + 3600, writes }));
  const program = async (names: readonly string[] = scope): Promise<Vault> => {
    const vault = await openAs(world.store, undefined);
    return vault.through((await deputyFor(await requireAgent(socket), vault, names, writes))!);
  };
  return { ...world, socket, local, program };
}

/** The error code of a question, or what was answered. */
async function ask(socket: string, path: string, body: unknown): Promise<unknown> {
  const text = await new Promise<string>((resolve, reject) => {
    const asking = request(`http://x/v1/${path}`, { socketPath: socket, method: 'POST', agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    asking.on('error', reject);
    asking.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const answer = JSON.parse(text) as { error?: { code: string } };
  return answer.error?.code ?? answer;
}

const asked = (vault: string, { acts, files }: Acts, keep = false): object => ({ vault, acts, files: files.map(({ path, bytes }) => ({ path, base64: toBase64(bytes) })), keep });

describe('an agent that writes', () => {
  it('signs what is sealed, retired and offered, in the name of its person, and appends it by itself', async () => {
    const { program, store } = await served();
    const vault = await program();
    expect(vault.identity).toBeUndefined();
    await vault.append(await sealBatch(vault, [item('app/one'), item('app/two')]));
    await retireVersions(vault, [{ name: 'app/one', version: 1 }]);
    const offer = await handoverOffer(vault, { names: ['app/two'], role: 'team' });
    expect(vault.state.handovers.offers.get(offer)?.by).toMatchObject({ person: 'alice' });
    const [one, two] = vault.state.secrets.versions.get('app/one')!;
    expect([one!.retired !== undefined, two!.sealer.person, vault.state.voids.size]).toEqual([true, 'alice', 0]);
    expect((await openSecrets(vault, { secrets: [{ name: 'app/two' }] }))[0]!.file.useText((text) => text)).toBe('value');
    // The program recorded nothing: the session does.
    expect((await openAs(store, undefined)).point).toEqual(vault.point);
    expect((await verifyVault(await openAs(store, undefined))).ok).toBe(true);
  });

  it('gives nothing that could be used elsewhere: digests and the point of the log, no signature', async () => {
    const { program, socket } = await served();
    const vault = await program();
    const answer = await ask(socket, 'append', asked(vault.id, await sealBatch(vault, [item('app/one')])));
    expect(Object.keys(answer as object).sort()).toEqual(['digests', 'root', 'size']);
  });

  it('signs no other op, whatever its body', async () => {
    const { program, socket } = await served({ scope: ['/'] });
    const vault = await program();
    const ops = [...readFileSync('packages/core/src/ops.ts', 'utf8').matchAll(/^ {2}'([a-z]+\.[a-z]+)':/gm)].map(([, op]) => op!);
    expect(ops.length).toBeGreaterThan(15);
    const { point } = vault;
    for (const op of [...ops.filter((each) => !['secret.seal', 'secret.retire', 'handover.offer'].includes(each)), 'no.such', 'constructor']) {
      expect([op, await ask(socket, 'append', { vault: vault.id, acts: [{ op, body: { digest: 'ab'.repeat(32) } }], files: [], keep: false })]).toEqual([op, 'NOT_ALLOWED']);
    }
    await vault.refresh();
    expect(vault.point).toEqual(point);
  });

  it('signs nothing outside of its scope: not to seal, to retire or to offer', async () => {
    const { program, socket, vault: wide } = await served();
    const vault = await program();
    const dns = findVersion(vault, 'dns/key').digest;
    const app = findVersion(vault, 'app/one').digest;
    const acts = async (...which: Acts['acts']): Promise<unknown> => ask(socket, 'append', asked(vault.id, { acts: which, files: [] }));
    expect(await ask(socket, 'append', asked(vault.id, await sealBatch(wide, [item('dns/key')])))).toBe('NOT_ALLOWED');
    expect(await ask(socket, 'append', asked(vault.id, await sealBatch(wide, [item('app/one'), item('dns/new')])))).toBe('NOT_ALLOWED');
    expect(await acts({ op: 'secret.retire', body: { statement: dns } })).toBe('NOT_ALLOWED');
    expect(await acts({ op: 'handover.offer', body: { targets: [app, dns].sort(), paths: ['app/one'], role: 'team', reason: '' } })).toBe('NOT_ALLOWED');
    expect(await acts({ op: 'handover.offer', body: { targets: [app], paths: ['/'], role: 'team', reason: '' } })).toBe('NOT_ALLOWED');
    expect(await acts({ op: 'secret.retire', body: { statement: 'ab'.repeat(32) } })).toBe('VERSION_NOT_FOUND');
    await wide.refresh();
    expect(wide.point).toEqual(vault.point);
  });

  it('takes no question that is malformed, for another vault, or without the files that it names', async () => {
    const { program, socket } = await served();
    const vault = await program();
    const good = await sealBatch(vault, [item('app/one')]);
    const body = asked(vault.id, good) as { acts: { op: string; body: { statement: object } }[]; files: { path: string; base64: string }[] };
    const [act] = body.acts;
    const [file] = body.files;
    for (const [change, code] of [
      [{ vault: 'ab'.repeat(32) }, 'WRONG_VAULT'],
      [{ vault: undefined }, 'USAGE'],
      [{ keep: undefined }, 'USAGE'],
      [{ more: 1 }, 'USAGE'],
      [{ acts: [] }, 'USAGE'],
      [{ acts: [{ ...act, actor: { person: 'bob', device: 'laptop' } }] }, 'USAGE'],
      [{ acts: [{ ...act, body: { ...act!.body, more: 1 } }] }, 'USAGE'],
      [{ acts: [{ ...act, body: { statement: { ...act!.body.statement, more: 1 } } }] }, 'USAGE'],
      [{ acts: [{ ...act, body: { statement: { ...act!.body.statement, version: 1.5 } } }] }, 'USAGE'],
      [{ files: [] }, 'BLOB_MISSING'],
      [{ files: [{ ...file, base64: toBase64(new Uint8Array(10)) }] }, 'HASH_MISMATCH'],
      [{ files: [file, { path: 'log/checkpoint', base64: file!.base64 }] }, 'HASH_MISMATCH'],
      [{ files: [{ ...file, base64: 'no base64' }] }, 'USAGE'],
    ] as const) {
      expect([change, await ask(socket, 'append', { ...body, ...change })]).toEqual([change, code]);
    }
    expect(await ask(socket, 'append', 'no json')).toBe('USAGE');
    // What the log itself refuses is refused here: readers of the sealer's choice, a version out of its turn.
    const statement = act!.body.statement as { readers: object[]; version: number };
    expect(await ask(socket, 'append', { ...body, acts: [{ ...act, body: { statement: { ...statement, readers: [{ ...statement.readers[0], role: 'other' }] } } }] })).toBe('READERS_MISMATCH');
    await vault.refresh();
    expect(vault.state.secrets.versions.get('app/one')).toHaveLength(1);
    expect(await ask(socket, 'append', body)).toMatchObject({ size: vault.point.size + 1 });
  });

  it('does not do twice what is asked twice', async () => {
    const { program, socket } = await served();
    const vault = await program();
    const question = asked(vault.id, await sealBatch(vault, [item('app/one')]));
    const retire = asked(vault.id, { acts: [{ op: 'secret.retire', body: { statement: findVersion(vault, 'app/one').digest } }], files: [] });
    expect(await ask(socket, 'append', question)).toMatchObject({ digests: [expect.any(String)] });
    expect(await ask(socket, 'append', question)).toBe('RACE_LOST');
    expect(await ask(socket, 'append', retire)).toMatchObject({ digests: [expect.any(String)] });
    expect(await ask(socket, 'append', retire)).toBe('ALREADY_DONE');
  });

  it('looks for news before it judges, and at what a program has seen that it has not', async () => {
    const { program, vault: wide } = await served();
    await seal(wide, 'app/one', 'second');
    const vault = await program();
    expect((await openSecrets(vault, { secrets: [{ name: 'app/one' }] }))[0]!.version).toBe(2);
    await seal(wide, 'app/one', 'third');
    await vault.refresh();
    await vault.append(await sealBatch(vault, [item('app/one')]));
    expect(vault.state.secrets.versions.get('app/one')).toHaveLength(4);
  });

  it('keeps what cannot be written now, where it is to be kept, and sends it with the next', async () => {
    const { program, store, local } = await served();
    const vault = await program();
    const put = store.putNew.bind(store);
    store.putNew = () => Promise.reject(new VaultError('STORE_IO', 'read-only'));
    expect(await codeOf(vault.append(await sealBatch(vault, [item('app/one')])))).toBe('STORE_IO');
    expect(await listQueued(local, vault.id, 'queue')).toHaveLength(0);
    expect(await appendOrQueue(vault, await sealBatch(vault, [item('app/one')]))).toMatchObject({ code: 'STORE_IO', message: 'read-only' });
    expect(await listQueued(local, vault.id, 'queue')).toHaveLength(1);
    store.putNew = put;
    expect((await doHousekeeping(vault)).appended).toEqual(['secret.seal']);
    expect([vault.state.secrets.versions.get('app/one')?.length, await listQueued(local, vault.id, 'queue')]).toEqual([2, []]);
  });

  it('keeps and tells what waited and is not allowed any more', async () => {
    const { program, vault: wide, local } = await served();
    const vault = await program();
    const old = wide.signed(await sealBatch(wide, [item('app/one')]));
    await enqueue(local, wide.id, old.entries[0]!, old.files);
    await seal(wide, 'app/one', 'first');
    expect((await doHousekeeping(vault)).rejected).toMatchObject([{ op: 'secret.seal', person: 'alice' }]);
  });
});

describe('a store that does not show what the agent has written', () => {
  it('is found out by the program that asked for it', async () => {
    const { program, store } = await served();
    const vault = await program();
    const old = await store.get('log/checkpoint');
    const get = store.get.bind(store);
    let stale = false;
    store.get = (path) => (stale && path === 'log/checkpoint' ? Promise.resolve(old) : get(path));
    const deputy = vault.deputy!;
    const through = vault.through({ ...deputy, append: async (acts, options) => {
      const done = await deputy.append(acts, options);
      stale = true;
      return done;
    } });
    expect(await codeOf(through.append(await sealBatch(through, [item('app/one')])))).toBe('ROLLBACK');
    // For the end of its session.
    stale = false;
  });
});

describe('an agent that only opens', () => {
  it('appends and sends nothing', async () => {
    const { program, socket } = await served({ writes: false });
    const vault = await program();
    const question = asked(vault.id, await sealBatch(vault, [item('app/one')]));
    expect(await ask(socket, 'append', question)).toBe('NOT_ALLOWED');
    expect(await ask(socket, 'drain', { vault: vault.id })).toBe('NOT_ALLOWED');
    expect((await openSecrets(vault, { secrets: [{ name: 'app/one' }] }))[0]!.version).toBe(1);
  });
});

describe('who acts through an agent', () => {
  it('acts for the person and the vault that it serves, within its scope and for what it does', async () => {
    const { store, socket } = await served();
    const other = await makeVault({ people: [await person('alice')], salt: 'other' });
    const agent = await requireAgent(socket);
    const vault = await openAs(store, undefined);
    const may = async (of: Vault, names: readonly string[], write = true): Promise<string | undefined> => (await deputyFor(agent, of, names, write))?.card.person;
    expect(await may(vault, ['app/one', 'app/'])).toBe('alice');
    expect(await may(vault, [])).toBe('alice');
    expect(await may(vault, ['app/one', 'dns/key'])).toBeUndefined();
    expect(await may(vault, ['/'])).toBeUndefined();
    expect(await may(other.vault, ['app/one'])).toBeUndefined();
    const reader = await requireAgent((await served({ writes: false })).socket);
    expect(await deputyFor(reader, vault, ['app/one'], true)).toBeUndefined();
    expect(await deputyFor({ ...agent, found: { ...agent.found, device: 'phone' } }, vault, ['app/one'], true)).toBeUndefined();
    expect(await deputyFor({ ...agent, found: { ...agent.found, writes: undefined } }, vault, ['app/one'], true)).toBeUndefined();
  });

  it('cannot do what takes the identity itself, and says what of it waits', async () => {
    const { program, vault: wide, as } = await served({ scope: ['/'] });
    const vault = await program();
    for (const work of [() => proposePolicy(vault, successor(vault)), () => turnRole(vault, 'team'), () => giveStanding(vault, 'bob', ['app/'], NOW + 10), () => vault.sign('handover.consent', {})]) {
      expect(await codeOf(work)).toBe('IDENTITY_NOT_FOUND');
    }
    expect(choresDue(vault)).toEqual([]);
    const dora = await person('dora');
    await proposePolicy(wide, successor(wide, { persons: { ...wide.policy.policy.persons, dora: { cards: [dora.card.line] } }, roles: { team: { members: ['alice', 'bob', 'dora'] }, dba: { members: ['alice'] } } }));
    const later = await program();
    const done = await doHousekeeping(later);
    expect(done.left).toEqual(['make the first key of role dba', 'grant dora the key of role team']);
    expect([done.granted, done.made]).toEqual([[], []]);
    expect((await doHousekeeping(await as((await people('alice')).alice))).granted).toEqual([{ role: 'team', person: 'dora' }]);
  });
});
