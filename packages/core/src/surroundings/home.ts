/** Who the machine says that we are, and where `~` is. */
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { VaultError } from '../errors.js';
import { errnoOf } from '../stores/io-error.js';
import type { Surroundings } from './surroundings.js';

/**
 * `HOME`, or what the machine knows of this account; undefined where neither says. A HOME that is
 * empty or relative counts as none: what is private must not land wherever a command happens to be typed.
 */
export function homeDirectory(env: Surroundings['env']): string | undefined {
  const named = env['HOME'];
  if (named && isAbsolute(named)) return named;
  const home = account()?.homedir;
  return home !== undefined && isAbsolute(home) ? home : undefined;
}

/** What the machine knows of the account that runs this; undefined for one that is a mere number. */
export function account(): { readonly username: string; readonly homedir: string } | undefined {
  try {
    return userInfo();
  } catch (error) {
    // uv_os_get_passwd: there is no such account.
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** What `~/below` stands for. Throws STORE_IO where there is no home. */
export function inHome(env: Surroundings['env'], below: string): string {
  const home = homeDirectory(env);
  if (home === undefined) throw new VaultError('STORE_IO', 'this account has no home directory', { hint: 'Set HOME to a directory that only you can write.' });
  return join(home, below);
}
