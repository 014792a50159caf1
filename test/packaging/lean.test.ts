import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { build, root } from './built.js';

/**
 * What a command costs at the start is what it loads. Time is not asserted; what is loaded is: the chunks that are imported
 * statically from the start to the command, and the packages in them.
 */
const dist = join(root, 'packages', 'cli', 'dist');
const STATIC = /^(?:import|export)\b[^;]*?["'](\.[^"']+)["'];?$/gm;
const PACKAGE = /^\/\/ (?:\.\.\/)*node_modules\/(?:\.pnpm\/[^/]+\/node_modules\/)?((?:@[^/]+\/)?[^/]+)\//gm;

function closure(...files: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const add = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(STATIC)) add(join(dirname(file), specifier!));
  };
  files.forEach(add);
  return seen;
}

/** The chunk that this source went into. */
function chunkOf(source: string): string {
  const chunks = readdirSync(join(dist, 'chunks')).map((file) => join(dist, 'chunks', file));
  return chunks.find((file) => readFileSync(file, 'utf8').includes(`\n// ${source}\n`))!;
}

const START = 'packages/cli/src/main.ts';

function packagesOf(command: string): string[] {
  const files = closure(join(dist, 'bin.js'), chunkOf(START), chunkOf(`packages/cli/src/commands/${command}.ts`));
  return [...new Set([...files].flatMap((file) => [...readFileSync(file, 'utf8').matchAll(PACKAGE)].map(([, name]) => name!)))].toSorted();
}

describe('the built command', () => {
  beforeAll(build, 300_000);

  it('can be looked into: the packages of a heavy chunk are found', () => {
    expect(existsSync(chunkOf(START))).toBe(true);
    expect(packagesOf('help')).toContain('commander');
    // The rule of this file would hold of nothing if the comments that name packages were gone.
    const all = readdirSync(join(dist, 'chunks')).flatMap((file) => [...readFileSync(join(dist, 'chunks', file), 'utf8').matchAll(PACKAGE)].map(([, name]) => name!));
    expect(all).toEqual(expect.arrayContaining(['@peculiar/x509', 'yaml', '@clack/prompts', 'node-forge', 'sshpk']));
  });

  // Each file costs half a millisecond and more: `codeSplitting` in scripts/build.mjs.
  it('starts with one file of all that every command needs, and what the bundler puts before it', () => {
    const start = chunkOf(START);
    for (const source of ['context.ts', 'process-io.ts', 'shell.ts']) expect(chunkOf(`packages/cli/src/${source}`)).toBe(start);
    expect([...closure(start)].map((file) => basename(file).replace(/-[\w-]{8}\.js$/, ''))).toEqual(['start', 'rolldown-runtime']);
  });

  it('turns the compile cache on before it loads that', () => {
    expect(closure(join(dist, 'bin.js'))).not.toContain(chunkOf(START));
    expect(closure(join(dist, 'bin.js'))).toContain(chunkOf('packages/cli/src/compiled-code.ts'));
  });

  it.each(['open', 'list', 'show', 'status', 'audit', 'help', 'identity'])('loads for `%s` no X.509, YAML, SSH or prompt library before it is needed', (command) => {
    const heavy = ['@peculiar/x509', 'node-forge', 'sshpk', 'yaml', '@clack/prompts', '@clack/core', 'libsodium-wrappers', 'age-encryption', '@scure/bip39'];
    expect(packagesOf(command).filter((name) => heavy.includes(name))).toEqual([]);
  });
});
