/** Who may read, write and own what, and what changes about it, in words. */
import { treeInWords } from '../primitives/threshold-tree.js';
import type { Policy, Rule } from './policy.js';
import { ruleFor } from './rules.js';
import type { WordsLine } from './words-line.js';
import { count } from '../primitives/count.js';

export function ruleLines(before: Policy | undefined, after: Policy): WordsLine[] {
  const was = new Map(before?.rules.map((rule) => [rule.path, rule]));
  const is = new Map(after.rules.map((rule) => [rule.path, rule]));
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((path): WordsLine[] => {
    const [old, now] = [was.get(path), is.get(path)];
    if (now === undefined) return [{ mark: '-', text: `${place(path)} has no rule of its own any more: ${wider(after, path)}` }];
    if (old !== undefined) return ruleChange(old, now, after);
    const instead = before && ruleFor(before, path);
    return [{ mark: '+', text: `${place(path)}: ${ruleInWords(now, after)}${instead ? ` (until now ${place(instead.path)} decided: ${ruleInWords(instead, before)})` : ''}` }];
  });
}

/** `dns/`, and for the rule of everything a word. */
function place(path: string): string {
  return path === '/' ? '/ (everything else)' : path;
}

function wider(policy: Policy, path: string): string {
  const rule = ruleFor(policy, path);
  return rule ? `${place(rule.path)} decides: ${ruleInWords(rule, policy)}` : 'nobody may write or read it';
}

/** `infra reads, writes and owns` or each apart: `infra, platform read; infra writes; infra owns`. */
function ruleInWords(rule: Rule, policy: Policy): string {
  const parts = [
    'readers' in rule ? verb(rule.readers, 'read') : custodyInWords(rule.custody, policy),
    verb(rule.writers, 'write'),
    verb(rule.owners, 'own'),
    ...(rule.consents === 1 ? [] : [consentsInWords(rule.consents)]),
  ];
  return parts.join('; ');
}

function verb(roles: readonly string[], what: string): string {
  return `${roles.join(', ')} ${what}${roles.length === 1 ? 's' : ''}`;
}

function custodyInWords(group: string, policy: Policy): string {
  const tree = Object.hasOwn(policy.custody, group) ? policy.custody[group] : undefined;
  return `custody of ${group}${tree ? ` (${treeInWords(tree)})` : ''}`;
}

function consentsInWords(consents: number): string {
  return `${count(consents, 'owner')} must consent to a handover`;
}

function ruleChange(old: Rule, now: Rule, after: Policy): WordsLine[] {
  const at = place(now.path);
  const lines = [
    ...mayLines(at, 'read', 'readers' in old ? old.readers : [], 'readers' in now ? now.readers : []),
    ...mayLines(at, 'write', old.writers, now.writers),
    ...mayLines(at, 'own', old.owners, now.owners),
  ];
  const [from, to] = ['custody' in old ? old.custody : undefined, 'custody' in now ? now.custody : undefined];
  if (from !== to) {
    lines.push({ mark: '~', text: to === undefined ? `${at}: no longer under custody of ${from}` : `${at}: under ${custodyInWords(to, after)} from its next version on${from === undefined ? '' : `, before of ${from}`}` });
  }
  if (old.consents !== now.consents) lines.push({ mark: '~', text: `${at}: ${consentsInWords(now.consents)}, before ${old.consents}` });
  return lines;
}

function mayLines(at: string, what: 'read' | 'write' | 'own', was: readonly string[], is: readonly string[]): WordsLine[] {
  return [
    ...is.filter((role) => !was.includes(role)).map((role) => ({ mark: '+', text: `${at}: ${role} may now ${what}` }) as const),
    ...was.filter((role) => !is.includes(role)).map((role) => ({ mark: '-', text: `${at}: ${role} may no longer ${what}` }) as const),
  ];
}
