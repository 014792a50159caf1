import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

const chunk = (name: string): string => join(dist, 'chunks', readdirSync(join(dist, 'chunks')).find((file) => new RegExp(`^${name}-[A-Z0-9]{8}\\.js$`).test(file))!);

function packagesOf(command: string): string[] {
  const files = closure(join(dist, 'bin.js'), chunk('start'), chunk(command));
  return [...new Set([...files].flatMap((file) => [...readFileSync(file, 'utf8').matchAll(PACKAGE)].map(([, name]) => name!)))].toSorted();
}

describe('the built command', () => {
  beforeAll(build, 300_000);

  it('can be looked into: the packages of a heavy chunk are found', () => {
    expect(existsSync(chunk('start'))).toBe(true);
    expect(packagesOf('help')).toContain('commander');
    // The rule of this file would hold of nothing if the comments that name packages were gone.
    const all = readdirSync(join(dist, 'chunks')).flatMap((file) => [...readFileSync(join(dist, 'chunks', file), 'utf8').matchAll(PACKAGE)].map(([, name]) => name!));
    expect(all).toEqual(expect.arrayContaining(['@peculiar/x509', 'yaml', '@clack/prompts', 'node-forge', 'sshpk']));
  });

  // Each file costs half a millisecond and more: scripts/join-chunks.mjs.
  it('starts with two files of ours, and the program waits for the compile cache before it loads the second', () => {
    expect(closure(join(dist, 'bin.js')).size).toBe(2);
    expect([...closure(chunk('start'))]).toEqual([chunk('start')]);
  });

  it.each(['open', 'list', 'show', 'status', 'audit', 'help', 'identity'])('loads for `%s` no X.509, YAML, SSH or prompt library before it is needed', (command) => {
    const heavy = ['@peculiar/x509', 'node-forge', 'sshpk', 'yaml', '@clack/prompts', '@clack/core', 'libsodium-wrappers', 'age-encryption', '@scure/bip39'];
    expect(packagesOf(command).filter((name) => heavy.includes(name))).toEqual([]);
  });
});
