/** The role keys that this person has been granted: read from the newest grant, checked against the recipients in the log. */
import { VaultError } from '../errors.js';
import { grantPath } from '../policy/roles.js';
import type { Epoch } from '../policy/state.js';
import { ageDecrypt, identityToRecipient } from '../primitives/age.js';
import { sha256Hex } from '../primitives/hash.js';
import type { Vault } from '../vault.js';

/** age identity lines by recipient. */
export type RoleKeys = ReadonlyMap<string, string>;

const AGE_LINE = /^AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+$/gm;

/** Keys of all epochs up to the newest one granted to this person; empty where there is no grant. */
export async function roleKeys(vault: Vault, role: string): Promise<RoleKeys> {
  const identity = vault.requireEnrolled();
  const me = identity.card.person;
  const epochs = vault.policy.roles.get(role)?.epochs ?? [];
  const granted = epochs.findLast((e) => e.grants.has(me));
  if (!granted) return new Map();
  const text = await readGrant(vault, role, granted, me);
  const keys = new Map<string, string>();
  for (const [line] of text.matchAll(AGE_LINE)) keys.set(await identityToRecipient(line), line);
  if (!keys.has(granted.recipient)) {
    throw new VaultError('SEALER_FAULT', `the grant of ${role} that ${granted.grants.get(me)?.maker} made for ${me} does not hold the key of epoch ${granted.epoch}`, {
      hint: `Ask another member for a new one: oxp-vault role grant ${role}`,
    });
  }
  return keys;
}

async function readGrant(vault: Vault, role: string, epoch: Epoch, me: string): Promise<string> {
  const { blob, maker } = epoch.grants.get(me)!;
  const path = grantPath(role, epoch.epoch, me, blob.sha256);
  const bytes = await vault.store.get(path);
  if (!bytes) throw new VaultError('BLOB_MISSING', `the grant ${path} is missing`, { hint: `Ask another member for a new one: oxp-vault role grant ${role}` });
  if (bytes.length !== blob.size || sha256Hex(bytes) !== blob.sha256) {
    throw new VaultError('HASH_MISMATCH', `the grant ${path} is not what ${maker} signed`);
  }
  try {
    const plain = await vault.requireEnrolled().age.useText((line) => ageDecrypt(bytes, [line]));
    return new TextDecoder().decode(plain);
  } catch (cause) {
    throw new VaultError('SEALER_FAULT', `${maker} made the grant ${path}, and this device cannot open it`, {
      cause,
      hint: `If this device is newer than the grant, ask for a new one: oxp-vault role grant ${role}`,
    });
  }
}
