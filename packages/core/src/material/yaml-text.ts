/** YAML of other programs, which have their own rules: tags and numbers are left as they are, and aliases where that program takes them. */
import { visit } from 'yaml';
import { parseYaml } from '../primitives/yaml-document.js';
import { badMaterial, decodeUtf8 } from './fields.js';

/** More than any real file of the kinds read here, and little enough to be parsed in a moment. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Far above any real file; somewhat deeper, the parser is at the end of its stack. */
const MAX_LEVELS = 300;

/**
 * The plain value of a file that must be one YAML document, without aliases (with them a small file can stand for gigabytes) unless
 * a few are allowed. Throws BAD_MATERIAL naming the line.
 */
export function yamlValue(kind: string, bytes: Uint8Array, options: { aliases?: boolean } = {}): unknown {
  if (bytes.length > MAX_BYTES) throw badMaterial(kind, `is larger than ${MAX_BYTES / 1024 / 1024} MiB`);
  const text = decodeUtf8(bytes);
  if (text === undefined) throw badMaterial(kind, 'is not UTF-8 text');
  const parsed = parseYaml(text, { levels: MAX_LEVELS });
  if ('fault' in parsed) throw badMaterial(kind, `line ${parsed.line}: ${parsed.fault}`);
  const { document, lineAt } = parsed;
  if (options.aliases !== true) {
    visit(document, {
      Alias: (_key, node) => {
        throw badMaterial(kind, `line ${lineAt(node.range?.[0] ?? 0)}: an alias (*name), which is not allowed here`);
      },
    });
  }
  try {
    // Counts what aliases stand for; more than this is a bomb, not an inventory.
    return document.toJS({ maxAliasCount: options.aliases === true ? 1000 : 0 });
  } catch {
    throw badMaterial(kind, 'has aliases that stand for too much, or for themselves');
  }
}
