import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

/** Bundles a TypeScript entry into one module that a child process can run as it is: CommonJS by its `.cjs`. Returns `outfile`. */
export async function bundle(entry: URL, outfile: string): Promise<string> {
  await build({
    input: fileURLToPath(entry),
    platform: 'node',
    transform: { target: 'node20.19' },
    resolve: { mainFields: ['module', 'main'] },
    logLevel: 'warn',
    output: { file: outfile, format: outfile.endsWith('.cjs') ? 'cjs' : 'esm', codeSplitting: false },
  });
  return outfile;
}
