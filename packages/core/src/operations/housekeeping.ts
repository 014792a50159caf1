/** What every writing command does first: entries still waiting here go into the log, due role keys are made, turned and granted, shares sealed to new devices. */
import { isVaultError, type VaultError } from '../errors.js';
import type { Vault } from '../vault.js';
import { resealShares } from './custody/custodian.js';
import { drainQueue, type RejectedEntry } from './copies/drain.js';
import { releaseDue, type Released } from './handover/release.js';
import { makeMissingKeys } from './people/init.js';
import { grantMissing, turnDueKeys } from './people/members.js';
import { destroySpent } from './handover/one-time.js';

export interface Housekeeping {
  /** Ops of the queued entries that are in the log now. */
  readonly appended: readonly string[];
  /** Kept with their files, because the log no longer allows them. */
  readonly rejected: readonly RejectedEntry[];
  /** Roles that were given their first key. */
  readonly made: readonly string[];
  /** Roles whose key was turned. */
  readonly turned: readonly string[];
  readonly granted: readonly { readonly role: string; readonly person: string }[];
  /** Versions under custody whose share was sealed to the devices that this person has now. */
  readonly shares: readonly { readonly name: string; readonly version: number }[];
  /** What this person had consented to hand over, and what has left now that enough others have. */
  readonly released: readonly Released[];
  /** What could not be done and need not stop the command: a grant that does not open, for example. */
  readonly faults: readonly VaultError[];
}

/**
 * Appends what this person owes the log. Does nothing, and asks for nothing, where nothing is owed. Throws what the store throws, and
 * EXPECT_NEEDED.
 */
export async function doHousekeeping(vault: Vault): Promise<Housekeeping> {
  const faults: VaultError[] = [];
  const { appended, rejected } = await drainQueue(vault);
  const turned = await attempt(faults, [], () => turnDueKeys(vault));
  const made = await attempt(faults, [], () => makeMissingKeys(vault));
  // Granting is for humans: a machine that holds a role key only reads and writes with it.
  const granted = vault.requireEnrolled().card.kind === 'machine' ? [] : await attempt(faults, [], () => grantMissing(vault));
  const shares = await attempt(faults, [], () => resealShares(vault));
  faults.push(...shares.flatMap(({ fault }) => fault ?? []));
  const handed = await attempt(faults, { released: [], faults: [] }, () => releaseDue(vault));
  faults.push(...handed.faults);
  await destroySpent(vault);
  return { appended, rejected, made, turned, granted, shares: shares.flatMap(({ name, version, fault }) => (fault ? [] : [{ name, version }])), released: handed.released, faults };
}

async function attempt<T>(faults: VaultError[], otherwise: T, chore: () => Promise<T>): Promise<T> {
  try {
    return await chore();
  } catch (error) {
    // A store that cannot be written, or a copy that nobody vouched for, stops the command as well: say so now.
    if (!isVaultError(error) || error.class === 'store' || error.class === 'conflict' || error.code === 'EXPECT_NEEDED') throw error;
    faults.push(error);
    return otherwise;
  }
}
