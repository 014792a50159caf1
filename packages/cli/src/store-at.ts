/** The store behind an address. What a kind of store needs is loaded only for an address of that kind. */
import { directoryStore, type Store, VaultError } from '@oxp-vault/core';
import type { VaultAddress } from './address.js';
import type { Io } from './io.js';

export interface StoreSettings {
  readonly io: Pick<Io, 'env'> & Partial<Pick<Io, 'stderr'>>;
  /** Never use the network. */
  readonly offline: boolean;
  /** Somebody is there whom git and ssh may ask. */
  readonly interactive: boolean;
}

/** Throws BAD_ADDRESS, REMOTE_ADDED, and UNSUPPORTED for what this release has no store for. */
export async function storeAt(where: Pick<VaultAddress, 'address' | 'base'>, settings: StoreSettings): Promise<Store> {
  const { address } = where;
  if (address.startsWith('git+')) return (await import('./git-place.js')).gitStoreAt(where, settings);
  if (address.startsWith('s3://')) throw new VaultError('UNSUPPORTED', 'a vault in an S3 bucket comes with a later release', { hint: 'Until then keep it in Git or in a directory.' });
  return directoryStore(address);
}
