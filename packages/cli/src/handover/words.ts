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
  if (mode === 'use') return `nothing moves; ${view.targets.length === 1 ? 'this version is' : 'these versions are'} tainted until made anew`;
  const held = view.targets.filter((target) => isUnderCustody(view, target.name)).map((target) => target.name);
  const plain = view.targets.length - held.length;
  const folders = rules.map((rule) => rule.path).filter((path) => path.endsWith('/'));
  return [
    ...(held.length > 0 ? [`${names(held)} ${held.length === 1 ? 'goes' : 'go'} under custody ${custody}, owned by ${role}`] : []),
    ...(plain > 0 ? [`${role} reads, writes and owns ${held.length > 0 ? 'the rest' : plain === 1 ? 'it' : 'them'}`] : []),
    ...(plain > 0 && keepReaders.length > 0 ? [`${keepReaders.join(', ')} only ${keepReaders.length === 1 ? 'reads' : 'read'}`] : []),
    ...(folders.includes('/') ? ['the same for all that will ever be sealed'] : folders.length > 0 ? [`the same for what will be sealed below ${folders.join(', ')}`] : []),
    ...(admins ? [`the admins will be ${admins.of.join(' ')} (${admins.need} of ${admins.of.length})`] : []),
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

/** `pki/root`, or `pki/root and 3 others`; in order. */
export function names(list: readonly string[]): string {
  const [first = 'nothing', ...rest] = [...list].sort();
  return rest.length === 0 ? first : rest.length === 1 ? `${first} and ${rest[0]}` : `${first} and ${rest.length} others`;
}

/** Who is still to consent, once each. */
export function awaited({ next }: HandoverView): string[] {
  return next.filter((step) => step.next.includes(' consent ')).map((step) => step.person);
}

/** `bruno or erin, and frank or grace`, said once for all the secrets that wait for the same; undefined where none waits. */
export function awaitedInWords({ targets }: HandoverView): string | undefined {
  const waiting = [...new Set(targets.map((target) => target.awaits).filter((words) => words !== ''))];
  return waiting.length === 0 ? undefined : waiting.join('; ');
}

/** How far the consents are: `3 of 4 secrets have enough; pki/root waits for bruno or erin, and frank or grace`. */
export function consentsInWords(view: HandoverView): string {
  const waiting = view.targets.filter((target) => !target.satisfied);
  if (waiting.length === 0) return 'that is enough for all of it';
  const groups = new Map<string, string[]>();
  for (const { name, awaits } of waiting) groups.set(awaits, [...(groups.get(awaits) ?? []), name]);
  const enough = view.targets.length - waiting.length;
  return [...(enough > 0 ? [`${enough} of ${count(view.targets.length, 'secret')} ${enough === 1 ? 'has' : 'have'} enough`] : []), ...[...groups].map(([awaits, of]) => `${names(of)} ${of.length === 1 ? 'waits' : 'wait'} for ${awaits}`)].join('; ');
}
