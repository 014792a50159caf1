/**
 * The lock of a directory store: one file `lock`, made whole or not at all, held for the few milliseconds of a checkpoint swap.
 *
 * Taking over from a dead holder must not race with another taker: "remove the stale lock, then make mine" lets a slow taker
 * remove the lock that a quick one has just made. So the right to replace one particular lock is itself exclusive:
 *
 *   1. A lock's bytes contain a nonce, so their digest names this lock and no other, ever.
 *   2. Whoever wants to replace it first makes `.tmp-claim-<digest>`, exclusively, with its own lock bytes in it.
 *   3. Only then it reads `lock` again. The same bytes: nobody else may replace them now, and it renames its own lock over
 *      them, so that the name is never vacant. Other bytes: somebody finished before; it withdraws its claim.
 *   4. The claim is removed after the lock is replaced, never before.
 *
 * A taker that dies between 2 and 4 leaves a claim, which is replaced by the same rule: its bytes have a nonce too, and
 * the right to it is `.tmp-claim-<digest of the claim>`. Every earlier link of that chain is dead and cannot act.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { VaultError } from '../errors.js';
import { Hex16, Time } from '../wire.js';
import { LOCK, TEMPORARY } from './path.js';
import { type PlainTree, vaultTree } from './plain-tree.js';
import { type Liveness, livenessOf, ProcessIdentity, thisProcess } from './process-identity.js';

const LockFile = v.object({ ...ProcessIdentity.entries, since: Time, nonce: Hex16 });
/** Who holds the lock and, in whole seconds since 1970-01-01 UTC by its own clock, since when. */
export type LockHolder = v.InferOutput<typeof LockFile>;

/** `holder` is undefined where the file is not readable as a lock: the file system could not make it whole. */
export interface LockDescription {
  readonly holder: LockHolder | undefined;
  readonly liveness: Liveness;
}

/** Writers finish in milliseconds; who waits this long waits for something stuck. Milliseconds. */
export const LOCK_PATIENCE = 5000;

const BREAK = 'oxp-vault gc --break-lock';

/**
 * Runs `work` under the lock of the vault directory `dir`, which exists. `stillMine` throws LOCKED when somebody has
 * broken the lock meanwhile: to be asked right before the act that the lock protects.
 * LOCKED after `patience` milliseconds; STORE_IO; LINK_REFUSED.
 */
export async function withLock<T>(dir: string, work: (stillMine: () => Promise<void>) => Promise<T>, patience = LOCK_PATIENCE): Promise<T> {
  const tree = vaultTree(dir);
  const mine = await newLock(tree);
  const held = async (): Promise<boolean> => same(await tree.read(LOCK), mine.bytes);
  try {
    try {
      await acquire(tree, mine, patience);
    } finally {
      await tree.discard(mine.temporary);
    }
    return await work(async () => {
      if (!(await held())) {
        throw new VaultError('LOCKED', `the lock ${tree.at(LOCK)} was broken while this command held it`, {
          hint: 'Run the command again.',
        });
      }
    });
  } finally {
    // A lock that is not ours any more is somebody's who broke it.
    if (await held()) await tree.remove(LOCK);
  }
}

/** What holds the lock of the vault directory `dir`; undefined when it is free. */
export async function describeLock(dir: string): Promise<LockDescription | undefined> {
  const bytes = await vaultTree(dir).read(LOCK);
  return bytes === undefined ? undefined : describe(bytes);
}

/**
 * Removes the lock whoever holds it, on the word of a person who knows that the holder is gone. Returns what it removed,
 * undefined when it was free. LOCKED when the holder is certainly alive, or another process is breaking it too.
 */
export async function breakLock(dir: string): Promise<LockDescription | undefined> {
  const tree = vaultTree(dir);
  const bytes = await tree.read(LOCK);
  if (bytes === undefined) return undefined;
  const found = describe(bytes);
  if (found.liveness === 'alive') throw lockedError(tree, found, 'End that process first.');
  const mine = await newLock(tree);
  const replaced = await replace(tree, bytes, mine, 'unless-alive', () => tree.remove(LOCK));
  await tree.discard(mine.temporary);
  if (!replaced) {
    throw new VaultError('LOCKED', `the lock ${tree.at(LOCK)} has changed hands while it was being broken`, {
      hint: 'Look again at who holds it.',
    });
  }
  return found;
}

/** The bytes of a new lock, and a file that holds them already. */
interface Draft {
  readonly bytes: Uint8Array;
  readonly temporary: string;
}

async function acquire(tree: PlainTree, mine: Draft, patience: number): Promise<void> {
  const deadline = performance.now() + patience;
  for (let pause = 2; ; pause = Math.min(pause * 2, 200)) {
    if (await tree.claim(LOCK, mine.temporary, mine.bytes)) return;
    const bytes = await tree.read(LOCK);
    if (bytes !== undefined) {
      // Over NFS a link can succeed although its answer got lost.
      if (same(bytes, mine.bytes)) return;
      const found = describe(bytes);
      if (found.liveness === 'dead' && (await replace(tree, bytes, mine, 'only-dead', () => tree.publish(mine.temporary, LOCK)))) return;
      if (performance.now() > deadline) throw lockedError(tree, found, BREAK);
    }
    // Jitter, so that two who wait do not meet again and again.
    await sleep(pause * (0.5 + Math.random()));
  }
}

/** Replaces the lock file that holds `victim`, by `act`, if nobody else has or may. See the top of this file. */
async function replace(tree: PlainTree, victim: Uint8Array, mine: Draft, whose: 'only-dead' | 'unless-alive', act: () => Promise<unknown>): Promise<boolean> {
  const claims: string[] = [];
  for (let target = victim; ; ) {
    const claim = claimOn(target);
    claims.push(claim);
    if (await tree.claim(claim, mine.temporary, mine.bytes)) break;
    const other = await tree.read(claim);
    // Undefined: its maker has just finished or given up.
    if (other === undefined) return false;
    if (same(other, mine.bytes)) break;
    const { liveness } = describe(other);
    if (liveness === 'alive' || (liveness === 'unknown' && whose === 'only-dead')) return false;
    target = other;
  }
  if (!same(await tree.read(LOCK), victim)) {
    await tree.remove(claims.at(-1)!);
    return false;
  }
  await act();
  for (const claim of claims) await tree.remove(claim);
  return true;
}

/** The name of the right to replace the lock or claim with these bytes. */
function claimOn(bytes: Uint8Array): string {
  return `${TEMPORARY}claim-${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}`;
}

async function newLock(tree: PlainTree): Promise<Draft> {
  const lock: LockHolder = { ...thisProcess(), since: Math.floor(Date.now() / 1000), nonce: randomBytes(16).toString('hex') };
  const bytes = new TextEncoder().encode(`${JSON.stringify(lock)}\n`);
  // Not synced: after a power failure nobody holds anything, and an empty lock is only one that cannot name its holder.
  return { bytes, temporary: await tree.writeTemporary(LOCK, bytes, false) };
}

function describe(bytes: Uint8Array): LockDescription {
  const holder = parseLock(bytes);
  return { holder, liveness: holder === undefined ? 'unknown' : livenessOf(holder) };
}

function parseLock(bytes: Uint8Array): LockHolder | undefined {
  try {
    const parsed = v.safeParse(LockFile, JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
    return parsed.success ? parsed.output : undefined;
  } catch {
    // Not JSON, or not even text: no holder can be named, and the caller treats that as unknown.
    return undefined;
  }
}

function lockedError(tree: PlainTree, { holder }: LockDescription, hint: string): VaultError {
  const file = tree.at(LOCK);
  if (holder === undefined) {
    return new VaultError('LOCKED', `the vault is locked by ${file}, which does not say by whom`, {
      hint: `When no other command is at work on this vault: ${BREAK}`,
    });
  }
  const since = new Date(holder.since * 1000).toISOString().replace('.000', '');
  return new VaultError('LOCKED', `the vault is locked by process ${holder.pid} on ${holder.host} since ${since} (${file})`, { hint });
}

function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}
