/** Files that people write themselves, beside their Terraform. */
import { randomBytes } from 'node:crypto';
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { errnoOf, ioError } from './private-file.js';

/** Undefined where there is none. Throws STORE_IO. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw ioError('cannot read', path, error);
  }
}

/** The old text or the new one, whatever happens. A link stays one. Throws STORE_IO. */
export async function replaceText(link: string, text: string): Promise<void> {
  const path = await realpath(link);
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const { mode } = await stat(path);
    await writeFile(temporary, text, { flag: 'wx', mode, flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw ioError('cannot replace', link, error);
  }
}
