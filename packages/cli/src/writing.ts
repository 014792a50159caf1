/** What every writing command begins with: the vault with an identity, and whatever this person owes it, said in a few words. */
import { doHousekeeping, type Housekeeping, newestVersion, type Released, type Vault, type WantedSecret } from '@oxp-vault/core';
import { deputyOf } from './agent.js';
import type { CliContext } from './context.js';
import { count, short } from './render.js';

/** The names and paths that a command is about, of those that an agent signs as well (core, agent/writing.ts). */
export type Reach = (vault: Vault) => readonly string[];

/** The vault, ready to write to, with the house kept. With `reach` through the agent of this person, where one may. */
export async function vaultForWriting(context: CliContext, reach?: Reach): Promise<Vault> {
  const vault = reach ? await throughAgent(context, reach) : await context.vault({ write: true });
  await reportHousekeeping(context, await doHousekeeping(vault));
  return vault;
}

/** The vault of a dry run, which compares with what is there. */
export async function vaultForPlanning(context: CliContext, reach: Reach): Promise<Vault> {
  const seen = await context.vault({ news: true });
  const deputy = await deputyOf(context, seen, reach(seen), false);
  return deputy ? seen.through(deputy) : seen.as(await context.identity());
}

/** The vault, ready to write to: through the agent, or with the identity where no agent may, or nobody has said yet that this is the right vault. */
export async function throughAgent(context: CliContext, reach: Reach): Promise<Vault> {
  const seen = await context.vault({ news: true });
  const deputy = seen.confirmed ? await deputyOf(context, seen, reach(seen), true) : undefined;
  return deputy ? seen.through(deputy) : context.unlocked(seen);
}

/** These, and the CAs that issue them, which are opened for it. */
export function withIssuers(vault: Vault, names: readonly string[], planned: readonly WantedSecret[] = []): string[] {
  const issuers = names.map((name) => planned.find((each) => each.name === name)?.issuer ?? newestVersion(vault.state.secrets.versions.get(name) ?? [])?.statement.parameters['issuer']);
  return [...names, ...issuers.filter((issuer) => typeof issuer === 'string')];
}

export async function reportHousekeeping(context: CliContext, done: Housekeeping): Promise<void> {
  const { appended, rejected, made, turned, granted, shares, released, left, faults } = done;
  if (appended.length > 0) await context.say(`${countedOps(appended)} that waited here ${appended.length === 1 ? 'is' : 'are'} in the log now.`);
  for (const role of made) await context.say(`made the first key of role ${role}`);
  for (const role of turned) await context.say(`turned the key of role ${role}: what is sealed from now on, only its present members can read`);
  for (const { role, person } of granted) await context.say(`granted ${person} the key of role ${role}`);
  for (const { name, version } of shares) await context.say(`sealed your share of ${name} v${version} to the devices that you have now`);
  for (const each of released) await context.say(leftInWords(each));
  if (left.length > 0) await context.say(`Waits for your passphrase, and your agent leaves it: ${left.join('; ')}. Do it with: oxp-vault sync`);
  for (const { op, digest, reason } of rejected) {
    await context.warn(`${entryLabel(op, digest)} waited here and is not allowed any more: ${reason}. It is kept; see: oxp-vault status`);
  }
  for (const { code, message, hint } of faults) await context.warn(`${code}: ${message}${hint === undefined ? '' : `. ${hint}`}`);
}

/** `all consents to handover 4f2a91c0 are in the log: your share of pki/root and 3 file keys were released to carol` */
export function leftInWords(released: Released): string {
  return `all consents to handover ${short(released.id)} are in the log: ${releasedWords(released)} released to ${released.to}`;
}

/** `your share of pki/root and 3 file keys were` */
export function releasedWords({ shares, keys }: Released): string {
  const parts = [...(shares.length > 0 ? [`your ${shares.length === 1 ? 'share' : 'shares'} of ${[...shares].sort().join(', ')}`] : []), ...(keys.length > 0 ? [keys.length === 1 ? `the file key of ${keys[0]}` : count(keys.length, 'file key')] : [])];
  return `${parts.join(' and ')} ${shares.length + keys.length === 1 ? 'was' : 'were'}`;
}

/** What people call the entries that a machine sends on for them; of others the name of the op is as good. */
const ENTRY_WORDS: Readonly<Record<string, string>> = {
  'secret.open': 'opening',
  'secret.seal': 'seal',
  'secret.retire': 'retirement',
  'secret.standing': 'standing access',
  'role.epoch': 'role key',
  'role.grant': 'grant',
  'policy.propose': 'policy proposal',
  'policy.sign': 'policy signature',
  'device.add': 'new device',
  'device.remove': 'device removal',
  'custody.ack': 'acknowledgement',
  'custody.check': 'custody check',
  'vault.drill': 'drill',
};

/** `seal 3f9a2c1b`: an entry that is in the way. */
export function entryLabel(op: string, digest: string): string {
  return `${ENTRY_WORDS[op] ?? op} ${short(digest)}`;
}

/** `12 openings, 2 seals` */
export function countedOps(ops: readonly string[]): string {
  const total = new Map<string, number>();
  for (const op of ops) total.set(op, (total.get(op) ?? 0) + 1);
  return [...total].map(([op, n]) => count(n, ENTRY_WORDS[op] ?? op, op === 'secret.standing' ? ENTRY_WORDS[op] : undefined)).join(', ');
}
