import { buildSync } from 'esbuild';
import { fileURLToPath } from 'node:url';

/** What libraries in CommonJS ask Node for by `require`. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Bundles a TypeScript entry into one module that a child process can run as it is. Returns `outfile`. */
export function bundle(entry: URL, outfile: string): string {
  buildSync({ entryPoints: [fileURLToPath(entry)], outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20.19', banner: { js: REQUIRE }, logLevel: 'warning' });
  return outfile;
}
