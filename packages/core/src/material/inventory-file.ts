import { badMaterial } from './fields.js';
import { expandHosts } from './inventory-ranges.js';

/** Who is in an inventory. Only counts are ever published. */
export class Inventory {
  readonly hosts = new Set<string>();
  /** Groups that somebody named; Ansible's own `all` and `ungrouped` are not counted. */
  readonly groups = new Set<string>();

  addGroup(name: string): void {
    if (name !== 'all' && name !== 'ungrouped') this.groups.add(name);
  }

  addHosts(pattern: string): void {
    for (const host of expandHosts(pattern)) this.hosts.add(host);
  }
}

/** Reads a YAML inventory: groups at the top, each with hosts, children and vars. Throws BAD_MATERIAL. */
export function readYamlInventory(value: unknown): Inventory {
  const inventory = new Inventory();
  if (!isMap(value)) throw badMaterial('ansible-inventory', 'is not a map of groups');
  // A plugin's configuration is no inventory: the hosts come from somewhere else.
  if ('plugin' in value) throw badMaterial('ansible-inventory', 'is the configuration of an inventory plugin, and names no hosts itself', 'seal it as kind: document');
  addGroups(inventory, value, 0);
  return inventory;
}

function addGroups(inventory: Inventory, groups: Readonly<Record<string, unknown>>, depth: number): void {
  if (depth > 100) throw badMaterial('ansible-inventory', 'has groups in groups, more than 100 deep');
  for (const [name, group] of Object.entries(groups)) {
    inventory.addGroup(name);
    if (group === null) continue;
    if (!isMap(group)) throw badMaterial('ansible-inventory', 'a group is not a map with hosts, children or vars');
    for (const key of ['hosts', 'children', 'vars']) {
      // Ansible takes one bare word for a map with that one key.
      const member = typeof group[key] === 'string' ? { [group[key]]: null } : (group[key] ?? {});
      if (!isMap(member)) throw badMaterial('ansible-inventory', `${key} of a group is not a map`);
      if (key === 'hosts') Object.keys(member).forEach((pattern) => inventory.addHosts(pattern));
      if (key === 'children') addGroups(inventory, member, depth + 1);
    }
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads an INI inventory: `[group]` of host lines, `[group:children]`, `[group:vars]`. Variables are kept unread. Throws
 * BAD_MATERIAL with the line.
 */
export function readIniInventory(text: string): Inventory {
  const inventory = new Inventory();
  const wanted = new Map<string, number>();
  let section = { group: 'ungrouped', kind: 'hosts' };
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    if (/^\[[^\]]*\]\s*(?:#.*)?$/.test(line)) {
      const match = /^\[([^:\]\s]+)(?::(hosts|children|vars))?\]/.exec(line);
      if (match === null) throw at(index, 'a section is not [group], [group:children] or [group:vars]');
      section = { group: match[1]!, kind: match[2] ?? 'hosts' };
      if (section.kind === 'vars') wanted.set(section.group, wanted.get(section.group) ?? index);
      else inventory.addGroup(section.group);
    } else if (section.kind === 'vars') {
      if (!/^[^=]+=/.test(line)) throw at(index, 'a variable is not name=value');
    } else if (section.kind === 'children') {
      if (!/^[^\s[\]=:]+(?:\s+#.*)?$/.test(line)) throw at(index, 'a child is not the name of a group');
      const child = line.split(/\s/)[0]!;
      wanted.set(child, wanted.get(child) ?? index);
    } else {
      addHostLine(inventory, line, index);
    }
  }
  for (const [group, index] of wanted) {
    if (group !== 'all' && group !== 'ungrouped' && !inventory.groups.has(group)) throw at(index, 'a group is used that is not there');
  }
  return inventory;
}

/** `pattern name=value name="value with blanks" # comment`: words as a shell would split them. */
function addHostLine(inventory: Inventory, line: string, index: number): void {
  const words = splitWords(line);
  if (words === undefined) throw at(index, 'a quote is not closed');
  const [pattern, ...variables] = words;
  if (variables.some((word) => !/^[^=]+=/.test(word))) throw at(index, 'after a host comes something other than name=value');
  try {
    inventory.addHosts(pattern ?? '');
  } catch (error) {
    throw at(index, error instanceof Error ? error.message.replace(/^ansible-inventory: /, '') : 'is not a host');
  }
}

function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  const word = /\s*(?:#.*$|((?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\#])(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])*))/y;
  while (word.lastIndex < line.length) {
    const match = word.exec(line);
    if (match === null) return undefined;
    if (match[1] !== undefined) words.push(match[1].replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, '$1$2'));
  }
  return words;
}

function at(index: number, fault: string): Error {
  return badMaterial('ansible-inventory', `line ${index + 1}: ${fault}`);
}
