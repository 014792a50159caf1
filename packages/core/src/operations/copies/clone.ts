/** Copying a vault whole, from one store into another: verified before, written checkpoint last, read back afterwards. */
import { CHECKPOINT_PATH, readCheckpoint, type LogPoint } from '../../audit/checkpoint.js';
import { loadLog, nothingKnown, type LoadedLog } from '../../engine/load.js';
import { FORKED } from '../../engine/load-faults.js';
import { MissingFile } from '../../engine/pages.js';
import { rootWas } from '../../engine/roots.js';
import { isVaultError, PUT_BACK, VaultError, othersWereWriting } from '../../errors.js';
import type { Store } from '../../ports.js';
import type { Vault } from '../../vault.js';
import { copyFiles, filesOfLog, signedBytes } from './files.js';
import { PAGE } from '../log/garbage.js';
import type { NamedFile } from '../log/walk.js';
import { entries } from '../../primitives/count.js';

/** Writers at either end may be first, again and again. */
const ATTEMPTS = 8;

export interface CloneReport extends LogPoint {
  readonly vault: string;
  /** Files of the vault, its checkpoint apart. */
  readonly files: number;
  /** Of them, those that were not there already. */
  readonly copied: number;
  /** What lay at the other place before: nothing, an older state of this vault, or this very state. */
  readonly before: 'nothing' | 'older' | 'same';
}

/**
 * Brings `to` to the state of `from`: an empty place, or one that holds an older state of the same vault. Every page, signature and
 * file is verified on the way. Throws VAULT_EXISTS (another vault, or a newer state), FORK, OUTPUT_EXISTS, BLOB_MISSING, and what loading
 * throws; then nothing counts that was written. `step` is told how many files are done.
 */
export async function cloneVault(from: Vault, to: Store, step?: (done: number, total: number) => void): Promise<CloneReport> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    await from.refresh();
    try {
      const loaded = await loadLog(from.store, async () => ({ known: nothingKnown, vouched: [{ ...from.point, by: 'this machine' }] }));
      const report = await copyTo(from.store, loaded, to, step);
      if (report) return report;
    } catch (error) {
      // A writer has replaced the last page meanwhile.
      if (!(error instanceof MissingFile)) throw error;
    }
  }
  throw othersWereWriting('What was copied counts for nothing yet. Run it again: it goes on from there.');
}

/** Undefined when a writer was first. */
export async function copyTo(from: Store, loaded: LoadedLog, to: Store, step?: (done: number, total: number) => void): Promise<CloneReport | undefined> {
  const { vault, size, root, bytes: checkpoint } = loaded.checkpoint;
  const files = await filesOfLog(from, loaded);
  await to.refresh?.(0);
  const old = await to.get(CHECKPOINT_PATH);
  const before = old ? await judgeOlder(to, old, loaded) : 'nothing';
  const paths = new Set(files.map((file) => file.path));
  if (!old) await requireEmpty(to, paths);
  const find = (file: NamedFile): Promise<Uint8Array | undefined> => readWhole(from, file);
  const replaced = (await to.list('log/')).filter((path) => PAGE.test(path) && !paths.has(path));
  const about = `copied: ${entries(size)}\n\nroot ${root}\n`;
  const copied = await copyFiles({ to, old, checkpoint, files, find, replaced, about, ...(step ? { step } : {}) });
  return copied === undefined ? undefined : { vault, size, root, files: files.length, copied, before };
}

/** Throws unless what lies at `to` is this state or an older one of the same vault. */
async function judgeOlder(to: Store, bytes: Uint8Array, loaded: LoadedLog): Promise<'older' | 'same'> {
  const { vault, size, root } = loaded.checkpoint;
  const there = checkpointAt(to, bytes);
  if (there.vault !== vault) {
    throw new VaultError('VAULT_EXISTS', `${to.address} holds another vault, ${there.vault.slice(0, 8)}`, {
      hint: 'Nothing was written. Name an empty place.',
    });
  }
  if (there.size <= size && rootWas(loaded.log.roots, there)) return there.size === size ? 'same' : 'older';
  // A checkpoint alone proves nothing: only a state that verifies is another history, or a newer state.
  await loadLog(to, async () => ({ known: nothingKnown, vouched: there.size >= size ? [{ size, root, by: 'the copy' }] : [] }));
  if (there.size > size) {
    throw new VaultError('VAULT_EXISTS', `${to.address} holds a newer state of this vault: ${entries(there.size)}, and here are ${size}`, {
      hint: 'Nothing was written. The other way round it would do; or: oxp-vault sync --from COPY',
    });
  }
  throw new VaultError('FORK', `${to.address} holds another history of this vault`, {
    details: [`there  ${entries(there.size)}, root ${there.root.slice(0, 8)}`, `here   ${entries(size)}, root ${root.slice(0, 8)}`],
    hint: FORKED,
  });
}

function checkpointAt(to: Store, bytes: Uint8Array): LogPoint & { vault: string } {
  try {
    return readCheckpoint(bytes);
  } catch (cause) {
    if (!isVaultError(cause)) throw cause;
    throw new VaultError('OUTPUT_EXISTS', `${to.address} is not empty, and its log/checkpoint is not that of a vault`, { cause, hint: 'Nothing was written. Name an empty place.' });
  }
}

/** What an interrupted copy has left is no obstacle; anything else may be somebody's. */
async function requireEmpty(to: Store, ours: ReadonlySet<string>): Promise<void> {
  const foreign = [...((await to.foreign?.()) ?? new Map<string, string>()).keys()];
  const other = [...(await to.list('')), ...foreign].find((path) => !ours.has(path) && !PAGE.test(path));
  if (other === undefined) return;
  throw new VaultError('OUTPUT_EXISTS', `${to.address} is not empty, and no vault`, { details: [`for example ${other}`], hint: 'Nothing was written. Name an empty place, or in Git a branch of its own: git+URL#BRANCH' });
}

async function readWhole(from: Store, file: NamedFile): Promise<Uint8Array> {
  const bytes = await signedBytes(from, file);
  if (bytes) return bytes;
  if (PAGE.test(file.path)) throw new MissingFile(file.path);
  throw new VaultError('BLOB_MISSING', `${file.path} (${file.what}) is missing, or not what was signed`, { hint: PUT_BACK });
}
