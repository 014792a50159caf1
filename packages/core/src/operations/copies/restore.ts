/** Putting the last accepted state back over a store that is older, absent or not acceptable at all (attacks 11, 12a). */
import { CHECKPOINT_PATH, parseExpect, type LogPoint } from '../../audit/checkpoint.js';
import type { Vouched } from '../../engine/load.js';
import { inParallel } from '../../engine/parallel.js';
import { readPin, vaultAt } from '../../engine/pin.js';
import { loadRemembered } from '../../engine/remembered.js';
import { isVaultError, VaultError, othersWereWriting } from '../../errors.js';
import type { Store } from '../../ports.js';
import { copyFiles, filesOfLog, signedBytesIfAny } from './files.js';
import type { NamedFile } from '../log/walk.js';
import { findLog, finder, judge, type Known, type RestoreSources } from './restore-sources.js';
import { entries } from '../../primitives/count.js';

const ATTEMPTS = 5;

export interface RestoreOptions extends RestoreSources {
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
  if (vault === undefined) {
    throw new VaultError('VAULT_NOT_FOUND', `this machine has never seen a vault at ${store.address}`, {
      hint: 'Run this on a machine that has, or name the vault: --expect VAULT@SIZE:ROOT',
    });
  }
  if (line && line.vault !== vault) throw new VaultError('EXPECT_MISMATCH', `this machine knows vault ${vault.slice(0, 8)} at ${store.address}, and ${line.vault.slice(0, 8)} was expected`);
  const pin = await readPin(local, vault);
  const vouched: Vouched[] = [...(pin ? [{ size: pin.size, root: pin.root, by: 'this machine' }] : []), ...(line?.point ? [{ ...line.point, by: 'the expected line' }] : [])];
  if (vouched.length === 0) {
    throw new VaultError('EXPECT_NEEDED', 'this machine has accepted no state of this vault yet', {
      hint: 'Say which one is to be put back: --expect VAULT@SIZE:ROOT, from a machine that knows it.',
    });
  }
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
  const about = `restored: ${entries(size)}\n\nroot ${root}\n`;
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
