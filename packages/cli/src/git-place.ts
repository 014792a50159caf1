/** A vault in Git as this user reaches it: their git, their keys, and a mirror in their cache. */
import { gitStore, gitStoreHere, parseGitAddress, type Store } from '@oxp-vault/core';
import type { VaultAddress } from './address.js';
import { cacheDirectory } from './identity-file.js';
import { progressLine } from './progress.js';
import type { StoreSettings } from './store-at.js';

/** Hooks, helpers and servers' programs that git starts have no business with what unlocks an identity. */
const OURS = ['OXP_VAULT_IDENTITY_DATA', 'OXP_VAULT_PASSPHRASE_FILE'];

export async function gitStoreAt({ address, base }: Pick<VaultAddress, 'address' | 'base'>, { io, offline, interactive }: StoreSettings): Promise<Store> {
  const env = Object.fromEntries(Object.entries(io.env).filter(([name]) => !OURS.includes(name)));
  const onProgress = io.stderr && progressLine(io.stderr);
  const options = { mirrorDir: cacheDirectory(io), env, offline, interactive, ...(onProgress ? { onProgress } : {}) };
  const { url, branch } = parseGitAddress(address);
  return url === undefined ? gitStoreHere({ ...options, directory: base, branch }) : gitStore({ ...options, url, branch });
}
