/** Entries that wait, appended as far as the log allows them: those of this machine's queue, and those of another copy. */
import { objectPath, parseEntry } from '../../audit/entry.js';
import { admit, type Batch, type NewFile } from '../../engine/append.js';
import { dequeue, listQueued, reject, type Drained, type Queued, type RejectedEntry } from '../../engine/queue.js';
import { isVaultError, type VaultError } from '../../errors.js';
import { isContent, sha256Hex } from '../../primitives/hash.js';
import type { VaultState } from '../../vault-state.js';
import type { Vault } from '../../vault.js';
import { readLeaf } from '../log/walk.js';

/** Rounds in which the log moves on between judging and writing. */
const ROUNDS = 12;

/** Appends this machine's queue. What the log refuses goes to `rejected/` with its files; what is in the log already is done. */
export async function drainQueue(vault: Vault): Promise<Drained> {
  if (vault.deputy) {
    const { point, ...drained } = await vault.deputy.drain();
    await vault.catchUp(point);
    return drained;
  }
  return appendAllowed(vault, await listQueued(vault.local, vault.id, 'queue'));
}

/** Appends what is allowed of `waiting`, in order, under as few checkpoints as can be; the rest is rejected. */
export async function appendAllowed(vault: Vault, waiting: readonly Queued[]): Promise<Drained> {
  // A copy that nobody vouched for takes records of openings and nothing else: one at a time, up to the first that it does not take.
  const groups = vault.confirmed ? [waiting] : waiting.map((queued) => [queued]);
  const drained: Drained[] = [];
  for (const group of groups) drained.push(await appendGroup(vault, group));
  return {
    appended: drained.flatMap((d) => d.appended),
    rejected: drained.flatMap((d) => d.rejected),
    present: drained.reduce((sum, d) => sum + d.present, 0),
  };
}

async function appendGroup(vault: Vault, waiting: readonly Queued[]): Promise<Drained> {
  const before = new Set(waiting.filter((queued) => vault.state.digests.has(queued.digest)).map((queued) => queued.digest));
  const refused = await appendSifted(vault, waiting);
  const rejected: RejectedEntry[] = [];
  const appended: string[] = [];
  for (const queued of waiting) {
    const { op, actor } = parseEntry(queued.entry.line).payload;
    const fault = refused.get(queued.digest);
    if (fault) {
      await reject(vault.local, vault.id, queued, fault.message);
      rejected.push({ digest: queued.digest, op, person: actor.person, reason: fault.message });
      continue;
    }
    await dequeue(vault.local, vault.id, queued.digest);
    if (!before.has(queued.digest)) appended.push(op);
  }
  return { appended, rejected, present: waiting.length - appended.length - rejected.length };
}

/** Appends what is allowed; why the rest is not, by digest. Trouble with the store is thrown and rejects nothing. */
async function appendSifted(vault: Vault, waiting: readonly Queued[]): Promise<ReadonlyMap<string, VaultError>> {
  for (let round = 1; ; round++) {
    const { allowed, refused } = sift(vault, waiting);
    if (allowed.length === 0) return refused;
    const { size } = vault.point;
    const recordOnly = allowed.every(({ entry }) => parseEntry(entry.line).payload.op === 'secret.open');
    try {
      const named = await Promise.all(allowed.map(asNamed));
      await vault.append({ entries: named.flatMap(({ entries }) => entries), files: named.flatMap(({ files }) => files) }, { recordOnly });
      return refused;
    } catch (error) {
      // Somebody was first with what excludes one of these: all are judged again.
      if (!isVaultError(error) || vault.point.size === size || round === ROUNDS) throw error;
    }
  }
}

/** An entry with the files that it names, each at its own path: what else lies beside it in the queue is nobody's word. */
async function asNamed({ entry, files }: Queued): Promise<Batch> {
  const { line, object } = entry;
  const beside = [...files, ...(object ? [object] : [])];
  const { files: named } = await readLeaf(line, async (path) => beside.find(({ bytes }) => objectPath(sha256Hex(bytes)) === path)?.bytes);
  const own = named.flatMap((file): NewFile[] => {
    const bytes = beside.find((each) => isContent(each.bytes, file))?.bytes;
    return bytes ? [{ path: file.path, bytes }] : [];
  });
  const body = own.find(({ path }) => path.startsWith('objects/'));
  return { entries: [{ line, ...(body ? { object: body } : {}) }], files: own.filter((file) => file !== body) };
}

/** What the log as it stands allows, each entry after those before it. */
function sift(vault: Vault, waiting: readonly Queued[]): { allowed: Queued[]; refused: Map<string, VaultError> } {
  const allowed: Queued[] = [];
  const refused = new Map<string, VaultError>();
  let state: VaultState = vault.state;
  for (const queued of waiting) {
    try {
      const { run, around } = admit(state, { entries: [queued.entry], files: queued.files });
      if (run.length === 0) continue;
      allowed.push(queued);
      state = around[1];
    } catch (error) {
      if (!isVaultError(error)) throw error;
      refused.set(queued.digest, error);
    }
  }
  return { allowed, refused };
}
