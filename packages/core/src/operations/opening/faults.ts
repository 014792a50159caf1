/** Whether this person may read a version, as far as the log tells: asked before anything is fetched. The answer is an error value. */
import { VaultError } from '../../errors.js';
import { rolesOf } from '../../policy/rules.js';
import type { SecretVersion } from '../../seal/state.js';
import type { Reader } from '../../seal/statement.js';
import type { Vault } from '../../vault.js';

/** The roles that a version is sealed to and that this person is in, or NOT_A_READER. */
export function ownReaders(vault: Vault, { statement }: SecretVersion): readonly [Reader, ...Reader[]] | VaultError {
  const { person } = vault.requireActor();
  const label = `${statement.name} version ${statement.version}`;
  if (!('readers' in statement)) {
    const owners = vault.ruleFor(statement.name)?.owners.join(', ');
    const who = owners === undefined ? 'Its custodians open it together' : `Its custodians open it together, once an owner (${owners}) asks`;
    return new VaultError('NOT_A_READER', `${label} is under custody: nobody reads it alone`, {
      hint: `${who}: oxp-vault handover request ${statement.name} --use --reason TEXT`,
    });
  }
  const mine = rolesOf(vault.policy.policy, person);
  const [first, ...more] = statement.readers.filter((reader) => mine.includes(reader.role));
  if (first) return [first, ...more];
  const rule = vault.ruleFor(statement.name);
  return new VaultError('NOT_A_READER', `you (${person}) may not read ${label}: it is sealed to ${statement.readers.map((r) => r.role).join(', ')}`, {
    hint: rule ? `Its owners are ${rule.owners.join(', ')}.` : 'No rule of the policy covers it any more.',
  });
}

export function needsGrant(role: string): VaultError {
  return new VaultError('NEEDS_GRANT', `you are a member of ${role}, and nobody has granted you its key yet`, {
    hint: `A member who has it types: oxp-vault role grant ${role}`,
  });
}

/** Why this person cannot open a version: not a reader, or not granted yet. Undefined where the log knows no reason. */
export function readingFault(vault: Vault, version: SecretVersion): VaultError | undefined {
  const { person } = vault.requireActor();
  const readers = ownReaders(vault, version);
  if (readers instanceof VaultError) return readers;
  const granted = readers.some((r) => (vault.policy.roles.get(r.role)?.epochs ?? []).some((e) => e.epoch >= r.epoch && e.grants.has(person)));
  return granted ? undefined : needsGrant(readers[0].role);
}
