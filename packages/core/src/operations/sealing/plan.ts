/** What `seal` would do, line by line, before anything is made. A plan writes nothing; imports are read and judged while planning. */
import type { VaultError } from '../../errors.js';
import type { BootstrapSecret, Material } from '../../material/index.js';
import { treeInWords } from '../../primitives/threshold-tree.js';
import type { SecretVersion } from '../../seal/state.js';
import type { Vault } from '../../vault.js';

/** Asked for by name or by bootstrap.yaml. */
export type WantedSecret = Pick<BootstrapSecret, 'name' | 'kind' | 'parameters' | 'import' | 'issuer'>;

export type SealAction = 'generate' | 'import' | 'reseal' | 'unchanged' | 'not-given' | 'refused';

export interface SealLine {
  readonly name: string;
  readonly kind: string;
  readonly action: SealAction;
  /** The version it gets, or has; 0 where it has none and gets none. */
  readonly version: number;
  /** In a few words what is sealed, or why nothing is. Never a value. */
  readonly words: string;
  /** Role names, or a custody group with its tree; absent where nothing would be sealed. */
  readonly readers?: readonly string[];
  /** What the kind's self-check finds amiss with an import that is sealed all the same. */
  readonly warnings?: readonly string[];
  /** Why the line is refused; the other lines go on. */
  readonly refusal?: VaultError;
}

/** How a line that seals gets its value. */
export type SealSource =
  | { readonly from: 'generator'; readonly wanted: WantedSecret; readonly previous?: SecretVersion }
  | { readonly from: 'import'; readonly material: Material }
  | { readonly from: 'version'; readonly version: SecretVersion };

export interface SealStep {
  readonly line: SealLine;
  /** Absent where the line seals nothing. */
  readonly source?: SealSource;
}

/** Steps in the order in which they are done: an issuer before what it issues. */
export interface SealPlan {
  readonly steps: readonly SealStep[];
}

/** Forgets the values that planning read in. */
export function wipePlan(plan: SealPlan): void {
  for (const { source } of plan.steps) if (source?.from === 'import') source.material.file.wipe();
}

export function refusedLine(secret: { name: string; kind: string }, version: number, refusal: VaultError): SealLine {
  return { name: secret.name, kind: secret.kind, action: 'refused', version, words: refusal.message, refusal };
}

/** Who would read a secret of this name, for people: role names, or `custody pki-root (2 of alice bruno)`. */
export function readersInWords(vault: Vault, name: string): string[] {
  const { policy } = vault.policy;
  const rule = vault.ruleFor(name);
  if (!rule) return [];
  return 'readers' in rule ? [...rule.readers] : [`custody ${rule.custody} (${treeInWords(policy.custody[rule.custody]!)})`];
}
