import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun } from '../support/run.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly packageManager?: string;
}

export const readManifest = (directory: string): Manifest => JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;

/** The directories of the packages that are published. */
export function packageDirectories(): string[] {
  return readdirSync(join(root, 'packages'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, 'packages', entry.name))
    .filter((directory) => readdirSync(directory).includes('package.json'));
}

/** Makes sure that what lies in dist was built from the sources as they are. Costs next to nothing when it was. */
export async function build(): Promise<void> {
  await mustRun(process.execPath, [join(root, 'scripts', 'setup.mjs')], { timeout: 300_000 });
}
