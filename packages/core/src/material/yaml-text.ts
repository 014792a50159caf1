import { type Document, LineCounter, parseAllDocuments, visit } from 'yaml';
import { badMaterial, decodeUtf8 } from './fields.js';

/** More than any real file of the kinds read here, and little enough to be parsed in a moment. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface YamlFault {
  readonly line: number;
  readonly fault: string;
}

/** Our own words: the parser's messages quote the text they stumble over. */
const FAULTS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'the same key twice in one map',
  TAB_AS_INDENT: 'a tab where blanks must indent',
  BAD_INDENT: 'wrong indentation',
  MISSING_CHAR: 'a character is missing, such as a closing quote or bracket',
  MULTILINE_IMPLICIT_KEY: 'a key that goes over several lines',
  BLOCK_AS_IMPLICIT_KEY: 'a map where only one line can stand',
  TAG_RESOLVE_FAILED: 'a tag that is not known here',
};

/**
 * Parses one YAML document without aliases (with them a small file can stand for gigabytes, and a line number means nothing), unless
 * a few are allowed. Returns the document, or where and what is wrong, never quoting the text.
 */
export function parseYaml(text: string, options: { aliases?: boolean } = {}): { document: Document; lines: LineCounter } | YamlFault {
  const lines = new LineCounter();
  const lineAt = (offset: number | undefined): number => lines.linePos(offset ?? 0).line;
  // An unknown tag (!vault) is a warning, not an error: its node is kept as it is.
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, version: '1.2', logLevel: 'silent' });
  if (!Array.isArray(documents)) return { line: 1, fault: 'is empty' };
  const [document, second] = documents;
  if (document === undefined) return { line: 1, fault: 'is empty' };
  const error = document.errors[0];
  if (error !== undefined) {
    // After a key without a value, the parser places the next key at the line break before it.
    const gap = error.code === 'DUPLICATE_KEY' ? /^\s*/.exec(text.slice(error.pos[0]))![0].length : 0;
    return { line: lineAt(error.pos[0] + gap), fault: FAULTS[error.code] ?? 'is not valid YAML' };
  }
  if (second !== undefined) return { line: lineAt(second.range[0]), fault: 'has a second document after ---' };
  if (options.aliases !== true) {
    let alias: number | undefined;
    visit(document, {
      Alias: (_key, node) => {
        alias = node.range?.[0] ?? 0;
        return visit.BREAK;
      },
    });
    if (alias !== undefined) return { line: lineAt(alias), fault: 'has an alias (*name), which is not allowed here' };
  }
  return { document, lines };
}

/** The plain value of a file that must be one YAML document. Throws BAD_MATERIAL naming the line. */
export function yamlValue(kind: string, bytes: Uint8Array, options: { aliases?: boolean } = {}): unknown {
  if (bytes.length > MAX_BYTES) throw badMaterial(kind, `is larger than ${MAX_BYTES / 1024 / 1024} MiB`);
  const text = decodeUtf8(bytes);
  if (text === undefined) throw badMaterial(kind, 'is not UTF-8 text');
  const parsed = parseYaml(text, options);
  if ('fault' in parsed) throw badMaterial(kind, `line ${parsed.line}: ${parsed.fault}`);
  try {
    // Counts what aliases stand for; more than this is a bomb, not an inventory.
    return parsed.document.toJS({ maxAliasCount: options.aliases === true ? 1000 : 0 });
  } catch {
    throw badMaterial(kind, 'has aliases that stand for too much, or for themselves');
  }
}
