/**
 * Standing access: a machine's openings that write nothing. An owner gives it for paths, and it is judged name by name: of all that
 * was ever given or ended for a name by somebody who owned it then, the newest decides, and it counts only while its signer owns it.
 * So nobody gives, or takes away, what is not theirs (docs/format.md, "Standing access").
 */
import { refusal, type Refusal } from '../errors.js';
import { decidingRule, pathMatches } from '../wire.js';
import type { SealContext } from './apply.js';
import type { SecretStanding } from './ops.js';
import type { SealAuthority, SecretsState, Standing } from './state.js';

/** `notAfter` of an entry that ends what its scope names. */
export const ENDED = 0;
/** Paths of one entry, and paths that stand for one machine: far more than anybody needs, and never so many that folding takes long. */
export const MAX_SCOPE = 256;
const MAX_STANDING = 1024;

export function applyStanding(state: SecretsState, body: SecretStanding, context: SealContext): SecretsState | Refusal {
  const { authority, actor } = context;
  const machine = authority.isMachine(body.machine);
  if (machine === undefined) return refusal('PERSON_NOT_FOUND', `${body.machine} is not enrolled`);
  if (!machine) return refusal('NOT_ALLOWED', `${body.machine} is a human: standing access is for machines`);
  const present = state.standing.get(body.machine) ?? [];
  if (body.scope.length === 0) {
    const standing = present.filter((item) => item.notAfter !== ENDED);
    if (standing.length === 0) return refusal('ALREADY_DONE', `${body.machine} has no standing access`);
    if (!standing.some((item) => item.by === actor.person || owns(authority, actor.person, item.path))) {
      return refusal('NOT_ALLOWED', `${actor.person} owns nothing of what ${body.machine} may open`);
    }
  }
  if (body.scope.length > MAX_SCOPE) return refusal('BAD_ENTRY', `standing access names at most ${MAX_SCOPE} paths at once`);
  for (const path of body.scope) {
    if (!owns(authority, actor.person, path)) return refusal('NOT_ALLOWED', `${actor.person} does not own ${path}`);
  }
  const everything = body.scope.length === 0;
  const given = (everything ? ['/'] : body.scope).map((path): Standing => ({
    machine: body.machine,
    path,
    notAfter: everything ? ENDED : body.notAfter,
    by: actor.person,
    leaf: context.leaf,
    // Who owns what changes later, and what somebody else has given must not come back by that.
    owned: [path, ...authority.rulePaths().filter((rule) => rule !== path && pathMatches(path, rule))].map((at) => ({ path: at, owned: owns(authority, actor.person, at) })),
  }));
  const items = settled([...present, ...given]);
  if (items.length > MAX_STANDING) return refusal('NOT_ALLOWED', `more than ${MAX_STANDING} paths would stand for ${body.machine}`, 'End what is not needed any more.');
  const standing = new Map(state.standing);
  if (items.length === 0) standing.delete(body.machine);
  else standing.set(body.machine, items);
  return { ...state, standing };
}

/** What still matters: nothing that a newer item decides in whole, and no end of what is not there any more. */
function settled(items: readonly Standing[]): Standing[] {
  const left = items.filter((item, i) => !items.slice(i + 1).some((newer) => decidesAllOf(newer, item)));
  return left.filter((item, i) => item.notAfter !== ENDED || left.slice(0, i).some((older) => older.notAfter !== ENDED && decidesSomeOf(item, older)));
}

/** True when every name that `older` could be about is decided by `newer`. */
function decidesAllOf(newer: Standing, older: Standing): boolean {
  if (!pathMatches(newer.path, older.path)) return false;
  // One's own, whether one still owns it or not.
  return newer.by === older.by || (ownedThen(newer, older.path) && newer.owned.every(({ path, owned }) => owned || !pathMatches(older.path, path)));
}

/** True when there could be a name that `older` is about and `newer` decides. */
function decidesSomeOf(newer: Standing, older: Standing): boolean {
  const common = pathMatches(newer.path, older.path) ? older.path : pathMatches(older.path, newer.path) ? newer.path : undefined;
  return common !== undefined && (ownedThen(newer, common) || newer.owned.some(({ path, owned }) => owned && pathMatches(common, path)));
}

/** True when the signer of `item` owned this name, or path, when signing. */
function ownedThen({ owned }: Standing, name: string): boolean {
  return decidingRule(owned, name)?.owned ?? false;
}

/** The standing access under which this machine may open a secret at `now` without writing anything, or undefined. */
export function standingFor(state: Pick<SecretsState, 'standing'>, machine: string, name: string, now: number, authority: SealAuthority): Standing | undefined {
  if (authority.isMachine(machine) !== true) return undefined;
  const deciding = state.standing.get(machine)?.findLast((item) => pathMatches(item.path, name) && ownedThen(item, name));
  // Asked so that a clock which tells no time reaches every end.
  if (!deciding || !(now < deciding.notAfter)) return undefined;
  return authority.isMachine(deciding.by) === false && owns(authority, deciding.by, name) ? deciding : undefined;
}

/** Standing access ends with its machine, and with its signer: whoever is enrolled later under the same name begins without it. */
export function withoutLeavers(secrets: SecretsState, isEnrolled: (person: string) => boolean): SecretsState {
  const left = [...secrets.standing].filter(([machine]) => isEnrolled(machine));
  const orphaned = left.some(([, items]) => items.some((item) => item.notAfter !== ENDED && !isEnrolled(item.by)));
  if (left.length === secrets.standing.size && !orphaned) return secrets;
  // Ended, not forgotten: what it had replaced stays replaced.
  const ended = left.map(([machine, items]) => [machine, settled(items.map((item) => (isEnrolled(item.by) ? item : { ...item, notAfter: ENDED })))] as const);
  return { ...secrets, standing: new Map(ended.filter(([, items]) => items.length > 0)) };
}

export function owns(authority: Pick<SealAuthority, 'rule' | 'rolesOf'>, person: string, path: string): boolean {
  const own = authority.rolesOf(person);
  return authority.rule(path)?.owners.some((role) => own.includes(role)) ?? false;
}
