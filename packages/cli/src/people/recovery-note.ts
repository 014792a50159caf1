/** The note that lies beside a recovery device: for somebody at three in the morning, with or without this program. */
import { basename } from 'node:path';
import { type Card, newestEpoch, rolesOf, type Vault } from '@oxp-vault/core';

export function recoveryNote(vault: Vault, card: Card, identityPath: string, underPassphrase: boolean): string {
  const { policy } = vault.policy;
  const file = basename(identityPath);
  const roles = rolesOf(policy, card.person);
  const role = roles[0] ?? 'ROLE';
  const epoch = String(newestEpoch(vault.policy, role)?.epoch ?? 1).padStart(4, '0');
  return `Recovery device of ${card.person} for the vault "${policy.name}".

  identity  ${file}${underPassphrase ? ', under the passphrase that was chosen when it was made' : ', not under a passphrase'}
  device    ${card.device}, key ${card.id.slice(0, 8)}
  roles     ${roles.join(' ') || 'none'}
  vault     ${vault.store.address}
  expect    ${vault.expectLine}

The vault has grown since this was written. The line after "expect" tells it from a false one all the same.

With oxp-vault:

  oxp-vault status --vault VAULT --identity ${file} --expect EXPECT
  oxp-vault open --role ${role} --out ./opened --vault VAULT --identity ${file} --expect EXPECT

Without it, in a copy of the vault, with plain age (https://age-encryption.org), for each role the newest epoch:

  age -d -i ${file} roles/${role}/${epoch}/${card.person}-*.age > role.txt
  age -d -i role.txt secrets/NAME/VERSION-*.age > secret
`;
}
