/**
 * The rules that a transfer moves, exactly: a NAME moves an exact rule, a path moves all rules at and below it. Who asks builds them
 * here, and the log takes no others.
 */
import { refusal, type Refusal } from '../errors.js';
import { canonicalEqual } from '../primitives/canonical-json.js';
import { decidingRule, pathMatches, toSortedSet } from '../wire.js';
import type { HandoverAuthority } from './authority.js';
import type { SuccessorRule, TransferRequest } from './ops.js';
import type { Target } from './state.js';

type Shape = { readonly path: string; readonly owners: string[]; readonly writers: string[] } & ({ readonly readers: string[] } | { readonly custody: string });

export type Destination = Pick<TransferRequest, 'role' | 'custody' | 'keepReaders'>;

/** Under custody is what is split among custodians, and what the rule asks to be. */
export function underCustody(target: Target, authority: HandoverAuthority): boolean {
  const rule = authority.rule(target.name);
  return authority.version(target.statement)?.custody !== undefined || (rule !== undefined && 'custody' in rule);
}

/** Which of `paths` decides for which targets. A request of everything has thousands of them, so each target is looked at once. */
function decisions(paths: readonly string[], targets: readonly Target[]): { readonly decided: ReadonlyMap<string, readonly Target[]>; readonly undecided?: Target } {
  const exact = new Set(paths.filter((path) => !path.endsWith('/')));
  const folders = paths.filter((path) => path.endsWith('/')).map((path) => ({ path }));
  const decided = new Map<string, Target[]>();
  let undecided: Target | undefined;
  for (const target of targets) {
    const path = exact.has(target.name) ? target.name : decidingRule(folders, target.name)?.path;
    if (path === undefined) undecided ??= target;
    else {
      const list = decided.get(path);
      if (list) list.push(target);
      else decided.set(path, [target]);
    }
  }
  return undecided ? { decided, undecided } : { decided };
}

/** The rule that a request has at `path` for the targets that it decides for; undefined where it would need a custody group and none is named. */
function ruleAt(path: string, decided: readonly Target[], to: Destination, authority: HandoverAuthority): Shape | undefined {
  const before = authority.rule(path);
  const custody = decided.length > 0 ? decided.some((target) => underCustody(target, authority)) : before !== undefined && 'custody' in before;
  const base = { path, owners: [to.role], writers: [to.role] };
  if (custody) return to.custody === null ? undefined : { ...base, custody: to.custody };
  // A role is kept where it read everything that this rule decides: a handover gives nobody more than they had.
  const rules = decided.length > 0 ? decided.map((target) => authority.rule(target.name)) : [before];
  const reads = (role: string): boolean => rules.every((rule) => rule !== undefined && 'readers' in rule && rule.readers.includes(role));
  return { ...base, readers: toSortedSet([to.role, ...to.keepReaders.filter(reads)]) };
}

/**
 * The rules of a request for these names and paths. A target that would need another rule than the path it is asked by gets one of its
 * own. `consents` stay what they were, as far as the new owners could give them.
 */
export function successorRules(wanted: readonly string[], targets: readonly Target[], to: Destination, authority: HandoverAuthority): SuccessorRule[] | Refusal {
  const folders = wanted.filter((path) => path.endsWith('/'));
  const below = authority.rules.filter((rule) => folders.some((folder) => pathMatches(folder, rule.path))).map((rule) => rule.path);
  const paths = toSortedSet([...wanted, ...below]);
  const alone: string[] = [];
  for (const [path, decided] of decisions(paths, targets).decided) {
    if (!path.endsWith('/')) continue;
    const shared = contentOf(ruleAt(path, [], to, authority));
    for (const target of decided) if (!canonicalEqual(shared, contentOf(ruleAt(target.name, [target], to, authority)))) alone.push(target.name);
  }
  const all = toSortedSet([...paths, ...alone]);
  const { decided } = decisions(all, targets);
  const limit = consentsLimit(to.role, authority);
  const rules: SuccessorRule[] = [];
  for (const path of all) {
    const rule = ruleAt(path, decided.get(path) ?? [], to, authority);
    if (!rule) return refusal('USAGE', `what lies at ${path} is under custody: a custody group of the receivers has to be named`, 'Name it: --custody GROUP');
    rules.push({ ...rule, consents: Math.min(authority.rule(path)?.consents ?? 1, limit) });
  }
  return rules;
}

/** No more than there are people to give them, nor than the managers who could put such people there. */
function consentsLimit(role: string, authority: HandoverAuthority): number {
  const { members = [], managed } = authority.role(role) ?? {};
  const humans = members.filter((member) => authority.isMachine(member) === false).length;
  return Math.min(managed?.need ?? Infinity, Math.max(1, humans));
}

function contentOf(rule: Shape | undefined): object | undefined {
  return rule && { ...rule, path: '' };
}

/** Why a request may not name these rules, or undefined. */
export function rulesFault(body: TransferRequest, targets: readonly Target[], authority: HandoverAuthority): Refusal | undefined {
  const { rules, keepReaders } = body;
  const paths = rules.map((rule) => rule.path);
  if (paths.some((path, i) => i > 0 && paths[i - 1]! >= path)) return refusal('BAD_VALUE', 'the rules of a request stand in order of path, each path once');
  const { decided, undecided } = decisions(paths, targets);
  if (undecided) return refusal('BAD_VALUE', `no rule of the request says who gets ${undecided.name}`);
  const folders = paths.filter((path) => path.endsWith('/'));
  const covered = (path: string): boolean => folders.some((folder) => folder !== path && pathMatches(folder, path));
  const asked = new Set(targets.flatMap((target) => pathsTo(target.name)));
  const policyPaths = authority.rules.map((rule) => rule.path);
  const beyond = paths.find((path) => !asked.has(path) && !(policyPaths.includes(path) && covered(path)));
  if (beyond !== undefined) return refusal('NOT_ALLOWED', `the request changes the rule ${beyond}, and asks for nothing there`);
  const named = new Set(paths);
  const missed = policyPaths.find((path) => covered(path) && !named.has(path));
  if (missed !== undefined) return refusal('BAD_VALUE', `the request moves a path with all rules below it, and leaves out ${missed}`);
  const limit = consentsLimit(body.role, authority);
  for (const rule of rules) {
    if (rule.consents > limit) return refusal('BAD_VALUE', `the rule ${rule.path} asks ${rule.consents} consents of ${body.role}, where ${limit} at most can be asked: so many could give one, or may change its membership`);
    const due = ruleAt(rule.path, decided.get(rule.path) ?? [], body, authority);
    if (!due || !canonicalEqual(rule, { ...due, consents: rule.consents })) {
      return refusal('NOT_ALLOWED', `the rule ${rule.path} of the request gives other rights than those of its destination${due ? '' : ', which has to be a custody group there'}`);
    }
  }
  const spare = keepReaders.find((role) => !rules.some((rule) => 'readers' in rule && rule.readers.includes(role)));
  if (spare !== undefined) return refusal('NOT_ALLOWED', `${spare} cannot be kept as a reader: it reads none of this, or not all that one rule decides`);
  if (body.custody !== null && !rules.some((rule) => 'custody' in rule)) return refusal('BAD_VALUE', 'the request names a custody group, and nothing it asks for is under custody');
  return undefined;
}

/** Every path of a rule that matches this name: `/`, `dns/`, `dns/key`. */
function pathsTo(name: string): string[] {
  const segments = name.split('/');
  return ['/', ...segments.slice(1).map((_, i) => `${segments.slice(0, i + 1).join('/')}/`), name];
}
