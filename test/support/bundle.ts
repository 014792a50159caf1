import { buildSync } from 'esbuild';
import { fileURLToPath } from 'node:url';

/** Bundles a TypeScript entry into one module that a child process can run as it is. Returns `outfile`. */
export function bundle(entry: URL, outfile: string): string {
  buildSync({ entryPoints: [fileURLToPath(entry)], outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20.19', logLevel: 'warning' });
  return outfile;
}
