/** Where this machine keeps what it knows of vaults: its own directory, or, where a job has none that it can write, its memory. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { LocalState } from '../ports.js';
import { fsLocalState } from '../stores/fs-local-state.js';
import { errnoOf } from '../stores/io-error.js';
import { volatileLocalState } from '../stores/volatile-local-state.js';
import { stateDirectory } from './identity-file.js';
import { IDENTITY_DATA, type Surroundings } from './surroundings.js';

/**
 * Only whoever is given an identity in a variable may go on without a directory: nothing of such a job is meant to outlast it, and
 * what it must write it writes at once. A person whose directory cannot be written is told so, because the pin and the queue in it
 * protect them. `look`: for what changes nothing, which may go on as well, with whatever an earlier run has left.
 */
export function localState(io: Surroundings, identityFlag: string | undefined, { look = false }: { readonly look?: boolean } = {}): LocalState {
  const directory = stateDirectory(io);
  const job = Boolean(io.env[IDENTITY_DATA]) && identityFlag === undefined;
  if (!(job || look) || canWrite(directory)) return fsLocalState(directory);
  return volatileLocalState(existsSync(directory) ? fsLocalState(directory) : undefined);
}

/** True when this directory can be written, or made. */
function canWrite(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return false;
    return dirname(directory) !== directory && canWrite(dirname(directory));
  }
}
