/** Since when a role has the members that it has, read from the policies in the log. */
import { PUT_BACK, VaultError } from '../../errors.js';
import { checkPolicyFile, policyPath } from '../../policy/policy.js';
import { sha256Hex } from '../../primitives/hash.js';
import type { Vault } from '../../vault.js';
import { walkLog } from '../log/walk.js';

/** Who was last added to a role, and the claimed time of the entry that put the policy into effect; undefined where it has no members. */
export async function lastJoined(vault: Vault, role: string): Promise<{ person: string; time: number } | undefined> {
  let members: readonly string[] = vault.policy.policy.roles[role]?.members ?? [];
  if (members.length === 0) return undefined;
  const { policies } = vault.log;
  for (let i = policies.length - 1; i >= 0; i--) {
    const before = i === 0 ? [] : await membersIn(vault, i, policies[i - 1]!.digest, role);
    const joined = members.find((person) => !before.includes(person));
    if (joined !== undefined) return { person: joined, time: await timeOf(vault, policies[i]!.leaf) };
    members = before;
  }
  return undefined;
}

/** `number` of the policy: they take effect in order, from 1 on. */
async function membersIn(vault: Vault, number: number, digest: string, role: string): Promise<readonly string[]> {
  const path = policyPath(number, digest);
  const bytes = await vault.store.get(path);
  const checked = bytes && sha256Hex(bytes) === digest ? checkPolicyFile(bytes) : undefined;
  if (!checked || 'code' in checked) throw new VaultError('STORE_INCOMPLETE', `${path} is missing or not what was signed`, { hint: PUT_BACK });
  return Object.hasOwn(checked.policy.roles, role) ? checked.policy.roles[role]!.members : [];
}

async function timeOf(vault: Vault, leaf: number): Promise<number> {
  const walked = await walkLog(vault);
  return walked[leaf]?.entry?.payload.time ?? 0;
}
