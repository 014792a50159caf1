// What every command loads becomes one file: a file costs Node half a millisecond or more at each start, whatever is in it.
// esbuild splits by who needs what, and cannot be told that the start is always there first; so its output is joined here.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';

const IMPORT = /^import (?:\{([^}]*)\} from )?"(\.[^"]+)";$/gm;
/** Where esbuild says which source begins. It drops comments, except those that it takes for legal ones. */
const ORIGIN = /^\/\/ (?=\S+\.[cm]?[jt]s$)/gm;
const LEGAL_ORIGIN = /^\/\/! (?=\S+\.[cm]?[jt]s$)/gm;

/** All outputs that are loaded with `path`, itself included. */
function loadedWith(path, outputs, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const { path: next, kind } of outputs[path].imports) if (kind === 'import-statement' && outputs[next]) loadedWith(next, outputs, found);
  return found;
}

/**
 * Joins what `roots` (source paths) load into `name-HASH.js` beside them. `outputs` is esbuild's of a split build: paths below
 * `root`. Gives the paths that there are afterwards.
 */
export async function joinChunks({ root, outputs, roots, name }) {
  const paths = Object.keys(outputs);
  const starts = roots.map((source) => paths.find((path) => outputs[path].entryPoint === source));
  const inside = new Set(starts.flatMap((path) => [...loadedWith(path, outputs)]));
  const numbers = new Map([...inside].map((path, index) => [path, index]));
  const nameOf = (path, exported) => `${exported}_${numbers.get(path)}`;
  const reexport = (path) => `export { ${outputs[path].exports.map((each) => `${each} as ${nameOf(path, each)}`).join(', ')} } from './${basename(path)}';\n`;
  const directory = dirname(starts[0]);

  const { metafile } = await build({
    absWorkingDir: root,
    stdin: { contents: [...inside].map(reexport).join(''), resolveDir: join(root, directory) },
    outdir: join(root, directory),
    entryNames: `${name}-[hash]`,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    legalComments: 'inline',
    metafile: true,
    logLevel: 'warning',
    plugins: [{
      name: 'join-chunks',
      setup(joining) {
        joining.onResolve({ filter: /^\.\// }, ({ path, kind }) => (kind === 'import-statement' && inside.has(`${directory}/${basename(path)}`) ? undefined : { path, external: true }));
        joining.onLoad({ filter: /\.js$/ }, ({ path }) => ({ contents: readFileSync(path, 'utf8').replace(ORIGIN, '//! ') }));
      },
    }],
  });
  const [joined] = Object.keys(metafile.outputs);
  const text = readFileSync(join(root, joined), 'utf8');
  writeFileSync(join(root, joined), text.replace(LEGAL_ORIGIN, '// '));

  const others = paths.filter((path) => !inside.has(path));
  for (const path of others) writeFileSync(join(root, path), redirected(path));
  for (const path of inside) rmSync(join(root, path));
  return [...others, joined];

  /** The code of an output that stays, with its imports from what has been joined. */
  function redirected(path) {
    const isProgram = dirname(path) !== dirname(starts[0]);
    const to = (specifier) => `"${dirname(specifier)}/${basename(joined)}"`;
    const moved = (specifier) => paths.find((each) => inside.has(each) && basename(each) === basename(specifier));
    const code = readFileSync(join(root, path), 'utf8').replace(IMPORT, (statement, list, specifier) => {
      const from = moved(specifier);
      if (from === undefined) return statement;
      // A program loads it later: it has something to do before.
      if (list === undefined) return isProgram ? '' : `import ${to(specifier)};`;
      const names = list.split(',').map((item) => item.trim()).filter((item) => item !== '').map((item) => item.split(' as '));
      return `import { ${names.map(([exported, local = exported]) => `${nameOf(from, exported)} as ${local}`).join(', ')} } from ${to(specifier)};`;
    });
    return code.replace(/\bimport\("(\.[^"]+)"\)/g, (call, specifier) => {
      const from = moved(specifier);
      return from === undefined ? call : `import(${to(specifier)}).then((all) => ({ ${outputs[from].exports.map((each) => `${each}: all.${nameOf(from, each)}`).join(', ')} }))`;
    });
  }
}
