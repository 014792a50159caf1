/** `init`: a vault, its first policy, and the drafts that people go on with. */
import { randomBytes } from 'node:crypto';
import { lstat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { addressFor, type Card, CONFIG_FILE, defaultBootstrap, formatDraft, type Identity, initialPolicy, initVault, isName, isVaultError, nearNames, normalAddress, type Policy, readConfig, upwards, type Vault, VaultError, type VaultOptions } from '@oxp-vault/core';
import type { Command } from 'commander';
import { readCardFile } from '../people/card-file.js';
import { type Act, examples } from '../command.js';
import type { CliContext } from '../context.js';
import { DRAFT_FILE } from '../drafts/policy-file.js';
import { errnoOf, ioError, mustNotExist } from '../files/private-file.js';
import { columns, short } from '../render.js';

interface InitOptions {
  readonly name?: string;
  readonly admin: readonly string[];
  readonly member: readonly string[];
  readonly role: readonly string[];
  readonly threshold?: string;
  readonly pq?: boolean;
}

const BOOTSTRAP_FILE = 'bootstrap.yaml';
const OUTSIDE_GIT = './vault';
const HERE = 'git+.';
const DEFAULT_ROLE = 'team';
/** Teams share drafts; that everybody may say where the vault is, nobody wants. */
const DRAFT_MODE = 0o664;

export function define(command: Command, act: Act): void {
  const collect = (value: string, list: readonly string[]): string[] => [...list, value];
  command
    .description('Makes a vault, and beside it the files that you go on with: oxp-vault.yaml, bootstrap.yaml, policy.yaml. Without options: you are its admin, alone in the role team.')
    .argument('[address]', `where the vault goes (default: the branch oxp-vault of the Git repository around you, ${HERE}; outside of one ${OUTSIDE_GIT})`)
    .option('--name <name>', 'what to call it (default: the name of this directory)')
    .option('--admin <card>', 'another admin; repeat', collect, [])
    .option('--role <role>', 'a role; repeat. You are in the first one', collect, [])
    .option('--member <role=card>', 'somebody in a role; repeat', collect, [])
    .option('--threshold <k>', 'how many admins must agree (default: more than half)')
    .option('--pq', 'every recipient hybrid post-quantum; all identities must have been made with --pq')
    .action(act(init));
  examples(command,
    'oxp-vault init',
    'oxp-vault init --role infra --role platform --admin bruno.card --member infra=bruno.card --member platform=carol.card',
    'oxp-vault init git+ssh://git@git.example.org/infra/vault.git --name platform',
  );
}

async function init(context: CliContext, given: string | undefined, options: InitOptions): Promise<void> {
  const { io } = context;
  const address = normalAddress(context.options.vault ?? given ?? io.env['OXP_VAULT'] ?? ((await inRepository(io.cwd)) ? HERE : OUTSIDE_GIT), io.cwd);
  const config = join(io.cwd, CONFIG_FILE);
  if (!(await isEmptyFile(config))) await mustNotBeNamed(context, config);
  const store = await context.store({ address, base: io.cwd });
  const name = options.name ?? usableName(basename(io.cwd));
  if (!isName(name)) {
    throw new VaultError('BAD_NAME', 'this is no name for a vault: small letters, digits, dots and dashes, a letter first', { hint: 'Name it: oxp-vault init --name NAME' });
  }

  const identity = await context.identity();
  const me = identity.card;
  const admins = await Promise.all(options.admin.map((file) => readCardFile(io, file)));
  const members = await Promise.all(options.member.map((text) => memberOf(context, text)));
  const roles = rolesFor(me.person, options.role, members);
  const of = [...new Set([me.person, ...admins.map((card) => card.person)])];
  const policy = initialPolicy({
    name,
    suite: options.pq ? 'hybrid' : 'x25519',
    nonce: randomBytes(32).toString('hex'),
    cards: [me, ...admins, ...members.map((m) => m.card)],
    admins: { need: threshold(options.threshold, of.length), of },
    roles,
    defaultRole: Object.keys(roles)[0]!,
    steward: me.person,
  });
  const vault = await makeOrFinish(context, address, { store, local: context.local(), clock: context.clock, identity }, policy);
  const wrote = await writeDrafts(context, config, address, vault.id, policy);
  await report(context, vault, me, wrote);
}

async function makeOrFinish(context: CliContext, typed: string, options: VaultOptions & { identity: Identity }, policy: Policy): Promise<Vault> {
  try {
    return await initVault(options, policy);
  } catch (error) {
    if (!isVaultError(error, 'VAULT_EXISTS')) throw error;
    const { finishInit } = await import('../people/unfinished-init.js');
    const { address } = options.store;
    const exists = new VaultError('VAULT_EXISTS', `there is a vault at ${context.path(address)} already`, {
      cause: error,
      hint: `Look at it: oxp-vault status --vault ${context.path(address)}. To use it from here, put it into ${CONFIG_FILE}: vault: ${addressFor(typed, context.io.cwd)}`,
    });
    const vault = await finishInit(options, policy, exists);
    await context.say('An init that was stopped had made this vault: it is finished now.');
    return vault;
  }
}

async function memberOf(context: CliContext, text: string): Promise<{ role: string; card: Card }> {
  const at = text.indexOf('=');
  const role = text.slice(0, Math.max(at, 0));
  if (!isName(role)) throw new VaultError('USAGE', '--member takes ROLE=CARD, with the role in small letters', { hint: 'For example: --member platform=carol.card' });
  return { role, card: await readCardFile(context.io, text.slice(at + 1)) };
}

/** Roles in the order in which they were named; the maker is in the first. */
function rolesFor(me: string, named: readonly string[], members: readonly { role: string; card: Card }[]): Record<string, string[]> {
  const order = [...new Set([...named, ...members.map((m) => m.role)])];
  if (order.length === 0) order.push(DEFAULT_ROLE);
  const bad = order.find((role) => !isName(role));
  if (bad !== undefined) throw new VaultError('BAD_NAME', 'a role has a name in small letters, digits, dots and dashes, a letter first');
  mustBeMeant(order, named);
  const rows = order.map((role, i): [string, string[]] => {
    const named = members.filter((member) => member.role === role).map((member) => member.card.person);
    return [role, [...new Set(i === 0 ? [me, ...named] : named)]];
  });
  return Object.fromEntries(rows);
}

/** A slip in --member would make a role of its own, in which nobody else is, and a role lasts: where it looks like one, --role has to say it. */
function mustBeMeant(order: readonly string[], named: readonly string[]): void {
  for (const role of order.filter((each) => !named.includes(each))) {
    const [near] = nearNames(role, order.filter((each) => each !== role));
    if (named.length > 0) {
      throw new VaultError('USAGE', `--member names role ${role}, and --role makes ${named.join(', ')}`, { hint: `${near === undefined ? '' : `Did you mean ${near}? `}To make ${role} too: --role ${role}` });
    }
    if (near !== undefined) throw new VaultError('USAGE', `--member names role ${role} and role ${near}: one of them looks like a slip`, { hint: `To make both: --role ${role} --role ${near}` });
  }
}

function threshold(text: string | undefined, admins: number): number {
  const need = text === undefined ? Math.floor(admins / 2) + 1 : Number(text);
  if (!Number.isSafeInteger(need) || need < 1) throw new VaultError('USAGE', '--threshold takes a number of admins');
  if (need * 2 <= admins || need > admins) {
    throw new VaultError('THRESHOLD_TOO_LOW', `${need} of ${admins} admins cannot be: it must be more than half, and not more than all`, {
      hint: 'With half, two groups could each make a policy of their own.',
    });
  }
  return need;
}

/** Where a file says which vault is used here, another is not made. Throws VAULT_EXISTS; OUTPUT_EXISTS for what is no file. */
async function mustNotBeNamed(context: CliContext, config: string): Promise<void> {
  if (!(await isThere(config))) return;
  if (!(await lstat(config)).isFile()) return mustNotExist(config);
  const { address } = await readConfig(config);
  throw new VaultError('VAULT_EXISTS', `there is a vault for this directory already: ${context.path(config)} names ${context.path(address)}`, {
    hint: 'Use it: oxp-vault status. Another one is made in another directory, or once that file is moved away.',
  });
}

/** A name made of what a directory is called; empty where nothing usable is left. */
function usableName(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9._-]+/g, '-').replace(/^[^a-z]+/, '').replace(/\.\.+/g, '.').slice(0, 64);
}

/** Whether git would find a repository from here; no need to start it. */
async function inRepository(directory: string): Promise<boolean> {
  for (const each of upwards(directory)) if (await isThere(join(each, '.git'))) return true;
  return false;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EACCES') return false;
    throw ioError('cannot look at', path, error);
  }
}

async function writeDrafts(context: CliContext, config: string, address: string, vault: string, policy: Policy): Promise<string[]> {
  const files: readonly (readonly [string, string])[] = [
    [join(context.io.cwd, DRAFT_FILE), formatDraft(policy)],
    [join(context.io.cwd, BOOTSTRAP_FILE), defaultBootstrap()],
    // The last one: where it is, this was done.
    [config, `# How commands find the vault, and which one it must be. Not secret.\nvault: ${JSON.stringify(addressFor(address, context.io.cwd))}\nexpect: ${vault}\n`],
  ];
  const wrote: string[] = [];
  for (const [path, text] of files) if (await writeUnlessThere(context, path, text)) wrote.push(basename(path));
  return wrote.reverse();
}

/** Drafts that are there already are people's own work; an empty file is nobody's, but may be ours: stopped before it was written. */
async function writeUnlessThere(context: CliContext, path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: (await isEmptyFile(path)) ? 'r+' : 'wx', mode: DRAFT_MODE });
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw ioError('cannot write', path, error);
    await context.say(`${context.path(path)} was there already and is left as it is.`);
    return false;
  }
}

async function isEmptyFile(path: string): Promise<boolean> {
  try {
    const stats = await lstat(path);
    return stats.isFile() && stats.size === 0;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw ioError('cannot look at', path, error);
    return false;
  }
}

async function report(context: CliContext, vault: Vault, me: Card, wrote: readonly string[]): Promise<void> {
  const { policy } = vault.policy;
  const { need, of } = policy.admins;
  const [first] = policy.rules;
  const roles = Object.entries(policy.roles);
  const roleRows = roles.map(([role, { members, steward }]) => {
    const kept = steward === undefined ? '' : `; ${steward} keeps its key until one of them makes it`;
    return [`role ${role}`, `${members.join(' ') || 'nobody yet'}${kept}`, role === first?.owners[0] ? 'reads, writes and owns everything' : ''];
  });
  const rows = [['admin', `${of.join(' ')} (${need} of ${of.length})`, ''], ...roleRows, ['wrote', wrote.join(' '), 'yours to edit, not secret']];
  const where = context.path(vault.store.address);
  await context.result(
    {
      vault: vault.id,
      name: policy.name,
      address: vault.store.address,
      person: me.person,
      expect: vault.expectLine,
      admins: policy.admins,
      roles: Object.fromEntries(roles.map(([role, { members }]) => [role, members])),
      wrote,
    },
    `vault "${policy.name}" ${short(vault.id)} in ${where}, made by ${me.person}\n${columns(rows, { indent: 2, gap: 3 })}`,
  );
  if (of.length === 1) {
    await context.warn('If this device is lost, so is everything. Put a recovery device in a safe: oxp-vault device add --recovery --out /media/usb/recovery.age');
  } else if (of.length === 2) {
    await context.warn('Both admins must agree: if one is lost, nobody can ever change the policy. Add a third: oxp-vault member add CARD --admin');
  }
  // In Git the others find the vault by what stands beside their work, once that is pushed.
  const share = of.length > 1 && vault.store.address.startsWith('git+') && wrote.length > 0 ? `commit and push ${wrote.join(' ')}, so that the others find the vault; ` : '';
  await context.next(`${share}look at ${BOOTSTRAP_FILE}, then: oxp-vault seal`);
}
