import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One name that a declaration file exports, with the text that declares it (all of them for an overloaded function). */
export interface Declared {
  readonly name: string;
  /** The keyword of its declaration; several where a value and a type share the name. */
  readonly kind: string;
  /** Whether there is something of that name when the program runs. */
  readonly value: boolean;
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

interface Exported {
  readonly inside: string;
  readonly outside: string;
  readonly typeOnly: boolean;
}

/** The names of an export or import clause: `a`, `type a`, `a as b` and `type a as b`; all of them types in `export type { … }`. */
function names(statement: string, list: string): Exported[] {
  return list.split(',').map((each) => each.trim()).filter(Boolean).map((each) => {
    const [inside = '', outside = inside] = each.replace(/^type /, '').split(/ as /);
    return { inside, outside, typeOnly: each.startsWith('type ') || /^(export|import) type /.test(statement) };
  });
}

function resolve(path: string, specifier: string): string {
  return join(dirname(path), specifier.replace(/\.js$/, '.d.ts'));
}

const VALUES = ['const', 'let', 'function', 'class', 'enum', 'namespace'];
const TYPES = ['interface', 'type', 'class', 'enum'];

/** What `name` stands for in the file, followed through re-exports to where it is declared. */
function lookUp(path: string, name: string, typeOnly: boolean): Omit<Declared, 'name'> {
  const all = statements(path);
  const kindOf = (statement: string): string => DECLARATION.exec(statement)?.[1] ?? '';
  const own = all.filter((each) => DECLARATION.exec(each)?.[2] === name && (!typeOnly || TYPES.includes(kindOf(each))));
  if (own.length > 0) {
    const kinds = [...new Set(own.map(kindOf))];
    const text = own.map((each) => each.replace(/^export /, '').replace(/^declare /, '')).join('\n');
    return { kind: kinds.join(', '), value: !typeOnly && kinds.some((kind) => VALUES.includes(kind)), text };
  }
  for (const statement of all) {
    const [, list = '', specifier = ''] = FROM.exec(statement) ?? [];
    const found = names(statement, list).find(({ outside }) => outside === name);
    if (found === undefined) continue;
    const type = typeOnly || found.typeOnly;
    if (specifier.startsWith('.')) return lookUp(resolve(path, specifier), found.inside, type);
    return { kind: `from ${specifier}`, value: !type, text: `${statement.split(' ')[0]} { ${name} } from '${specifier}';` };
  }
  throw new Error(`${path} exports ${name}, but no declaration of it was found`);
}

/** Everything that the declaration file exports, by name. `export *` is refused: the public API is named. */
export function exportsOf(path: string): Declared[] {
  const found: Declared[] = [];
  for (const statement of statements(path).filter((each) => each.startsWith('export'))) {
    if (/^export (\*|default)/.test(statement)) throw new Error(`${path}: the public API is exported by name, not with: ${statement}`);
    const list = (FROM.exec(statement) ?? LOCAL.exec(statement))?.[1];
    const declared = DECLARATION.exec(statement)?.[2];
    if (list !== undefined) for (const { outside, typeOnly } of names(statement, list)) found.push({ name: outside, ...lookUp(path, outside, typeOnly) });
    else if (declared !== undefined) found.push({ name: declared, ...lookUp(path, declared, false) });
    else throw new Error(`${path}: not understood: ${statement}`);
  }
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
