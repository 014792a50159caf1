/** The role keys that this person has been granted: read from the newest grant, checked against the recipients in the log. */
import { isVaultError, VaultError } from '../../errors.js';
import { grantPath } from '../../policy/roles.js';
import type { Epoch, Grant } from '../../policy/state.js';
import { identityLines } from '../../primitives/age-identity.js';
import { ageDecrypt, identityToRecipient } from '../../primitives/age.js';
import { isContent } from '../../primitives/hash.js';
import type { Vault } from '../../vault.js';

/** age identity lines by recipient. */
export type RoleKeys = ReadonlyMap<string, string>;

/**
 * Keys of all epochs up to the newest one granted to this person; empty where there is no grant. A holder of the key may replace
 * anybody's grant, also by one that is worth nothing: then the one before it counts. Throws what is wrong with the newest.
 */
export async function roleKeys(vault: Vault, role: string): Promise<RoleKeys> {
  const me = vault.requireActor().person;
  const epochs = vault.policy.roles.get(role)?.epochs ?? [];
  const granted = epochs.findLast((e) => e.grants.has(me));
  if (!granted) return new Map();
  const newest = granted.grants.get(me)!;
  let fault: VaultError | undefined;
  for (const grant of [newest, ...newest.earlier]) {
    try {
      return await keysIn(vault, role, granted, grant);
    } catch (error) {
      if (!isVaultError(error)) throw error;
      fault ??= error;
    }
  }
  throw fault!;
}

async function keysIn(vault: Vault, role: string, epoch: Epoch, grant: Pick<Grant, 'blob' | 'maker'>): Promise<RoleKeys> {
  const me = vault.requireActor().person;
  const text = await readGrant(vault, role, epoch, grant);
  const keys = new Map<string, string>();
  for (const line of identityLines(text)) keys.set(await identityToRecipient(line), line);
  if (!keys.has(epoch.recipient)) {
    throw new VaultError('SEALER_FAULT', `the grant of ${role} that ${grant.maker} made for ${me} does not hold the key of epoch ${epoch.epoch}`, {
      hint: `Ask another member for a new one: oxp-vault role grant ${role} ${me}`,
    });
  }
  return keys;
}

async function readGrant(vault: Vault, role: string, epoch: Epoch, { blob, maker }: Pick<Grant, 'blob' | 'maker'>): Promise<string> {
  const { age, card: { person: me } } = vault.requireEnrolled();
  const path = grantPath(role, epoch.epoch, me, blob.sha256);
  const bytes = await vault.store.get(path);
  if (!bytes) throw new VaultError('BLOB_MISSING', `the grant ${path} is missing`, { hint: `Ask another member for a new one: oxp-vault role grant ${role}` });
  if (!isContent(bytes, blob)) {
    throw new VaultError('HASH_MISMATCH', `the grant ${path} is not what ${maker} signed`);
  }
  try {
    const plain = await age.useText((line) => ageDecrypt(bytes, [line]));
    return new TextDecoder().decode(plain);
  } catch (cause) {
    throw new VaultError('SEALER_FAULT', `${maker} made the grant ${path}, and this device cannot open it`, {
      cause,
      hint: `If this device is newer than the grant, ask for a new one: oxp-vault role grant ${role}`,
    });
  }
}
