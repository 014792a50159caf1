/** A handover in the words that all its commands share. */
import type { HandoverView, TargetView } from '@oxp-vault/core';
import { count } from '../render.js';

/** What people type for it. */
export function shortId({ id }: Pick<HandoverView, 'id'>): string {
  return id.slice(0, 8);
}

/** `handover 4f2a91c0: 4 secrets, infra -> platform` */
export function headline(view: HandoverView): string {
  // Once it is over its receivers own it.
  const from = view.from.filter((role) => role !== view.role).join(', ');
  const way = view.mode === 'use' ? `for one use by ${view.request.person}` : `${from === '' ? 'to' : `${from} ->`} ${view.role}`;
  return `handover ${shortId(view)}: ${count(view.targets.length, 'secret')}, ${way}`;
}

/** What the request comes to, in a few clauses: `platform reads, writes and owns them; infra only reads`. */
export function afterwards(view: HandoverView): string {
  const { mode, role, custody, keepReaders, admins, rules } = view;
  if (mode === 'use') return 'nothing moves; the versions are tainted until they are made anew';
  const held = view.targets.filter((target) => isUnderCustody(view, target.name)).map((target) => target.name);
  const plain = view.targets.length - held.length;
  return [
    ...(plain > 0 ? [`${role} reads, writes and owns ${held.length > 0 ? 'what is not under custody' : plain === 1 ? 'it' : 'them'}`] : []),
    ...(plain > 0 && keepReaders.length > 0 ? [`${keepReaders.join(', ')} only ${keepReaders.length === 1 ? 'reads' : 'read'}`] : []),
    ...(held.length > 0 ? [`${names(held)} ${held.length === 1 ? 'goes' : 'go'} under custody ${custody}, owned by ${role}`] : []),
    ...(admins ? [`admins are ${admins.of.join(' ')} (${admins.need} of ${admins.of.length})`] : []),
    ...(rules.some((rule) => rule.path.endsWith('/')) ? [`so does all that comes below ${rules.map((rule) => rule.path).filter((path) => path.endsWith('/')).join(', ')}`] : []),
  ].join('; ');
}

/** Whether the request puts it under custody. */
function isUnderCustody({ rules }: HandoverView, name: string): boolean {
  const matching = rules.filter(({ path }) => path === '/' || path === name || (path.endsWith('/') && name.startsWith(path)));
  const deciding = matching.sort((a, b) => b.path.length - a.path.length)[0];
  return deciding !== undefined && 'custody' in deciding;
}

/** `pki/root v1, dns/tsig v2` */
export function targetsInWords(targets: readonly Pick<TargetView, 'name' | 'version'>[]): string {
  return targets.map(({ name, version }) => `${name} v${version}`).join(', ');
}

/** `pki/root`, or `pki/root and 3 others`. */
export function names(list: readonly string[]): string {
  const [first = 'nothing', ...rest] = list;
  return rest.length === 0 ? first : rest.length === 1 ? `${first} and ${rest[0]}` : `${first} and ${rest.length} others`;
}

/** Who is still to consent, once each. */
export function awaited({ next }: HandoverView): string[] {
  return next.filter((step) => step.next.includes(' consent ')).map((step) => step.person);
}
