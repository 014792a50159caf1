/** One value for one piece of work: recorded before it is there, wiped when the work is done. */
import { agentSourceFor } from '../agent/find.js';
import { VaultError } from '../errors.js';
import { renderSecrets } from '../formats/index.js';
import { openViews, parseView, planOpening, type View } from '../operations/open-views.js';
import type { Recording } from '../operations/recording.js';
import { Secret } from '../secret.js';
import type { Vault } from '../vault.js';

export interface WithSecretOptions extends Recording {
  /** The newest unless given. */
  readonly version?: number;
  /** Where an agent may be named; that of this process unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Gives `work` the value of `NAME` or `NAME#FIELD` and wipes it afterwards, whatever happens. With the identity of the vault; without one
 * through the agent that serves it. Throws what `openSecrets` throws, BAD_NAME, FIELD_NOT_FOUND, AGENT_UNREACHABLE, and what `work` throws.
 */
export async function withSecret<T>(vault: Vault, name: string, work: (value: Secret) => T | Promise<T>, options: WithSecretOptions = {}): Promise<T> {
  const { version, env = process.env, ...recording } = options;
  const view: View = { ...parseView(name), ...(version === undefined ? {} : { version }) };
  const opening = await planOpening(vault, [view], 'raw', { target: 'stream' });
  const source = vault.identity === undefined ? await agentSourceFor(env, vault, [view.name]) : undefined;
  const opened = await openViews(vault, opening, { purpose: 'library', ...recording }, source);
  let value: Secret | undefined;
  try {
    const rendered = await renderSecrets(opening.format, opened, opening.options);
    if (rendered.type === 'files') throw new VaultError('INTERNAL', 'a single value was rendered as files');
    // What was rendered may be a view on the file, which is wiped by itself.
    value = Secret.take(rendered.bytes.slice());
    return await work(value);
  } finally {
    value?.wipe();
    for (const { file } of opened) file.wipe();
  }
}
