/** All policies of a vault, read from its log: who proposed and signed each, and what became of it. */
import { checkPolicyFile, policyPath, type Policy } from '../../policy/policy.js';
import { sha256Hex } from '../../primitives/hash.js';
import type { Vault } from '../../vault.js';
import { walkLog } from '../log/walk.js';

export interface PolicyRecord {
  readonly number: number;
  readonly digest: string;
  readonly proposer: string;
  /** In order, the proposer first, each person once. */
  readonly signers: readonly string[];
  /** Claimed time of the proposal, whole seconds. */
  readonly time: number;
  /** `stale`: another policy of this number took effect. */
  readonly status: 'in effect' | 'was in effect' | 'waits for signatures' | 'withdrawn' | 'stale';
}

interface Draft extends Omit<PolicyRecord, 'status' | 'signers'> {
  readonly previous: string | undefined;
  readonly signers: Set<string>;
  withdrawn: boolean;
}

/** Oldest first. Void leaves do not count. */
export async function policyHistory(vault: Vault): Promise<PolicyRecord[]> {
  const drafts = new Map<string, Draft>();
  for (const { entry, parsed, refused } of await walkLog(vault)) {
    if (refused || !entry || !parsed) continue;
    const { actor, time } = entry.payload;
    const { op, body } = parsed;
    const begin = (number: number, digest: string, previous?: string): void => {
      drafts.set(digest, { number, digest, previous, proposer: actor.person, time, signers: new Set([actor.person]), withdrawn: false });
    };
    if (op === 'vault.init') begin(1, body.policy);
    if (op === 'policy.propose') begin(body.number, body.digest, body.previous);
    if (op === 'policy.sign') drafts.get(body.digest)?.signers.add(actor.person);
    const withdrawn = op === 'policy.withdraw' ? drafts.get(body.digest) : undefined;
    if (withdrawn) withdrawn.withdrawn = true;
  }
  const took = tookEffect(vault, drafts);
  return [...drafts.values()].map(({ withdrawn, signers, previous: _previous, ...draft }) => ({ ...draft, signers: [...signers], status: statusOf(vault, draft.digest, took, withdrawn) }));
}

/** The policies that took effect, from a number on, the newest first; without those whose file is not what was signed. */
export async function pastPolicies(vault: Vault, from: number): Promise<Policy[]> {
  const found: Policy[] = [];
  for (const { number, digest, status } of (await policyHistory(vault)).reverse()) {
    if (number < from || (status !== 'in effect' && status !== 'was in effect')) continue;
    const bytes = await vault.store.get(policyPath(number, digest));
    const checked = bytes && sha256Hex(bytes) === digest ? checkPolicyFile(bytes) : undefined;
    if (checked && 'policy' in checked) found.push(checked.policy);
  }
  return found;
}

/** Digests of the policies that took effect, followed back from the one in effect. */
function tookEffect(vault: Vault, drafts: ReadonlyMap<string, Draft>): Set<string> {
  const took = new Set<string>();
  for (let digest: string | undefined = vault.policy.digest; digest !== undefined; digest = drafts.get(digest)?.previous) took.add(digest);
  return took;
}

function statusOf(vault: Vault, digest: string, took: ReadonlySet<string>, withdrawn: boolean): PolicyRecord['status'] {
  if (digest === vault.policy.digest) return 'in effect';
  if (took.has(digest)) return 'was in effect';
  if (vault.policy.proposals.some((p) => p.digest === digest)) return 'waits for signatures';
  return withdrawn ? 'withdrawn' : 'stale';
}
