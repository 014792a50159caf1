/** What every writing command begins with: the vault with an identity, and whatever this person owes it, said in a few words. */
import { doHousekeeping, type Housekeeping, type Released, type Vault } from '@oxp-vault/core';
import type { CliContext } from './context.js';
import { count, short } from './render.js';

/** The vault, ready to write to, with the house kept. */
export async function vaultForWriting(context: CliContext): Promise<Vault> {
  const vault = await context.vault({ write: true });
  await reportHousekeeping(context, await doHousekeeping(vault));
  return vault;
}

export async function reportHousekeeping(context: CliContext, done: Housekeeping): Promise<void> {
  const { appended, rejected, made, turned, granted, shares, released, faults } = done;
  if (appended.length > 0) await context.say(`${count(appended.length, 'entry that waited here is', 'entries that waited here are')} in the log now: ${countedOps(appended)}.`);
  for (const role of made) await context.say(`made the first key of role ${role}`);
  for (const role of turned) await context.say(`turned the key of role ${role}: what is sealed from now on, only its present members can read`);
  for (const { role, person } of granted) await context.say(`granted ${person} the key of role ${role}`);
  for (const { name, version } of shares) await context.say(`sealed your share of ${name} v${version} to the devices that you have now`);
  for (const each of released) await context.say(leftInWords(each));
  for (const { op, digest, reason } of rejected) {
    await context.warn(`${op} ${short(digest)} waited here and is not allowed any more: ${reason}. It is kept; see: oxp-vault status`);
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

/** `secret.open, 2 secret.seal` */
export function countedOps(ops: readonly string[]): string {
  return [...new Set(ops)].map((op) => [ops.filter((o) => o === op).length, op] as const).map(([n, op]) => (n === 1 ? op : `${n} ${op}`)).join(', ');
}
