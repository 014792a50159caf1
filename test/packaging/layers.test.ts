import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { run, type RunResult } from '../support/run.js';
import { tempDir } from '../support/tmp.js';

/**
 * The layers of the library are kept by two means, and both are tried here on a model of the workspace: the real lint rules and
 * the real project references over one small file per layer, and then one import too many.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const model = tempDir('layers');
const core = join(root, 'packages', 'core');

const DIRECTORIES = readdirSync(join(core, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
/** The layers below the facade: each is a TypeScript project of its own, which can only see those it references. */
const LAYERS = DIRECTORIES.filter((name) => existsSync(join(core, 'src', name, 'tsconfig.json')));
/** The directories of the facade itself, which may see all of them. */
const FACADE = ['engine', 'operations', 'agent', 'surroundings'];
const FOUNDATION = ['errors', 'error-codes', 'secret', 'wire', 'ports'];

function write(path: string, text: string): void {
  mkdirSync(dirname(join(model, path)), { recursive: true });
  writeFileSync(join(model, path), text);
}

function take(path: string): void {
  mkdirSync(dirname(join(model, path)), { recursive: true });
  copyFileSync(join(root, path), join(model, path));
}

const compile = (project: string): Promise<RunResult> => run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', project], { cwd: model });

const importing = (specifier: string): string => `import * as it from '${specifier}';\nexport const used = it;\n`;

/** Every try as [file, what it imports]; the file's name is made unique, so that one run of the linter judges them all. */
type Try = readonly [path: string, specifier: string];
const unique = ([path]: Try, index: number): string => path.replace(/\.ts$/, `-${index}.ts`);

/** The files among `tries` in which the linter found an import that its layer must not have. */
async function restricted(tries: readonly Try[]): Promise<Set<string>> {
  const files = tries.map(unique);
  for (const [index, path] of files.entries()) write(path, importing(tries[index]![1]));
  const result = await run(process.execPath, [join(root, 'node_modules/oxlint/bin/oxlint'), '-f', 'json', ...files], { cwd: model });
  for (const path of files) rmSync(join(model, path));
  const { diagnostics } = JSON.parse(result.text) as { diagnostics: { code: string; filename: string }[] };
  expect(result.code).toBe(diagnostics.length === 0 ? 0 : 1);
  return new Set(diagnostics.filter(({ code }) => code.includes('no-restricted-imports')).map(({ filename }) => filename));
}

beforeAll(() => {
  for (const file of ['.oxlintrc.json', 'tsconfig.base.json', 'packages/core/tsconfig.json', 'packages/core/tsconfig.foundation.json', 'packages/core/package.json']) take(file);
  symlinkSync(join(root, 'node_modules'), join(model, 'node_modules'));
  for (const layer of LAYERS) {
    take(`packages/core/src/${layer}/tsconfig.json`);
    write(`packages/core/src/${layer}/thing.ts`, `export const thing = '${layer}';\n`);
  }
  for (const file of [...FOUNDATION, 'vault', 'index']) write(`packages/core/src/${file}.ts`, `export const thing = '${file}';\n`);
  write('packages/cli/src/thing.ts', `export const thing = 'cli';\n`);
});

describe('the lint rule', () => {
  const inLayer = (layer: string, specifier: string): Try => [`packages/core/src/${layer}/wrong.ts`, specifier];
  const wrong: readonly Try[] = [
    inLayer('primitives', '../policy/thing.js'),
    inLayer('primitives', '../material/thing.js'),
    inLayer('primitives', '../vault.js'),
    inLayer('primitives', 'node:fs'),
    inLayer('primitives', 'node:fs/promises'),
    inLayer('audit', '../policy/thing.js'),
    inLayer('custody', '../handover/thing.js'),
    inLayer('handover', '../custody/thing.js'),
    inLayer('material', '../formats/thing.js'),
    inLayer('policy', '../seal/thing.js'),
    inLayer('policy', '../vault.js'),
    inLayer('policy', '../engine/thing.js'),
    inLayer('policy', '../operations/thing.js'),
    inLayer('policy', 'node:child_process'),
    inLayer('policy', 'commander'),
    inLayer('policy/deeper', '../../seal/thing.js'),
    inLayer('seal', '../index.js'),
    inLayer('seal', '../stores/thing.js'),
    inLayer('seal', '@oxp-vault/core'),
    inLayer('stores', '../policy/thing.js'),
    inLayer('formats', '../seal/thing.js'),
    ['packages/core/src/facade.ts', '../../cli/src/thing.js'],
    ['packages/cli/src/wrong.ts', '@oxp-vault/core/dist/vault.js'],
    ['packages/cli/src/commands/wrong.ts', '../../../core/src/vault.js'],
    ['packages/terraform-hooks/src/wrong.ts', '../../core/src/vault.js'],
  ];
  const right: readonly Try[] = [
    ['packages/core/src/primitives/right.ts', 'node:crypto'],
    ['packages/core/src/policy/right.ts', '../primitives/thing.js'],
    ['packages/core/src/policy/right.ts', '../errors.js'],
    ['packages/core/src/policy/deeper/right.ts', '../thing.js'],
    ['packages/core/src/stores/right.ts', 'node:fs'],
    ['packages/core/src/formats/right.ts', '../material/thing.js'],
    ['packages/core/src/facade.ts', './policy/thing.js'],
    ['packages/cli/src/right.ts', '@oxp-vault/core'],
  ];
  let refused = new Set<string>();

  beforeAll(async () => {
    refused = await restricted([...wrong, ...right]);
  });

  it.each(wrong.map((each, index) => ({ path: each[0], specifier: each[1], file: unique(each, index) })))('refuses that $path imports $specifier', ({ file }) => {
    expect(refused).toContain(file);
  });

  it.each(right.map((each, index) => ({ path: each[0], specifier: each[1], file: unique(each, wrong.length + index) })))('lets $path import $specifier', ({ file }) => {
    expect(refused).not.toContain(file);
  });

  it.each(FOUNDATION)('refuses that the foundation file %s imports a layer', async (name) => {
    // By its own name, which is what the rule goes by.
    write(`packages/core/src/${name}.ts`, importing('./primitives/thing.js'));
    const result = await run(process.execPath, [join(root, 'node_modules/oxlint/bin/oxlint'), `packages/core/src/${name}.ts`], { cwd: model });
    write(`packages/core/src/${name}.ts`, `export const thing = '${name}';\n`);
    expect(result.text).toContain('no-restricted-imports');
  });
});

describe('the project references', () => {
  it('let the model through as it is', async () => {
    const result = await compile('packages/core');
    expect(result.text).toBe('');
    expect(result.code).toBe(0);
  });

  it.each([
    ['primitives', '../policy/thing.js'],
    ['policy', '../seal/thing.js'],
    ['handover', '../custody/thing.js'],
    ['seal', '../vault.js'],
    ['stores', '../policy/thing.js'],
    ['formats', '../seal/thing.js'],
  ])('refuse that %s imports %s', async (layer, specifier) => {
    const path = `packages/core/src/${layer}/wrong.ts`;
    write(path, importing(specifier));
    const result = await compile(`packages/core/src/${layer}`);
    rmSync(join(model, path));
    expect(result.text).toContain('TS6307');
    expect(result.code).not.toBe(0);
  });

  it('cover every layer', () => {
    // A directory that is neither a project of its own nor the facade's would be in no layer at all.
    expect(DIRECTORIES.toSorted()).toEqual([...new Set([...LAYERS, ...FACADE.filter((name) => DIRECTORIES.includes(name))])].toSorted());
    const { references } = JSON.parse(readFileSync(join(core, 'tsconfig.json'), 'utf8')) as { references: { path: string }[] };
    const expected = ['./tsconfig.foundation.json', ...LAYERS.map((layer) => `./src/${layer}`)];
    expect(references.map(({ path }) => path).toSorted()).toEqual(expected.toSorted());
  });
});
