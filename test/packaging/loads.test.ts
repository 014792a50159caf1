import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { BIN, buildCli } from '../cli/harness.js';
import { owner, type VaultOwner } from '../cli/person.js';
import { tempDir } from '../support/tmp.js';

/** What is no business of a command that opens a secret: each costs tens of milliseconds at every start. */
const HEAVY = ['@peculiar/x509', 'node-forge', 'yaml', 'libsodium-wrappers', 'sshpk', '@clack/prompts', 'sops-age', 'reflect-metadata', '@scure/bip39'];
/** Sources of ours that `open` has no use for: generators, parsers, other formats, other commands. */
const OURS = /packages\/core\/src\/(material\/(?!kinds\.ts|registry\.ts|material\.ts)|formats\/(bind|yaml|p12|pfx|k8s|sealed|env|external))|packages\/cli\/src\/commands\/(?!open\.ts|index\.ts)/;

/** The modules of a bundle, as rolldown marks where each begins: `// path/to/module.js`. */
const MODULE = /^\/\/ (\S+\.[cm]?[jt]s)$/gm;

/** Runs the built command with a hook that writes down every file that is loaded, and gives the modules inside them. */
async function modulesLoaded(alice: VaultOwner, argv: readonly string[], env: Record<string, string> = { OXP_VAULT: join(alice.work, 'vault') }): Promise<string[]> {
  const scratch = tempDir('loads');
  const list = join(scratch, 'list');
  writeFileSync(list, '');
  const hook = join(scratch, 'hook.mjs');
  const loader = `import { appendFileSync } from 'node:fs'; export async function load(url, context, next) { appendFileSync(${JSON.stringify(list)}, url + '\\n'); return next(url, context); }`;
  writeFileSync(hook, `import { register } from 'node:module'; register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(loader)}));`);
  const result = await alice.run(process.execPath, ['--import', hook, BIN, ...argv], { env });
  expect(result.code, result.stderr).toBe(0);
  const files = new Set(readFileSync(list, 'utf8').split('\n').filter((url) => url.startsWith('file:')));
  expect(files.size).toBeGreaterThan(2);
  return [...files].flatMap((url) => [...readFileSync(fileURLToPath(url), 'utf8').matchAll(MODULE)].map(([, module]) => module!));
}

const packagesIn = (modules: readonly string[]): string[] => {
  const names = modules.flatMap((module) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1] ?? []);
  return HEAVY.filter((name) => names.includes(name));
};

describe('what a command loads', () => {
  let alice: VaultOwner;

  beforeAll(async () => {
    await buildCli();
    alice = await owner();
    alice.write('bootstrap.yaml', 'secrets:\n  app/password: { kind: password }\n  pki/root: { kind: pki-root, subject: { CN: Root }, algorithm: ecdsa-p256 }\n');
    await alice.must(['seal']);
  }, 300_000);

  it('open: no generator, no parser of other formats, no prompt', async () => {
    const modules = await modulesLoaded(alice, ['open', 'app/password']);
    expect(modules.filter((module) => module.includes('packages/core/src/operations/opening/open.ts'))).toHaveLength(1);
    expect(packagesIn(modules)).toEqual([]);
    expect(modules.filter((module) => OURS.test(module))).toEqual([]);
  });

  it('open through an oxp-vault.yaml: its parser, and nothing else of that weight', async () => {
    expect(packagesIn(await modulesLoaded(alice, ['open', 'app/password'], {}))).toEqual(['yaml']);
  });

  it('open of a public field: the kind, and still none of the heavy libraries', async () => {
    const modules = await modulesLoaded(alice, ['open', 'pki/root#certificate']);
    expect(packagesIn(modules)).toEqual([]);
    expect(modules.filter((module) => module.includes('age-encryption'))).toEqual([]);
  });

  it('list: nothing that decrypts', async () => {
    const modules = await modulesLoaded(alice, ['list']);
    expect(packagesIn(modules)).toEqual([]);
    expect(modules.filter((module) => module.includes('age-encryption'))).toEqual([]);
  });

  it('seal by a bootstrap file does load them: the measure measures', async () => {
    const modules = await modulesLoaded(alice, ['seal', '--dry-run']);
    expect(packagesIn(modules)).toContain('yaml');
  });
});
