/** The policy in effect as the draft of its successor: what people find in policy.yaml. */
import { stringify } from 'yaml';
import type { ThresholdTree } from '../primitives/threshold-tree.js';
import type { Policy, RoleDef, Rule } from './policy.js';

/** One value on one line: scalars as the YAML library writes them, lists of scalars tight, everything else with air. */
type Flow = string | number | readonly Flow[] | { readonly [key: string]: Flow };

/** Beyond this, columns are no longer lined up. */
const WIDEST = 32;

/**
 * The YAML text of a draft based on `policy` that changes nothing. What a version does once (removed devices, what it
 * abandons) is not repeated: a comment tells of it.
 */
export function formatDraft(policy: Policy): string {
  const lines = [
    `# Who is who in the vault ${policy.name}, and who may do what. This is a draft, trusted with nothing: the policy`,
    '# in effect is the one in the vault, signed by its admins. After an edit, show the difference and propose it with:',
    '#   oxp-vault policy propose',
    '# need: that many of these persons. Rules: / is everything, dns/ all below it, pki/root only itself; the longest decides.',
    ...once(policy),
    '',
    `based-on: ${policy.number}`,
    `admins: ${flow(policy.admins)}`,
    ...(policy.devices === 'self' ? [] : [`devices: ${policy.devices}`]),
    ...block('roles', Object.entries(policy.roles).map(([name, role]) => [name, flow(roleFlow(role))])),
    ...(Object.keys(policy.custody).length === 0 ? [] : block('custody', Object.entries(policy.custody).map(([name, tree]) => [name, flow(treeFlow(tree))]))),
    ...ruleLines(policy.rules),
  ];
  return `${lines.join('\n')}\n`;
}

function once({ number, removedDevices, abandon }: Policy): string[] {
  const acts = [
    ...(removedDevices.length === 0 ? [] : [`removed the devices with the keys ${removedDevices.map((id) => id.slice(0, 8)).join(', ')}`]),
    ...(abandon.secrets.length === 0 ? [] : [`abandoned ${abandon.secrets.join(', ')}`]),
    ...(abandon.roles.length === 0 ? [] : [`abandoned the keys of ${abandon.roles.join(', ')}`]),
  ];
  return acts.map((act) => `# Policy ${number} ${act}: done, and not repeated here.`);
}

function flow(value: Flow): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return stringify(value, { lineWidth: 0 }).trimEnd();
  if (isList(value)) {
    const items = value.map(flow).join(', ');
    return value.every((x) => typeof x !== 'object') ? `[${items}]` : `[ ${items} ]`;
  }
  return `{ ${Object.entries(value).map(([key, x]) => `${key}: ${flow(x)}`).join(', ')} }`;
}

function isList(value: Flow): value is readonly Flow[] {
  return Array.isArray(value);
}

function roleFlow({ members, managed, steward }: RoleDef): Flow {
  return { members, ...(managed === undefined ? {} : { managed }), ...(steward === undefined ? {} : { steward }) };
}

function treeFlow(tree: ThresholdTree): Flow {
  const children = tree.of.map((child) => (typeof child === 'string' ? child : treeFlow(child)));
  const all = children.length > 1 && tree.need === children.length && children.every((child) => typeof child !== 'string');
  return all ? { all: children } : { need: tree.need, of: children };
}

/** A map of one line each, the values lined up. */
function block(key: string, entries: readonly (readonly [string, string])[]): string[] {
  if (entries.length === 0) return [`${key}: {}`];
  const heads = entries.map(([name]) => `${flow(name)}:`);
  const width = widest(heads);
  return [`${key}:`, ...entries.map(([, text], i) => `  ${heads[i]!.padEnd(width)} ${text}`)];
}

function ruleLines(rules: readonly Rule[]): string[] {
  if (rules.length === 0) return ['rules: []'];
  const heads = rules.map((rule) => `${flow(rule.path)},`);
  const width = widest(heads);
  return ['rules:', ...rules.map((rule, i) => {
    const { owners, writers, consents } = rule;
    const rest = flow({ owners, writers, ...('readers' in rule ? { readers: rule.readers } : { custody: rule.custody }), ...(consents === 1 ? {} : { consents }) });
    return `  - { path: ${heads[i]!.padEnd(width)} ${rest.slice('{ '.length)}`;
  })];
}

function widest(texts: readonly string[]): number {
  return Math.min(WIDEST, Math.max(...texts.map((text) => text.length)));
}
