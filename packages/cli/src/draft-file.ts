/** policy.yaml beside oxp-vault.yaml: a draft of people. Commands that change the policy keep an unedited one up to date. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatDraft, type Policy } from '@oxp-vault/core';
import { CONFIG_FILE } from './address.js';
import type { CliContext } from './context.js';
import { errnoOf, ioError } from './private-file.js';

export const DRAFT_FILE = 'policy.yaml';

/** Where the draft of this vault is kept; undefined when the vault was not found through an oxp-vault.yaml. */
export async function draftPath(context: CliContext): Promise<string | undefined> {
  const { from } = await context.address();
  return from.endsWith(CONFIG_FILE) ? join(dirname(from), DRAFT_FILE) : undefined;
}

/** Rewrites the draft where it still says what `before` said; otherwise tells that it is behind. */
export async function renewDraft(context: CliContext, before: Policy, after: Policy): Promise<void> {
  const path = await draftPath(context);
  const text = path === undefined ? undefined : await readIfThere(path);
  if (path === undefined || text === undefined || before.number === after.number) return;
  if (text === formatDraft(before)) {
    await writeFile(path, formatDraft(after));
    await context.say(`${context.path(path)} says so too.`);
  } else if (text !== formatDraft(after)) {
    await context.warn(`${context.path(path)} was edited and is based on an older policy. The one in effect: oxp-vault policy show`);
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw ioError('cannot read', path, error);
  }
}
