/** Asking: names and paths become versions, a destination and the rules that move; the one-time identity is kept before anything is written. */
import { parseEntry } from '../../audit/entry.js';
import { isVaultError, refusalToError, VaultError } from '../../errors.js';
import type { HandoverRequest } from '../../handover/ops.js';
import type { Handover, Target } from '../../handover/state.js';
import type { HandoverAuthority } from '../../handover/authority.js';
import { mayConsent } from '../../handover/satisfied.js';
import { successorRules, underCustody } from '../../handover/successor.js';
import { isSatisfied } from '../../primitives/threshold-tree.js';
import { newestOf } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { isSecretName, pathMatches, toSortedSet } from '../../wire.js';
import { authorityNow, findHandover, findOffer } from './find.js';
import { nearNames } from '../near-names.js';
import { needsInWords } from './view.js';
import { noSuchRole } from '../no-such.js';
import { sameContent } from '../../handover/stand-in.js';
import { destroyOneTime, makeOneTime, saveOneTime } from './one-time.js';
import { findVersion } from '../opening/open.js';

/** Seven days, in seconds: how long a request stands unless it says otherwise. */
export const REQUEST_LASTS = 7 * 86_400;

export interface RequestOptions {
  /** Names of secrets, and paths that end in `/` (all below). */
  readonly names: readonly string[];
  /** The role that receives. Not for a use. */
  readonly role?: string;
  /** Asks to use them once, without transfer. */
  readonly use?: boolean;
  /** Custody group of the receivers, for what is under custody. */
  readonly custody?: string;
  /** Roles that go on reading what they read now, for what is not under custody. */
  readonly keepReaders?: readonly string[];
  /** The admins afterwards; they stay as they are unless given. */
  readonly admins?: { readonly need: number; readonly of: readonly string[] };
  readonly reason?: string;
  /** Whole seconds since 1970; seven days from now unless given. */
  readonly notAfter?: number;
  /** Id of the offer that this takes up. */
  readonly offer?: string;
}

/** Secrets by name or path, each at its newest version. Throws SECRET_NOT_FOUND, BAD_NAME, PENDING, USAGE. */
export function resolveTargets(vault: Vault, names: readonly string[]): Target[] {
  if (names.length === 0) throw new VaultError('USAGE', 'no secret is named');
  const found = new Set<string>();
  for (const name of names) {
    if (isSecretName(name)) {
      found.add(findVersion(vault, name).statement.name);
      continue;
    }
    if (name !== '/' && !(name.endsWith('/') && isSecretName(name.slice(0, -1)))) throw new VaultError('BAD_NAME', 'that is neither the name of a secret nor a path that ends in /');
    const below = vault.state.secrets.versions.sortedKeys().filter((each) => pathMatches(name, each) && newestOf(vault.state.secrets, each));
    if (below.length === 0) throw new VaultError('SECRET_NOT_FOUND', `there is no secret below ${name}`, { hint: near(vault, name) });
    for (const each of below) found.add(each);
  }
  return [...found].sort().map((name) => {
    const { statement, digest } = findVersion(vault, name);
    return { statement: digest, name, version: statement.version };
  });
}

function near(vault: Vault, path: string): string {
  const names = nearNames(path, vault.state.secrets.versions.sortedKeys());
  return names.length > 0 ? `Did you mean: ${names.join(', ')}?` : 'See what there is: oxp-vault list';
}

/** The giver starts; binds nobody, and shows in the receivers' `status`. Gives the id. Throws NOT_ALLOWED, ROLE_NOT_FOUND and as `resolveTargets`. */
export async function handoverOffer(vault: Vault, offer: { readonly names: readonly string[]; readonly role: string; readonly reason?: string }): Promise<string> {
  if (!Object.hasOwn(vault.policy.policy.roles, offer.role)) throw noSuchRole(vault.policy, offer.role);
  const targets = resolveTargets(vault, offer.names).map((target) => target.statement).sort();
  const [id] = await vault.append({ acts: [{ op: 'handover.offer', body: { targets, paths: toSortedSet(offer.names), role: offer.role, reason: offer.reason ?? '' } }], files: [] });
  return id!;
}

/** Turns an offer into a request for the same names and paths, at what are their newest versions now. */
export async function acceptOffer(vault: Vault, id: string, options: Omit<RequestOptions, 'names' | 'role' | 'offer' | 'use'> = {}): Promise<Handover> {
  const offer = findOffer(vault, id);
  return requestHandover(vault, { reason: offer.reason, ...options, names: offer.paths, role: offer.role, offer: offer.digest });
}

/**
 * Asks for secrets. The private half of the one-time recipient is on this machine, sealed to this person, before the request is in the
 * log. Throws what `resolveTargets` throws, NEEDS_CONSENT where everybody but who asks would not be enough, and why the log refuses:
 * NOT_ALLOWED, EPOCH_STALE, EXPIRED and others.
 */
export async function requestHandover(vault: Vault, options: RequestOptions): Promise<Handover> {
  const { person } = vault.requireActor();
  const targets = resolveTargets(vault, options.names);
  const oneTime = await makeOneTime(vault);
  const body = requestBody(vault, options, targets, oneTime.recipient);
  mustBePossible(vault, person, targets);
  const entry = vault.sign('handover.request', body);
  const id = parseEntry(entry.line).digest;
  await saveOneTime(vault, id, oneTime);
  oneTime.identity.wipe();
  try {
    await vault.append({ entries: [entry], files: [] });
  } catch (error) {
    // A store that failed may have taken the entry all the same: then the identity is needed.
    if (!isVaultError(error) || error.class !== 'store') await destroyOneTime(vault, id);
    throw error;
  }
  return findHandover(vault, id);
}

/** The log takes a request that nobody can ever grant; its maker should hear of it now. Throws NEEDS_CONSENT. */
function mustBePossible(vault: Vault, asker: string, targets: readonly Target[]): void {
  const authority = authorityNow(vault);
  const hopeless = targets.find((target) => !canBeConsented(target, asker, authority));
  if (hopeless === undefined) return;
  throw new VaultError('NEEDS_CONSENT', `${hopeless.name} needs ${needsInWords(vault, hopeless.statement, hopeless.name)}, and ${asker}, who asks, does not count`, {
    hint: 'There are too few without you: let somebody ask whose consent is not needed.',
  });
}

function canBeConsented(target: Target, asker: string, authority: HandoverAuthority): boolean {
  const can = (person: string): boolean => person !== asker && mayConsent(person, target, authority);
  const tree = authority.version(target.statement)?.custody?.tree;
  if (tree) return isSatisfied(tree, can);
  const rule = authority.rule(target.name);
  const owners = new Set((rule?.owners ?? []).flatMap((role) => authority.role(role)?.members ?? []));
  return [...owners].filter(can).length >= (rule?.consents ?? Infinity);
}

function requestBody(vault: Vault, options: RequestOptions, targets: readonly Target[], recipient: string): HandoverRequest {
  const common = {
    targets: targets.map((target) => target.statement).sort(),
    recipient,
    reason: options.reason ?? '',
    notAfter: options.notAfter ?? vault.clock.now() + REQUEST_LASTS,
  };
  if (options.use === true) {
    if (options.role !== undefined || options.custody !== undefined || options.keepReaders?.length || options.admins) {
      throw new VaultError('USAGE', 'a use moves nothing: it has no destination, custody group, kept readers or admins');
    }
    return { mode: 'use', ...common, offer: null };
  }
  const { role } = options;
  if (role === undefined) {
    throw new VaultError('USAGE', 'no role is named that is to receive them', {
      hint: 'Name it: --to ROLE. To use them once without a transfer: --use',
    });
  }
  const authority = authorityNow(vault);
  if (!authority.role(role)) throw noSuchRole(vault.policy, role);
  const split = targets.filter((target) => underCustody(target, authority));
  if (split.length > 0 && options.custody === undefined) {
    throw new VaultError('USAGE', `${split.map((target) => target.name).join(', ')} is under custody: which custody group of ${role} receives it?`, {
      hint: `Name one: --custody GROUP. There are: ${Object.keys(vault.policy.policy.custody).join(', ')}`,
    });
  }
  const keepReaders = toSortedSet(options.keepReaders ?? []);
  const strange = keepReaders.find((kept) => !authority.role(kept));
  if (strange !== undefined) throw noSuchRole(vault.policy, strange);
  const rules = successorRules(options.names, targets, { role, custody: options.custody ?? null, keepReaders }, authority);
  if ('code' in rules) throw refusalToError(rules);
  if (!options.admins && rules.every((rule) => sameContent(rule, authority.rule(rule.path)))) {
    throw new VaultError('ALREADY_DONE', `${role} owns ${targets.length === 1 ? targets[0]!.name : 'all of it'} already, just as this asks for it`, { hint: 'Nothing was asked. For one use of what is under custody: --use in place of --to' });
  }
  const custody = rules.some((rule) => 'custody' in rule) ? (options.custody ?? null) : null;
  const admins = options.admins ? { need: options.admins.need, of: toSortedSet(options.admins.of) } : null;
  return { mode: 'transfer', ...common, role, custody, keepReaders, rules, admins, offer: options.offer ?? null };
}
