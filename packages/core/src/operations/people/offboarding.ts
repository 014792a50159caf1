/** When somebody leaves: what it takes to make what they know worthless, and doing as much of it as one may. */
import { isVaultError, VaultError } from '../../errors.js';
import type { Card } from '../../policy/card.js';
import type { Vault } from '../../vault.js';
import type { Knowledge } from '../exposure/knowledge.js';
import { planRotation } from '../sealing/rotate.js';
import { sealFault } from '../sealing/faults.js';
import type { SealLine } from '../sealing/plan.js';
import { runSealPlan } from '../sealing/run.js';

/** One secret that a leaver could know. */
export interface OffboardingTask {
  readonly name: string;
  readonly kind: string;
  /** Versions that they could have seen and that are not retired. */
  readonly inUse: readonly number[];
  /** What is to be done, as an imperative. */
  readonly words: string;
  /** Roles that decide over it; empty where no rule covers it any more. */
  readonly owners: readonly string[];
  /** Why the person who asks cannot do it. */
  readonly why?: VaultError;
}

export interface OffboardingPlan {
  /** The person who asks can make the next value here. */
  readonly rotate: readonly OffboardingTask[];
  /** It can be made here, by others. */
  readonly others: readonly OffboardingTask[];
  /** Somebody has to get a new value elsewhere. */
  readonly byHand: readonly OffboardingTask[];
  /** No single command does it safely: a document says how. */
  readonly plans: readonly OffboardingTask[];
  /** The next value is there; the old one answers until it is retired. */
  readonly retire: readonly OffboardingTask[];
}

/** Sorts what somebody could know alone by who can do what about it now, `me` being who asks. What is replaced is left out, and so are single shares. */
export function planOffboarding(vault: Vault, knowledge: readonly Knowledge[], me: Card = vault.requireActor()): OffboardingPlan {
  const plan = { rotate: [] as OffboardingTask[], others: [] as OffboardingTask[], byHand: [] as OffboardingTask[], plans: [] as OffboardingTask[], retire: [] as OffboardingTask[] };
  for (const { name, kind, alone, replaced, rotation } of onePerSecret(knowledge)) {
    if (!alone || replaced.status === 'replaced') continue;
    const task: OffboardingTask = { name, kind, inUse: replaced.inUse, words: rotation.words, owners: vault.ruleFor(name)?.owners ?? [] };
    const why = replaced.newest === undefined ? new VaultError('PENDING', `${name} is pending: its custodians have not acknowledged their shares yet`) : sealFault(vault, name, false, me);
    const judged = why ? { ...task, why } : task;
    if (replaced.status === 'overlap') plan.retire.push({ ...judged, words: `deploy v${replaced.newest}, then retire ${replaced.inUse.map((n) => `v${n}`).join(', ')}` });
    else if (rotation.how === 'plan') plan.plans.push(judged);
    else if (rotation.how === 'by-hand') plan.byHand.push(judged);
    else if (why) plan.others.push(judged);
    else plan.rotate.push(task);
  }
  return plan;
}

/** Somebody may have been here twice under one name: what they knew earlier and later counts together. */
function onePerSecret(knowledge: readonly Knowledge[]): Knowledge[] {
  const order = ['replaced', 'overlap', 'same'];
  const worst = new Map<string, Knowledge>();
  for (const each of knowledge) {
    const before = worst.get(each.name);
    const worse = !before || (each.alone && !before.alone) || (each.alone === before.alone && order.indexOf(each.replaced.status) > order.indexOf(before.replaced.status));
    if (worse) worst.set(each.name, each);
  }
  return [...worst.values()];
}

/** Secrets a batch: few enough that little is lost when the store goes away, enough that a large vault takes no thousand commits. */
const AT_ONCE = 20;

export interface RotationRun {
  readonly lines: readonly SealLine[];
  /** What was not come to, because something stopped the run. */
  readonly left: readonly string[];
  readonly stopped?: VaultError;
}

/**
 * Rotates in batches. What one secret refuses does not stop the others; what the store refuses stops the run, and says what is left.
 * Throws what `planRotation` throws.
 */
export async function rotateAll(vault: Vault, names: readonly string[], onProgress?: (done: number, total: number) => void): Promise<RotationRun> {
  const { steps } = await planRotation(vault, names);
  const lines: SealLine[] = [];
  for (let first = 0; first < steps.length; first += AT_ONCE) {
    onProgress?.(first, steps.length);
    try {
      lines.push(...(await runSealPlan(vault, { steps: steps.slice(first, first + AT_ONCE) })));
    } catch (error) {
      if (!isVaultError(error)) throw error;
      // Part of a batch may be in the log: what is there is not made again.
      const left = steps.slice(first).filter(({ line }) => vault.state.secrets.versions.get(line.name)?.at(-1)?.statement.version !== line.version);
      return { lines, left: left.map(({ line }) => line.name), stopped: error };
    }
  }
  return { lines, left: [] };
}
