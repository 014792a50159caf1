/** policy.yaml beside oxp-vault.yaml: a draft of people. Commands that change the policy keep an unedited one up to date. */
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { compileDraft, CONFIG_FILE, formatDraft, isVaultError, parseDraft, pastPolicies, policyDifference, type Vault } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { readIfThere, replaceText } from '../files/own-file.js';

export const DRAFT_FILE = 'policy.yaml';

/** Where the draft of this vault is kept; undefined when the vault was not found through an oxp-vault.yaml. */
export async function draftPath(context: CliContext): Promise<string | undefined> {
  const { from } = await context.address();
  return from.endsWith(CONFIG_FILE) ? join(dirname(from), DRAFT_FILE) : undefined;
}

/**
 * Brings the draft up to date where it says what the policy in effect says: then only its `based-on` changes, and people's own comments
 * stay. One that says what an earlier policy said, without a comment, is written anew. Any other is left alone, and that is told.
 */
export async function renewDraft(context: CliContext, vault: Vault): Promise<void> {
  const { policy } = vault.policy;
  const path = await draftPath(context);
  const text = path === undefined ? undefined : await readIfThere(path);
  const base = Number(/^based-on: *(\d+) *$/m.exec(text ?? '')?.[1]);
  if (path === undefined || text === undefined || base === policy.number) return;
  const renewed = saysTheSame(vault, withBase(text, policy.number)) ? withBase(text, policy.number) : (await saidBefore(vault, text, base)) ? formatDraft(policy) : undefined;
  if (renewed === undefined) {
    await context.warn(`${context.path(path)} was edited and is based on an older policy. The one in effect: oxp-vault policy show`);
  } else if (renewed !== text) {
    await replaceText(path, renewed);
    await context.say(`${context.path(path)} is based on policy ${policy.number} now.`);
  }
}

/** Comments that a written-out policy does not have: nothing that people wrote is thrown away. */
function hasOwnComments(text: string, written: string): boolean {
  const comments = (draft: string): string[] => draft.split('\n').flatMap((line) => /#.*/.exec(line)?.[0] ?? []);
  return comments(text).some((comment) => !comments(written).includes(comment));
}

function withBase(text: string, number: number): string {
  return text.replace(/^based-on:.*$/m, `based-on: ${number}`);
}

/** True for what a policy said that was in effect since: others may have changed it more than once since this machine has looked. */
async function saidBefore(vault: Vault, text: string, base: number): Promise<boolean> {
  const past = await pastPolicies(vault, Number.isSafeInteger(base) ? base : vault.policy.policy.number);
  if (past.some((policy) => text === formatDraft(policy))) return true;
  const said = (draft: string): object => ({ ...parseDraft(draft, DRAFT_FILE), basedOn: 0 });
  try {
    return past.some((policy) => !hasOwnComments(text, formatDraft(policy)) && isDeepStrictEqual(said(text), said(formatDraft(policy))));
  } catch (error) {
    // A draft that cannot be read says nothing.
    if (isVaultError(error)) return false;
    throw error;
  }
}

function saysTheSame(vault: Vault, text: string): boolean {
  const { policy, digest, people } = vault.policy;
  try {
    return policyDifference(policy, compileDraft(parseDraft(text, DRAFT_FILE), { policy, digest, people }, []), people).length === 0;
  } catch (error) {
    // A draft that does not compile does not say the same.
    if (isVaultError(error)) return false;
    throw error;
  }
}
