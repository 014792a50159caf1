import { badMaterial } from './fields.js';

/** More hosts than this are a mistake or an attack. */
const MAX_HOSTS = 100_000;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * The hosts that one pattern of an Ansible inventory names (docs.ansible.com, "Adding ranges of hosts"): `web[1:3]`, `web[01:10:2]`,
 * `db[a:c]`, several ranges in one pattern, a port at the end. Throws BAD_MATERIAL, without quoting the pattern.
 */
export function expandHosts(pattern: string): string[] {
  const hosts = expand(withoutPort(pattern));
  if (hosts.some((host) => host === '' || /[\s[\]]/.test(host))) throw badMaterial('ansible-inventory', 'a host has an empty name, blanks or a stray bracket in it');
  return hosts;
}

/** `host:22`, `[2001:db8::1]:22`; a bare IPv6 address has no port. */
function withoutPort(pattern: string): string {
  const bracketed = /^\[([0-9a-fA-F.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)\](?::\d+)?$/.exec(pattern);
  // `[1:9:2]` alone looks like an address, too; Ansible reads a range where the whole is no valid address.
  if (bracketed !== null && (pattern.includes('::') || bracketed[1]!.split(':').length === 8)) return bracketed[1]!;
  const outside = pattern.replace(/\[[^\]]*\]/g, '');
  return /^[^:]*:\d+$/.test(outside) ? pattern.slice(0, pattern.lastIndexOf(':')) : pattern;
}

function expand(pattern: string): string[] {
  const range = /^([^[]*)\[([^\]]*:[^\]]*)\](.*)$/.exec(pattern);
  if (range === null) return [pattern];
  const [, head, bounds, tail] = range;
  const tails = expand(tail!);
  const items = rangeItems(bounds!);
  if (items.length * tails.length > MAX_HOSTS) throw badMaterial('ansible-inventory', `a range stands for more than ${MAX_HOSTS} hosts`);
  return items.flatMap((item) => tails.map((rest) => `${head}${item}${rest}`));
}

function rangeItems(bounds: string): string[] {
  const [first = '', last = '', stepText = '1', ...more] = bounds.split(':');
  const begin = first === '' ? '0' : first;
  const step = Number(stepText);
  if (more.length > 0 || last === '' || !/^[1-9]\d{0,5}$/.test(stepText)) throw badRange();
  if (/^\d{1,9}$/.test(begin) && /^\d{1,9}$/.test(last)) {
    const padded = begin.length > 1 && begin.startsWith('0');
    if (padded && last.length !== begin.length) throw badRange('with leading zeros both ends need the same length');
    return sequence(Number(begin), Number(last), step).map((n) => (padded ? String(n).padStart(begin.length, '0') : String(n)));
  }
  const [from, to] = [LETTERS.indexOf(begin), LETTERS.indexOf(last)];
  if (begin.length !== 1 || last.length !== 1 || from < 0 || to < 0 || from > to) throw badRange();
  return sequence(from, to, step).map((n) => LETTERS[n]!);
}

function sequence(from: number, to: number, step: number): number[] {
  const length = Math.max(0, Math.floor((to - from) / step) + 1);
  if (length > MAX_HOSTS) throw badMaterial('ansible-inventory', `a range stands for more than ${MAX_HOSTS} hosts`);
  return Array.from({ length }, (_, i) => from + i * step);
}

function badRange(why?: string): Error {
  return badMaterial('ansible-inventory', `a range of hosts is not [FIRST:LAST] or [FIRST:LAST:STEP]${why === undefined ? '' : `: ${why}`}`);
}
