/** Where a state to put back is found, and whether it may be. */
import { CHECKPOINT_PATH, readCheckpoint, type VaultCheckpoint } from '../../audit/checkpoint.js';
import { loadLog, nothingKnown, type LoadedLog, type Vouched } from '../../engine/load.js';
import { MissingFile } from '../../engine/pages.js';
import { pinnedCheckpoint, type Pin } from '../../engine/pin.js';
import type { Remembering } from '../../engine/remembered.js';
import { readStateCache } from '../../engine/state-cache.js';
import { isVaultError, VaultError, type ErrorCode } from '../../errors.js';
import type { Store } from '../../ports.js';
import { signedBytesIfAny } from './files.js';
import type { NamedFile } from '../log/walk.js';

/** Where to look: at the store itself, in what this machine remembers of it, and in another copy. */
export interface RestoreSources extends Remembering {
  /** Another copy of the vault: a backup, or a colleague's. */
  readonly copy?: Store;
}

/** What makes a state no vault that anybody may go on from. Trouble with reaching the store is none of it, nor is a fork. */
const NOT_ACCEPTABLE: ReadonlySet<ErrorCode> = new Set(['ROLLBACK', 'VAULT_NOT_FOUND', 'BAD_CHECKPOINT', 'STORE_INCOMPLETE', 'WRONG_VAULT', 'LINK_REFUSED']);

/** The vault that this machine knows at the address, and what its log must contain. */
export interface Known {
  readonly vault: string;
  readonly pin: Pin | undefined;
  readonly vouched: readonly Vouched[];
}

/** The log of a store that contains what is known, or why it is not acceptable. Throws FORK, and what keeps the store from being read. */
export async function judge({ local, store: here }: RestoreSources, store: Store, { vault, vouched }: Known): Promise<LoadedLog | VaultError> {
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

export interface Found {
  readonly loaded: LoadedLog;
  /** Where its pages can be read. */
  readonly from: Store;
  readonly source: 'checkpoint' | 'past' | 'copy';
}

/** The state to put back: from the copy where one is named, else this very log under the pinned checkpoint, else what this machine has seen. */
export async function findLog(options: RestoreSources, known: Known, fault: VaultError): Promise<Found> {
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
async function judgePast(options: RestoreSources, from: Store, known: Known): Promise<LoadedLog | undefined> {
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
export function finder({ store, copy }: RestoreSources, known: Known, from: Store): (file: NamedFile) => Promise<Uint8Array | undefined> {
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
