/**
 * Whoever was granted a role key, or made it: by grants, not by policy. A grant of epoch N opens what is sealed to N and to the epochs
 * before it, as far as whoever made N had been granted those; who left before N + 1 was made opens nothing that is sealed to it.
 */
import { keysAt, type Enrolment } from '../people/enrolments.js';
import type { Exposure, Evidence } from './evidence.js';

interface Epoch {
  readonly epoch: number;
  /** The stay of its maker. */
  readonly maker: Enrolment | undefined;
  readonly provisional: boolean;
  /** Epochs whose keys a grant of this one holds; itself among them. */
  readonly opens: ReadonlySet<number>;
  /** Key ids by holder, the maker included. */
  readonly holders: Map<Enrolment, Set<string>>;
}

export function* members(evidence: Evidence): Iterable<Exposure> {
  yield* holdersOf(evidence, false);
}

/** The first key of a role may be its steward's, until its members make their own. */
export function* stewards(evidence: Evidence): Iterable<Exposure> {
  yield* holdersOf(evidence, true);
}

function* holdersOf(evidence: Evidence, steward: boolean): Iterable<Exposure> {
  const roles = roleEpochs(evidence);
  const known = new Map<string, ReturnType<typeof openers>>();
  for (const version of evidence.versions) {
    const { statement } = version;
    if (!('readers' in statement)) continue;
    for (const reader of statement.readers) {
      const words = steward ? `steward of ${reader.role} while its key was provisional` : `member of ${reader.role}`;
      // Most versions are sealed to one of few epochs.
      const at = `${reader.role} ${reader.epoch}`;
      const found = known.get(at) ?? openers(roles.get(reader.role) ?? [], reader.epoch, steward);
      known.set(at, found);
      for (const [who, keys] of found) {
        yield { who, version, how: steward ? 'steward' : 'member', words, role: reader.role, alone: true, keys: [...keys] };
      }
    }
  }
}

/** Key ids by person of those who could open what is sealed to an epoch. */
function openers(epochs: readonly Epoch[], epoch: number, steward: boolean): Map<Enrolment, Set<string>> {
  const found = new Map<Enrolment, Set<string>>();
  for (const each of epochs.filter(({ opens }) => opens.has(epoch))) {
    for (const [who, keys] of each.holders) {
      if ((each.provisional && who === each.maker) !== steward) continue;
      found.set(who, new Set([...(found.get(who) ?? []), ...keys]));
    }
  }
  return found;
}

/** Epochs in order by role, with everybody who ever held each. */
export function roleEpochs({ walked, enrolled }: Evidence): Map<string, Epoch[]> {
  const roles = new Map<string, Epoch[]>();
  for (const { leaf, entry, parsed } of walked) {
    if (!entry || !parsed) continue;
    const { person } = entry.payload.actor;
    if (parsed.op === 'role.epoch') {
      const { role, epoch, provisional } = parsed.body;
      const before = roles.get(role) ?? [];
      const maker = enrolled(person, leaf);
      // What the maker had not been granted, nobody gets from it with this epoch.
      const had = before.filter(({ holders }) => maker !== undefined && holders.has(maker));
      const opens = new Set([epoch, ...had.flatMap((earlier) => [...earlier.opens])]);
      roles.set(role, [...before, { epoch, maker, provisional, opens, holders: new Map(maker ? [[maker, new Set([entry.keyid])]] : []) }]);
    } else if (parsed.op === 'role.grant') {
      const { role, epoch, person: to } = parsed.body;
      const granted = roles.get(role)?.find((each) => each.epoch === epoch);
      const who = enrolled(to, leaf);
      if (granted && who) granted.holders.set(who, new Set([...(granted.holders.get(who) ?? []), ...keysAt(who, leaf)]));
    }
  }
  return roles;
}
