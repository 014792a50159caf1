/** What people's drafts say that the vault does not: policy.yaml beside oxp-vault.yaml, and the nearest bootstrap.yaml. */
import { compileDraft, isVaultError, parseDraft, policyDifference, type Vault, type VaultError } from '@oxp-vault/core';
import { BOOTSTRAP_FILE, findBootstrap } from './bootstrap-file.js';
import type { CliContext } from '../context.js';
import { DRAFT_FILE, draftPath } from './policy-file.js';
import { readIfThere } from '../files/own-file.js';
import { count } from '../render.js';

export interface DraftNote {
  readonly text: string;
  /** What to type, where there is something. */
  readonly next?: string;
}

/** Drafts are trusted with nothing, so none of this is a fault of the vault. */
export async function draftNotes(context: CliContext, vault: Vault): Promise<DraftNote[]> {
  return [...(await noteOf(DRAFT_FILE, () => policyNote(context, vault))), ...(await noteOf(BOOTSTRAP_FILE, () => bootstrapNote(context, vault)))];
}

/** What stands in policy.yaml and not in the policy in effect: a seal goes by the latter. */
export async function unproposed(context: CliContext, vault: Vault): Promise<DraftNote | undefined> {
  return (await noteOf(DRAFT_FILE, () => policyNote(context, vault)))[0];
}

async function noteOf(file: string, look: () => Promise<DraftNote | undefined>): Promise<DraftNote[]> {
  try {
    const note = await look();
    return note === undefined ? [] : [note];
  } catch (error) {
    if (!isVaultError(error)) throw error;
    return [{ text: `${file} cannot be used: ${oneLine(error)}` }];
  }
}

async function policyNote(context: CliContext, vault: Vault): Promise<DraftNote | undefined> {
  const path = await draftPath(context);
  const text = path === undefined ? undefined : await readIfThere(path);
  if (path === undefined || text === undefined) return undefined;
  const { policy, digest, people } = vault.policy;
  // What it is based on decides whether it can be proposed, not what it says.
  const draft = { ...parseDraft(text, DRAFT_FILE), basedOn: policy.number };
  const changes = policyDifference(policy, compileDraft(draft, { policy, digest, people }, []), people).length;
  if (changes === 0) return undefined;
  return { text: `${context.path(path)} differs from policy ${policy.number}, which is in effect (${count(changes, 'change')})`, next: 'oxp-vault policy propose --dry-run' };
}

async function bootstrapNote(context: CliContext, vault: Vault): Promise<DraftNote | undefined> {
  const bootstrap = await findBootstrap(context.io, undefined);
  if (!bootstrap) return undefined;
  const missing = bootstrap.plan.secrets.map((secret) => secret.name).filter((name) => vault.state.secrets.versions.get(name) === undefined);
  if (missing.length === 0) return undefined;
  return { text: `${context.path(bootstrap.path)} asks for ${count(missing.length, 'secret')} that ${missing.length === 1 ? 'is' : 'are'} not sealed: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ' …' : ''}`, next: 'oxp-vault seal' };
}

function oneLine({ message }: VaultError): string {
  return message.replaceAll('\n', '; ');
}
