/** `member add | remove`: a policy change, one small file a role, and for a leaver what they still know. */
import { grantMissing, knownTo, type KnownSecret, type Policy, proposePolicy, rolesOf, turnDueKeys, type Vault, VaultError, withMember, withoutMember, withoutRoles } from '@oxp-vault/core';
import type { Command } from 'commander';
import { readCardFile } from '../card-file.js';
import { type Act, collect, examples, readOptions, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { renewDraft } from '../draft-file.js';
import { mustBeNew, outcomeInWords, showDifference, tellKeys, tellWaiting } from '../policy-view.js';
import { count, table } from '../render.js';
import { vaultForWriting } from '../writing.js';

interface AddOptions {
  readonly role: readonly string[];
  readonly admin?: boolean;
}

export function define(command: Command, act: Act): void {
  examples(
    vaultOptions(command.command('add'))
      .summary('add a person, or give one another role')
      .description('Adds a person by their card. Asks the admins where more than one must agree (exit code 6 until they have); grants the keys of the roles that you hold.')
      .argument('<card>', 'the .card file that they sent you')
      .option('--role <role>', 'a role they join; repeat (default: the only role, where there is one)', collect, [])
      .option('--admin', 'make them an admin')
      .action(act(add)),
    'oxp-vault member add carol.card --role platform',
    'oxp-vault member add bruno.card --role infra --admin',
  );
  examples(
    vaultOptions(command.command('remove'))
      .summary('remove a person, and say what they know')
      .description('Removes a person and all their devices, turns the keys of their roles as far as you can, and lists what they still know and how to replace it. With --role: takes them out of that role only, which the managers of a managed role decide without the admins.')
      .argument('<name>', 'the person')
      .option('--role <role>', 'take them out of this role, and leave them enrolled; repeat', collect, [])
      .action(act(remove)),
    'oxp-vault member remove carol',
    'oxp-vault member remove erin --role platform',
  );
  examples(
    readOptions(command.command('list')).summary('who is enrolled: people and machines, their roles and devices').action(act(list)),
    'oxp-vault member list',
    'oxp-vault member list --json',
  );
}

async function add(context: CliContext, file: string, options: AddOptions): Promise<number> {
  const card = await readCardFile(context.io, file);
  const vault = await vaultForWriting(context);
  const roles = rolesOrDefault(vault, options);
  const outcome = await change(context, vault, withMember(vault.policy, card, { roles, admin: options.admin ?? false }), `Add ${card.person}?`);
  if (!outcome) return 0;
  const granted = outcome.inEffect ? await grantMissing(vault) : [];
  await renewDraft(context, vault);
  const grants = granted.map(({ role, person }) => `${context.paint.mark('+')} ${person} can read for role ${role}\n`).join('');
  await context.result({ person: card.person, roles, admin: options.admin ?? false, policy: outcome, granted }, outcomeInWords(outcome) + grants);
  if (!outcome.inEffect) return tellWaiting(context, outcome);
  await context.next(`${card.person}: oxp-vault open --role ${roles[0] ?? 'ROLE'} --expect ${vault.expectLine}`);
  return 0;
}

/** Shows and proposes a policy. Undefined when the person said no. */
async function change(context: CliContext, vault: Vault, next: Policy, question: string): Promise<Awaited<ReturnType<typeof proposePolicy>> | undefined> {
  await showDifference(context, vault, next);
  mustBeNew(vault, next);
  if (!(await context.confirm(question))) {
    await context.say('Nothing was changed.');
    return undefined;
  }
  return proposePolicy(vault, next);
}

function rolesOrDefault(vault: Vault, { role, admin }: AddOptions): readonly string[] {
  if (role.length > 0) return [...new Set(role)];
  const all = Object.keys(vault.policy.policy.roles);
  if (all.length === 1) return all;
  if (admin) return [];
  throw new VaultError('USAGE', 'it is not said which role they join', { hint: `Name it: --role ${all.join(', --role ')}` });
}

async function list(context: CliContext): Promise<void> {
  const vault = await context.vault();
  const { policy, people } = vault.policy;
  const found = [...people].map(([person, { kind, devices }]) => ({ person, kind, admin: policy.admins.of.includes(person), roles: rolesOf(policy, person), devices: devices.map((d) => ({ device: d.device, key: d.id })) }));
  const rows = found.map(({ person, kind, admin, roles, devices }) => [person, kind, admin ? 'yes' : '-', roles.join(' ') || '-', devices.map((d) => d.device).join(' ')]);
  await context.result(found, table(['PERSON', 'KIND', 'ADMIN', 'ROLES', 'DEVICES'], rows));
}

async function remove(context: CliContext, person: string, { role: roles }: { role: readonly string[] }): Promise<number> {
  const vault = await vaultForWriting(context);
  const known = await knownTo(vault, person);
  const outcome = await change(context, vault, roles.length > 0 ? withoutRoles(vault.policy, person, roles) : withoutMember(vault.policy, person), roles.length > 0 ? `Take ${person} out of ${roles.join(', ')}?` : `Remove ${person}?`);
  if (!outcome) return 0;
  const turned = outcome.inEffect && vault.policy.people.has(vault.requireEnrolled().card.person) ? await turnDueKeys(vault) : [];
  await renewDraft(context, vault);
  const stale = [...vault.policy.roles].filter(([, state]) => state.stale).map(([role]) => role);
  await context.result({ person, policy: outcome, turned, stale, known }, outcomeInWords(outcome) + turnedInWords(context, turned) + knownInWords(person, known));
  await tellKeys(context, vault);
  if (!outcome.inEffect) return tellWaiting(context, outcome);
  const rotatable = known.filter((secret) => secret.inUse && secret.rotation.how === 'generate').map((secret) => secret.name);
  if (rotatable.length > 0) await context.next(`oxp-vault rotate ${rotatable.slice(0, 3).join(' ')}${rotatable.length > 3 ? ' …' : ''}`);
  return 0;
}

function turnedInWords(context: CliContext, turned: readonly string[]): string {
  return turned.map((role) => `${context.paint.mark('~')} role ${role} has a new key; nothing had to be resealed\n`).join('');
}

function knownInWords(person: string, known: readonly KnownSecret[]): string {
  const inUse = known.filter((secret) => secret.inUse).length;
  if (known.length === 0) return `${person} never had access to a secret.\n`;
  const toReplace = ({ name, inUse, rotation }: KnownSecret): string => (!inUse ? 'replaced' : rotation.how === 'generate' ? `oxp-vault rotate ${name}` : rotation.words);
  const rows = known.map((secret) => [secret.name, secret.versions.map((n) => `v${n}`).join(' '), secret.how, toReplace(secret)]);
  return `\n${table(['NAME', 'VERSIONS', 'HOW', 'TO REPLACE IT'], rows)}${count(inUse, 'secret')} that ${person} could have known still ${inUse === 1 ? 'has' : 'have'} the same value.\n`;
}
