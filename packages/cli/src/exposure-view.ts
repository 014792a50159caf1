/** What somebody could know, in words and columns. The log decides what that is; nothing here does. */
import { type Knowledge, type SharesTogether, summariseExposure } from '@oxp-vault/core';
import { ago, count, thousands } from './render.js';
import { visible } from './secret-words.js';

/** `v1 to v3, v5` */
export function versionWords(versions: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const version of versions) {
    const last = runs.at(-1);
    if (last && last[1] === version - 1) last[1] = version;
    else runs.push([version, version]);
  }
  return runs.map(([from, to]) => (to > from + 1 ? `v${from} to v${to}` : to > from ? `v${from}, v${to}` : `v${from}`)).join(', ');
}

/** `dora`, `ci (machine)`, `erin (left)` */
export function whoWords({ person, machine, left }: Pick<Knowledge, 'person' | 'machine' | 'left'>): string {
  const notes = [...(machine ? ['machine'] : []), ...(left === undefined ? [] : ['left'])];
  return notes.length === 0 ? person : `${person} (${notes.join(', ')})`;
}

/** `member of infra, which still reads; v1: generated it; opened v2, 3 days ago` */
export function howWords(known: Knowledge, now: number): string {
  const { how, versions, entitled, openings } = known;
  const gone = [...new Set(how.flatMap(({ devices }) => devices.filter(({ removed }) => removed).map(({ device }) => device)))];
  const last = openings.at(-1);
  return [
    ...ways(how).map(({ words, members, versions: own }) => {
      const still = entitled && members > 0 ? `, which still ${members > 1 ? 'read' : 'reads'}` : '';
      return own.length >= versions.length ? `${words}${still}` : `${versionWords(own)}: ${words}`;
    }),
    ...(gone.length === 0 || known.left !== undefined ? [] : [`also by ${gone.length === 1 ? 'a removed device' : 'removed devices'}: ${gone.join(', ')}`]),
    ...(last ? [`${openedWords(last)}, ${ago(last.time, now)}`] : []),
  ].join('; ');
}

interface Way {
  readonly words: string;
  /** Roles that are named. */
  readonly members: number;
  readonly versions: readonly number[];
}

/** What is said twice is said once: by several devices, of several roles. Access that goes on comes first, an act of long ago last. */
function ways(how: Knowledge['how']): Way[] {
  const found = new Map<string, { how: string; words: string; roles: string[]; versions: number[] }>();
  for (const each of [...how].sort((a, b) => rank(a.how) - rank(b.how))) {
    const known = found.get(each.words);
    if (known) known.versions.push(...each.versions);
    else found.set(each.words, { how: each.how, words: each.words, roles: each.how === 'member' && each.role !== undefined ? [each.role] : [], versions: [...each.versions] });
  }
  const merged: { words: string; roles: string[]; versions: number[] }[] = [];
  for (const way of found.values()) {
    way.versions.sort((a, b) => a - b);
    const same = merged.find(({ roles, versions }) => roles.length > 0 && way.roles.length > 0 && versions.join() === way.versions.join());
    if (same) same.roles.push(...way.roles);
    else merged.push(way);
  }
  return merged.map(({ words, roles, versions }) => ({ words: roles.length > 1 ? `member of ${roles.join(' and ')}` : words, members: roles.length, versions }));
}

function openedWords({ how, version }: Knowledge['openings'][number]): string {
  return { opened: `opened v${version}`, session: `may have opened v${version} in a session`, drill: `opened v${version} in a drill` }[how];
}

function rank(how: Knowledge['how'][number]['how']): number {
  return how === 'member' ? 0 : how === 'generated' || how === 'imported' || how === 'resealed' ? 2 : 1;
}

/** What has come in the place of what they know, or what it takes. `-` while it is theirs to know. */
export function replacedWords({ name, entitled, versions, replaced, rotation }: Knowledge): string {
  const { status, newest, by, inUse } = replaced;
  if (status === 'overlap') return `v${by ?? newest}, new value; ${versionWords(inUse)} still ${inUse.length === 1 ? 'answers until it is' : 'answer until they are'} retired`;
  if (status === 'replaced') return by === undefined ? 'retired' : `v${by}, new value; what was before is retired`;
  if (entitled) return '-';
  const todo = rotation.how === 'generate' ? `oxp-vault rotate ${name}` : visible(rotation.words);
  return newest !== undefined && newest > Math.max(...versions) ? `nothing: v${newest} has the same value. To replace it: ${todo}` : `nothing yet: ${todo}`;
}

/** `alice may know 3 secrets. 40 of 41 others that they could have known still have the same value.` */
export function summaryWords(who: string, knowledge: readonly Knowledge[]): string {
  const foreign = new Set(knowledge.flatMap(({ name, alone, entitled }) => (alone && entitled ? [] : [name])));
  const theirs = new Set(knowledge.map(({ name }) => name)).size - foreign.size;
  const { known, same, overlap, shares } = summariseExposure(knowledge.filter(({ name }) => foreign.has(name)));
  if (theirs + known + shares === 0) return `${who} never had access to a secret.`;
  const others = theirs === 0 ? `${count(known, 'secret')} that ${who}` : `${count(known, 'other')} that they`;
  return [
    ...(theirs === 0 ? [] : [`${who} may know ${count(theirs, 'secret')}.`]),
    ...(known === 0 ? [] : [`${thousands(same)} of ${others} could have known still ${same === 1 ? 'has' : 'have'} the same value${overlap === 0 ? '.' : `; ${thousands(overlap)} ${overlap === 1 ? 'has' : 'have'} a new one, and the old one still answers.`}`]),
    ...(shares === 0 ? [] : [`Of ${known + theirs === 0 ? count(shares, 'secret') : `${thousands(shares)} more`} ${who} has a share, which is not enough alone.`]),
  ].join(' ');
}

export function togetherWords({ name, version, persons }: SharesTogether): string {
  return `${persons.join(', ')} together have enough shares of ${name} v${version}`;
}
