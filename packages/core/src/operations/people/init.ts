/** Making a vault: the first policy, the first entry, and the keys of the roles that its maker is in or is steward of. */
import type { Card } from '../../policy/card.js';
import { signAs, systemClock, Vault, type VaultOptions } from '../../vault.js';
import { checkPolicyFile, encodePolicy, policyPath, type Policy } from '../../policy/policy.js';
import type { Identity } from '../../policy/identity.js';
import { refusalToError } from '../../errors.js';
import { CompactRange } from '../../primitives/compact-range.js';
import { sha256Hex, toHex } from '../../primitives/hash.js';
import { turnRole } from './role-turn.js';

/** Creates the vault in an empty store. Throws BAD_POLICY, VAULT_EXISTS. */
export async function initVault(options: VaultOptions & { identity: Identity }, policy: Policy): Promise<Vault> {
  const bytes = encodePolicy(policy);
  const checked = checkPolicyFile(bytes);
  if ('code' in checked) throw refusalToError(checked);
  const digest = sha256Hex(bytes);
  const nothing = { size: 0, root: toHex(CompactRange.empty.root()) };
  const time = (options.clock ?? systemClock).now();
  const init = signAs(options.identity, { vault: digest, seen: nothing, policy: { number: 1, digest }, time }, 'vault.init', { policy: digest });
  const vault = await Vault.create(options, { vault: digest, init, policyFile: { path: policyPath(1, digest), bytes } });
  await makeMissingKeys(vault);
  return vault;
}

/** Roles that have no key and whose first one this person may make: as a member, else as the steward. */
export function rolesToMake(vault: Vault, me: Card = vault.requireActor()): string[] {
  if (me.kind === 'machine') return [];
  return Object.entries(vault.policy.policy.roles).flatMap(([role, def]) => (!vault.policy.roles.has(role) && (def.members.includes(me.person) || def.steward === me.person) ? [role] : []));
}

/** Makes the keys of these roles and gives their names. */
export async function makeMissingKeys(vault: Vault): Promise<string[]> {
  const due = rolesToMake(vault);
  for (const role of due) await vault.append(await turnRole(vault, role));
  return due;
}
