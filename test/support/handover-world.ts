/** Two teams with real keys and files, as they stand before a handover: a root under custody of three teams' people, and what is not. */
import { acknowledgeShares } from '../../packages/core/src/operations/custody/custodian.js';
import { grantMissing, turnDueKeys } from '../../packages/core/src/operations/people/members.js';
import { makeMissingKeys } from '../../packages/core/src/operations/people/init.js';
import { completeHandover, consentTo, materialKind, openSecrets, planConsent, proposePolicy, releaseDue, requestHandover, sealBatch, successorBase, type Handover, type Identity, type Policy, type RequestOptions, type Vault } from '../../packages/core/src/index.js';
import type { Store } from '../../packages/core/src/ports.js';
import { memoryLocal, makeVault, NOW, openAs, people, rule, type TestLocal } from './vaults.js';

export const PEOPLE = ['alice', 'bob', 'carol', 'dora', 'erin', 'frank', 'grace'] as const;
export type Who = (typeof PEOPLE)[number];

export interface HandoverWorld {
  readonly store: Store;
  readonly cast: Record<Who, Identity>;
  readonly locals: Record<Who, TestLocal>;
  /** The vault as this person meets it now. */
  as(who: Who, now?: number): Promise<Vault>;
  policy(change: (base: Policy) => Partial<Policy>): Promise<void>;
}

export interface WorldOptions {
  readonly admins?: readonly Who[];
  readonly threshold?: number;
  readonly store?: Store;
  /** Changes the first policy's rules. */
  readonly rules?: Policy['rules'];
}

/** Seals a value that a material's generator makes. */
export async function generate(vault: Vault, name: string, kindName: Parameters<typeof materialKind>[0], parameters: Record<string, string> = {}): Promise<void> {
  const kind = await materialKind(kindName);
  const material = await kind.generate!(kind.parameters(parameters), { now: vault.clock.now(), name });
  await vault.append(await sealBatch(vault, [{ name, ...material, origin: 'generated' }]));
}

/** infra owns `/`; `pki/root` is split 2 of alice bob erin AND 1 of frank grace and acknowledged; platform has its own key. */
export async function handoverWorld(options: WorldOptions = {}): Promise<HandoverWorld> {
  const cast = await people(...PEOPLE);
  const locals = Object.fromEntries(PEOPLE.map((who) => [who, memoryLocal()])) as Record<Who, TestLocal>;
  const world = await makeVault({
    people: Object.values(cast), admins: options.admins ?? ['alice'], threshold: options.threshold ?? 1, local: locals.alice, ...(options.store ? { store: options.store } : {}),
    roles: { infra: ['alice', 'bob'], platform: { members: ['carol', 'dora'] }, security: ['erin', 'frank', 'grace'] },
    custody: { 'pki-root': { need: 2, of: [{ need: 2, of: ['alice', 'bob', 'erin'] }, { need: 1, of: ['frank', 'grace'] }] }, 'platform-root': { need: 2, of: ['carol', 'dora', 'frank'] } },
    rules: options.rules ?? [
      rule('/', 'infra'),
      { path: 'pki/root', owners: ['infra'], writers: ['infra'], consents: 1, custody: 'pki-root' },
    ],
  });
  const as = (who: Who, now = NOW): Promise<Vault> => openAs(world.store, cast[who], { local: locals[who], now });
  for (const who of ['alice', 'carol', 'erin'] as const) {
    const vault = await as(who);
    await turnDueKeys(vault);
    await makeMissingKeys(vault);
    await grantMissing(vault);
  }
  const alice = await as('alice');
  await generate(alice, 'pki/root', 'ssh-ca');
  await generate(alice, 'dns/key', 'tsig', { key: 'external-dns.' });
  await generate(alice, 'app/password', 'password');
  for (const who of ['alice', 'bob', 'frank'] as const) await acknowledgeShares(await as(who));
  return {
    store: world.store, cast, locals, as,
    policy: async (change) => {
      const vault = await as('alice');
      const base = successorBase(vault.policy);
      await proposePolicy(vault, { ...base, ...change(base) });
    },
  };
}

export const ALL: RequestOptions = { names: ['pki/root', 'dns/key'], role: 'platform', custody: 'platform-root', reason: 'go-live' };

export async function requested(world: HandoverWorld, options: RequestOptions = ALL, by: Who = 'carol'): Promise<Handover> {
  return requestHandover(await world.as(by), options);
}

export async function consented(world: HandoverWorld, id: string, who: readonly Who[] = ['alice', 'bob', 'frank']): Promise<void> {
  for (const each of who) {
    const vault = await world.as(each);
    await consentTo(vault, await planConsent(vault, id));
  }
}

export async function released(world: HandoverWorld, who: readonly Who[] = ['alice', 'bob', 'frank']): Promise<void> {
  for (const each of who) {
    const { faults } = await releaseDue(await world.as(each));
    if (faults[0]) throw faults[0];
  }
}

/** Everything up to the receipt. */
export async function completed(world: HandoverWorld, options: RequestOptions = ALL): Promise<string> {
  const { digest } = await requested(world, options);
  const custody = options.custody !== undefined;
  await consented(world, digest, custody ? ['alice', 'bob', 'frank'] : ['alice']);
  await released(world, custody ? ['alice', 'bob', 'frank'] : ['alice']);
  await completeHandover(await world.as('carol'), digest);
  return digest;
}

export async function valueOf(vault: Vault, name: string, version?: number): Promise<string> {
  const [opened] = await openSecrets(vault, { secrets: [version === undefined ? { name } : { name, version }] });
  return opened!.file.useText((text) => text);
}
