/** bootstrap.yaml: the nearest one at or above this directory, or the one that was named. */
import { dirname, join, resolve } from 'node:path';
import { type BootstrapPlan, parseBootstrap, VaultError } from '@oxp-vault/core';
import { readInputFile } from '../sealing/input-values.js';
import type { Io } from '../io.js';
import { pathForEyes } from '../render.js';

export const BOOTSTRAP_FILE = 'bootstrap.yaml';

export interface BootstrapFile {
  readonly path: string;
  /** What relative paths in it are relative to. */
  readonly directory: string;
  readonly plan: BootstrapPlan;
}

/** Undefined where none is named and none is there. Throws FILE_NOT_FOUND for a named one, BAD_YAML, BAD_NAME, BAD_VALUE. */
export async function findBootstrap(io: Io, named: string | undefined): Promise<BootstrapFile | undefined> {
  if (named !== undefined) {
    const found = await read(io, resolve(io.cwd, named));
    if (!found) throw new VaultError('FILE_NOT_FOUND', `there is no file ${named}`);
    return found;
  }
  for (let directory = resolve(io.cwd); ; directory = dirname(directory)) {
    const found = await read(io, join(directory, BOOTSTRAP_FILE));
    if (found || directory === dirname(directory)) return found;
  }
}

async function read(io: Io, path: string): Promise<BootstrapFile | undefined> {
  const bytes = await readInputFile(path);
  if (!bytes) return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new VaultError('BAD_YAML', `${pathForEyes(path, io)} is not UTF-8 text`, { cause });
  }
  return { path, directory: dirname(path), plan: await parseBootstrap(text, pathForEyes(path, io)) };
}
