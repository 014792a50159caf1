/** Policy 1, as `init` makes it: one rule for everything, each role with its people. */
import { VaultError } from '../errors.js';
import type { Card } from './card.js';
import { toSortedSet } from '../wire.js';
import { checkedPolicy } from './draft-compile.js';
import { POLICY_FORMAT, type Policy } from './policy.js';

export interface InitialPolicy {
  readonly name: string;
  readonly suite: Policy['suite'];
  /** 32 random bytes, hex: they make the vault's id unique. */
  readonly nonce: string;
  /** Of everybody named below, one a device. */
  readonly cards: readonly Card[];
  readonly admins: { readonly need: number; readonly of: readonly string[] };
  readonly roles: Readonly<Record<string, readonly string[]>>;
  /** Reads, writes and owns everything until another rule says otherwise. */
  readonly defaultRole: string;
  /** Makes provisional keys for the roles that they are not in, so that sealing can begin before anybody there has come. */
  readonly steward?: string;
}

/** Throws BAD_POLICY for a card of somebody in no role, and what else `checkPolicyFile` finds, such as a person without a card. */
export function initialPolicy(wanted: InitialPolicy): Policy {
  const { name, suite, nonce, cards, admins, defaultRole, steward } = wanted;
  const persons: Policy['persons'] = {};
  for (const card of cards) persons[card.person] = { cards: [...new Set([...(persons[card.person]?.cards ?? []), card.line])] };
  const named = new Set([...admins.of, ...Object.values(wanted.roles).flat(), ...(steward === undefined ? [] : [steward])]);
  const idle = Object.keys(persons).find((person) => !named.has(person));
  if (idle !== undefined) throw new VaultError('BAD_POLICY', `the card of ${idle} is given, but ${idle} is neither admin nor in a role`);
  const role = [defaultRole];
  return checkedPolicy({
    format: POLICY_FORMAT,
    name,
    nonce,
    number: 1,
    previous: null,
    suite,
    devices: 'self',
    persons,
    removedDevices: [],
    roles: Object.fromEntries(Object.entries(wanted.roles).map(([key, members]) => [
      key, { members: toSortedSet(members), ...(steward === undefined || members.includes(steward) ? {} : { steward }) },
    ])),
    custody: {},
    admins: { need: admins.need, of: toSortedSet(admins.of) },
    rules: [{ path: '/', owners: role, writers: role, readers: role, consents: 1 }],
    abandon: { secrets: [], roles: [] },
  });
}
