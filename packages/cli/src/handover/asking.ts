/** The beginning: an offer, or a request. */
import { acceptOffer, handoverOffer, type Handover, requestHandover, resolveTargets, showHandover, type RequestOptions, type Vault, VaultError } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { columns, short } from '../render.js';
import { parseUntil, untilInWords } from '../until.js';
import { vaultForWriting } from '../writing.js';
import { afterwards, awaited, headline, shortId, targetsInWords } from './words.js';

export interface OfferOptions {
  readonly to: string;
  readonly reason?: string;
}

export interface RequestWords {
  readonly to?: string;
  readonly use?: boolean;
  readonly custody?: string;
  readonly keepReader?: readonly string[];
  readonly admin?: readonly string[];
  readonly threshold?: string;
  readonly notAfter?: string;
  readonly reason?: string;
}

export async function offer(context: CliContext, names: readonly string[], { to, reason }: OfferOptions): Promise<void> {
  const vault = await vaultForWriting(context, () => names);
  const targets = resolveTargets(vault, names);
  const id = await handoverOffer(vault, { names, role: to, ...(reason === undefined ? {} : { reason }) });
  await context.result({ offer: id, role: to, targets }, `offer ${short(id)}: ${targetsInWords(targets)} to ${to}\n`);
  const members = vault.policy.policy.roles[to]?.members ?? [];
  await context.next(`${members.join(' or ') || `a member of ${to}`}: oxp-vault handover accept ${short(id)}`);
}

export async function accept(context: CliContext, id: string, words: RequestWords): Promise<void> {
  const options = conditionsOf(context, words);
  const vault = await vaultForWriting(context);
  await tell(context, vault, await acceptOffer(vault, id, options));
}

export async function request(context: CliContext, names: readonly string[], words: RequestWords): Promise<void> {
  const options = conditionsOf(context, words);
  const vault = await vaultForWriting(context);
  await tell(context, vault, await requestHandover(vault, { ...options, names, ...(words.to === undefined ? {} : { role: words.to }), ...(words.use ? { use: true } : {}) }));
}

function conditionsOf(context: CliContext, { custody, keepReader, admin, threshold, notAfter, reason }: RequestWords): Omit<RequestOptions, 'names' | 'role'> {
  if (threshold !== undefined && admin === undefined) throw new VaultError('USAGE', '--threshold is that of the admins afterwards, and none is named', { hint: 'Name them: --admin PERSON, repeated' });
  const of = [...new Set(admin ?? [])];
  const need = threshold === undefined ? Math.floor(of.length / 2) + 1 : Number(threshold);
  if (!Number.isSafeInteger(need) || need < 1) throw new VaultError('USAGE', '--threshold takes a number of admins');
  return {
    ...(custody === undefined ? {} : { custody }),
    ...(keepReader === undefined ? {} : { keepReaders: keepReader }),
    ...(of.length === 0 ? {} : { admins: { need, of } }),
    ...(notAfter === undefined ? {} : { notAfter: parseUntil(notAfter, context.clock.now()) }),
    ...(reason === undefined ? {} : { reason }),
  };
}

async function tell(context: CliContext, vault: Vault, { digest }: Handover): Promise<void> {
  const view = showHandover(vault, digest);
  const rows = view.targets.map(({ name, version, needs }) => [name, `v${version}`, `needs ${needs}`]);
  const more = [
    ['afterwards', afterwards(view)],
    ['until', `${untilInWords(view.request.notAfter)} (change with --not-after)`],
  ];
  await context.result(view, `${headline(view)}\n${columns(rows, { indent: 2 })}${columns(more, { indent: 2, gap: 3 })}`);
  const others = awaited(view);
  const mine = view.next.find((step) => step.person === view.request.person);
  if (others.length === 0 && mine) await context.next(mine.next);
  if (view.next.length === 0) await context.warn(`Nobody can consent to it: whoever could is asking, or is a machine. Stop it: oxp-vault handover abort ${shortId(view)}`);
  if (others.length > 0) await context.say(`Tell ${others.join(', ')}: oxp-vault handover consent ${shortId(view)} --wait`);
}
