/** Changing the policy: compile, propose, sign. It takes effect at the leaf where the thresholds are met. */
import { parseEntry } from '../../audit/entry.js';
import { admit } from '../../engine/append.js';
import { encodeQueued } from '../../engine/queue.js';
import { isVaultError, PUT_BACK, refusalToError, VaultError } from '../../errors.js';
import { applyOp } from '../../ops.js';
import { missingSignatures, type Missing } from '../../policy/agreement.js';
import type { Card } from '../../policy/card.js';
import { checkPolicyFile, encodePolicy, policyPath, type Policy } from '../../policy/policy.js';
import type { Proposal } from '../../policy/state.js';
import { sha256Hex, utf8 } from '../../primitives/hash.js';
import type { Vault } from '../../vault.js';

export interface PolicyOutcome {
  readonly number: number;
  readonly digest: string;
  /** True once it is in effect. */
  readonly inEffect: boolean;
  readonly waiting: Missing;
}

/** Proposes a successor of the policy in effect, which counts as its author's signature. */
export async function proposePolicy(vault: Vault, policy: Policy): Promise<PolicyOutcome> {
  vault.requireEnrolled();
  const bytes = encodePolicy(policy);
  const checked = checkPolicyFile(bytes);
  if ('code' in checked) throw refusalToError(checked);
  const digest = sha256Hex(bytes);
  const { number } = policy;
  const entry = vault.sign('policy.propose', { number, digest, previous: vault.policy.digest });
  await vault.append({ entries: [entry], files: [{ path: policyPath(number, digest), bytes }] });
  return policyOutcome(vault, number, digest);
}

/** What proposing it would come to, judged by the rules of the log itself: nothing is signed. Throws what the log would refuse. */
export function previewPolicy(vault: Vault, policy: Policy, { person, device, id }: Card): PolicyOutcome {
  const bytes = encodePolicy(policy);
  const checked = checkPolicyFile(bytes);
  if ('code' in checked) throw refusalToError(checked);
  const digest = sha256Hex(bytes);
  const { number } = policy;
  const context = { leaf: vault.point.size, time: vault.clock.now(), vault: vault.id, digest, actor: { person, device, key: id }, file: (sha256: string) => (sha256 === digest ? bytes : undefined) };
  const next = applyOp(vault.state, { op: 'policy.propose', body: { number, digest, previous: vault.policy.digest } }, context);
  if ('code' in next) throw refusalToError(next);
  const proposal = next.policy?.proposals.find((p) => p.digest === digest);
  return { number, digest, inEffect: next.policy?.digest === digest, waiting: proposal && next.policy ? missingSignatures(next.policy, proposal) : { need: 0, of: [] } };
}

/** The open proposal that a digest, or its beginning, names; the only one where none is named. */
export function findProposal(vault: Vault, digest?: string): Proposal {
  const open = vault.policy.proposals;
  const found = digest === undefined ? open : open.filter((p) => p.digest.startsWith(digest));
  const [first, second] = found;
  if (!first) {
    throw new VaultError('ENTRY_NOT_FOUND', digest === undefined ? 'no policy is waiting for signatures' : `no open proposal has the digest ${digest}`, {
      hint: 'See the history: oxp-vault policy log',
    });
  }
  if (second) {
    throw new VaultError('USAGE', `${found.length} proposals are open`, {
      hint: `Name one by its digest: ${found.map((p) => p.digest.slice(0, 8)).join(', ')}`,
    });
  }
  return first;
}

export interface SignedPolicy extends PolicyOutcome {
  /**
   * Set where this person may sign and may not append: a newcomer, whose signature does not complete what is needed. One line of a
   * queue file, which anybody who is enrolled takes over (`takeOverQueue`).
   */
  readonly handOver?: Uint8Array;
}

/** Signs an open proposal. Throws what the log refuses. */
export async function signPolicy(vault: Vault, proposal: Proposal): Promise<SignedPolicy> {
  const path = policyPath(proposal.number, proposal.digest);
  const entry = vault.sign('policy.sign', { digest: proposal.digest });
  // Somebody whom this very policy enrols may sign it too, so that enrolment is judged with the entry.
  const batch = { entries: [entry], files: [{ path, bytes: await policyFile(vault, proposal) }] };
  const outcome = (): PolicyOutcome => policyOutcome(vault, proposal.number, proposal.digest);
  try {
    await vault.append(batch);
    return outcome();
  } catch (error) {
    // Good by itself: only nobody accepts a checkpoint of somebody who is not enrolled. What the log refuses is thrown by `admit`.
    if (!isVaultError(error, 'NOT_ENROLLED') || vault.policy.people.has(vault.identity!.card.person)) throw error;
    admit(vault.state, batch);
    return { ...outcome(), handOver: utf8(`${new TextDecoder().decode(encodeQueued({ digest: parseEntry(entry.line).digest, entry, files: [] }))}\n`) };
  }
}

export async function withdrawPolicy(vault: Vault, proposal: Proposal): Promise<void> {
  await vault.append({ entries: [vault.sign('policy.withdraw', { digest: proposal.digest })], files: [] });
}

async function policyFile(vault: Vault, proposal: Proposal): Promise<Uint8Array> {
  const path = policyPath(proposal.number, proposal.digest);
  const bytes = await vault.store.get(path);
  if (!bytes || sha256Hex(bytes) !== proposal.digest) {
    throw new VaultError('STORE_INCOMPLETE', `${path} is missing or not what was proposed`, { hint: PUT_BACK });
  }
  return bytes;
}

export function policyOutcome(vault: Vault, number: number, digest: string): PolicyOutcome {
  const proposal = vault.policy.proposals.find((p) => p.digest === digest);
  return { number, digest, inEffect: vault.policy.digest === digest, waiting: proposal ? missingSignatures(vault.policy, proposal) : { need: 0, of: [] } };
}
