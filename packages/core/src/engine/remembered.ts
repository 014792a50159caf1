/** What this machine remembers of a vault: the pin, the cached state, and which vault it has met where. Every load goes through it. */
import { parseExpect } from '../audit/checkpoint.js';
import { isVaultError, PUT_BACK, VaultError } from '../errors.js';
import type { Clock, LocalState, Store } from '../ports.js';
import { toHex } from '../primitives/hash.js';
import type { VaultState } from '../vault-state.js';
import { loadLog, nothingKnown, type LoadedLog, type Vouched } from './load.js';
import { advancePin, readPin, vaultAt, type Pin } from './pin.js';
import { readStateCache, writeStateCache, type VerifiedLog } from './state-cache.js';

/** A cache older than this many leaves is written anew; folding fewer costs less than writing it, unless a policy is among them. */
const CACHE_EVERY = 64;

/** Where a log is read and remembered, and which vault it must be. */
export interface Remembering {
  readonly store: Store;
  readonly local: LocalState;
  readonly clock: Clock;
  /** `VAULT[@SIZE:ROOT]` */
  readonly expect?: string;
}

/**
 * Loads the log of a store on top of what is known here: `inMemory`, else the cache, never against the pin, nor against
 * `alsoVouched`. Moves the pin on, and the cache where that is worth it. Throws WRONG_VAULT, EXPECT_MISMATCH and what `loadLog` throws.
 */
export async function loadRemembered(options: Remembering, inMemory: VerifiedLog | undefined, alsoVouched: readonly Vouched[] = []): Promise<{ loaded: LoadedLog; pin: Pin }> {
  const { store, local, clock } = options;
  const expect = options.expect === undefined ? undefined : parseExpect(options.expect);
  const met = await vaultAt(local, store.address);
  let from = nothingKnown;
  const loading = loadLog(store, async (vault) => {
    if (met !== undefined && met !== vault) {
      throw new VaultError('WRONG_VAULT', `${store.address} holds vault ${vault.slice(0, 8)}, and this machine knows ${met.slice(0, 8)} there`, {
        hint: `Somebody has put another vault in its place. Ask who did. ${PUT_BACK}`,
      });
    }
    if (expect && expect.vault !== vault) {
      throw new VaultError('EXPECT_MISMATCH', `${store.address} holds vault ${vault.slice(0, 8)}, and ${expect.vault.slice(0, 8)} was expected`, {
        hint: 'Check the address, and the line you were given.',
      });
    }
    const pin = await readPin(local, vault);
    // A cache without its pin proves nothing, and one from before it is only a shortcut.
    const known = inMemory ?? (pin ? await readStateCache(local, vault) : undefined) ?? nothingKnown;
    from = known;
    const vouched: Vouched[] = [...alsoVouched];
    // What this process has seen holds even where somebody takes its pin away meanwhile.
    if (inMemory) vouched.push({ size: inMemory.state.size, root: toHex(inMemory.tree.root()), by: 'this machine' });
    if (pin) vouched.push({ size: pin.size, root: pin.root, by: 'this machine' });
    if (expect?.point) vouched.push({ ...expect.point, by: 'the expected line' });
    return { known, vouched };
  });
  const loaded = await loading.catch((error: unknown) => {
    throw met !== undefined && isVaultError(error, 'VAULT_NOT_FOUND') ? gone(error, met) : error;
  });
  const vault = loaded.checkpoint.vault;
  const pin = await advancePin(local, store.address, vault, loaded.checkpoint, clock.now(), expect !== undefined);
  if (worthCaching(from.state, loaded.log.state, inMemory !== undefined)) await writeStateCache(local, vault, loaded.log);
  return { loaded, pin };
}

/** Whoever reads "make one" here would have two. */
function gone(error: VaultError, vault: string): VaultError {
  return new VaultError('VAULT_NOT_FOUND', `${error.message} any more: this machine knows ${vault.slice(0, 8)} there`, {
    hint: `Somebody has taken it away. Ask who did. ${PUT_BACK}`, cause: error,
  });
}

function worthCaching(before: VaultState, after: VaultState, inMemory: boolean): boolean {
  // Verifying the cards of a policy costs more than writing the cache, and every start would pay it again.
  if (after.policy?.digest !== before.policy?.digest) return true;
  // A process that appends one by one writes it now and then, not with every entry.
  return inMemory ? Math.floor(before.size / CACHE_EVERY) !== Math.floor(after.size / CACHE_EVERY) : after.size - before.size >= CACHE_EVERY;
}
