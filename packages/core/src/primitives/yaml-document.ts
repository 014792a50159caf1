/** One YAML document with its lines, or what is wrong with it, in our own words: the parser's messages quote the text they stumble over. */
import { Composer, isScalar, Lexer, LineCounter, Parser, visit, type CST, type Document } from 'yaml';

export interface YamlDocument {
  readonly document: Document.Parsed;
  readonly lineAt: (offset: number) => number;
}

export interface YamlFault {
  /** From 1. */
  readonly line: number;
  readonly fault: string;
}

const FAULTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab where blanks must indent',
  BAD_INDENT: 'wrong indentation, or a bracket that is not closed',
  MISSING_CHAR: 'a character is missing, such as a comma, a closing quote or a bracket',
  MULTILINE_IMPLICIT_KEY: 'a key that goes over several lines',
  BLOCK_AS_IMPLICIT_KEY: 'a map where only one line can stand',
  NON_STRING_KEY: 'a key that is no plain word',
};

/**
 * Parses `text`, which must be one document without a key twice in a map, and not nested deeper than `levels`. `stringKeys`: every key is
 * read as text, and a map or list as a key is a fault. An unknown tag is none: its node is kept as it is.
 */
export function parseYaml(text: string, options: { levels: number; stringKeys?: boolean }): YamlDocument | YamlFault {
  const lines = new LineCounter();
  const lineAt = (offset: number): number => lines.linePos(offset).line || 1;
  const tokens = tokensOf(text, lines, options.levels);
  if ('deepAt' in tokens) return { line: lineAt(tokens.deepAt), fault: 'nested too deeply' };
  // The parser's own search for a key twice compares each with each: seconds for a map of ten thousand.
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, stringKeys: options.stringKeys === true, version: '1.2', logLevel: 'silent' });
  const [document, second] = composer.compose(tokens);
  if (document === undefined) return { line: 1, fault: 'the file is empty' };
  const error = document.errors[0];
  if (error !== undefined) return { line: lineAt(error.pos[0]), fault: FAULTS[error.code] ?? 'not valid YAML' };
  if (second !== undefined) return { line: lineAt(second.range[0]), fault: 'a second document: a file holds one' };
  const twice = keyTwice(document);
  return twice === undefined ? { document, lineAt } : { line: lineAt(twice), fault: 'the same key twice in one map' };
}

/** Counted before the composer sees it: that one calls itself for each level, and at the end of its stack the whole process may be aborted. */
function tokensOf(text: string, lines: LineCounter, levels: number): CST.Token[] | { readonly deepAt: number } {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > levels) return { deepAt: parser.offset };
  }
  tokens.push(...parser.end());
  return tokens;
}

function keyTwice(document: Document.Parsed): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Map: (_key, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          offset = key.range?.[0] ?? 0;
          return visit.BREAK;
        }
        seen.add(key.value);
      }
      return undefined;
    },
  });
  return offset;
}
