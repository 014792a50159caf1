/** Whether this person may seal something, asked before anything is made: the answer is an error value. */
import { isVaultError, VaultError } from '../../errors.js';
import type { Card } from '../../policy/card.js';
import { sealAuthority } from '../../seal-authority.js';
import type { Vault } from '../../vault.js';
import { rolesToMake } from '../people/init.js';
import { rolesToTurn } from '../people/members.js';
import { readersOf } from './seal.js';

/**
 * Why this person cannot seal a secret of this name now, or undefined. `chores`: judge as after the housekeeping of a writing
 * command, which a dry run does not do. `me`: who asks, where the identity is not unlocked.
 */
export function sealFault(vault: Vault, name: string, chores = false, me: Card = vault.requireActor()): VaultError | undefined {
  const { person } = me;
  const authority = sealAuthority(vault.state);
  const rule = authority.rule(name);
  if (rule && !rule.writers.some((role) => authority.rolesOf(person).includes(role))) {
    return new VaultError('NOT_ALLOWED', `you (${person}) may not write ${name}: its writers are ${rule.writers.join(', ')}`, {
      hint: 'Ask one of them to seal it, or an admin to change the rule.',
    });
  }
  const due = chores ? [...rolesToMake(vault, me), ...rolesToTurn(vault, me)] : [];
  if (rule?.readers?.every((role) => due.includes(role) || authority.epochOf(role)?.stale === false)) return undefined;
  try {
    readersOf(vault, name);
  } catch (error) {
    if (isVaultError(error)) return error;
    throw error;
  }
  const stale = rule?.readers?.find((role) => authority.epochOf(role)?.stale);
  if (stale === undefined) return undefined;
  return new VaultError('EPOCH_STALE', `${name} is for role ${stale}, whose key is stale: somebody who could hold it has left`, {
    hint: `A remaining member turns it: oxp-vault role rekey ${stale}`,
  });
}
