// An esbuild plugin: what a source imports from the index of a library, it gets from the modules that the index names.
// esbuild splits by file: through an index, every command would load whatever any other command uses of the library.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const REEXPORT = /^export \{([^}]*)\} from '([^']+)';$/gm;
const IMPORT = (specifier) => new RegExp(`^import \\{([^}]*)\\} from '${specifier}';$`, 'gm');

const namesIn = (list) => list.split(',').map((item) => item.trim()).filter((item) => item !== '' && !item.startsWith('type '));
const sourceOf = (from, specifier) => join(dirname(from), specifier.replace(/\.js$/, '.ts'));

/** Exported name -> the source that defines it, through as many indexes as there are on the way. */
function definitions(index) {
  const found = new Map();
  for (const [, list, specifier] of readFileSync(index, 'utf8').matchAll(REEXPORT)) {
    const source = sourceOf(index, specifier);
    const inner = source.endsWith('/index.ts') ? definitions(source) : undefined;
    for (const name of namesIn(list)) found.set(name, inner?.get(name) ?? source);
  }
  return found;
}

/** `specifier` as the sources below `filter` write it, and the index that it stands for. */
export function directImports({ specifier, index, filter }) {
  return {
    name: 'direct-imports',
    setup(build) {
      const known = definitions(index);
      build.onLoad({ filter }, ({ path }) => {
        const unknown = [];
        const contents = readFileSync(path, 'utf8').replace(IMPORT(specifier), (statement, list) => {
          const direct = namesIn(list).map((name) => {
            if (!known.has(name)) unknown.push({ text: `${specifier} does not export ${name} by a plain \`export { } from\`` });
            return `import { ${name} } from ${JSON.stringify(known.get(name) ?? specifier)};`;
          });
          // On as many lines as before: a stack trace has to be readable.
          return direct.join(' ') + '\n'.repeat(statement.split('\n').length - 1);
        });
        return { contents, loader: 'ts', errors: unknown };
      });
    },
  };
}
