/** `role rekey | grant | list`: the keys of teams. */
import { doHousekeeping, grantMissing, grantRole, newestEpoch, noSuchRole, previewTurn, turnRole, ungranted } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, readOptions, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { table } from '../render.js';
import { reportHousekeeping } from '../writing.js';

export function define(command: Command, act: Act): void {
  examples(
    readOptions(command.command('list')).summary('roles, their members and the state of their keys').action(act(list)),
    'oxp-vault role list',
  );
  examples(
    vaultOptions(command.command('rekey'))
      .summary('give a role its next key')
      .description('Makes the next key of a role and grants it to every member. Nothing is resealed: what is sealed from now on is closed to those who have left; they had the old files anyway.')
      .argument('<role>', 'the role')
      .option('--dry-run', 'only show who would be granted the next key')
      .action(act(rekey)),
    'oxp-vault role rekey platform',
  );
  examples(
    vaultOptions(command.command('grant'))
      .summary('grant the key of a role to members who lack it')
      .description('Seals the key of a role to the members who cannot read yet, or to those you name, again.')
      .argument('<role>', 'the role')
      .argument('[person...]', 'members to grant it to once more, as after a faulty grant')
      .action(act(grant)),
    'oxp-vault role grant platform',
    'oxp-vault role grant platform carol',
  );
}

async function list(context: CliContext): Promise<void> {
  const vault = await context.vault();
  const roles = Object.entries(vault.policy.policy.roles).map(([role, def]) => {
    const epoch = newestEpoch(vault.policy, role);
    const state = vault.policy.roles.get(role)?.stale ? 'stale' : epoch?.provisional ? 'provisional' : epoch ? 'good' : 'none';
    return { role, members: def.members, managers: def.managed?.of ?? [], steward: def.steward ?? null, epoch: epoch?.epoch ?? null, key: state, cannotRead: ungranted(vault, role) };
  });
  const rows = roles.map((r) => [r.role, r.members.join(' ') || '-', r.epoch === null ? '-' : String(r.epoch), r.key, r.cannotRead.join(' ') || '-']);
  await context.result(roles, table(['ROLE', 'MEMBERS', 'EPOCH', 'KEY', 'CANNOT READ YET'], rows));
}

async function rekey(context: CliContext, role: string, { dryRun = false }: { readonly dryRun?: boolean }): Promise<void> {
  if (dryRun) return rekeyPlan(context, role);
  const vault = await context.vault({ write: true });
  const before = newestEpoch(vault.policy, role)?.epoch;
  await reportHousekeeping(context, await doHousekeeping(vault));
  // A stale key was turned by the housekeeping: once is enough.
  if (newestEpoch(vault.policy, role)?.epoch === before) await vault.append(await turnRole(vault, role));
  const epoch = newestEpoch(vault.policy, role)!;
  const granted = [...epoch.grants.keys()];
  await context.result({ role, epoch: epoch.epoch, provisional: epoch.provisional, granted }, `${context.paint.mark('~')} role ${role}: epoch ${epoch.epoch}, granted to ${granted.join(' ')}; nothing was resealed\n`);
  if (epoch.provisional) await context.warn(`You are the steward: this key is provisional, and you know it, until a member of ${role} makes the next one.`);
}

async function rekeyPlan(context: CliContext, role: string): Promise<void> {
  const vault = await context.vault({ news: true });
  const { epoch, provisional, granted } = await previewTurn(vault, role, vault.requireEnrolledCard(await context.card()));
  await context.result({ dryRun: true, role, epoch, provisional, granted }, `${context.paint.mark('~')} role ${role}: epoch ${epoch}${provisional ? ', provisional' : ''}, to be granted to ${granted.join(' ')}\nNothing was written. To do it: oxp-vault role rekey ${role}\n`);
}

async function grant(context: CliContext, role: string, persons: readonly string[]): Promise<void> {
  const vault = await context.vault({ write: true });
  if (!Object.hasOwn(vault.policy.policy.roles, role)) throw noSuchRole(vault.policy, role);
  const lacking = ungranted(vault, role);
  await reportHousekeeping(context, await doHousekeeping(vault));
  const again = persons.filter((person) => !lacking.includes(person));
  if (again.length > 0) await vault.append(await grantRole(vault, role, again));
  else await grantMissing(vault);
  const granted = [...lacking.filter((person) => !ungranted(vault, role).includes(person)), ...again];
  if (granted.length === 0 && lacking.length > 0) await vault.append(await grantRole(vault, role, lacking));
  await context.result({ role, granted }, granted.length === 0 ? `every member of ${role} can read already\n` : granted.map((person) => `${context.paint.mark('+')} ${person} can read for role ${role}\n`).join(''));
}
