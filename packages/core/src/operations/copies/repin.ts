/** `sync --repin`: a log that people agreed on by voice, whatever this machine has accepted before. */
import { parseExpect, type LogPoint } from '../../audit/checkpoint.js';
import { loadLog, nothingKnown } from '../../engine/load.js';
import { readPin, replacePin, vaultAt } from '../../engine/pin.js';
import { loadRemembered, type Remembering } from '../../engine/remembered.js';
import { commonSize, rootWas } from '../../engine/roots.js';
import { dropStateCache, readStateCache } from '../../engine/state-cache.js';
import { VaultError } from '../../errors.js';
import { versionsOf } from '../../seal/state.js';
import { ciphertextPath } from '../../seal/statement.js';
import type { VaultState } from '../../vault-state.js';
import { entries } from '../../primitives/count.js';

export interface Repinning {
  readonly vault: string;
  /** The point that people agreed on. */
  readonly point: LogPoint;
  /** The log as it lies there, which contains it. */
  readonly present: LogPoint;
  /** What this machine has accepted until now. */
  readonly before: LogPoint | undefined;
  /** Size up to which both are the same. */
  readonly common: number;
  /** True where they may be the same for longer than this machine remembers. */
  readonly atLeast: boolean;
  /** `NAME vN` of what this machine has seen sealed and is not in this log, as far as it remembers. */
  readonly givenUp: readonly string[];
}

/**
 * Looks, and changes nothing: the log at the store must verify by itself and contain exactly `SIZE:ROOT`, or `VAULT@SIZE:ROOT`. Throws
 * BAD_VALUE, WRONG_VAULT, FORK where it does not contain that point, and what loading throws.
 */
export async function planRepin(options: Remembering, text: string): Promise<Repinning> {
  const { store, local } = options;
  await store.refresh?.(0);
  const known = (await vaultAt(local, store.address)) ?? (options.expect === undefined ? undefined : parseExpect(options.expect).vault);
  const agreed = parsePoint(text);
  const loaded = await loadLog(store, async (vault) => {
    for (const wanted of [known, agreed.vault]) {
      if (wanted !== undefined && wanted !== vault) {
        throw new VaultError('WRONG_VAULT', `${store.address} holds vault ${vault.slice(0, 8)}, and not ${wanted.slice(0, 8)}`, {
          hint: 'Another vault is never accepted in the place of this one.',
        });
      }
    }
    return { known: nothingKnown, vouched: [] };
  });
  const { vault, size, root } = loaded.checkpoint;
  const { point } = agreed;
  if (point.size > size || !rootWas(loaded.log.roots, point)) {
    throw new VaultError('FORK', `the log at ${store.address} does not contain that point`, {
      details: [`agreed  ${entries(point.size)}, root ${point.root.slice(0, 8)}`, `here    ${entries(size)}, root ${root.slice(0, 8)}`],
      hint: 'Nothing was changed. Compare again, digit by digit: `oxp-vault status` of everybody.',
    });
  }
  const pin = await readPin(local, vault);
  const cache = await readStateCache(local, vault);
  const same = pin && rootWas(loaded.log.roots, pin) ? pin.size : cache ? commonSize(cache.roots, loaded.log.roots) : 0;
  return {
    vault, point, present: { size, root }, before: pin && { size: pin.size, root: pin.root },
    common: same, atLeast: same === (cache?.state.size ?? 0) && same !== pin?.size,
    givenUp: cache ? missingFrom(loaded.log.state, cache.state) : [],
  };
}

/** Moves the pin to the point that was agreed on and forgets what was remembered beside it. */
export async function repin(options: Remembering, { vault, point }: Repinning): Promise<void> {
  await dropStateCache(options.local, vault);
  await replacePin(options.local, vault, point, options.clock.now());
  // The rest of the log, from that point on, is accepted as on any other day.
  await loadRemembered(options, undefined);
}

function parsePoint(text: string): { vault?: string; point: LogPoint } {
  const match = /^(?:([0-9a-f]{64})@)?(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim());
  const [, vault, size, root] = match ?? [];
  if (size === undefined || root === undefined || Number(size) < 1) {
    throw new VaultError('BAD_VALUE', 'a point of the log is SIZE:ROOT, with the whole root', {
      hint: 'It stands behind the @ of the line `expect` that `oxp-vault status` prints on the machine of somebody whose log counts.',
    });
  }
  return { point: { size: Number(size), root }, ...(vault === undefined ? {} : { vault }) };
}

/** Every version by the path of its file, in order of name. */
function allVersions({ secrets }: VaultState): (readonly [path: string, name: string])[] {
  const all = secrets.versions.sortedKeys().flatMap((name) => versionsOf(secrets, name));
  return all.map(({ statement }) => [ciphertextPath(statement), `${statement.name} v${statement.version}`]);
}

function missingFrom(state: VaultState, remembered: VaultState): string[] {
  const there = new Set(allVersions(state).map(([path]) => path));
  return allVersions(remembered).flatMap(([path, name]) => (there.has(path) ? [] : [name]));
}
