/** Standing access of machines: given, ended, looked at, and asked for at every opening. */
import * as v from 'valibot';
import { VaultError } from '../../errors.js';
import { sealAuthority } from '../../seal-authority.js';
import { rolesOf } from '../../policy/rules.js';
import { compareText } from '../../primitives/compare.js';
import { ENDED, MAX_SCOPE, owns, standingFor } from '../../seal/standing.js';
import { newestOf, type Standing } from '../../seal/state.js';
import { isName, pathMatches, RulePath, Time, toSortedSet } from '../../wire.js';
import type { Vault } from '../../vault.js';

export interface StandingLine {
  readonly machine: string;
  /** As in a rule: `/`, `dns/` or a name. */
  readonly path: string;
  /** Who gave it. */
  readonly by: string;
  /** Whole seconds; from then on openings are recorded again. */
  readonly notAfter: number;
  /** `lapsed`: its signer owns nothing of it any more. */
  readonly state: 'stands' | 'expired' | 'lapsed';
  /** Secrets that the machine opens under it today. */
  readonly secrets: readonly string[];
}

/** Everything that was given and not ended, by machine and path. */
export function listStanding(vault: Vault): StandingLine[] {
  const authority = sealAuthority(vault.state);
  const now = vault.clock.now();
  const names = vault.state.secrets.versions.sortedKeys();
  return [...vault.state.secrets.standing].flatMap(([machine, items]) => {
    const deciding = names.map((name) => [name, standingFor(vault.state.secrets, machine, name, now, authority)] as const);
    return items.filter((item) => item.notAfter !== ENDED).map((item): StandingLine => {
      const { path, by, notAfter } = item;
      const secrets = deciding.flatMap(([name, under]) => (under === item ? [name] : []));
      const state = now >= notAfter ? 'expired' : secrets.length > 0 || owns(authority, by, path) ? 'stands' : 'lapsed';
      return { machine, path, by, notAfter, state, secrets };
    });
  }).sort((a, b) => compareText(a.machine, b.machine) || compareText(a.path, b.path) || a.notAfter - b.notAfter);
}

export interface GivenStanding {
  readonly machine: string;
  readonly scope: readonly string[];
  readonly notAfter: number;
  /** Secrets below these paths that others own: openings of them are recorded as before. */
  readonly notOwned: readonly string[];
  /** Secrets that it covers, and that no role of the machine reads. */
  readonly notReadable: readonly string[];
}

/**
 * Lets a machine open these paths without a record until `notAfter`, whole seconds. Throws PERSON_NOT_FOUND, NOT_ALLOWED, BAD_NAME,
 * and BAD_VALUE for a time that is past.
 */
export async function giveStanding(vault: Vault, machine: string, paths: readonly string[], notAfter: number): Promise<GivenStanding> {
  const { person } = vault.requireActor();
  if (!v.is(Time, notAfter)) throw new VaultError('BAD_VALUE', 'the time until which access is to stand is none that the log takes');
  if (notAfter <= vault.clock.now()) {
    throw new VaultError('BAD_VALUE', 'the time until which access is to stand is past', {
      hint: 'Name one to come, such as 90d.',
    });
  }
  const scope = scopeOf(vault, machine, paths);
  await vault.append({ entries: [vault.sign('secret.standing', { machine, scope, notAfter })], files: [] });
  const authority = sealAuthority(vault.state);
  const names = vault.state.secrets.versions.sortedKeys().filter((name) => scope.some((path) => pathMatches(path, name)));
  const owned = names.filter((name) => owns(authority, person, name));
  const roles = rolesOf(vault.policy.policy, machine);
  return {
    machine, scope, notAfter,
    notOwned: names.filter((name) => !owned.includes(name)),
    notReadable: owned.filter((name) => {
      const statement = newestOf(vault.state.secrets, name)?.statement;
      return statement && !('readers' in statement && statement.readers.some((reader) => roles.includes(reader.role)));
    }),
  };
}

/** Ends it for these paths, or, where none is named, wherever this person may. Throws PERSON_NOT_FOUND, NOT_ALLOWED, ALREADY_DONE, BAD_NAME. */
export async function endStanding(vault: Vault, machine: string, paths: readonly string[] = []): Promise<void> {
  vault.requireEnrolled();
  mustBeKnown(vault, machine);
  const scope = paths.length === 0 ? [] : scopeOf(vault, machine, paths);
  await vault.append({ entries: [vault.sign('secret.standing', { machine, scope, notAfter: ENDED })], files: [] });
}

/** The machine is looked for first: one name too few, and a path would be taken for it. */
function scopeOf(vault: Vault, machine: string, paths: readonly string[]): string[] {
  mustBeKnown(vault, machine);
  const scope = toSortedSet(paths);
  if (scope.length === 0) throw new VaultError('USAGE', 'it is not said what the machine may open', { hint: 'Name secrets, or paths such as dns/.' });
  if (scope.some((path) => !v.is(RulePath, path))) throw new VaultError('BAD_NAME', 'this is no name of a secret and no path: dns/tsig is one secret, dns/ all below it, / everything');
  if (scope.length > MAX_SCOPE) {
    throw new VaultError('USAGE', `${scope.length} paths are more than one entry takes (${MAX_SCOPE})`, {
      hint: 'Name the folder they lie in.',
    });
  }
  return scope;
}

function mustBeKnown(vault: Vault, name: string): void {
  if (vault.policy.people.has(name)) return;
  const machines = [...vault.policy.people].flatMap(([person, { kind }]) => (kind === 'machine' ? [person] : []));
  // What was typed is not repeated unless it could be a name: anything may have been pasted there.
  const what = isName(name) ? `${name} is not enrolled` : 'this is no name of a machine';
  throw new VaultError('PERSON_NOT_FOUND', what, {
    hint: machines.length > 0 ? `Machines: ${machines.join(', ')}` : 'There is no machine in this vault yet: oxp-vault identity create --machine, then oxp-vault member add',
  });
}

/** What this person opens of a secret without a record, if it does: never a human. */
export function standingOf(vault: Vault, name: string): Standing | undefined {
  const { person } = vault.requireActor();
  return standingFor(vault.state.secrets, person, name, vault.clock.now(), sealAuthority(vault.state));
}
