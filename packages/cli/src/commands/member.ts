/** `member add | remove`: a policy change, one small file a role, and for a leaver what they still know. */
import { grantMissing, type Knowledge, type Policy, proposePolicy, rolesOf, turnDueKeys, type Vault, VaultError, withMember, withoutMember, withoutRoles } from '@oxp-vault/core';
import type { Command } from 'commander';
import { readCardFile } from '../people/card-file.js';
import { type Act, collect, examples, readOptions, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { renewDraft } from '../drafts/policy-file.js';
import { again, knowledgeOf, type Leaver, listKnown, rotateKnown } from '../people/offboarding.js';
import { mustBeNew, outcomeInWords, showDifference, showPreview, tellKeys, tellWaiting } from '../people/policy-view.js';
import { table } from '../render.js';
import { vaultForWriting } from '../writing.js';

interface AddOptions {
  readonly dryRun?: boolean;
  readonly role: readonly string[];
  readonly admin?: boolean;
}

const DRY_RUN = ['--dry-run', 'only show what would change, and who would have to sign'] as const;

export function define(command: Command, act: Act): void {
  examples(
    vaultOptions(command.command('add'))
      .summary('add a person, or give one another role')
      .description('Adds a person by their card. Asks the admins where more than one must agree (exit code 6 until they have); grants the keys of the roles that you hold.')
      .argument('<card>', 'the .card file that they sent you')
      .option('--role <role>', 'a role they join; repeat (default: the only role, where there is one)', collect, [])
      .option('--admin', 'make them an admin')
      .option(...DRY_RUN)
      .action(act(add)),
    'oxp-vault member add carol.card --role platform',
    'oxp-vault member add bruno.card --role infra --admin',
  );
  examples(
    vaultOptions(command.command('remove'))
      .summary('remove a person, and say what they know')
      .description('Removes a person and all their devices, turns the keys of their roles as far as you can, and lists what they still know and how to replace it. With --rotate it makes the new values that you may make; typed again it goes on with what is left. With --role: takes them out of that role only, which the managers of a managed role decide without the admins.')
      .argument('<name>', 'the person')
      .option('--role <role>', 'take them out of this role, and leave them enrolled; repeat', collect, [])
      .option('--rotate', 'make a new value of everything that they could know and that you may rotate')
      .option(...DRY_RUN)
      .action(act(remove)),
    'oxp-vault member remove carol',
    'oxp-vault member remove carol --rotate',
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
  const vault = options.dryRun ? await context.vault({ news: true }) : await vaultForWriting(context);
  const roles = rolesOrDefault(vault, options);
  const next = withMember(vault.policy, card, { roles, admin: options.admin ?? false });
  if (options.dryRun) {
    await showPreview(context, vault, next, { command: 'the same without --dry-run', document: { person: card.person, roles, admin: options.admin ?? false } });
    return 0;
  }
  const outcome = await change(context, vault, next, `Add ${card.person}?`);
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

async function remove(context: CliContext, person: string, { role: roles, rotate = false, dryRun = false }: { role: readonly string[]; rotate?: boolean; dryRun?: boolean }): Promise<number> {
  const vault = dryRun ? await context.vault({ news: true }) : await vaultForWriting(context);
  const leaver = { person, roles };
  const knowledge = await knowledgeOf(vault, leaver);
  const gone = roles.length > 0 ? !roles.some((role) => rolesOf(vault.policy.policy, person).includes(role)) : !vault.policy.people.has(person);
  if (gone && rotate && !dryRun) return goOn(context, vault, leaver, knowledge);
  if (gone && roles.length === 0) throw new VaultError('ALREADY_DONE', `${person} has left already`, { hint: `What they could know: oxp-vault exposure --person ${person}. To replace it: ${again(leaver)}` });
  const next = roles.length > 0 ? withoutRoles(vault.policy, person, roles) : withoutMember(vault.policy, person);
  if (dryRun) return previewRemoval(context, vault, leaver, knowledge, next);
  const outcome = await change(context, vault, next, roles.length > 0 ? `Take ${person} out of ${roles.join(', ')}?` : `Remove ${person}?`);
  if (!outcome) return 0;
  const turned = outcome.inEffect && vault.policy.people.has(vault.requireActor().person) ? await turnDueKeys(vault) : [];
  await renewDraft(context, vault);
  const stale = [...vault.policy.roles].filter(([, state]) => state.stale).map(([role]) => role);
  // What is made anew while they are still members, they can read as well.
  const run = rotate && outcome.inEffect ? await rotateKnown(context, vault, leaver, knowledge) : undefined;
  const list = run ?? listKnown(vault, leaver, knowledge, { wide: context.io.stdout.columns });
  await context.result({ person, policy: outcome, turned, stale, ...list.document }, outcomeInWords(outcome) + turnedInWords(context, turned) + list.text);
  await tellKeys(context, vault);
  if (!outcome.inEffect) {
    if (rotate) await context.warn(`Nothing was rotated: ${person} could read the new values too. Once the policy is in effect: ${again(leaver)}`);
    return tellWaiting(context, outcome);
  }
  if (list.next !== undefined) await context.next(list.next);
  return run?.code ?? 0;
}

async function previewRemoval(context: CliContext, vault: Vault, leaver: Leaver, knowledge: readonly Knowledge[], next: Policy): Promise<number> {
  const known = listKnown(vault, leaver, knowledge, { wide: context.io.stdout.columns, me: await context.card() });
  await showPreview(context, vault, next, { command: 'the same without --dry-run', document: { person: leaver.person, ...known.document }, text: known.text });
  return 0;
}

/** Of somebody who has left already: after a run that was stopped, or once the others have signed. */
async function goOn(context: CliContext, vault: Vault, leaver: Leaver, knowledge: readonly Knowledge[]): Promise<number> {
  const run = await rotateKnown(context, vault, leaver, knowledge);
  await context.result({ person: leaver.person, ...run.document }, run.text);
  if (run.next !== undefined) await context.next(run.next);
  return run.code;
}

function turnedInWords(context: CliContext, turned: readonly string[]): string {
  return turned.map((role) => `${context.paint.mark('~')} role ${role} has a new key; nothing had to be resealed\n`).join('');
}
