/** `device add | remove | list`: your own devices, the one in the safe included. */
import { dirname, join, resolve } from 'node:path';
import { addDevice, addedThrough, type Card, checkRemoval, createIdentity, type Device, type DeviceChange, lock, newestEpoch, noSuchPerson, ownDevice, removeDevice, rolesOf, type Vault, VaultError } from '@oxp-vault/core';
import type { Command } from 'commander';
import { readCardFile } from '../people/card-file.js';
import { type Act, examples, readOptions, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { newPassphrase, tellPassphrase } from '../people/new-identity.js';
import { mustNotExist, writeNewFile } from '../files/private-file.js';
import { recoveryNote } from '../people/recovery-note.js';
import { count, short, table } from '../render.js';
import { vaultForWriting } from '../writing.js';

interface AddOptions {
  readonly recovery?: boolean;
  readonly out?: string;
  readonly newPassphraseFile?: string;
  /** False with --no-passphrase. */
  readonly passphrase: boolean;
}

const RECOVERY = 'recovery';

export function define(command: Command, act: Act): void {
  examples(
    vaultOptions(command.command('add'))
      .summary('add another device of yours, or one for the safe')
      .description('Adds a device of yours by the card that it made, and grants it the role keys that this one holds. With --recovery: makes the device too, to be kept in a safe, with a note beside it that says how to use it.')
      .argument('[card]', 'the .card file that `oxp-vault identity create` wrote on the new device')
      .option('--recovery', 'make a recovery device; needs --out')
      .option('--out <file>', 'where its identity goes: a medium that you can lock away')
      .option('--new-passphrase-file <file>', 'where its passphrase stands (default: asked, or made)')
      .option('--no-passphrase', 'leave its identity unprotected: whoever opens the safe is you')
      .action(act(add)),
    'oxp-vault device add laptop2.card',
    'oxp-vault device add --recovery --out /media/usb/recovery.age',
  );
  examples(
    vaultOptions(command.command('remove'))
      .summary('remove a device of yours that is lost or retired')
      .description('Removes a device of yours for good: its key never returns. Turns the keys of your roles as far as you can, and names the devices that it had added.')
      .argument('<device>', 'its name, or the beginning of its key')
      .option('--lost', 'it is lost or stolen: remove it even where nothing else can open a share of custody, or the key of a role')
      .action(act(remove)),
    'oxp-vault device remove old-laptop',
  );
  examples(
    readOptions(command.command('list'))
      .summary('the devices of everybody, or of one person')
      .argument('[person]', 'only the devices of this person')
      .action(act(list)),
    'oxp-vault device list',
    'oxp-vault device list alice',
  );
}

async function add(context: CliContext, file: string | undefined, options: AddOptions): Promise<void> {
  if (options.recovery) return addRecovery(context, file, options);
  if (file === undefined) throw new VaultError('USAGE', 'it is not said which device', { hint: 'On the new device: oxp-vault identity create. Then here: oxp-vault device add CARD. For the safe: oxp-vault device add --recovery --out FILE' });
  const card = await readCardFile(context.io, file);
  const vault = await vaultForWriting(context);
  const { person } = vault.requireActor();
  if (card.person !== person) {
    throw new VaultError('NOT_ALLOWED', `this is the card of ${card.person}, and you are ${person}`, {
      hint: `Somebody else is added by an admin: oxp-vault member add ${file}. Your own device takes your name: oxp-vault identity create --person ${person}`,
    });
  }
  const done = await addDevice(vault, card);
  await report(context, vault, card, done);
  await context.next(`on ${card.device}: oxp-vault status --vault ${context.path(vault.store.address)} --expect ${vault.expectLine}`);
}

async function addRecovery(context: CliContext, file: string | undefined, options: AddOptions): Promise<void> {
  const { io } = context;
  if (file !== undefined || options.out === undefined) {
    throw new VaultError('USAGE', 'a recovery device is made here, and needs a place: --recovery --out FILE, without a card');
  }
  const out = resolve(io.cwd, options.out);
  const note = join(dirname(out), 'README.txt');
  for (const path of [out, note]) await mustNotExist(path);
  const vault = await vaultForWriting(context);
  const { person } = vault.requireActor();
  const passphraseFile = options.newPassphraseFile === undefined ? undefined : resolve(io.cwd, options.newPassphraseFile);
  const chosen = await newPassphrase(context, options.passphrase, passphraseFile, '--new-passphrase-file');
  const { suite } = vault.policy.policy;
  const identity = await createIdentity({ person, device: freeName(vault, person), kind: 'human', suite, now: context.clock.now() });
  // The private half is safe before anything counts on it.
  await writeNewFile(out, await lock(identity, chosen?.passphrase));
  await tellPassphrase(context, chosen);
  const done = await addDevice(vault, identity.card);
  await writeNewFile(note, Buffer.from(recoveryNote(vault, identity.card, out, chosen !== undefined)), 0o644);
  await report(context, vault, identity.card, done);
  await context.say(`  identity   ${context.path(out)}\n  note       ${context.path(note)}`);
  await context.next(`lock both away, the passphrase somewhere else; then: oxp-vault status`);
}

function shareLines(context: CliContext, shares: DeviceChange['shares']): string {
  return shares.map(({ name, version }) => `${context.paint.mark('+')} your share of ${name} v${version} is sealed to all your devices\n`).join('');
}

/** `recovery`, `recovery-2`, … */
function freeName(vault: Vault, person: string): string {
  const taken = new Set((vault.policy.people.get(person)?.devices ?? []).map((d) => d.device));
  for (let n = 1; ; n++) {
    const name = n === 1 ? RECOVERY : `${RECOVERY}-${n}`;
    if (!taken.has(name)) return name;
  }
}

async function report(context: CliContext, vault: Vault, card: Card, { granted, shares }: DeviceChange): Promise<void> {
  const roles = rolesOf(vault.policy.policy, card.person);
  const lacking = roles.filter((role) => !granted.includes(role) && newestEpoch(vault.policy, role) !== undefined);
  const reads = granted.length > 0 ? `it can read for ${count(granted.length, 'role')}: ${granted.join(', ')}` : 'it cannot read for any role yet';
  await context.result(
    { person: card.person, device: card.device, key: card.id, granted, lacking, shares },
    `${context.paint.mark('+')} device ${card.device} of ${card.person} (key ${short(card.id)}); ${reads}\n${shareLines(context, shares)}`,
  );
  for (const role of lacking) await context.warn(`Another member has to grant it role ${role}: oxp-vault role grant ${role}`);
}

async function remove(context: CliContext, name: string, options: { readonly lost?: boolean }): Promise<void> {
  const vault = await vaultForWriting(context);
  const device = ownDevice(vault, name);
  const through = addedThrough(vault, device);
  checkRemoval(vault, device, { lost: options.lost === true });
  const sure = await context.confirm(`Remove ${device.device} (key ${short(device.id)})? Its key never returns.`);
  if (!sure) return context.say('Nothing was changed.');
  const { turned } = await removeDevice(vault, device, { lost: options.lost === true });
  const stale = [...vault.policy.roles].filter(([, state]) => state.stale).map(([role]) => role);
  const turnedText = turned.map((role) => `${context.paint.mark('~')} role ${role} has a new key; nothing had to be resealed\n`).join('');
  await context.result(
    { removed: device.id, turned, stale, addedThrough: through.map((d) => d.id) },
    `${context.paint.mark('-')} device ${device.device} (key ${short(device.id)}) is removed\n${turnedText}`,
  );
  for (const role of stale) {
    await context.warn(`The key of role ${role} is stale until one of its members writes something, or types: oxp-vault role rekey ${role}`);
  }
  for (const each of through) {
    const key = short(each.id);
    await context.warn(`${device.device} had added ${each.device} (key ${key}). If that was not you: oxp-vault device remove ${key}`);
  }
  if (through.length === 0) await context.next('if it fell into wrong hands, what your roles read has to be replaced: oxp-vault list');
}

async function list(context: CliContext, person: string | undefined): Promise<void> {
  const vault = await context.vault();
  if (person !== undefined && !vault.policy.people.has(person)) {
    throw noSuchPerson(vault.policy, person);
  }
  const people = [...vault.policy.people].filter(([name]) => person === undefined || name === person);
  const found = people.flatMap(([name, { kind, devices }]) =>
    devices.map((d) => ({ person: name, kind, device: d.device, key: d.id, addedBy: addedBy(d) })),
  );
  await context.result(found, table(['PERSON', 'DEVICE', 'KEY', 'ADDED BY'], found.map((d) => [d.person, d.device, short(d.key), d.addedBy])));
}

function addedBy({ addedBy: key }: Device): string {
  return key === undefined ? 'the policy' : `device ${short(key)}`;
}
