/** Reading our own documents: code in them, links, tables, and the commands that they tell people to type. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Paths of all our Markdown files, from the root; also those that are not committed yet. */
export function documents(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', '*.md'], { cwd: root, encoding: 'utf8' });
  return [...new Set(listed.split('\0').filter((path) => path !== ''))].toSorted();
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Lines of code: of fenced and of indented blocks (a continued one as one), and what stands in backticks. */
export function codeOf(markdown: string): string[] {
  const lines = markdown.split('\n');
  const code: string[] = [];
  const prose: string[] = [];
  let fenced: 'shell' | 'source' | undefined;
  let block = false;
  for (const [i, line] of lines.entries()) {
    const before = lines[i - 1] ?? '';
    // Source code shows how commands are made, not what to type.
    if (/^\s*```/.test(line)) fenced = fenced ? undefined : /^\s*```(js|ts)$/.test(line) ? 'source' : 'shell';
    else if (fenced) code.push(fenced === 'shell' ? line : '');
    // Indented by four beyond a list item's text, too; a paragraph's continuation is no code.
    else if (/^ {4,}\S/.test(line) && (block || before.trim() === '')) {
      code.push(line.trim());
      block = true;
    } else {
      if (line.trim() !== '') block = false;
      prose.push(line);
    }
  }
  const spans = [...prose.join('\n').matchAll(/(`+)([^]+?)\1(?!`)/g)].map((match) => match[2]!.replace(/\n/g, ' '));
  return [...code.join('\n').replace(/\s*\\\n\s*/g, ' ').split('\n'), ...spans];
}

/** The words of every `oxp-vault …` in a line of shell, without the program's name, quotes taken off, up to where the shell ends it. */
export function commandsIn(line: string): string[][] {
  // A comment says things about commands, and holds none.
  if (line.trim().startsWith('#')) return [];
  return [...line.matchAll(/(?<![\w./@-])oxp-vault(?= |$)/g)].map((match) => shellWords(line.slice(match.index + 'oxp-vault'.length)));
}

const WORD = /\s+|(#.*)|([|;&<>()`]|$)|((?:"[^"]*"|'[^']*'|[^\s"'|;&<>()`])+)/y;

function shellWords(text: string): string[] {
  const words: string[] = [];
  WORD.lastIndex = 0;
  while (WORD.lastIndex <= text.length) {
    const match = WORD.exec(text);
    if (!match || match[1] !== undefined || match[2] !== undefined) break;
    // What a script hands on is none of its own words.
    if (match[3] !== undefined && match[3] !== '"$@"') words.push(match[3].replace(/["']/g, ''));
  }
  return words;
}

/** The text below a `## heading`, up to the next one. Empty where there is none. */
export function section(markdown: string, heading: string): string {
  const parts = markdown.split(/^## /m).slice(1);
  return parts.find((part) => part.split('\n', 1)[0] === heading) ?? '';
}

/** Rows of all tables, cells trimmed; heads and rulers are rows, too. */
export function tableRows(markdown: string): string[][] {
  return markdown.split('\n').filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
}

/** Targets of `[words](target)` outside of code. */
export function linksOf(markdown: string): string[] {
  return [...markdown.replace(/```[^]*?```|`[^`\n]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
}

/** Anchors of headings, as GitHub makes them. */
export function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1]!.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-'));
}
