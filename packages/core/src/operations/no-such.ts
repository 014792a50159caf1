/** Somebody, or a role, that is not there: what was perhaps meant, else what there is. */
import { VaultError } from '../errors.js';
import type { PolicyState } from '../policy/state.js';
import { nearNames } from './near-names.js';

export function noSuchRole({ policy }: Pick<PolicyState, 'policy'>, role: string): VaultError {
  return new VaultError('ROLE_NOT_FOUND', `there is no role ${role}`, { hint: meant(role, Object.keys(policy.roles), 'Roles') });
}

export function noSuchPerson({ people }: Pick<PolicyState, 'people'>, person: string): VaultError {
  return new VaultError('PERSON_NOT_FOUND', `${person} is not enrolled`, { hint: meant(person, [...people.keys()], 'Persons') });
}

function meant(typed: string, names: readonly string[], what: string): string {
  const near = nearNames(typed, names);
  return near.length > 0 ? `Did you mean: ${near.join(', ')}?` : `${what}: ${names.join(', ')}`;
}
