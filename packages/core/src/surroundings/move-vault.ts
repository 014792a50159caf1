/** The line of oxp-vault.yaml that says where the vault is, once it is elsewhere. */
import { randomBytes } from 'node:crypto';
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseDocument } from 'yaml';
import { storeError } from '../stores/io-error.js';
import { addressFor } from './address.js';

/** Says that the vault is elsewhere now. Everything else in the file stays, comments too; a link stays one; old text or new, whatever happens. */
export async function moveVault(link: string, address: string): Promise<void> {
  const path = await realpath(link);
  const document = parseDocument(await readFile(path, 'utf8'));
  document.set('vault', addressFor(address, dirname(link)));
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const { mode } = await stat(path);
    await writeFile(temporary, document.toString({ lineWidth: 0 }), { flag: 'wx', mode, flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw storeError(error, 'cannot replace', link);
  }
}
