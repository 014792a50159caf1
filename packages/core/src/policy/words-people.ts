/** Who joins, who leaves, and with which devices, in words. */
import { parseCard } from './card.js';
import type { Policy } from './policy.js';
import type { Person } from './state.js';
import type { WordsLine } from './words-line.js';

interface NamedKey {
  readonly device: string;
  /** Key id. */
  readonly id: string;
  readonly line: string;
}

type Persons = Policy['persons'];

const keysOf = (cards: readonly string[]): NamedKey[] => cards.map((line) => parseCard(line)).map(({ device, id }, i) => ({ device, id, line: cards[i]! }));
const enrolledKeys = (person: Person): NamedKey[] => person.devices.map(({ device, id, card: line }) => ({ device, id, line }));
const short = ({ device, id }: NamedKey): string => `${device} (key ${id.slice(0, 8)})`;

/** With `people`, what is enrolled is what the log says; else what the cards of `before` say. */
export function personLines(before: Persons | undefined, after: Persons, people: ReadonlyMap<string, Person> | undefined): WordsLine[] {
  const enrolled = new Map<string, NamedKey[]>(
    people ? [...people].map(([name, person]) => [name, enrolledKeys(person)]) : Object.entries(before ?? {}).map(([name, { cards }]) => [name, keysOf(cards)]),
  );
  const all = [...new Set([...enrolled.keys(), ...Object.keys(after)])].sort();
  return all.flatMap((person): WordsLine[] => {
    const had = enrolled.get(person);
    const cards = Object.hasOwn(after, person) ? after[person]!.cards : undefined;
    if (cards === undefined) return [{ mark: '-', text: `${person} leaves; the keys of ${had!.map(short).join(', ')} never return` }];
    const has = keysOf(cards);
    if (had === undefined) {
      const machine = parseCard(cards[0]!).kind === 'machine' ? ', a machine,' : '';
      return [{ mark: '+', text: `${person}${machine} joins with ${has.map(short).join(', ')}` }];
    }
    return deviceLines(person, had, has);
  });
}

function deviceLines(person: string, had: readonly NamedKey[], has: readonly NamedKey[]): WordsLine[] {
  const lines: WordsLine[] = [];
  for (const key of has) {
    const known = had.find((k) => k.id === key.id);
    if (!known) lines.push({ mark: '+', text: `${person}: new device ${short(key)}` });
    else if (known.line !== key.line) lines.push({ mark: '~', text: `${person}: another card for ${short(known)}, without effect: the enrolled one stays` });
  }
  for (const key of had) {
    // A policy takes a device away by naming it, not by leaving out its card.
    if (!has.some((k) => k.id === key.id)) lines.push({ mark: '~', text: `${person}: the card of ${short(key)} is left out; unless removed, the device stays` });
  }
  const order = (keys: readonly NamedKey[]): string => keys.map((k) => k.id).join(' ');
  if (lines.length === 0 && order(had) !== order(has)) lines.push({ mark: '~', text: `${person}: the same cards in another order, without effect` });
  return lines;
}

/** Devices that the policy removes; their names from wherever they are known. */
export function removedDeviceLines(ids: readonly string[], policies: readonly (Policy | undefined)[], people: ReadonlyMap<string, Person> | undefined): WordsLine[] {
  if (ids.length === 0) return [];
  const names = new Map<string, string>();
  const learn = (person: string, keys: readonly NamedKey[]): void => {
    for (const key of keys) names.set(key.id, `${person}: device ${short(key)}`);
  };
  for (const policy of policies) for (const [person, { cards }] of Object.entries(policy?.persons ?? {})) learn(person, keysOf(cards));
  for (const [person, { devices }] of people ?? []) learn(person, enrolledKeys({ kind: 'human', devices }));
  return ids.map((id) => ({ mark: '-', text: `${names.get(id) ?? `the device with key ${id.slice(0, 8)}`} is removed; its key never returns` }));
}
