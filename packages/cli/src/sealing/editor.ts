/** A person's editor on a file that never reaches a disk: in memory, in a directory that only its owner can enter. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VaultError } from '@oxp-vault/core';
import type { Io } from '../io.js';
import { dropOnSignal } from '../files/output-directory.js';
import { errnoOf, ioError } from '../files/private-file.js';

/** f_type of file systems that live in memory: tmpfs and ramfs (statfs(2)). */
const IN_MEMORY: readonly number[] = [0x01021994, 0x858458f6];

export interface EditedFile {
  /** Runs the editor until the person leaves it, and reads the file back. */
  edit(): Promise<Uint8Array>;
  /** Overwrites and removes the file, and its directory. */
  remove(): Promise<void>;
}

export interface EditedSecret {
  /** Of the secret; the file is called by its last segment. */
  readonly name: string;
  /** Tells the editor what it is: `.yml`, or nothing. */
  readonly extension: string;
}

/** Puts `bytes` where the editor can change them. Throws UNSUPPORTED, STORE_IO. */
export async function fileToEdit(io: Pick<Io, 'env' | 'cwd'>, bytes: Uint8Array, { name, extension }: EditedSecret): Promise<EditedFile> {
  const directory = join(await memoryDirectory(io.env, name), `oxp-vault-${randomBytes(8).toString('hex')}`);
  const path = join(directory, `${name.split('/').at(-1)}${extension}`);
  const forget = dropOnSignal(directory, { interrupt: 'ignore' });
  const remove = async (): Promise<void> => {
    await overwrite(path);
    await rm(directory, { recursive: true, force: true });
    forget();
  };
  try {
    await mkdir(directory, { mode: 0o700 });
    await writeFile(path, bytes, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    await remove();
    throw ioError('cannot write', path, error);
  }
  return {
    remove,
    edit: async () => {
      await runEditor(io, path, name);
      try {
        return new Uint8Array(await readFile(path));
      } catch (error) {
        throw ioError('cannot read back', path, error);
      }
    },
  };
}

/** `$XDG_RUNTIME_DIR` or /dev/shm, where it is in memory. On a disk, plaintext could be found long after it was removed. */
async function memoryDirectory(env: Io['env'], name: string): Promise<string> {
  for (const directory of [env['XDG_RUNTIME_DIR'], '/dev/shm']) {
    if (directory && (await isInMemory(directory))) return directory;
  }
  throw new VaultError('UNSUPPORTED', 'there is no directory in memory here to edit a secret in (XDG_RUNTIME_DIR, /dev/shm)', {
    hint: `Take it out to a place of your choice, edit it, and seal it again: oxp-vault open ${name} > FILE, then oxp-vault seal ${name} --from FILE`,
  });
}

async function isInMemory(directory: string): Promise<boolean> {
  try {
    return (await lstat(directory)).isDirectory() && IN_MEMORY.includes((await statfs(directory)).type);
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes(errnoOf(error))) return false;
    throw ioError('cannot look at', directory, error);
  }
}

/** As git does it: $VISUAL, else $EDITOR, else vi, through the shell, because people put options there. */
function runEditor({ env, cwd }: Pick<Io, 'env' | 'cwd'>, path: string, name: string): Promise<void> {
  const editor = env['VISUAL'] || env['EDITOR'] || 'vi';
  // An editor has plugins, and they have no business with the identity.
  const { OXP_VAULT_IDENTITY_DATA: _, ...seen } = env;
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, editor, path], { stdio: 'inherit', env: seen, cwd });
    child.on('error', (error) => reject(new VaultError('USAGE', 'the editor cannot be started', { hint: `Say which one: EDITOR=nano oxp-vault edit ${name}`, cause: error })));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new VaultError('USAGE', `the editor ended with exit code ${code ?? 'none'}: nothing was sealed`, { hint: `It was: ${editor}. Another one: EDITOR=nano oxp-vault edit ${name}` }));
    });
  });
}

/** Best effort: memory that is given back is not cleared at once. */
async function overwrite(path: string): Promise<void> {
  try {
    const file = await open(path, 'r+');
    try {
      const { size } = await file.stat();
      await file.write(new Uint8Array(size), 0, size, 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    // An editor may have removed it, or replaced it by something else: then there is nothing of ours to overwrite.
    if (errnoOf(error) === '') throw error;
  }
}
