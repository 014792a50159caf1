/** A vault in Git as this user reaches it: their git, their keys, and a mirror in their cache. */
import type { Store } from '../ports.js';
import { parseGitAddress } from '../stores/git-address.js';
import { gitStore, gitStoreHere } from '../stores/git.js';
import type { VaultAddress } from './address.js';
import { cacheDirectory } from './identity-file.js';
import type { StoreSettings } from './surroundings.js';

/** Hooks, helpers and servers' programs that git starts have no business with what unlocks an identity. */
const OURS = ['OXP_VAULT_IDENTITY_DATA', 'OXP_VAULT_PASSPHRASE_FILE'];

export async function gitStoreAt({ address, base }: Pick<VaultAddress, 'address' | 'base'>, { io, offline, interactive, onProgress }: StoreSettings): Promise<Store> {
  const env = Object.fromEntries(Object.entries(io.env).filter(([name]) => !OURS.includes(name)));
  const options = { mirrorDir: cacheDirectory(io), env, offline, interactive, ...(onProgress ? { onProgress } : {}) };
  const { url, branch } = parseGitAddress(address);
  return url === undefined ? gitStoreHere({ ...options, directory: base, branch }) : gitStore({ ...options, url, branch });
}
