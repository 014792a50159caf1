import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { mustRun, run, type RunResult } from '../support/run.js';
import { unpack } from '../support/tarball.js';
import { tempDir } from '../support/tmp.js';
import { build, packageDirectories, readManifest, root } from './built.js';

interface Packed {
  readonly tarball: string;
  /** Where the tarball is unpacked. */
  readonly directory: string;
  /** Paths in the package. */
  readonly files: readonly string[];
}

const directories = packageDirectories();
const packed = new Map<string, Packed>();

async function pack(source: string): Promise<Packed> {
  const target = tempDir('pack');
  // By npm, which everybody has: unlike pnpm it leaves every version as it is written.
  await mustRun('npm', ['pack', '--ignore-scripts', '--pack-destination', target], { cwd: source, timeout: 120_000 });
  const [name = ''] = readdirSync(target);
  unpack(readFileSync(join(target, name)), target);
  const directory = join(target, 'package');
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(directory, path)).isFile());
  return { tarball: join(target, name), directory, files: files.toSorted() };
}

function packedOf(name: string): Packed {
  const found = packed.get(name);
  if (found === undefined) throw new Error(`${name} was not packed`);
  return found;
}

const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ENOTCACHED/;

/** Installs the packages with npm into a new directory, as a user would; skips the test where there is no registry. */
async function install(context: TestContext, ...names: string[]): Promise<string> {
  const directory = tempDir('install');
  writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n');
  const tarballs = names.map((name) => packedOf(name).tarball);
  const result = await run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs], { cwd: directory, timeout: 240_000 });
  if (result.code !== 0 && OFFLINE.test(result.stderr) && process.env['OXP_TEST_REQUIRE'] !== '1') context.skip('skipped: needs the npm registry, or its packages in the cache of npm');
  expect(result.code, result.stderr).toBe(0);
  return directory;
}

const node = (cwd: string, script: string): Promise<RunResult> => run(process.execPath, ['--input-type=module', '-e', script], { cwd });

beforeAll(async () => {
  await build();
  for (const directory of directories) packed.set(readManifest(directory).name, await pack(directory));
}, 300_000);

describe.each(directories.map((directory) => readManifest(directory).name))('the package %s', (name) => {
  it('holds what runs and its licence: no sources, tests or traces of the build', () => {
    const { files } = packedOf(name);
    expect(files.filter((path) => !/^(dist\/.*|package\.json|LICENSE|README\.md|CHANGELOG\.md)$/.test(path))).toEqual([]);
    expect(files.filter((path) => /(?<!\.d)\.ts$|\.tsbuildinfo$|\.map$|\.test\.|(^|\/)(src|test)\//.test(path))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'package.json']));
  });

  it('names no workspace of ours and no path of this machine', () => {
    const { directory, files } = packedOf(name);
    expect(readFileSync(join(directory, 'package.json'), 'utf8')).not.toContain('workspace:');
    expect(files.filter((path) => readFileSync(join(directory, path), 'utf8').includes(root))).toEqual([]);
  });

  it('has every file that its manifest points at', () => {
    const { directory } = packedOf(name);
    const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { bin?: Record<string, string>; exports?: Record<string, string | Record<string, string>> };
    const exported = Object.values(manifest.exports ?? {}).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)));
    for (const path of [...exported, ...Object.values(manifest.bin ?? {})]) expect(statSync(join(directory, path)).isFile()).toBe(true);
    for (const path of Object.values(manifest.bin ?? {})) expect(statSync(join(directory, path)).mode & 0o111).toBe(0o111);
  });
});

describe('@oxp-vault/core, installed', () => {
  it('is imported by name, and only by that', async (context) => {
    const directory = await install(context, '@oxp-vault/core');
    const result = await node(directory, `console.log(Object.keys(await import('@oxp-vault/core')).join(' '))`);
    expect(result.stderr).toBe('');
    expect(result.text.split(' ')).toContain('VaultError');
    expect((await node(directory, `await import('@oxp-vault/core/dist/errors.js')`)).stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it('gives its types to a strict consumer who has none of our development dependencies', async (context) => {
    const directory = await install(context, '@oxp-vault/core');
    mkdirSync(join(directory, 'node_modules', '@types'), { recursive: true });
    symlinkSync(join(root, 'node_modules', '@types', 'node'), join(directory, 'node_modules', '@types', 'node'));
    writeFileSync(join(directory, 'use.ts'), `import { VaultError, type ErrorCode } from '@oxp-vault/core';\nexport const code = (e: VaultError): ErrorCode => e.code;\n`);
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023', '--types', 'node', '--skipLibCheck', 'false'];
    const result = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, 'use.ts'], { cwd: directory });
    expect(result.text.split('\n').filter((line) => !line.startsWith('node_modules/') || line.startsWith('node_modules/@oxp-vault/')).join('\n').trim()).toBe('');
  });
});

describe('oxp-vault, installed', () => {
  it('runs on its own, without any other package', async (context) => {
    const directory = await install(context, 'oxp-vault');
    expect(readdirSync(join(directory, 'node_modules')).filter((entry) => !entry.startsWith('.'))).toEqual(['oxp-vault']);
    const result = await run(join(directory, 'node_modules', '.bin', 'oxp-vault'), ['--version'], { cwd: directory });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.text.trim()).toBe(readManifest(join(root, 'packages', 'cli')).version);
  });

  it('carries the licence of everything that is in its bundle', () => {
    const { directory } = packedOf('oxp-vault');
    const notices = readFileSync(join(directory, 'dist', 'THIRD-PARTY-LICENSES'), 'utf8');
    for (const name of ['commander', 'age-encryption', '@noble/ed25519']) expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'));
  });

  it('holds one copy of the library, or an error would not be known as one of its own', () => {
    const { directory, files } = packedOf('oxp-vault');
    const definitions = files.filter((path) => path.endsWith('.js')).flatMap((path) => readFileSync(join(directory, path), 'utf8').match(/\bclass VaultError\b|\bVaultError = class\b/g) ?? []);
    expect(definitions).toHaveLength(1);
  });

  it('starts with Node, by its shebang', () => {
    expect(readFileSync(join(packedOf('oxp-vault').directory, 'dist', 'bin.js'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});
