/** The store behind an address. What a kind of store needs is loaded only for an address of that kind. */
import { VaultError } from '../errors.js';
import type { Store } from '../ports.js';
import { directoryStore } from '../stores/directory.js';
import type { VaultAddress } from './address.js';
import type { StoreSettings } from './surroundings.js';

/** Throws BAD_ADDRESS, REMOTE_ADDED, and UNSUPPORTED for what this release has no store for. */
export async function storeAt(where: Pick<VaultAddress, 'address' | 'base'>, settings: StoreSettings): Promise<Store> {
  const { address } = where;
  if (address.startsWith('git+')) return (await import('./git-place.js')).gitStoreAt(where, settings);
  if (address.startsWith('s3://')) {
    throw new VaultError('UNSUPPORTED', 'a vault in an S3 bucket comes with a later release', {
      hint: 'Until then keep it in Git or in a directory.',
    });
  }
  return directoryStore(address);
}
