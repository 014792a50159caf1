/** policy.yaml as people write it: its closed schema. It is a draft, trusted with nothing. */
import * as v from 'valibot';
import { VaultError } from '../errors.js';
import { treeFault, type ThresholdTree } from '../primitives/threshold-tree.js';
import { readYaml, type KeyPath } from '../primitives/yaml.js';
import { isName, isSecretName, RulePath } from '../wire.js';
import { keyPath } from './key-path.js';

const NAME_RULE = 'must be a name: first a-z, then a-z 0-9 . _ -, at most 64 characters';
const NUMBER_RULE = 'must be a whole number, 1 or more';

function text(check: (s: string) => boolean, message: string) {
  return v.pipe(v.string(message), v.check(check, message));
}

// What YAML reads as another type (true, 1e5) is no string: the message says what to write.
const DraftName = text(isName, NAME_RULE);
const Whole = v.pipe(v.number(NUMBER_RULE), v.safeInteger(NUMBER_RULE), v.minValue(1, NUMBER_RULE));

function firstTwice(list: readonly string[]): string | undefined {
  return list.find((x, i) => list.indexOf(x) < i);
}

/** A list without doubles, in any order. A double is more likely a slip for another name than meant. */
function names(item: v.GenericSchema<string>, least: 0 | 1) {
  return v.pipe(
    v.array(item, 'must be a list, such as [alice, bruno]'),
    v.minLength(least, 'must not be empty'),
    v.check((list) => firstTwice(list) === undefined, (issue) => `names ${firstTwice(issue.input)} twice`),
  );
}

const isMapValue = (x: unknown): x is object => typeof x === 'object' && x !== null && !Array.isArray(x);

/** valibot takes a list for a map, an empty one even for an empty map. */
function map<const S extends v.GenericSchema>(schema: S, message: string) {
  return v.pipe(v.unknown(), v.check(isMapValue, message), schema);
}

/** A closed map, whose faults say which keys there are. */
function keys<const E extends v.ObjectEntries>(entries: E) {
  const all = Object.keys(entries).join(', ');
  return map(v.strictObject(entries, (issue) => (issue.expected === 'never' ? `is not a key here; there are: ${all}` : 'is missing')), `must be a map with the keys: ${all}`);
}

const Need = v.pipe(
  keys({ need: Whole, of: names(DraftName, 1) }),
  v.check(({ need, of }) => need <= of.length, ({ input }) => `needs ${input.need} of only ${input.of.length}`),
);

const Child: v.GenericSchema<unknown, string | ThresholdTree> = v.lazy((x) => (isMapValue(x) ? Tree : DraftName));
const Children = v.pipe(v.array(Child, 'must be a list of names and maps'), v.minLength(1, 'must not be empty'));
const AllTree = v.pipe(keys({ all: Children }), v.transform(({ all }) => ({ need: all.length, of: all })));
const NeedTree = keys({ need: Whole, of: Children });
/** `{ need, of }`, or `{ all }` where every one of them is needed. */
const Tree: v.GenericSchema<unknown, ThresholdTree> = v.lazy((x) => (isMapValue(x) && 'all' in x ? AllTree : NeedTree));
const CustodyTree = v.pipe(Tree, v.check((tree) => treeFault(tree) === undefined, ({ input }) => treeFault(input)!));

const DraftRule = v.pipe(
  keys({
    path: text((s) => v.is(RulePath, s), 'must be /, a secret\'s name, or a name and / for all below it'),
    owners: names(DraftName, 1),
    writers: names(DraftName, 1),
    readers: v.optional(names(DraftName, 1)),
    custody: v.optional(DraftName),
    consents: v.optional(Whole, 1),
  }),
  v.check((rule) => (rule.readers === undefined) !== (rule.custody === undefined), 'must have either readers or custody'),
);

const isDevice = (s: string): boolean => /^[0-9a-f]{64}$/.test(s) || (s.split('/').length === 2 && s.split('/').every(isName));

const DraftFile = keys({
  'based-on': Whole,
  admins: Need,
  devices: v.optional(v.picklist(['self', 'admins'], 'must be self or admins'), 'self'),
  roles: map(v.record(DraftName, keys({ members: names(DraftName, 0), managed: v.optional(Need), steward: v.optional(DraftName) })), 'must be a map of roles'),
  custody: v.optional(map(v.record(DraftName, CustodyTree), 'must be a map of custody groups'), {}),
  rules: v.array(DraftRule, 'must be a list of rules'),
  abandon: v.optional(keys({
    secrets: v.optional(names(text(isSecretName, 'must be the name of a secret'), 0), []),
    roles: v.optional(names(DraftName, 0), []),
  }), {}),
  'removed-devices': v.optional(names(text(isDevice, 'must be person/device, or a whole key id in quotes'), 0), []),
});

type File = v.InferOutput<typeof DraftFile>;
export type DraftRule = File['rules'][number];

/** The draft as written, defaults filled in. Lists are in the order of the file. */
export interface Draft {
  /** Number of the policy that this one is to follow. */
  readonly basedOn: number;
  readonly admins: { readonly need: number; readonly of: readonly string[] };
  readonly devices: 'self' | 'admins';
  readonly roles: File['roles'];
  readonly custody: Readonly<Record<string, ThresholdTree>>;
  readonly rules: readonly DraftRule[];
  readonly abandon: File['abandon'];
  /** `person/device`, or a key id of 64 hex digits. */
  readonly removedDevices: readonly string[];
}

/**
 * Parses the text of a policy.yaml; `file` is what messages call it. Throws BAD_YAML for what is not one plain YAML document,
 * BAD_POLICY for what does not follow the schema, names a role or custody group that the file does not define, or has two rules
 * for one path.
 */
export function parseDraft(text: string, file = 'policy.yaml'): Draft {
  const yaml = readYaml(text, file);
  const fail = (path: KeyPath, what: string): VaultError =>
    new VaultError('BAD_POLICY', `${yaml.place(path)}: ${path.length === 0 ? 'the file' : keyPath(path)} ${what}`);
  const parsed = v.safeParse(DraftFile, yaml.value, { abortEarly: true });
  if (!parsed.success) {
    const issue = parsed.issues[0];
    throw fail((issue.path ?? []).map((item) => item.key as string | number), issue.message);
  }
  const { 'based-on': basedOn, 'removed-devices': removedDevices, ...rest } = parsed.output;
  const draft: Draft = { ...rest, basedOn, removedDevices };
  const fault = ruleFault(draft);
  if (fault) throw fail(fault.path, fault.what);
  return draft;
}

function ruleFault(draft: Draft): { path: KeyPath; what: string } | undefined {
  for (const [i, rule] of draft.rules.entries()) {
    if (draft.rules.findIndex(({ path }) => path === rule.path) < i) return { path: ['rules', i, 'path'], what: `is ${rule.path}, which has a rule already` };
    for (const key of ['owners', 'writers', 'readers'] as const) {
      for (const [j, role] of (rule[key] ?? []).entries()) {
        if (!Object.hasOwn(draft.roles, role)) return { path: ['rules', i, key, j], what: `names role ${role}, which is not among the roles` };
      }
    }
    if (rule.custody !== undefined && !Object.hasOwn(draft.custody, rule.custody)) {
      return { path: ['rules', i, 'custody'], what: `names custody group ${rule.custody}, which is not under custody` };
    }
  }
  return undefined;
}
