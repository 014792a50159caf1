/** policy.yaml: what people may write, what it becomes, and what it says when it is wrong. */
import { beforeAll, describe, expect, it } from 'vitest';
import { isVaultError, type ErrorCode, type VaultError } from '../../../packages/core/src/errors.js';
import { compileDraft, formatDraft, initialPolicy, parseDraft, type InitialPolicy } from '../../../packages/core/src/policy/draft.js';
import { signCard } from '../../../packages/core/src/policy/card.js';
import { deviceOf } from '../../../packages/core/src/policy/people.js';
import type { Policy } from '../../../packages/core/src/policy/policy.js';
import { baseOf, makeCast, policyOf, type Cast } from '../../support/policies.js';

let cast: Cast;
beforeAll(async () => {
  cast = await makeCast();
});

const TWO_TEAMS = `
based-on: 3
admins: { need: 2, of: [alice, bruno, carol] }
roles:
  infra:    { members: [bruno, alice] }
  platform: { members: [carol, dora], managed: { need: 1, of: [carol, dora] }, steward: alice }
custody:
  pki-root:      { all: [ { need: 2, of: [alice, bruno, erin] }, { need: 1, of: [frank, grace] } ] }
  platform-root: { need: 2, of: [carol, dora, frank] }
rules:
  - { path: pki/root, owners: [infra], writers: [infra], custody: pki-root }
  - { path: /,        owners: [infra], writers: [infra], readers: [infra] }
  - { path: dns/,     owners: [infra], writers: [infra], readers: [platform, infra], consents: 2 }
`;
const SMALL = 'based-on: 3\nadmins: { need: 1, of: [alice] }\nroles:\n  infra: { members: [alice] }\nrules:\n  - { path: /, owners: [infra], writers: [infra], readers: [infra] }\n';

function thrown(fn: () => unknown): VaultError {
  try {
    fn();
  } catch (error) {
    if (isVaultError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseDraft', () => {
  it('reads what people write, and fills in what they leave out', () => {
    expect(parseDraft(TWO_TEAMS)).toEqual({
      basedOn: 3,
      admins: { need: 2, of: ['alice', 'bruno', 'carol'] },
      devices: 'self',
      roles: {
        infra: { members: ['bruno', 'alice'] },
        platform: { members: ['carol', 'dora'], managed: { need: 1, of: ['carol', 'dora'] }, steward: 'alice' },
      },
      custody: {
        'pki-root': { need: 2, of: [{ need: 2, of: ['alice', 'bruno', 'erin'] }, { need: 1, of: ['frank', 'grace'] }] },
        'platform-root': { need: 2, of: ['carol', 'dora', 'frank'] },
      },
      rules: [
        { path: 'pki/root', owners: ['infra'], writers: ['infra'], custody: 'pki-root', consents: 1 },
        { path: '/', owners: ['infra'], writers: ['infra'], readers: ['infra'], consents: 1 },
        { path: 'dns/', owners: ['infra'], writers: ['infra'], readers: ['platform', 'infra'], consents: 2 },
      ],
      abandon: { secrets: [], roles: [] },
      removedDevices: [],
    });
    expect(parseDraft(`${SMALL}devices: admins\nabandon: { secrets: [pki/root] }\nremoved-devices: [alice/phone]\n`)).toMatchObject({
      devices: 'admins', abandon: { secrets: ['pki/root'], roles: [] }, removedDevices: ['alice/phone'],
    });
  });

  it.each<[string, ErrorCode, string, string]>([
    ['nothing', 'BAD_YAML', '', 'policy.yaml, line 1: the file is empty'],
    ['only a comment', 'BAD_YAML', '# later\n', 'policy.yaml, line 1: the file is empty'],
    ['a bracket left open', 'BAD_YAML', 'based-on: [1\n', 'policy.yaml, line 2: wrong indentation, or a bracket that is not closed'],
    ['a key twice', 'BAD_YAML', `${SMALL}admins: { need: 1, of: [bruno] }\n`, 'policy.yaml, line 7: the same key twice in one map'],
    ['a role twice', 'BAD_YAML', SMALL.replace('rules:', '  infra: { members: [bruno] }\nrules:'), 'policy.yaml, line 5: the same key twice in one map'],
    ['two documents', 'BAD_YAML', `${SMALL}---\n${SMALL}`, 'policy.yaml, line 7: a second document: a file holds one'],
    ['an alias', 'BAD_YAML', 'a: x\nb: *x\n', 'policy.yaml, line 2: an alias (*name), which is not allowed: write it out'],
    ['an anchor', 'BAD_YAML', SMALL.replace('{ need', '&a { need'), 'policy.yaml, line 2: an anchor (&name), which is not allowed'],
    ['a tag', 'BAD_YAML', SMALL.replace('[alice] }\nroles', '[!!str alice] }\nroles'), 'policy.yaml, line 2: a tag (!name), which is not allowed'],
    ['a key that is no word', 'BAD_YAML', '? { a: 1 }\n: 2\n', 'policy.yaml, line 1: a key that is no plain word'],
    ['a role called constructor', 'BAD_YAML', SMALL.replace('infra: {', 'constructor: {'), 'policy.yaml, line 4: constructor cannot be a key or a name'],
    ['a list', 'BAD_POLICY', '- a\n', 'policy.yaml, line 1: the file must be a map with the keys: based-on, admins, devices, roles, custody, rules, abandon, removed-devices'],
    ['a list for a map', 'BAD_POLICY', SMALL.replace('{ need: 1, of: [alice] }', '[alice]'), 'policy.yaml, line 2: admins must be a map with the keys: need, of'],
    ['a list of roles', 'BAD_POLICY', SMALL.replace('  infra: { members: [alice] }', '  []'), 'policy.yaml, line 3: roles must be a map of roles'],
    ['a list of custody groups', 'BAD_POLICY', `${SMALL}custody: []\n`, 'policy.yaml, line 7: custody must be a map of custody groups'],
    ['a word for a rule', 'BAD_POLICY', `${SMALL}  - dns/\n`, 'policy.yaml, line 7: rules[1] must be a map with the keys: path, owners, writers, readers, custody, consents'],
    ['an empty list of abandoned', 'BAD_POLICY', `${SMALL}abandon: []\n`, 'policy.yaml, line 7: abandon must be a map with the keys: secrets, roles'],
    ['a key missing', 'BAD_POLICY', SMALL.replace('based-on: 3\n', ''), 'policy.yaml, line 1: based-on is missing'],
    ['a key inside missing', 'BAD_POLICY', SMALL.replace('writers: [infra], ', ''), 'policy.yaml, line 6: rules[0].writers is missing'],
    ['an unknown key', 'BAD_POLICY', `${SMALL}admin: [alice]\n`, 'policy.yaml, line 7: admin is not a key here; there are: based-on, admins, devices, roles, custody, rules, abandon, removed-devices'],
    ['a key to hide on a terminal', 'BAD_POLICY', `${SMALL}"a\\e[2Jb\u202e": 1\n`, 'policy.yaml, line 7: "a\\u001b[2Jb?" is not a key here; there are: based-on, admins, devices, roles, custody, rules, abandon, removed-devices'],
    ['an unknown key in a rule', 'BAD_POLICY', SMALL.replace('readers:', 'reader:'), 'policy.yaml, line 6: rules[0].reader is not a key here; there are: path, owners, writers, readers, custody, consents'],
    ['a base that is no number', 'BAD_POLICY', SMALL.replace('3', 'three'), 'policy.yaml, line 1: based-on must be a whole number, 1 or more'],
    ['a base of zero', 'BAD_POLICY', SMALL.replace('3', '0'), 'policy.yaml, line 1: based-on must be a whole number, 1 or more'],
    ['a fraction', 'BAD_POLICY', SMALL.replace('need: 1', 'need: 1.5'), 'policy.yaml, line 2: admins.need must be a whole number, 1 or more'],
    ['a name with capitals', 'BAD_POLICY', SMALL.replace('members: [alice]', 'members: [alice, Bruno]'), 'policy.yaml, line 4: roles.infra.members[1] must be a name: first a-z, then a-z 0-9 . _ -, at most 64 characters'],
    ['a name that YAML takes for true', 'BAD_POLICY', SMALL.replace('members: [alice]', 'members: [true]'), 'policy.yaml, line 4: roles.infra.members[0] must be a name: first a-z, then a-z 0-9 . _ -, at most 64 characters'],
    ['a person called constructor', 'BAD_POLICY', SMALL.replace('members: [alice]', 'members: [constructor]'), 'policy.yaml, line 4: roles.infra.members[0] must be a name: first a-z, then a-z 0-9 . _ -, at most 64 characters'],
    ['a role with a bad name', 'BAD_POLICY', SMALL.replace('infra: {', 'In..fra: {'), 'policy.yaml, line 4: roles.In..fra must be a name: first a-z, then a-z 0-9 . _ -, at most 64 characters'],
    ['a member twice', 'BAD_POLICY', SMALL.replace('members: [alice]', 'members: [alice, alice]'), 'policy.yaml, line 4: roles.infra.members names alice twice'],
    ['one member without brackets', 'BAD_POLICY', SMALL.replace('members: [alice]', 'members: alice'), 'policy.yaml, line 4: roles.infra.members must be a list, such as [alice, bruno]'],
    ['no owner', 'BAD_POLICY', SMALL.replace('owners: [infra]', 'owners: []'), 'policy.yaml, line 6: rules[0].owners must not be empty'],
    ['a threshold out of reach', 'BAD_POLICY', SMALL.replace('need: 1', 'need: 2'), 'policy.yaml, line 2: admins needs 2 of only 1'],
    ['both readers and custody', 'BAD_POLICY', SMALL.replace('readers:', 'custody: x, readers:'), 'policy.yaml, line 6: rules[0] must have either readers or custody'],
    ['neither readers nor custody', 'BAD_POLICY', SMALL.replace(', readers: [infra]', ''), 'policy.yaml, line 6: rules[0] must have either readers or custody'],
    ['a rule twice', 'BAD_POLICY', `${SMALL}  - { path: /, owners: [infra], writers: [infra], readers: [infra] }\n`, 'policy.yaml, line 7: rules[1].path is /, which has a rule already'],
    ['a path that climbs', 'BAD_POLICY', SMALL.replace('path: /,', 'path: dns/../pki,'), 'policy.yaml, line 6: rules[0].path must be /, a secret\'s name, or a name and / for all below it'],
    ['an absolute path', 'BAD_POLICY', SMALL.replace('path: /,', 'path: /dns,'), 'policy.yaml, line 6: rules[0].path must be /, a secret\'s name, or a name and / for all below it'],
    ['a role that is not there', 'BAD_POLICY', SMALL.replace('readers: [infra]', 'readers: [infra, platfrom]'), 'policy.yaml, line 6: rules[0].readers[1] names role platfrom, which is not among the roles'],
    ['an owner that is not there', 'BAD_POLICY', SMALL.replace('owners: [infra]', 'owners: [ops]'), 'policy.yaml, line 6: rules[0].owners[0] names role ops, which is not among the roles'],
    ['a custody group that is not there', 'BAD_POLICY', SMALL.replace('readers: [infra]', 'custody: pki'), 'policy.yaml, line 6: rules[0].custody names custody group pki, which is not under custody'],
    ['a person twice in a tree', 'BAD_POLICY', `${SMALL}custody:\n  pki: { all: [ { need: 1, of: [alice] }, { need: 1, of: [alice, bruno] } ] }\n`, 'policy.yaml, line 8: custody.pki names alice twice: a person counts once'],
    ['a tree out of reach', 'BAD_POLICY', `${SMALL}custody:\n  pki: { need: 1, of: [ { need: 2, of: [alice] } ] }\n`, 'policy.yaml, line 8: custody.pki needs 2 of only 1'],
    ['a tree with need and all', 'BAD_POLICY', `${SMALL}custody:\n  pki: { need: 1, all: [alice] }\n`, 'policy.yaml, line 8: custody.pki.need is not a key here; there are: all'],
    ['a bad name deep in a tree', 'BAD_POLICY', `${SMALL}custody:\n  pki:\n    all:\n      - alice\n      - need: 1\n        of: [bruno, 7]\n`, 'policy.yaml, line 12: custody.pki.all[1].of[1] must be a name: first a-z, then a-z 0-9 . _ -, at most 64 characters'],
    ['another way with devices', 'BAD_POLICY', `${SMALL}devices: anybody\n`, 'policy.yaml, line 7: devices must be self or admins'],
    ['half a key id', 'BAD_POLICY', `${SMALL}removed-devices: [3f9a2c1b]\n`, 'policy.yaml, line 7: removed-devices[0] must be person/device, or a whole key id in quotes'],
    ['a bad name to abandon', 'BAD_POLICY', `${SMALL}abandon: { secrets: [../x] }\n`, 'policy.yaml, line 7: abandon.secrets[0] must be the name of a secret'],
  ])('refuses %s', (_what, code, text, message) => {
    const error = thrown(() => parseDraft(text));
    expect([error.code, error.message]).toEqual([code, message]);
  });

  it('names the file it was given', () => {
    expect(thrown(() => parseDraft('a: *b', 'infra/policy.yaml')).message).toContain('infra/policy.yaml, line 1');
  });

  it('survives what would exhaust it', () => {
    for (const levels of [60, 900, 100_000]) {
      const tree = `${'{ need: 1, of: [ '.repeat(levels)}alice${' ] }'.repeat(levels)}`.slice(0, 1_000_000);
      expect(thrown(() => parseDraft(`${SMALL}custody:\n  pki: ${tree}\n`)).message).toMatch(/^policy\.yaml, line \d+: nested too deeply$/);
    }
    expect(thrown(() => parseDraft(`${SMALL}#${'x'.repeat(1024 * 1024)}`)).message).toMatch(/larger than/);
    const deep = `${SMALL}custody:\n  pki: ${'{ need: 1, of: [ '.repeat(9)}alice${' ] }'.repeat(9)}\n`;
    expect(thrown(() => parseDraft(deep)).message).toBe('policy.yaml, line 8: custody.pki is nested deeper than 8 levels');
  });
});

describe('compileDraft', () => {
  const current = (): Policy => policyOf([cast.card('alice'), cast.card('bruno'), cast.card('carol')], { number: 3, previous: 'b7'.repeat(32) });
  const newcomers = () => ['dora', 'erin', 'frank', 'grace'].map((p) => cast.card(p));

  it('makes the successor: sorted sets, sorted rules, everybody named and nobody else', () => {
    const base = baseOf(current());
    const next = compileDraft(parseDraft(TWO_TEAMS), base, newcomers());
    expect(next).toEqual({
      ...base.policy,
      number: 4,
      previous: base.digest,
      persons: Object.fromEntries(['alice', 'bruno', 'carol', 'dora', 'erin', 'frank', 'grace'].map((p) => [p, { cards: [cast.card(p).line] }])),
      roles: {
        infra: { members: ['alice', 'bruno'] },
        platform: { members: ['carol', 'dora'], managed: { need: 1, of: ['carol', 'dora'] }, steward: 'alice' },
      },
      custody: parseDraft(TWO_TEAMS).custody,
      admins: { need: 2, of: ['alice', 'bruno', 'carol'] },
      rules: [
        { path: '/', owners: ['infra'], writers: ['infra'], readers: ['infra'], consents: 1 },
        { path: 'dns/', owners: ['infra'], writers: ['infra'], readers: ['infra', 'platform'], consents: 2 },
        { path: 'pki/root', owners: ['infra'], writers: ['infra'], custody: 'pki-root', consents: 1 },
      ],
    } satisfies Policy);
    expect(Object.keys(compileDraft(parseDraft(SMALL), base, []).persons)).toEqual(['alice']);
  });

  it('refuses another base', () => {
    for (const number of [2, 4]) {
      const error = thrown(() => compileDraft(parseDraft(SMALL), baseOf({ ...current(), number }), []));
      expect([error.code, error.exitCode]).toEqual(['STALE_DRAFT', 7]);
      expect(error.message).toBe(`this draft is based on policy 3, but policy ${number} is in effect`);
    }
  });

  it('says who has no card, where they are named, and how to get it', () => {
    const error = thrown(() => compileDraft(parseDraft(TWO_TEAMS), baseOf(current()), [cast.card('erin'), cast.card('grace')]));
    expect([error.code, error.message]).toEqual(['BAD_POLICY', 'no card is known of dora, frank']);
    expect(error.details).toEqual(['dora is named in roles.platform.members, roles.platform.managed, custody.platform-root', 'frank is named in custody.pki-root, custody.platform-root']);
    expect(error.hint).toMatch(/oxp-vault member add CARD.*--card/);
  });

  it.each(['admins: { need: 1, of: [erin] }', 'managed: { need: 1, of: [erin] }', 'steward: erin', 'custody'])('needs the card of somebody named only in %s', (where) => {
    const text = where.startsWith('admins') ? SMALL.replace(/admins:.*/, where)
      : where === 'custody' ? `${SMALL}custody: { g: { need: 1, of: [alice, { need: 1, of: [erin] }] } }\n`
      : SMALL.replace('members: [alice] }', `members: [alice], ${where} }`);
    expect(thrown(() => compileDraft(parseDraft(text), baseOf(current()), [])).message).toBe('no card is known of erin');
    expect(Object.keys(compileDraft(parseDraft(text), baseOf(current()), [cast.card('erin')]).persons)).toContain('erin');
  });

  it('refuses a card of somebody whom the draft does not name', () => {
    expect(thrown(() => compileDraft(parseDraft(SMALL), baseOf(current()), [cast.card('erin')])).message).toBe('the card of erin is given, but the draft names erin nowhere');
  });

  it('takes the devices from the log, not from the policy in effect', () => {
    const base = baseOf(current());
    base.people.set('alice', { kind: 'human', devices: [deviceOf(cast.card('alice', 1), 9)] });
    expect(compileDraft(parseDraft(SMALL), base, []).persons['alice']).toEqual({ cards: [cast.card('alice', 1).line] });
    const { signingKey, card } = cast.identities.get('alice')![1]!;
    const renamed = signCard({ person: 'alice', device: 'tablet', kind: 'human', recipient: card.recipient, created: 1 }, signingKey);
    expect(compileDraft(parseDraft(SMALL), base, [renamed]).persons['alice']).toEqual({ cards: [card.line] });
    expect(compileDraft(parseDraft(SMALL), base, [cast.card('alice', 1), cast.card('alice')]).persons['alice']).toEqual({ cards: [cast.card('alice', 1).line, cast.card('alice').line] });
  });

  it('removes a device by its name or its key id, and not the last one', () => {
    const both = [cast.card('alice'), cast.card('alice', 1)];
    const base = baseOf({ ...current(), persons: { ...current().persons, alice: { cards: both.map((c) => c.line) } } });
    for (const named of ['alice/laptop', `"${cast.card('alice').id}"`]) {
      const next = compileDraft(parseDraft(`${SMALL}removed-devices: [${named}]\n`), base, []);
      expect([next.removedDevices, next.persons['alice']]).toEqual([[cast.card('alice').id], { cards: [cast.card('alice', 1).line] }]);
    }
    const last = thrown(() => compileDraft(parseDraft(`${SMALL}removed-devices: [alice/laptop, alice/phone]\n`), base, []));
    expect([last.code, last.message]).toEqual(['WOULD_STRAND', 'removed-devices takes the last device of alice']);
    // Its own card given anew does not bring it back.
    expect(thrown(() => compileDraft(parseDraft(`${SMALL}removed-devices: [alice/laptop, alice/phone]\n`), base, both)).code).toBe('WOULD_STRAND');
    const wrong = thrown(() => compileDraft(parseDraft(`${SMALL}removed-devices: [alice/tablet]\n`), base, []));
    expect([wrong.code, wrong.message]).toEqual(['BAD_POLICY', 'removed-devices names alice/tablet, but the devices of alice are: laptop, phone']);
    expect(thrown(() => compileDraft(parseDraft(`${SMALL}removed-devices: [zoe/tablet]\n`), base, [])).message).toContain('zoe is not enrolled');
  });

  it('refuses what the log would refuse', () => {
    const machineAdmin = SMALL.replace('of: [alice]', 'of: [ci]');
    expect(thrown(() => compileDraft(parseDraft(machineAdmin), baseOf(current()), [cast.card('ci')])).message).toMatch(/ci is a machine and cannot be admin/);
    const half = SMALL.replace('of: [alice]', 'of: [alice, bruno]');
    expect(thrown(() => compileDraft(parseDraft(half), baseOf(current()), [])).message).toMatch(/not above half/);
  });
});

describe('formatDraft', () => {
  it('reads like something a person wrote', () => {
    const base = baseOf(policyOf([cast.card('alice'), cast.card('bruno'), cast.card('carol')], { number: 3, previous: 'b7'.repeat(32) }));
    const next = compileDraft(parseDraft(TWO_TEAMS), base, ['dora', 'erin', 'frank', 'grace'].map((p) => cast.card(p)));
    expect(formatDraft({ ...next, devices: 'admins', removedDevices: ['3f9a2c1b'.repeat(8)], abandon: { secrets: ['old/root'], roles: ['ops'] } })).toBe(`\
# Who is who in the vault platform, and who may do what. This is a draft, trusted with nothing: the policy
# in effect is the one in the vault, signed by its admins. After an edit, show the difference and propose it with:
#   oxp-vault policy propose
# need: that many of these persons. Rules: / is everything, dns/ all below it, pki/root only itself; the longest decides.
# Policy 4 removed the devices with the keys 3f9a2c1b: done, and not repeated here.
# Policy 4 abandoned old/root: done, and not repeated here.
# Policy 4 abandoned the keys of ops: done, and not repeated here.

based-on: 4
admins: { need: 2, of: [alice, bruno, carol] }
devices: admins
roles:
  infra:    { members: [alice, bruno] }
  platform: { members: [carol, dora], managed: { need: 1, of: [carol, dora] }, steward: alice }
custody:
  pki-root:      { all: [ { need: 2, of: [alice, bruno, erin] }, { need: 1, of: [frank, grace] } ] }
  platform-root: { need: 2, of: [carol, dora, frank] }
rules:
  - { path: /,        owners: [infra], writers: [infra], readers: [infra] }
  - { path: dns/,     owners: [infra], writers: [infra], readers: [infra, platform], consents: 2 }
  - { path: pki/root, owners: [infra], writers: [infra], custody: pki-root }
`);
  });

  it('writes a policy with no role and no rule', () => {
    const bare = policyOf([cast.card('alice')], { roles: {}, rules: [] });
    expect(compileDraft(parseDraft(formatDraft(bare)), baseOf(bare), [])).toMatchObject({ roles: {}, rules: [] });
  });
});

describe('initialPolicy', () => {
  const wanted = (change: Partial<InitialPolicy> = {}): InitialPolicy => ({
    name: 'platform', suite: 'x25519', nonce: '5a'.repeat(32), cards: [cast.card('bruno'), cast.card('alice'), cast.card('alice', 1)],
    admins: { need: 2, of: ['bruno', 'alice'] }, roles: { team: ['bruno', 'alice'], platform: [] }, defaultRole: 'team', steward: 'alice', ...change,
  });

  it('has the steward make provisional keys for the roles that they are not in', () => {
    const { roles } = initialPolicy(wanted({ roles: { team: ['alice'], platform: ['bruno'] } }));
    expect(roles).toEqual({ team: { members: ['alice'] }, platform: { members: ['bruno'], steward: 'alice' } });
  });

  it('is policy 1: one rule for everything, a steward for roles that nobody is in', () => {
    expect(initialPolicy(wanted())).toEqual({
      format: 1, name: 'platform', nonce: '5a'.repeat(32), number: 1, previous: null, suite: 'x25519', devices: 'self',
      persons: { alice: { cards: [cast.card('alice').line, cast.card('alice', 1).line] }, bruno: { cards: [cast.card('bruno').line] } },
      removedDevices: [],
      roles: { team: { members: ['alice', 'bruno'] }, platform: { members: [], steward: 'alice' } },
      custody: {},
      admins: { need: 2, of: ['alice', 'bruno'] },
      rules: [{ path: '/', owners: ['team'], writers: ['team'], readers: ['team'], consents: 1 }],
      abandon: { secrets: [], roles: [] },
    } satisfies Policy);
  });

  it('refuses what no vault may begin with', () => {
    expect(thrown(() => initialPolicy(wanted({ defaultRole: 'ops' }))).message).toMatch(/names role ops, which does not exist/);
    expect(thrown(() => initialPolicy(wanted({ cards: [cast.card('alice')] }))).message).toMatch(/bruno has no card/);
    expect(thrown(() => initialPolicy(wanted({ admins: { need: 1, of: ['alice', 'bruno'] } }))).message).toMatch(/not above half/);
    expect(thrown(() => initialPolicy(wanted({ suite: 'hybrid' }))).code).toBe('MIXED_RECIPIENTS');
    const idle = wanted();
    expect(thrown(() => initialPolicy({ ...idle, cards: [...idle.cards, cast.card('erin')] })).message).toBe('the card of erin is given, but erin is neither admin nor in a role');
  });
});
