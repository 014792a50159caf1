/** Any policy goes through policy.yaml unchanged, and no change of a policy goes unsaid. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileDraft, formatDraft, parseDraft } from '../../packages/core/src/policy/draft.js';
import { checkPolicyFile, encodePolicy, type Policy } from '../../packages/core/src/policy/policy.js';
import { policyDifference } from '../../packages/core/src/policy/words.js';
import { sha256Hex } from '../../packages/core/src/primitives/hash.js';
import type { ThresholdTree } from '../../packages/core/src/primitives/threshold-tree.js';
import { arbPolicy, arbThreshold, arbTree, baseOf, makeCast, type Cast } from '../support/policies.js';

let cast: Cast;
beforeAll(async () => {
  cast = await makeCast();
});

const again = (policy: Policy): Policy => compileDraft(parseDraft(formatDraft(policy)), baseOf(policy), []);

/** What a policy says: not which one it is, nor what its version did once. */
function content(policy: Policy): unknown {
  return { ...policy, number: 0, previous: null, removedDevices: [], abandon: {} };
}

describe('policy.yaml', () => {
  it('generators make policies that pass', () => {
    fc.assert(fc.property(arbPolicy(cast), (policy) => {
      expect(checkPolicyFile(encodePolicy(policy))).toMatchObject({ policy });
    }), { numRuns: 200 });
  });

  it('compiles back to the policy that it was written from', () => {
    fc.assert(fc.property(arbPolicy(cast), (policy) => {
      const next = again(policy);
      expect(content(next)).toEqual(content(policy));
      expect(next).toMatchObject({ number: policy.number + 1, previous: sha256Hex(encodePolicy(policy)), removedDevices: [], abandon: { secrets: [], roles: [] } });
      expect(policyDifference(policy, next)).toEqual([]);
    }), { numRuns: 300 });
  });

  it('writes the same text for the same content', () => {
    fc.assert(fc.property(arbPolicy(cast, { acts: false }), (policy) => {
      const next = again(policy);
      expect(formatDraft(next).replace(/^based-on: \d+$/m, '')).toBe(formatDraft(policy).replace(/^based-on: \d+$/m, ''));
    }), { numRuns: 100 });
  });
});

/** One change to a policy, and what a line about it must hold. Not every change passes the checks; it must be said all the same. */
type Mutation = (policy: Policy) => fc.Arbitrary<{ after: Policy; about: RegExp }>;

const some = <T>(list: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...list);
const toggled = (list: readonly string[], x: string): string[] => (list.includes(x) ? list.filter((y) => y !== x) : [...list, x].sort());
const word = (text: string): RegExp => new RegExp(text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a member': (p) => fc.tuple(some(Object.keys(p.roles)), some([...cast.humans, ...cast.machines])).map(([role, person]) => ({
    after: { ...p, roles: { ...p.roles, [role]: { ...p.roles[role]!, members: toggled(p.roles[role]!.members, person) } } },
    about: new RegExp(`^${person} .* member of ${role}`),
  })),
  'the managers': (p) => fc.tuple(some(Object.keys(p.roles)), arbThreshold(cast.humans)).map(([role, managed]) => ({
    after: { ...p, roles: { ...p.roles, [role]: { ...p.roles[role]!, managed } } }, about: word(`members of ${role}`),
  })),
  'the steward': (p) => fc.tuple(some(Object.keys(p.roles)), some(cast.humans)).map(([role, steward]) => ({
    after: { ...p, roles: { ...p.roles, [role]: { ...p.roles[role]!, steward } } }, about: word(`steward of ${role}`),
  })),
  'an empty role': (p) => fc.constant({ after: { ...p, roles: { ...p.roles, fresh: { members: [] } } }, about: /role fresh: nobody yet/ }),
  'a role gone': (p) => some(Object.keys(p.roles)).map((role) => ({ after: { ...p, roles: without(p.roles, role) }, about: word(`role ${role} is gone`) })),
  'the admins': (p) => some(cast.humans).map((person) => ({ after: { ...p, admins: { ...p.admins, of: toggled(p.admins.of, person) } }, about: word(`${person} `) })),
  'the threshold': (p) => fc.constant({ after: { ...p, admins: { ...p.admins, need: p.admins.need + 1 } }, about: /a policy needs/ }),
  'a device more or less': (p) => some(Object.keys(p.persons)).map((person) => {
    const phone = cast.card(person, 1).line;
    const { cards } = p.persons[person]!;
    return { after: { ...p, persons: { ...p.persons, [person]: { cards: cards.includes(phone) ? cards.slice(0, 1) : [...cards, phone] } } }, about: word(`${person}: `) };
  }),
  'a person gone': (p) => some(Object.keys(p.persons)).map((person) => ({ after: { ...p, persons: without(p.persons, person) }, about: word(`${person} leaves`) })),
  'a removed device': (p) => some(cast.humans).map((person) => ({ after: { ...p, removedDevices: [cast.card(person, 0).id] }, about: /is removed; its key never returns/ })),
  'a tree': (p) => arbTree(cast.humans).map((tree) => ({ after: { ...p, custody: { ...p.custody, 'pki-root': tree } }, about: /custody group pki-root/ })),
  'a group gone': (p) => some(['none', ...Object.keys(p.custody)]).map((group) => ({ after: { ...p, custody: without(p.custody, group) }, about: word(`custody group ${group} is gone`) })),
  'a rule gone': (p) => some(['none', ...p.rules.map((r) => r.path)]).map((path) => ({ after: { ...p, rules: p.rules.filter((r) => r.path !== path) }, about: word(path) })),
  'what a rule says': (p) => (p.rules.length === 0 ? fc.constant({ after: p, about: /./ }) : fc.tuple(some(p.rules), some(['owners', 'writers', 'readers', 'custody', 'consents'] as const), some(Object.keys(p.roles))).map(([rule, key, role]) => {
    const { path, owners, writers, consents } = rule;
    const readers = 'readers' in rule ? rule.readers : [];
    const changed = key === 'custody' ? { path, owners, writers, consents, custody: 'another' }
      : key === 'consents' ? { ...rule, consents: consents + 1 }
      : key === 'readers' ? { path, owners, writers, consents, readers: toggled(readers, role) }
      : { ...rule, [key]: toggled(rule[key], role) };
    return { after: { ...p, rules: p.rules.map((r) => (r === rule ? changed : r)) }, about: word(path) };
  })),
  'who adds devices': (p) => fc.constant({ after: { ...p, devices: p.devices === 'self' ? 'admins' : 'self' }, about: /their own devices|only the admins add/ }),
  'the format': (p) => fc.constant({ after: { ...p, format: p.format + 1 }, about: /policy format 2, before 1/ }),
  'the name': (p) => fc.constant({ after: { ...p, name: 'other' }, about: /name of the vault/ }),
  'the nonce': (p) => fc.constant({ after: { ...p, nonce: '6b'.repeat(32) }, about: /nonce of the vault/ }),
  'the suite': (p) => fc.constant({ after: { ...p, suite: 'hybrid' }, about: /kind of recipients/ }),
  'an abandoned secret': (p) => fc.constant({ after: { ...p, abandon: { ...p.abandon, secrets: ['a/b'] } }, about: /abandons a\/b/ }),
  'an abandoned role': (p) => fc.constant({ after: { ...p, abandon: { ...p.abandon, roles: ['gone'] } }, about: /abandons role gone/ }),
};

function without<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([k]) => k !== key));
}

describe('the difference in words', () => {
  it.each(Object.keys(MUTATIONS))('says %s', (name) => {
    let changes = 0;
    fc.assert(fc.property(arbPolicy(cast, { acts: false }).chain((before) => MUTATIONS[name]!(before).map((m) => ({ before, ...m }))), ({ before, after, about }) => {
      const texts = policyDifference(before, after).map((line) => line.text);
      if (Buffer.from(encodePolicy(before)).equals(Buffer.from(encodePolicy(after)))) {
        expect(texts).toEqual([]);
      } else {
        changes++;
        expect(texts.filter((text) => about.test(text)), texts.join('\n')).not.toEqual([]);
      }
    }), { numRuns: 60 });
    expect(changes).toBeGreaterThan(5);
  });

  it('is empty for the same content only', () => {
    fc.assert(fc.property(arbPolicy(cast), arbPolicy(cast), (before, after) => {
      const same = JSON.stringify(content(before)) === JSON.stringify(content(after)) && after.removedDevices.length === 0
        && after.abandon.secrets.length === 0 && after.abandon.roles.length === 0;
      expect(policyDifference(before, after).length === 0).toBe(same);
      expect(policyDifference(undefined, after)).not.toEqual([]);
    }), { numRuns: 200 });
  });

  it('says a tree that is nested otherwise, even where the words are the same', () => {
    const flat: ThresholdTree = { need: 1, of: ['alice', 'bruno'] };
    fc.assert(fc.property(arbPolicy(cast, { acts: false }), (policy) => {
      const before = { ...policy, custody: { ...policy.custody, 'pki-root': flat } };
      const after = { ...policy, custody: { ...policy.custody, 'pki-root': { need: 1, of: [flat] } } };
      expect(policyDifference(before, after)).toEqual([{ mark: '~', text: 'custody group pki-root: nested otherwise, but still 1 of alice bruno' }]);
    }), { numRuns: 10 });
  });
});
