import * as v from 'valibot';
import { isVaultError } from '../errors.js';
import { Secret } from '../secret.js';
import type { JsonObject } from '../wire.js';
import { attempt, result, samePublic } from './checks.js';
import { badMaterial, decodeUtf8, FILE, publicText } from './fields.js';
import { type Inventory, readIniInventory, readYamlInventory } from './inventory-file.js';
import { kindHead } from './kinds.js';
import type { MaterialKind } from './material.js';
import { oneOf, parseParameters } from './parameters.js';
import { yamlValue } from './yaml-text.js';
import { count } from '../primitives/count.js';

const KIND = 'ansible-inventory';
type Format = 'yaml' | 'ini';

/** Without a format it is told from the content. */
const Parameters = v.strictObject({ format: v.exactOptional(oneOf(['yaml', 'ini'])) });

const parse = (raw: JsonObject): { format?: Format } => parseParameters(KIND, Parameters, raw);

/** Ansible inventory, kept byte for byte. Public: format, number of hosts (ranges counted out), number of groups. */
export const ansibleInventory: MaterialKind = {
  ...kindHead(KIND),
  parameters: (raw) => ({ ...parse(raw) }),
  describe: () => 'Ansible inventory',
  import: async (bytes, parameters) => {
    const publicParts = readParts(bytes, parse(parameters).format);
    return { kind: KIND, file: Secret.take(bytes.slice()), parameters: { format: publicParts.format }, public: publicParts };
  },
  fields: { inventory: FILE, format: publicText('format'), hosts: publicText('hosts'), groups: publicText('groups') },
  check: (material) =>
    attempt('parses', () => {
      const format = material.public['format'] === 'ini' ? 'ini' : 'yaml';
      const computed = material.file.use((bytes) => readParts(bytes, format));
      return [result('parses', true), samePublic(material.public, computed)];
    }),
  facts: (parts) => `${count(Number(parts['hosts']), 'host')}, ${count(Number(parts['groups']), 'group')}`,
  rotation: () => ({ how: 'by-hand', words: 'it changes with the machines: seal the newer file' }),
};

function readParts(bytes: Uint8Array, format: Format | undefined): { format: Format; hosts: number; groups: number } {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw badMaterial(KIND, 'is not UTF-8 text');
  const chosen = format ?? detect(bytes, text);
  const inventory: Inventory = chosen === 'yaml' ? readYamlInventory(yamlValue(KIND, bytes, { aliases: true })) : readIniInventory(text);
  if (inventory.hosts.size === 0 && inventory.groups.size === 0) throw badMaterial(KIND, 'names no host and no group');
  return { format: chosen, hosts: inventory.hosts.size, groups: inventory.groups.size };
}

/** As Ansible does: what is a YAML map is YAML. A file whose first line that counts opens a map is meant to be one, even if broken. */
function detect(bytes: Uint8Array, text: string): Format {
  const first = text.split(/\r?\n/).find((line) => !/^\s*(?:[#;].*)?$/.test(line)) ?? '';
  if (/^---(?:\s|$)|^["']?[\w.-]+["']?:(?:\s|$)/.test(first)) return 'yaml';
  try {
    const value = yamlValue(KIND, bytes, { aliases: true });
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? 'yaml' : 'ini';
  } catch (error) {
    if (isVaultError(error, 'BAD_MATERIAL')) return 'ini';
    throw error;
  }
}
