/** What every command that changes the policy shows and says. */
import { type Card, isVaultError, policyDifference, policyDigest, type Policy, type PolicyOutcome, previewPolicy, ungranted, type Vault, VaultError } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { EXIT_NEEDS_OTHERS } from '../exit-codes.js';
import { short } from '../render.js';

/** Shows on stderr how `next` differs from the policy in effect. Throws ALREADY_DONE when it does not. */
export async function showDifference(context: CliContext, vault: Vault, next: Policy): Promise<void> {
  const lines = policyDifference(vault.policy.policy, next, vault.policy.people);
  if (lines.length === 0) throw new VaultError('ALREADY_DONE', 'this changes nothing: the policy in effect says the same', { hint: 'See it: oxp-vault policy show' });
  await context.say(`policy ${vault.policy.policy.number} -> ${next.number}`);
  for (const { mark, text } of lines) await context.say(`  ${context.paint.mark(mark)} ${text}`);
}

/** Before anybody is asked. Throws ALREADY_DONE for a policy that waits for signatures already. */
export function mustBeNew(vault: Vault, next: Policy): void {
  const digest = policyDigest(next);
  const open = vault.policy.proposals.find((proposal) => proposal.digest === digest);
  if (open) throw new VaultError('ALREADY_DONE', `this very policy is proposed already, by ${open.proposer.person}`, { hint: `Who has signed it: oxp-vault policy log. The others: oxp-vault policy sign ${short(digest)}` });
}

export interface Preview {
  /** What does it in earnest. */
  readonly command: string;
  /** True where it is worth seeing for whoever may not propose it as well: a draft goes on to an admin. */
  readonly forAll?: boolean;
  /** What else there is to say, to a program and to a person. */
  readonly document?: object;
  readonly text?: string;
}

/** What proposing `next` would come to; nothing is signed, and no passphrase needed. */
export async function showPreview(context: CliContext, vault: Vault, next: Policy, { command, forAll = false, document = {}, text = '' }: Preview): Promise<void> {
  await showDifference(context, vault, next);
  mustBeNew(vault, next);
  const me = await context.whoami();
  // Whoever is not known here, as a job that checks a draft, is told what it says all the same.
  const outcome = me && vault.policy.people.has(me.person) ? await preview(context, vault, next, me, forAll) : undefined;
  const digest = policyDigest(next);
  const words = outcome && (outcome.inEffect ? ', and would be in effect at once' : `, and would wait for ${outcome.waiting.need} of ${outcome.waiting.of.join(' ')}`);
  await context.result({ dryRun: true, ...document, number: next.number, digest, ...outcome }, `policy ${next.number} would have the digest ${digest}${words ?? ''}\n${text}`);
  await context.say(`Nothing was proposed. To do it: ${command}`);
}

async function preview(context: CliContext, vault: Vault, next: Policy, me: Card, forAll: boolean): Promise<PolicyOutcome | undefined> {
  try {
    return previewPolicy(vault, next, me);
  } catch (error) {
    if (!forAll || !isVaultError(error, 'NOT_ALLOWED')) throw error;
    await context.warn(`${error.message}. ${error.hint ?? ''}`.trimEnd());
    return undefined;
  }
}

/** `policy 2 (3f9a2c1b) is in effect`, or who must still sign. */
export function outcomeInWords({ number, digest, inEffect, waiting }: PolicyOutcome): string {
  if (inEffect) return `policy ${number} (${short(digest)}) is in effect\n`;
  return `policy ${number} (${short(digest)}) waits for ${waiting.need} of ${waiting.of.join(' ')}\n`;
}

/** Tells who must sign next. The exit code of a command that is not done before they have. */
export async function tellWaiting(context: CliContext, outcome: PolicyOutcome): Promise<number> {
  if (outcome.inEffect) return 0;
  await context.next(`${outcome.waiting.of.join(' or ')}: oxp-vault policy sign ${short(outcome.digest)}`);
  return EXIT_NEEDS_OTHERS;
}

/** What a new policy leaves to those who hold the keys of roles: nobody else can do it. */
export async function tellKeys(context: CliContext, vault: Vault): Promise<void> {
  for (const [role, { stale }] of vault.policy.roles) {
    const until = `until one of its members writes something, or types: oxp-vault role`;
    const lacking = ungranted(vault, role);
    if (stale) await context.warn(`The key of role ${role} is stale ${until} rekey ${role}`);
    else if (lacking.length > 0) await context.warn(`${lacking.join(', ')} cannot read for role ${role} ${until} grant ${role}`);
  }
}
