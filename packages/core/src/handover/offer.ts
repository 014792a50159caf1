/** The giver starts: these secrets, to that role. It binds nobody and lends no right. */
import { refusal, type Refusal } from '../errors.js';
import { actsFor, type HandoverAuthority, type HandoverContext } from './authority.js';
import { pathMatches } from '../wire.js';
import type { HandoverOffer } from './ops.js';
import type { HandoversState, Offer, Target } from './state.js';

export function applyOffer(state: HandoversState, body: HandoverOffer, context: HandoverContext): HandoversState | Refusal {
  const { authority, actor, digest, leaf, time } = context;
  if (!authority.role(body.role)) return refusal('ROLE_NOT_FOUND', `there is no role ${body.role}`);
  const targets = newestTargets(body.targets, authority);
  if ('code' in targets) return targets;
  const stray = targets.find(({ name }) => !body.paths.some((path) => pathMatches(path, name)));
  if (stray) return refusal('BAD_VALUE', `the offer names no path of ${stray.name}`);
  const other = targets.find(({ name }) => !actsFor(authority, actor.person, authority.rule(name)?.owners ?? []));
  if (other) return refusal('NOT_ALLOWED', `${actor.person} does not own ${other.name}, and so cannot offer it`);
  const offer: Offer = { ...body, digest, leaf, time, by: actor };
  return { ...state, offers: state.offers.set(digest, offer) };
}

/** The versions that these statements are, each the newest of its secret, or why they cannot be asked for. */
export function newestTargets(statements: readonly string[], authority: HandoverAuthority): readonly Target[] | Refusal {
  const targets: Target[] = [];
  for (const statement of statements) {
    const found = authority.version(statement);
    if (!found) return refusal('VERSION_NOT_FOUND', `no version has the statement digest ${statement.slice(0, 8)}`);
    const { name, version, newest } = found;
    if (!newest) return refusal('RACE_LOST', `${name} v${version} is not the newest version that counts`, 'Ask for the newest.');
    targets.push({ statement, name, version });
  }
  return targets;
}
