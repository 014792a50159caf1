/** One planned view as the bytes that `open` would pipe. */
import type { FileSource } from '../../deputy.js';
import { VaultError } from '../../errors.js';
import { renderSecrets } from '../../formats/index.js';
import { Secret } from '../../secret.js';
import type { Vault } from '../../vault.js';
import { openViews, type Opening } from './views.js';
import type { Recording } from './recording.js';

/** Opens it, by this person unless `source` does, and gives the value, to be wiped by the caller. Throws what `openViews` throws, FORMAT_UNSUITABLE. */
export async function openValue(vault: Vault, opening: Opening, recording: Recording = {}, source?: FileSource): Promise<Secret> {
  const opened = await openViews(vault, opening, recording, source);
  try {
    const rendered = await renderSecrets(opening.format, opened, opening.options);
    if (rendered.type === 'files') {
      throw new VaultError('FORMAT_UNSUITABLE', `the format ${opening.format} makes files, not one value`, {
        hint: 'One value is: raw, json, pem, openssh and their like.',
      });
    }
    // What was rendered may be a view on the file that is wiped below.
    const value = Secret.take(Uint8Array.from(rendered.bytes));
    rendered.bytes.fill(0);
    return value;
  } finally {
    for (const { file } of opened) file.wipe();
  }
}
