/** Which module imports what, as a bundler finds it: for tests of what is loaded together. */
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

export interface ImportGraph {
  /** Absolute paths of our own modules. */
  readonly modules: readonly string[];
  /** What `path` imports when it is loaded: absolute paths, and names of packages. */
  importsOf(path: string): readonly string[];
  /** Packages that come with `path`, itself and all that it imports; with `later`, also what is imported once it is needed. Without those of Node. */
  packagesOf(path: string, options?: { later?: boolean }): string[];
}

/** Of all that `entry` leads to. */
export async function importGraph(entry: URL): Promise<ImportGraph> {
  const found = new Map<string, { now: readonly string[]; later: readonly string[] }>();
  const bundled = await rolldown({
    input: fileURLToPath(entry),
    platform: 'node',
    external: /^[^./]/,
    treeshake: false,
    plugins: [{ name: 'graph', moduleParsed: ({ id, importedIds, dynamicallyImportedIds }) => void found.set(id, { now: importedIds, later: dynamicallyImportedIds }) }],
  });
  await bundled.generate({ format: 'esm' });
  await bundled.close();

  const walk = (path: string, later: boolean, seen: Set<string>): string[] => {
    const module = found.get(path);
    if (!module) return path.startsWith('node:') ? [] : [path];
    if (seen.has(path)) return [];
    seen.add(path);
    return [...module.now, ...(later ? module.later : [])].flatMap((next) => walk(next, later, seen));
  };
  return {
    modules: [...found.keys()],
    importsOf: (path) => found.get(path)?.now ?? [],
    packagesOf: (path, { later = false } = {}) => [...new Set(walk(path, later, new Set()))],
  };
}
