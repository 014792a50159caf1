/** Whether this person may seal or read something, asked before anything is made: the answer is an error value. */
import { isVaultError, VaultError } from '../errors.js';
import { authorityOf } from '../ops.js';
import { rolesOf } from '../policy/rules.js';
import type { SecretVersion } from '../seal/state.js';
import type { Vault } from '../vault.js';
import { rolesToMake } from './init.js';
import { rolesToTurn } from './members.js';
import { readersOf } from './seal.js';

/**
 * Why this person cannot seal a secret of this name now, or undefined. `chores`: judge as after the housekeeping of a writing
 * command, which a dry run does not do.
 */
export function sealFault(vault: Vault, name: string, chores = false): VaultError | undefined {
  const { person } = vault.requireEnrolled().card;
  const authority = authorityOf(vault.policy);
  const rule = authority.rule(name);
  if (rule && !rule.writers.some((role) => authority.rolesOf(person).includes(role))) {
    return new VaultError('NOT_ALLOWED', `you (${person}) may not write ${name}: its writers are ${rule.writers.join(', ')}`, { hint: 'Ask one of them to seal it, or an admin to change the rule.' });
  }
  const due = chores ? [...rolesToMake(vault), ...rolesToTurn(vault)] : [];
  if (rule?.readers?.every((role) => due.includes(role) || authority.epochOf(role)?.stale === false)) return undefined;
  try {
    readersOf(vault, name);
  } catch (error) {
    if (isVaultError(error)) return error;
    throw error;
  }
  const stale = rule?.readers?.find((role) => authority.epochOf(role)?.stale);
  if (stale === undefined) return undefined;
  return new VaultError('EPOCH_STALE', `${name} is for role ${stale}, whose key is stale: somebody who could hold it has left`, { hint: `A remaining member turns it: oxp-vault role rekey ${stale}` });
}

/** Why this person cannot open a version, as far as the log tells: not a reader, or not granted yet. */
export function readingFault(vault: Vault, { statement }: SecretVersion): VaultError | undefined {
  const { person } = vault.requireEnrolled().card;
  const label = `${statement.name} version ${statement.version}`;
  if (!('readers' in statement)) return new VaultError('NOT_A_READER', `${label} is under custody: nobody reads it alone`, { hint: 'Opening by a quorum of its custodians comes with a later release.' });
  const mine = rolesOf(vault.policy.policy, person);
  const readers = statement.readers.filter((r) => mine.includes(r.role));
  if (readers.length === 0) return new VaultError('NOT_A_READER', `you (${person}) may not read ${label}: it is sealed to ${statement.readers.map((r) => r.role).join(', ')}`);
  const granted = readers.some((r) => (vault.policy.roles.get(r.role)?.epochs ?? []).some((e) => e.epoch >= r.epoch && e.grants.has(person)));
  if (granted) return undefined;
  const role = readers[0]!.role;
  return new VaultError('NEEDS_GRANT', `you are a member of ${role}, and nobody has granted you its key yet`, { hint: `A member who has it types: oxp-vault role grant ${role}` });
}
