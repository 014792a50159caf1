/** What changes from one policy to the next, in plain words, for those who must sign it. Nothing that differs goes unsaid. */
import { canonicalEqual } from '../primitives/canonical-json.js';
import { treeInWords, type ThresholdTree } from '../primitives/threshold-tree.js';
import type { Policy, RoleDef, Threshold } from './policy.js';
import type { Person } from './state.js';
import type { WordsLine } from './words-line.js';
import { personLines, removedDeviceLines } from './words-people.js';
import { ruleLines } from './words-rules.js';

export type { WordsLine } from './words-line.js';

interface Both {
  readonly before: Policy | undefined;
  readonly after: Policy;
  /** Enrolled as of the log, where it is known. */
  readonly people: ReadonlyMap<string, Person> | undefined;
}

/**
 * The difference in words. What `before` did once (devices that it removed, what it abandoned) is done, so only the acts of
 * `after` are said, each time. With `people`, the enrolled as of the log, devices are compared with those, not with the cards of
 * `before`: between two policies people add and remove their own. Without `before`, the whole of `after`. Empty when nothing changes.
 */
export function policyDifference(before: Policy | undefined, after: Policy, people?: ReadonlyMap<string, Person>): WordsLine[] {
  return ORDER.flatMap((key) => SECTIONS[key]({ before, after, people }));
}

const nothing = (): WordsLine[] => [];

/** One section for each member of the policy: a new member does not compile until it has its words. */
const SECTIONS: { readonly [K in keyof Policy]-?: (both: Both) => WordsLine[] } = {
  // These two say which policy this is, not what it says.
  number: nothing,
  previous: nothing,
  abandon: ({ after }) => [
    ...after.abandon.secrets.map((name) => ({ mark: '!', text: `abandons ${name}: those who are left of its custodians may never be able to open it again` }) as const),
    ...after.abandon.roles.map((role) => ({ mark: '!', text: `abandons role ${role}: it may be left without anybody who holds its key, and what only it can read is then lost` }) as const),
  ],
  name: ({ before, after }) => never('name of the vault', before?.name, after.name),
  nonce: ({ before, after }) => never('nonce of the vault', before?.nonce, after.nonce),
  suite: ({ before, after }) => never('kind of recipients', before?.suite, after.suite),
  format: ({ before, after }) =>
    before === undefined || before.format === after.format ? [] : [change(`policy format ${after.format}, before ${before.format}: a release that does not know it will stop and ask for an upgrade`)],
  admins: ({ before, after }) => adminLines(before?.admins, after.admins),
  persons: ({ before, after, people }) => personLines(before?.persons, after.persons, people),
  removedDevices: ({ before, after, people }) => removedDeviceLines(after.removedDevices, [before, after], people),
  devices: ({ before, after }) => {
    if (before?.devices === after.devices || (before === undefined && after.devices === 'self')) return [];
    return [change(after.devices === 'self' ? 'everybody adds and removes their own devices now' : 'only the admins add and remove devices now, through the policy')];
  },
  roles: ({ before, after }) => roleLines(before?.roles ?? {}, after.roles),
  custody: ({ before, after }) => custodyLines(before?.custody ?? {}, after.custody),
  rules: ({ before, after }) => ruleLines(before, after),
};

/** First what cannot be undone, then who, then what. */
const ORDER: readonly (keyof Policy)[] = [
  'abandon', 'name', 'nonce', 'suite', 'format', 'persons', 'removedDevices', 'devices', 'admins', 'roles', 'custody', 'rules', 'number', 'previous',
];

function change(text: string): WordsLine {
  return { mark: '~', text };
}

function never(what: string, before: string | undefined, after: string): WordsLine[] {
  return before === undefined || before === after ? [] : [{ mark: '!', text: `the ${what} would change from ${before} to ${after}, which no vault accepts` }];
}

function inWords({ need, of }: Threshold): string {
  return `${need} of ${of.join(' ')}`;
}

function adminLines(before: Threshold | undefined, after: Threshold): WordsLine[] {
  if (before === undefined) return [{ mark: '+', text: `admins: ${inWords(after)} must sign a policy` }];
  const lines: WordsLine[] = [
    ...after.of.filter((p) => !before.of.includes(p)).map((p) => ({ mark: '+', text: `${p} becomes an admin` }) as const),
    ...before.of.filter((p) => !after.of.includes(p)).map((p) => ({ mark: '-', text: `${p} is no longer an admin` }) as const),
  ];
  const changed = before.need !== after.need || before.of.length !== after.of.length;
  return changed ? [...lines, change(`a policy needs ${after.need} of ${after.of.length} admins, before ${before.need} of ${before.of.length}`)] : lines;
}

function roleLines(before: Policy['roles'], after: Policy['roles']): WordsLine[] {
  return sortedKeys(before, after).flatMap((role): WordsLine[] => {
    const [was, is] = [own(before, role), own(after, role)];
    if (is === undefined) return [{ mark: '-', text: `role ${role} is gone` }];
    if (was !== undefined) return roleChange(role, was, is);
    const members = is.members.length === 0 ? 'nobody yet' : is.members.join(', ');
    return [{ mark: '+', text: `role ${role}: ${members}` }, ...roleChange(role, { members: is.members }, is)];
  });
}

function roleChange(role: string, was: RoleDef, is: RoleDef): WordsLine[] {
  const lines: WordsLine[] = [
    ...is.members.filter((p) => !was.members.includes(p)).map((p) => ({ mark: '+', text: `${p} becomes a member of ${role}` }) as const),
    ...was.members.filter((p) => !is.members.includes(p)).map((p) => ({ mark: '-', text: `${p} is no longer a member of ${role}, but keeps what was sealed to it so far` }) as const),
  ];
  if (!canonicalEqual(was.managed, is.managed)) {
    const now = is.managed ? `${inWords(is.managed)} may change the members of ${role} without the admins` : `only the admins may change the members of ${role}`;
    lines.push(change(`${now}${was.managed ? `, before ${inWords(was.managed)}` : ''}`));
  }
  if (was.steward !== is.steward) {
    const now = is.steward === undefined ? `${role} has no steward any more` : `${is.steward} is steward of ${role} and may make its first key`;
    lines.push(change(`${now}${was.steward === undefined ? '' : `, before ${was.steward}`}`));
  }
  return lines;
}

function custodyLines(before: Policy['custody'], after: Policy['custody']): WordsLine[] {
  return sortedKeys(before, after).flatMap((group): WordsLine[] => {
    const [was, is] = [own(before, group), own(after, group)];
    if (is === undefined) return [{ mark: '-', text: `custody group ${group} is gone` }];
    if (was === undefined) return [{ mark: '+', text: `custody group ${group}: ${treeInWords(is)}` }];
    return canonicalEqual(was, is) ? [] : [change(`custody group ${group}: ${treeChange(was, is)}`)];
  });
}

function treeChange(was: ThresholdTree, is: ThresholdTree): string {
  const [now, then] = [treeInWords(is), treeInWords(was)];
  // Needless brackets are not in the words.
  return now === then ? `nested otherwise, but still ${now}` : `${now}, before ${then}`;
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function sortedKeys(...records: readonly object[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))].sort();
}
