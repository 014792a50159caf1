import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One name that a declaration file exports, with the text that declares it (all of them for an overloaded function). */
export interface Declared {
  readonly name: string;
  readonly kind: string;
  readonly text: string;
}

/**
 * The top-level statements of a declaration file as tsc writes it: comments and indentation are its own, so that a statement
 * begins where a line has no indentation and does not merely close the one before.
 */
function statements(path: string): string[] {
  const lines = readFileSync(path, 'utf8').replaceAll(/^\s*\/\*\*[^]*?\*\/\n/gm, '').split('\n').filter((line) => line.trim() !== '');
  const found: string[] = [];
  for (const line of lines) {
    if (/^[A-Za-z]/.test(line)) found.push(line);
    else found.push(`${found.pop() ?? ''}\n${line}`);
  }
  return found;
}

const DECLARATION = /^(?:export )?(?:declare )?(?:abstract )?(const|let|function|class|interface|type|enum|namespace) (\w+)/;
const FROM = /^(?:export|import) (?:type )?\{([^}]*)\} from ['"]([^'"]+)['"];/;
const LOCAL = /^export (?:type )?\{([^}]*)\};/;

/** `a`, `type a`, `a as b` and `type a as b`, as [name inside, name outside]. */
function names(list: string): [string, string][] {
  return list.split(',').map((each) => each.trim().replace(/^type /, '')).filter(Boolean).map((each) => {
    const [inside = '', outside = inside] = each.split(/ as /);
    return [inside, outside];
  });
}

function resolve(path: string, specifier: string): string {
  return join(dirname(path), specifier.replace(/\.js$/, '.d.ts'));
}

/** What `name` stands for in the file, followed through re-exports to where it is declared. */
function lookUp(path: string, name: string): Omit<Declared, 'name'> {
  const all = statements(path);
  const own = all.filter((statement) => DECLARATION.exec(statement)?.[2] === name);
  if (own.length > 0) return { kind: DECLARATION.exec(own[0] ?? '')?.[1] ?? '', text: own.map((each) => each.replace(/^export /, '').replace(/^declare /, '')).join('\n') };
  for (const statement of all) {
    const [, list = '', specifier = ''] = FROM.exec(statement) ?? [];
    const inside = names(list).find(([, outside]) => outside === name)?.[0];
    if (inside === undefined) continue;
    if (specifier.startsWith('.')) return lookUp(resolve(path, specifier), inside);
    return { kind: 'from', text: `from '${specifier}'` };
  }
  throw new Error(`${path} exports ${name}, but no declaration of it was found`);
}

/** Everything that the declaration file exports, by name. `export *` is refused: the public API is named. */
export function exportsOf(path: string): Declared[] {
  const found = new Map<string, Declared>();
  for (const statement of statements(path)) {
    if (/^export (\*|default)/.test(statement)) throw new Error(`${path}: the public API is exported by name, not with: ${statement}`);
    const list = (FROM.exec(statement) ?? LOCAL.exec(statement))?.[1];
    if (!statement.startsWith('export')) continue;
    const exported = list === undefined ? [DECLARATION.exec(statement)?.[2]] : names(list).map(([, outside]) => outside);
    for (const name of exported) {
      if (name === undefined) throw new Error(`${path}: not understood: ${statement}`);
      found.set(name, { name, ...lookUp(path, name) });
    }
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
