/** `clone FROM TO`: the whole vault in another place, verified; and oxp-vault.yaml then names that. */
import { type CloneReport, cloneVault, CONFIG_FILE, findVault, isRemote, moveVault, normalAddress, type Store, Vault, type VaultAddress, VaultError } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { startProgress } from '../progress.js';
import { count, entries, short } from '../render.js';

interface Options {
  readonly backup?: boolean;
}

export function define(command: Command, act: Act): void {
  examples(
    vaultOptions(command)
      .description('Copies a vault from one place to another, a directory or a branch in Git, and verifies every page, signature and file of it. An older copy in the other place is brought up to date; anything else there is left alone. Where oxp-vault.yaml named FROM, it then names TO. Run it again after an interruption: it goes on.')
      .argument('<from>', 'where the vault is')
      .argument('<to>', 'where it goes: an empty place, or an older copy')
      .option('--backup', 'a copy to keep: oxp-vault.yaml stays as it is')
      .action(act(clone)),
    'oxp-vault clone ./vault git+ssh://git@git.example.org/infra/vault.git',
    'oxp-vault clone --backup git+ssh://git@git.example.org/infra/vault.git /media/usb/vault',
  );
}

async function clone(context: CliContext, from: string, to: string, options: Options): Promise<void> {
  const { cwd } = context.io;
  const [source, target] = [normalAddress(from, cwd), normalAddress(to, cwd)] as const;
  requireApart(source, target);
  // Before anything is copied: a file that cannot be understood is no reason to stop half-way.
  const found = await nearestConfig(context);
  const fromStore = await context.store({ address: source, base: cwd });
  const toStore = await context.store({ address: target, base: cwd });
  if (fromStore.address === toStore.address) throw new VaultError('USAGE', 'FROM and TO are the same place');
  const config = found && (await context.store(found)).address === fromStore.address ? found : undefined;
  const expect = context.options.expect ?? (context.io.env['OXP_VAULT_EXPECT'] || config?.expect);
  const local = context.local();
  const vault = await Vault.open({ store: fromStore, local, clock: context.clock, maxAge: 0, ...(expect === undefined ? {} : { expect }) });
  const report = await copy(context, vault, toStore);
  // Read back and verified, and from now on known by its new address as well.
  const there = await Vault.open({ store: toStore, local, clock: context.clock, maxAge: Infinity, ...(vault.confirmed ? { expect: vault.id } : {}) });
  const moved = config && !options.backup ? config.from : undefined;
  if (moved !== undefined) await moveVault(moved, target);
  await tell(context, { vault, there, report, moved });
}

/** Each other's files would be in the way. */
function requireApart(from: string, to: string): void {
  if (isRemote(from) || isRemote(to)) return;
  if (from === to || to.startsWith(`${from}/`) || from.startsWith(`${to}/`)) throw new VaultError('USAGE', 'FROM and TO must lie apart: neither in the other', { hint: 'Name another place.' });
}

async function nearestConfig(context: CliContext): Promise<VaultAddress | undefined> {
  try {
    const found = await findVault({ cwd: context.io.cwd, env: {} }, undefined);
    return found.from.endsWith(CONFIG_FILE) ? found : undefined;
  } catch (error) {
    if (error instanceof VaultError && error.code === 'VAULT_NOT_FOUND') return undefined;
    throw error;
  }
}

async function copy(context: CliContext, vault: Vault, to: Store): Promise<CloneReport> {
  const progress = startProgress(context.io.stderr, 'files copied:');
  try {
    return await cloneVault(vault, to, (done, total) => progress.update(done, total));
  } finally {
    await progress.end();
  }
}

async function tell(context: CliContext, { vault, there, report, moved }: { vault: Vault; there: Vault; report: CloneReport; moved: string | undefined }): Promise<void> {
  const [from, to] = [vault, there].map((each) => context.path(each.store.address)) as [string, string];
  const { size, root, files, copied, before } = report;
  const all = `${entries(size)}, root ${short(root)}, ${count(files, 'file')}`;
  const done = before === 'same' && copied === 0 ? `${to} held all of it already` : `${before === 'older' ? `brought ${to} up to date` : `copied to ${to}`}: ${count(copied, 'file')} written`;
  await context.result(
    { vault: vault.id, from: vault.store.address, to: there.store.address, size, root, files, copied, before, ...(moved === undefined ? {} : { config: moved }), expect: there.expectLine },
    `vault "${vault.policy.policy.name}" ${short(vault.id)} (${all})\n  ${done}; read back and verified\n`,
  );
  if (!vault.confirmed) await context.warn('Freshness unknown: nobody has said yet that this is the right vault and not an old copy.');
  if (moved === undefined) return;
  await context.say(`${context.path(moved)} names ${to} now. ${from} is left as it was: nobody should write there any more, so tell the others, and keep it as a backup or remove it.`);
  await context.next('oxp-vault status');
}
