/** A vault in memory with people who work in it, each on a machine of their own. */
import { initVault } from '../../packages/core/src/operations/people/init.js';
import { makeMissingKeys } from '../../packages/core/src/operations/people/init.js';
import { grantMissing, successorBase, turnDueKeys } from '../../packages/core/src/operations/people/members.js';
import { proposePolicy } from '../../packages/core/src/operations/people/policy-change.js';
import type { Policy } from '../../packages/core/src/policy/policy.js';
import type { Clock, LocalState, Store } from '../../packages/core/src/ports.js';
import { memoryStore } from '../../packages/core/src/stores/index.js';
import { Vault } from '../../packages/core/src/vault.js';
import { makeCast, policyOf, type Cast } from './policies.js';

/** 2027-01-15: after the cards were made. */
export const NOW = 1_800_100_000;
export const clock: Clock = { now: () => NOW };

export interface Team {
  readonly store: Store;
  readonly cast: Cast;
  readonly id: string;
  /** The vault as this person meets it now, with the right vault expected. */
  as(person: string): Promise<Vault>;
  local(person: string): LocalState;
  /** Puts a changed policy into effect; alice is the only admin. */
  policy(change: (policy: Policy) => Partial<Policy>): Promise<void>;
}

export function memoryLocal(): LocalState {
  const files = new Map<string, Uint8Array>();
  return {
    read: async (path) => files.get(path)?.slice(),
    write: async (path, bytes) => void files.set(path, bytes.slice()),
    remove: async (path) => void files.delete(path),
    list: async (prefix) => [...files.keys()].filter((path) => path.startsWith(prefix)).sort(),
  };
}

const suites = new Map<string, Promise<Cast>>();

/** Keys take a while: people are made once a file. */
function castOf(humans: readonly string[], machines: readonly string[]): Promise<Cast> {
  const key = `${humans.join()} ${machines.join()}`;
  const cast = suites.get(key) ?? makeCast(humans, machines);
  suites.set(key, cast);
  return cast;
}

/** alice and bruno in infra, carol in platform, ci a machine in infra; every role has its key and has granted it. */
export async function foundTeam(change: Partial<Policy> = {}): Promise<Team> {
  const cast = await castOf(['alice', 'bruno', 'carol'], ['ci']);
  const store = memoryStore();
  const locals = new Map<string, LocalState>();
  const local = (person: string): LocalState => {
    const known = locals.get(person) ?? memoryLocal();
    locals.set(person, known);
    return known;
  };
  const cards = ['alice', 'bruno', 'carol', 'ci'].map((person) => cast.card(person));
  const identity = (person: string) => cast.identities.get(person)![0]!;
  const roles: Policy['roles'] = { infra: { members: ['alice', 'bruno', 'ci'] }, platform: { members: ['carol'] } };
  const founded = await initVault({ store, local: local('alice'), clock, identity: identity('alice') }, policyOf(cards, { roles, ...change }));
  const as = (person: string): Promise<Vault> => Vault.open({ store, local: local(person), clock, identity: identity(person), expect: founded.id });
  for (const person of ['alice', 'carol']) {
    const vault = await as(person);
    await turnDueKeys(vault);
    await makeMissingKeys(vault);
    await grantMissing(vault);
  }
  return {
    store, cast, id: founded.id, as, local,
    policy: async (changed) => {
      const vault = await as('alice');
      const base = successorBase(vault.policy);
      await proposePolicy(vault, { ...base, ...changed(base) });
    },
  };
}

/** Every byte that the vault and these people's machines hold. */
export async function everything(team: Team, people: readonly string[] = ['alice', 'bruno', 'carol', 'ci']): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (const path of await team.store.list('')) chunks.push((await team.store.get(path))!);
  for (const person of people) for (const path of await team.local(person).list('')) chunks.push((await team.local(person).read(path))!);
  return Buffer.concat(chunks);
}
