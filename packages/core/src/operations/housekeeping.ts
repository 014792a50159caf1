/** What every writing command does first: entries still waiting here go into the log, due role keys are made, turned and granted, shares sealed to new devices. */
import type { RejectedEntry } from '../engine/queue.js';
import { isVaultError, type VaultError } from '../errors.js';
import type { Vault } from '../vault.js';
import { resealShares, sharesToReseal } from './custody/custodian.js';
import { drainQueue } from './copies/drain.js';
import { releaseDue, releasesDue, type Released } from './handover/release.js';
import { makeMissingKeys, rolesToMake } from './people/init.js';
import { grantMissing, rolesToGrant, rolesToTurn, turnDueKeys } from './people/members.js';
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
  /** What a deputy left, in words: it takes the identity itself. */
  readonly left: readonly string[];
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
  if (vault.deputy) return { appended, rejected, made: [], turned: [], granted: [], shares: [], released: [], left: choresDue(vault), faults };
  const turned = await attempt(faults, [], () => turnDueKeys(vault));
  const made = await attempt(faults, [], () => makeMissingKeys(vault));
  // Granting is for humans: a machine that holds a role key only reads and writes with it.
  const granted = isMachine(vault) ? [] : await attempt(faults, [], () => grantMissing(vault));
  const shares = await attempt(faults, [], () => resealShares(vault));
  faults.push(...shares.flatMap(({ fault }) => fault ?? []));
  const handed = await attempt(faults, { released: [], faults: [] }, () => releaseDue(vault));
  faults.push(...handed.faults);
  await destroySpent(vault);
  return { appended, rejected, made, turned, granted, shares: shares.flatMap(({ name, version, fault }) => (fault ? [] : [{ name, version }])), released: handed.released, left: [], faults };
}

/** What this person owes that takes a key that only the identity opens, or, as a release, a question: in words. */
export function choresDue(vault: Vault): string[] {
  const shares = sharesToReseal(vault).map(({ record: { name, version } }) => `seal your share of ${name} v${version} to your devices`);
  return [
    ...rolesToTurn(vault).map((role) => `turn the key of role ${role}`),
    ...rolesToMake(vault).map((role) => `make the first key of role ${role}`),
    ...(isMachine(vault) ? [] : rolesToGrant(vault).map(([role, lacking]) => `grant ${lacking.join(', ')} the key of role ${role}`)),
    ...shares,
    ...releasesDue(vault, vault.requireActor().person).map(({ digest }) => `release what is yours for handover ${digest.slice(0, 8)}`),
  ];
}

function isMachine(vault: Vault): boolean {
  return vault.requireActor().kind === 'machine';
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
