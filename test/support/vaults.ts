/**
 * Vaults in memory for tests of the library: people, policies, a log that honest and dishonest people write to.
 *
 * Keys come from seeds and clocks stand still, so that a failure looks the same twice; only role keys, age files and entry nonces are random.
 */
// Of the library's own dependencies, hence from there.
import { bech32 } from '../../packages/core/node_modules/@scure/base/index.js';
import { createHash } from 'node:crypto';
import { signCheckpoint } from '../../packages/core/src/audit/checkpoint.js';
import { parseEntry, signEntry, type NewEntry, type SignedEntry } from '../../packages/core/src/audit/entry.js';
import { decodePage, encodePage, PAGE_SIZE, pagePath, pageStart } from '../../packages/core/src/audit/page.js';
import type { NewFile } from '../../packages/core/src/engine/append.js';
import {
  initVault, memoryStore, sealBatch, Secret, successorBase, Vault,
  type Clock, type Identity, type LocalState, type Policy, type Store,
} from '../../packages/core/src/index.js';
import { isVaultError, type VaultError } from '../../packages/core/src/errors.js';
import { parseCheckpoint } from '../../packages/core/src/primitives/checkpoint.js';
import { CompactRange } from '../../packages/core/src/primitives/compact-range.js';
import { signingKeyFromSeed, type SigningKey } from '../../packages/core/src/primitives/ed25519.js';
import { sha256Hex, toHex, utf8 } from '../../packages/core/src/primitives/hash.js';
import { leafHash } from '../../packages/core/src/primitives/merkle-hash.js';
import { parseNote } from '../../packages/core/src/primitives/signed-note.js';
import { signCard } from '../../packages/core/src/policy/card.js';
import { encodePolicy, policyPath } from '../../packages/core/src/policy/policy.js';
import { generateAgeIdentity, identityToRecipient } from '../../packages/core/src/primitives/age.js';
import type { Json } from '../../packages/core/src/wire.js';

/** 2026-01-01, when nothing in these tests happens by itself. */
export const NOW = 1_767_225_600;
export const clock = (now = NOW): Clock => ({ now: () => now });

export interface PersonOptions {
  readonly device?: string;
  readonly kind?: 'human' | 'machine';
  readonly suite?: 'x25519' | 'hybrid';
  /** Another one of the same name and device: other keys. */
  readonly salt?: string;
}

/** An identity whose keys follow from its name, device and salt. */
export async function person(name: string, options: PersonOptions = {}): Promise<Identity> {
  const { device = 'laptop', kind = 'human', suite = 'x25519', salt = '' } = options;
  const seed = (what: string): Uint8Array => Uint8Array.from(createHash('sha256').update(`${what}/${name}/${device}/${salt}`).digest());
  const signingKey = signingKeyFromSeed(seed('sign'));
  const age = suite === 'hybrid' ? await generateAgeIdentity({ pq: true }) : bech32.encodeFromBytes('AGE-SECRET-KEY-', seed('age')).toUpperCase();
  const recipient = await identityToRecipient(age);
  return { card: signCard({ person: name, device, kind, recipient, created: NOW }, signingKey), signingKey, age: Secret.fromText(age) };
}

/** Several at once, by name. */
export async function people<const N extends string>(...names: readonly N[]): Promise<Record<N, Identity>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await person(name)] as const))) as Record<N, Identity>;
}

/** Local state in memory, with its files at hand. */
export interface TestLocal extends LocalState {
  readonly files: Map<string, Uint8Array>;
}

export function memoryLocal(): TestLocal {
  const files = new Map<string, Uint8Array>();
  return {
    files,
    read: async (path) => files.get(path)?.slice(),
    write: async (path, bytes) => void files.set(path, bytes.slice()),
    remove: async (path) => void files.delete(path),
    list: async (prefix) => [...files.keys()].filter((path) => path.startsWith(prefix)).sort(),
  };
}

export interface VaultSpec {
  /** The first one makes the vault. Their devices are enrolled by policy 1. */
  readonly people: readonly Identity[];
  /** Names; the first person alone unless given. */
  readonly admins?: readonly string[];
  readonly threshold?: number;
  /** Members by role; one role `team` with everybody unless given. */
  readonly roles?: Readonly<Record<string, readonly string[] | Policy['roles'][string]>>;
  readonly rules?: Policy['rules'];
  readonly custody?: Policy['custody'];
  readonly suite?: Policy['suite'];
  readonly devices?: Policy['devices'];
  readonly store?: Store;
  readonly local?: LocalState;
  readonly salt?: string;
}

export function rule(path: string, role: string, more: { writers?: string[]; owners?: string[]; readers?: string[]; consents?: number } = {}): Policy['rules'][number] {
  return { path, owners: more.owners ?? [role], writers: more.writers ?? [role], readers: more.readers ?? [role], consents: more.consents ?? 1 };
}

export const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

/** Policy 1 of a vault. */
export function firstPolicy(spec: VaultSpec): Policy {
  const persons: Policy['persons'] = {};
  for (const { card } of spec.people) persons[card.person] = { cards: [...(persons[card.person]?.cards ?? []), card.line] };
  const humans = sorted(Object.keys(persons));
  const roles = spec.roles ?? { team: humans };
  const admins = sorted(spec.admins ?? [spec.people[0]!.card.person]);
  return {
    format: 1, name: 'platform', nonce: sha256Hex(utf8(`nonce ${spec.salt ?? ''}`)), number: 1, previous: null,
    suite: spec.suite ?? 'x25519', devices: spec.devices ?? 'self', persons, removedDevices: [],
    roles: Object.fromEntries(Object.entries(roles).map(([role, def]) => [role, 'members' in def ? def : { members: sorted(def) }])),
    custody: spec.custody ?? {},
    admins: { need: spec.threshold ?? Math.floor(admins.length / 2) + 1, of: admins },
    rules: spec.rules ?? [rule('/', Object.keys(roles)[0]!)],
    abandon: { secrets: [], roles: [] },
  };
}

export interface World {
  readonly store: Store;
  readonly policy: Policy;
  /** As its maker sees it. */
  readonly vault: Vault;
  /** The vault as somebody sees it: with the keys of `identity`, on a machine of its own unless `local` is given. */
  as(identity: Identity, options?: { local?: LocalState; now?: number; confirmed?: boolean; expect?: string }): Promise<Vault>;
}

export async function makeVault(spec: VaultSpec): Promise<World> {
  const store = spec.store ?? memoryStore();
  const policy = firstPolicy(spec);
  const vault = await initVault({ store, local: spec.local ?? memoryLocal(), identity: spec.people[0]!, clock: clock() }, policy);
  return { store, policy, vault, as: (identity, options = {}) => openAs(store, identity, options) };
}

export async function openAs(store: Store, identity: Identity | undefined, options: { local?: LocalState; now?: number; confirmed?: boolean; expect?: string } = {}): Promise<Vault> {
  const { local = memoryLocal(), now = NOW, confirmed = true, expect } = options;
  const vault = await Vault.open({ store, local, clock: clock(now), ...(identity ? { identity } : {}), ...(expect === undefined ? {} : { expect }) });
  if (confirmed && expect === undefined) await vault.confirm();
  return vault;
}

/** Seals one value and appends it. */
export async function seal(vault: Vault, name: string, value = `value of ${name}`): Promise<void> {
  await vault.append(await sealBatch(vault, [{ name, kind: 'password', file: Secret.fromText(value), parameters: {}, public: {}, origin: 'generated' }]));
}

/** The policy in effect with changes, as its successor. */
export function successor(vault: Vault, change: Partial<Policy> = {}): Policy {
  return { ...successorBase(vault.policy), ...change };
}

/** An entry with any op and body, signed by anybody, saying whatever the test wants it to say. */
export function entryBy(vault: Vault, identity: Identity, op: string, body: Json | object, lies: Partial<NewEntry> = {}): SignedEntry {
  const { person: name, device } = identity.card;
  return signEntry({
    vault: vault.id, actor: { person: name, device }, op, nonce: toHex(crypto.getRandomValues(new Uint8Array(16))), seen: vault.point,
    policy: { number: vault.policy.policy.number, digest: vault.policy.digest }, time: NOW, body: body as Json, ...lies,
  }, identity.signingKey);
}

/** The entry that proposes a policy, with its file. */
export function proposalBy(vault: Vault, identity: Identity, policy: Policy, lies: Partial<NewEntry> = {}): { entry: SignedEntry; file: NewFile; digest: string } {
  const bytes = encodePolicy(policy);
  const digest = sha256Hex(bytes);
  const entry = entryBy(vault, identity, 'policy.propose', { number: policy.number, digest, previous: policy.previous }, lies);
  return { entry, digest, file: { path: policyPath(policy.number, digest), bytes } };
}

/** A store whose files, the checkpoint too, anybody may change: what push rights give. */
export interface RawStore extends Store {
  readonly files: Map<string, Uint8Array>;
}

export function rawStore(address = 'memory', files = new Map<string, Uint8Array>()): RawStore {
  return {
    address,
    files,
    get: async (path) => files.get(path)?.slice(),
    putNew: async (path, bytes) => void files.set(path, bytes.slice()),
    list: async (prefix) => [...files.keys()].filter((path) => path.startsWith(prefix)).sort(),
    remove: async (path) => void files.delete(path),
    swapCheckpoint: async (old, next) => {
      const present = files.get('log/checkpoint');
      if ((old === undefined) !== (present === undefined) || (old && present && sha256Hex(old) !== sha256Hex(present))) return false;
      files.set('log/checkpoint', next.slice());
      return true;
    },
  };
}

/** A copy of a raw store: the same vault at the same or another address, from here on on its own. */
export function copyOf(store: RawStore, address = store.address): RawStore {
  return rawStore(address, new Map([...store.files].map(([path, bytes]) => [path, bytes.slice()])));
}

export interface RawLog {
  readonly vault: string;
  readonly size: number;
  readonly page: string;
  /** All leaf data. */
  readonly lines: readonly Uint8Array[];
}

/** The log as it lies there, without judging anything. */
export async function readRawLog(store: Store): Promise<RawLog> {
  const { origin, size, extensions } = parseCheckpoint(parseNote((await store.get('log/checkpoint'))!).text);
  const page = extensions[0]!.slice('page '.length);
  const lines: Uint8Array[] = [];
  let digest: string | null = page;
  for (let start = pageStart(size - 1); digest !== null; start -= PAGE_SIZE) {
    const path = pagePath(start, digest);
    const read = decodePage((await store.get(path))!, digest, path);
    lines.unshift(...read.lines);
    digest = read.previous;
  }
  return { vault: origin.slice('oxp-vault/'.length), size, page, lines };
}

export interface Forger {
  readonly person: string;
  readonly device: string;
  readonly key: SigningKey;
}

export const forger = (identity: Identity): Forger => ({ person: identity.card.person, device: identity.card.device, key: identity.signingKey });

/** Writes a whole log of the given leaves with a well-formed checkpoint by anybody. `lie` changes what the checkpoint says. */
export async function writeRawLog(store: RawStore, vault: string, lines: readonly Uint8Array[], by: Forger, lie: { size?: number; root?: string; vault?: string } = {}): Promise<void> {
  let previous: string | null = null;
  for (let first = 0; first < lines.length; first += PAGE_SIZE) {
    const bytes = encodePage({ previous, lines: lines.slice(first, first + PAGE_SIZE) });
    previous = sha256Hex(bytes);
    store.files.set(pagePath(first, previous), bytes);
  }
  const tree = CompactRange.empty.appendAll(lines.map((line) => leafHash(line)));
  const at = { vault, size: tree.size, root: toHex(tree.root()), page: previous!, ...lie };
  store.files.set('log/checkpoint', signCheckpoint(at, by, by.key));
}

/** What an insider does with an editor: more leaves, whatever they are, under a checkpoint of theirs. Nobody is asked. */
export async function appendRaw(store: RawStore, by: Identity, lines: readonly (Uint8Array | SignedEntry)[], files: readonly NewFile[] = []): Promise<void> {
  const log = await readRawLog(store);
  for (const { path, bytes } of files) store.files.set(path, bytes.slice());
  for (const line of lines) if (!(line instanceof Uint8Array) && line.object) store.files.set(line.object.path, line.object.bytes.slice());
  await writeRawLog(store, log.vault, [...log.lines, ...lines.map((line) => (line instanceof Uint8Array ? line : line.line))], forger(by));
}

/** The only file whose path matches. */
export function pathOf(store: RawStore, pattern: RegExp): string {
  const found = [...store.files.keys()].filter((path) => pattern.test(path));
  if (found.length !== 1) throw new Error(`${found.length} files match ${String(pattern)}`);
  return found[0]!;
}

/** Flips one bit of a stored file. */
export function flip(files: Map<string, Uint8Array>, path: string, at = -1): void {
  const bytes = files.get(path)!.slice();
  const i = at < 0 ? bytes.length + at : at;
  bytes[i] = bytes[i]! ^ 1;
  files.set(path, bytes);
}

/** Codes of the void leaves, by leaf. */
export function voidCodes(vault: Vault): Record<string, string> {
  return Object.fromEntries([...vault.state.voids].map(([leaf, { code }]) => [leaf, code]));
}

export const digestOf = (entry: SignedEntry): string => parseEntry(entry.line).digest;

/** The VaultError that `work` ends in. */
export async function failure(work: Promise<unknown> | (() => unknown)): Promise<VaultError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (isVaultError(error)) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

export async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  return (await failure(work)).code;
}

/** The X25519 public key of a scalar, as an age recipient: for recipients that no honest program makes. */
export function recipientOf(point: Uint8Array): string {
  return bech32.encodeFromBytes('age', point);
}

