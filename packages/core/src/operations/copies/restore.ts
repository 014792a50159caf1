/** Putting the last accepted state back over a store that is older, absent or not acceptable at all (attacks 11, 12a). */
import { CHECKPOINT_PATH, parseExpect, readCheckpoint, type LogPoint, type VaultCheckpoint } from '../../audit/checkpoint.js';
import { loadLog, nothingKnown, type LoadedLog, type Vouched } from '../../engine/load.js';
import { inParallel } from '../../engine/parallel.js';
import { MissingFile } from '../../engine/pages.js';
import { pinnedCheckpoint, readPin, vaultAt, type Pin } from '../../engine/pin.js';
import { loadRemembered, type Remembering } from '../../engine/remembered.js';
import { readStateCache } from '../../engine/state-cache.js';
import { isVaultError, VaultError, type ErrorCode, othersWereWriting } from '../../errors.js';
import type { Store } from '../../ports.js';
import { copyFiles, filesOfLog, signedBytesIfAny } from './files.js';
import type { NamedFile } from '../log/walk.js';

const ATTEMPTS = 5;

export interface RestoreOptions extends Remembering {
  /** Another copy of the vault: a backup, or a colleague's. */
  readonly copy?: Store;
  readonly step?: (done: number, total: number) => void;
}

export interface Restored extends LogPoint {
  readonly vault: string;
  /** Why the store was not acceptable; undefined where it was, and at most files were put back. */
  readonly fault?: VaultError;
  /** Where the log came from: it was there, only its checkpoint was not, this machine's past, or the copy. */
  readonly source: 'store' | 'checkpoint' | 'past' | 'copy';
  /** Files that were put back, the checkpoint apart. */
  readonly files: number;
  /** What lay there and is no file of a vault, and was taken away. */
  readonly swept: readonly string[];
  /** Named by entries in effect, and to be found nowhere. */
  readonly missing: readonly NamedFile[];
}

/** What makes a state no vault that anybody may go on from. Trouble with reaching the store is none of it, nor is a fork. */
const NOT_ACCEPTABLE: ReadonlySet<ErrorCode> = new Set(['ROLLBACK', 'VAULT_NOT_FOUND', 'BAD_CHECKPOINT', 'STORE_INCOMPLETE', 'WRONG_VAULT', 'LINK_REFUSED']);

/** The vault that this machine knows at the address, and what its log must contain. */
interface Known {
  readonly vault: string;
  readonly pin: Pin | undefined;
  readonly vouched: readonly Vouched[];
}

/**
 * Throws FORK where the store holds a state that verifies and contradicts what this machine has accepted: never over that.
 * VAULT_NOT_FOUND where this machine knows no vault at the address, STORE_INCOMPLETE where nobody at hand has the log.
 */
export async function restoreVault(options: RestoreOptions): Promise<Restored> {
  const { store } = options;
  await store.refresh?.(0);
  const known = await whatIsKnown(options);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const restored = await attemptRestore(options, known);
    if (restored === undefined) continue;
    // Read back, and from here on met at this address.
    await loadRemembered(options, undefined);
    return restored;
  }
  throw othersWereWriting();
}

async function whatIsKnown({ store, local, expect }: RestoreOptions): Promise<Known> {
  const line = expect === undefined ? undefined : parseExpect(expect);
  const met = await vaultAt(local, store.address);
  const vault = met ?? line?.vault;
  if (vault === undefined) throw new VaultError('VAULT_NOT_FOUND', `this machine has never seen a vault at ${store.address}`, { hint: 'Run this on a machine that has, or name the vault: --expect VAULT@SIZE:ROOT' });
  if (line && line.vault !== vault) throw new VaultError('EXPECT_MISMATCH', `this machine knows vault ${vault.slice(0, 8)} at ${store.address}, and ${line.vault.slice(0, 8)} was expected`);
  const pin = await readPin(local, vault);
  const vouched: Vouched[] = [...(pin ? [{ size: pin.size, root: pin.root, by: 'this machine' }] : []), ...(line?.point ? [{ ...line.point, by: 'the expected line' }] : [])];
  if (vouched.length === 0) throw new VaultError('EXPECT_NEEDED', 'this machine has accepted no state of this vault yet', { hint: 'Say which one is to be put back: --expect VAULT@SIZE:ROOT, from a machine that knows it.' });
  return { vault, pin, vouched };
}

/** Undefined when somebody has written meanwhile: then what is there must be judged again. */
async function attemptRestore(options: RestoreOptions, known: Known): Promise<Restored | undefined> {
  const { store, step } = options;
  const old = await checkpointThere(store);
  const present = await judge(options, store, known);
  const found = present instanceof VaultError ? await findLog(options, known, present) : { loaded: present, from: store, source: 'store' as const };
  const { loaded, from, source } = found;
  const { vault, size, root, bytes: checkpoint } = loaded.checkpoint;
  const files = await filesOfLog(from, loaded);
  const missing: NamedFile[] = [];
  const find = finder(options, known, from);
  const paths = new Set(files.map((file) => file.path));
  const replaced = store.commit ? (await store.list('')).filter((path) => !paths.has(path) && path !== CHECKPOINT_PATH) : [];
  const about = `restored: ${size} entries\n\nroot ${root}\n`;
  const lookFor = async (file: NamedFile): Promise<Uint8Array | undefined> => {
    const bytes = await find(file);
    if (!bytes) missing.push(file);
    return bytes;
  };
  const whole = !(present instanceof VaultError) && (await inParallel(files, (file) => signedBytesIfAny(store, file))).every(Boolean);
  const swept = [...((await store.foreign?.()) ?? new Map<string, string>()).keys()];
  if (whole && swept.length === 0) return { vault, size, root, source, files: 0, swept, missing };
  const copied = await copyFiles({ to: store, old, checkpoint, files, find: lookFor, replaced, about, ...(step ? { step } : {}) });
  if (copied === undefined) return undefined;
  return { vault, size, root, source, files: copied, swept, missing, ...(present instanceof VaultError ? { fault: present } : {}) };
}

/** The bytes to replace. What is no plain file counts as none, where the store can replace that. */
async function checkpointThere(store: Store): Promise<Uint8Array | undefined> {
  try {
    return await store.get(CHECKPOINT_PATH);
  } catch (error) {
    if (store.commit && (isVaultError(error, 'LINK_REFUSED') || isVaultError(error, 'STORE_REMOTE'))) return undefined;
    throw error;
  }
}

/** The log of a store that contains what is known, or why it is not acceptable. Throws FORK, and what keeps the store from being read. */
async function judge({ local, store: here }: RestoreOptions, store: Store, { vault, vouched }: Known): Promise<LoadedLog | VaultError> {
  try {
    const cache = (await readStateCache(local, vault)) ?? nothingKnown;
    await loadLog(store, async (there) => {
      if (there !== vault) throw new VaultError('WRONG_VAULT', `${store.address} holds vault ${there.slice(0, 8)}, and this machine knows ${vault.slice(0, 8)} there`);
      return { known: cache, vouched };
    });
    // What is cached was not read again, and the cache alone knew what a shorter log had to be: now every page and policy.
    return await loadLog(store, async () => ({ known: nothingKnown, vouched }));
  } catch (error) {
    if (error instanceof MissingFile) return new VaultError('STORE_INCOMPLETE', `${error.path} is missing`);
    // A fetch has just succeeded: what cannot be read now lies in the branch as no file should.
    const unreadable = isVaultError(error, 'STORE_REMOTE') && here.commit !== undefined;
    if (isVaultError(error) && (NOT_ACCEPTABLE.has(error.code) || unreadable)) return error;
    throw error;
  }
}

interface Found {
  readonly loaded: LoadedLog;
  /** Where its pages can be read. */
  readonly from: Store;
  readonly source: Restored['source'];
}

async function findLog(options: RestoreOptions, known: Known, fault: VaultError): Promise<Found> {
  const { store, copy } = options;
  if (copy) {
    const loaded = await judge(options, copy, known);
    if (loaded instanceof VaultError) {
      throw new VaultError(loaded.code, `the copy at ${copy.address} cannot be put back: ${loaded.message}`, { details: loaded.details, hint: 'Name another copy, at least as new as what this machine has seen.' });
    }
    return { loaded, from: copy, source: 'copy' };
  }
  const pinned = known.pin && pinnedCheckpoint(known.pin);
  if (pinned) {
    const from = withCheckpoint(store, pinned);
    const loaded = await judge(options, from, known);
    if (!(loaded instanceof VaultError)) return { loaded, from, source: 'checkpoint' };
  }
  for await (const from of pastOf(store, ({ vault, size }) => vault === known.vault && known.vouched.every((point) => size >= point.size))) {
    const loaded = await judgePast(options, from, known);
    if (loaded) return { loaded, from, source: 'past' };
  }
  throw new VaultError(fault.code, fault.message, {
    details: [...fault.details, store.earlier ? 'The mirror on this machine does not hold the state that it has accepted.' : 'This machine remembers what it has accepted, and keeps no copy of the files of a vault in a directory.'],
    hint: 'Put it back from a copy, a backup or that of a colleague: oxp-vault sync --restore --from COPY',
    cause: fault,
  });
}

/** The past of a store is nobody's fork to be afraid of: what does not fit is passed over. */
async function judgePast(options: RestoreOptions, from: Store, known: Known): Promise<LoadedLog | undefined> {
  try {
    const loaded = await judge(options, from, known);
    return loaded instanceof VaultError ? undefined : loaded;
  } catch (error) {
    if (isVaultError(error, 'FORK')) return undefined;
    throw error;
  }
}

async function* pastOf(store: Store, accepts: (checkpoint: VaultCheckpoint) => boolean): AsyncIterable<Store> {
  if (!store.earlier) return;
  yield* store.earlier((bytes) => {
    try {
      return accepts(readCheckpoint(bytes));
    } catch (error) {
      if (isVaultError(error)) return false;
      throw error;
    }
  });
}

/** Looks where the log was found, then in the copy, then in what this machine has seen before, each state of it opened once. */
function finder({ store, copy }: RestoreOptions, known: Known, from: Store): (file: NamedFile) => Promise<Uint8Array | undefined> {
  let past: Promise<Store[]> | undefined;
  const all = async (): Promise<Store[]> => {
    const states: Store[] = [];
    for await (const state of pastOf(store, ({ vault }) => vault === known.vault)) states.push(state);
    return states;
  };
  return async (file) => {
    for (const each of copy && copy !== from ? [from, copy] : [from]) {
      const bytes = await signedBytesIfAny(each, file);
      if (bytes) return bytes;
    }
    for (const state of await (past ??= all())) {
      const bytes = await signedBytesIfAny(state, file);
      if (bytes) return bytes;
    }
    return undefined;
  };
}

/** The store as it would be, had nobody touched its checkpoint. */
function withCheckpoint(store: Store, checkpoint: Uint8Array): Store {
  return {
    address: store.address,
    get: async (path) => (path === CHECKPOINT_PATH ? checkpoint : store.get(path)),
    list: (prefix) => store.list(prefix),
    putNew: refuse,
    remove: refuse,
    swapCheckpoint: refuse,
  };
}

async function refuse(): Promise<never> {
  throw new VaultError('INTERNAL', 'a view of a store is not written to');
}
