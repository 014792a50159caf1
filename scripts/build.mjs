// Builds every package: TypeScript emits the libraries, esbuild bundles the command.
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { directImports } from './direct-imports.mjs';
import { joinChunks } from './join-chunks.mjs';
import { at, buildStamp, filesBelow, packages, readJson, root, runHere, sourceDigest, writeStamp } from './workspace.mjs';

const COMMAND = 'cli';
const CORE_INDEX = at('packages', 'core', 'src', 'index.ts');
const HOOKS_INDEX = at('packages', 'terraform-hooks', 'src', 'index.ts');
const PROVIDER_INDEX = at('packages', 'terraform-hooks', 'src', 'provider', 'index.ts');
const libraries = packages().filter((name) => name !== COMMAND);

/** What a package is built from. A package without it is not built, and that is said. */
const entryOf = (name) => (name === COMMAND ? 'src/bin.ts' : 'src/index.ts');

function hasSources(name) {
  if (existsSync(at('packages', name, entryOf(name)))) return true;
  process.stderr.write(`build: packages/${name} has no ${entryOf(name)}: not built\n`);
  return false;
}

/** tsc never removes what a deleted source once became, and a package ships all of dist. */
function removeStale(name) {
  const sources = new Set(filesBelow(at('packages', name, 'src')));
  for (const file of filesBelow(at('packages', name, 'dist'))) {
    const source = file.replace(/(\.d)?\.ts$|\.js$/, '.ts');
    if (!file.endsWith('.tsbuildinfo') && !sources.has(source)) rmSync(at('packages', name, 'dist', file));
  }
}

function compile(names) {
  const code = runHere(process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-b', ...names.map((name) => `packages/${name}`)]);
  if (code !== 0) process.exit(code);
  for (const name of names.filter((each) => each !== COMMAND)) removeStale(name);
}

async function bundle() {
  const { build } = await import('esbuild');
  const dist = at('packages', COMMAND, 'dist');
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [
      { in: `packages/${COMMAND}/${entryOf(COMMAND)}`, out: 'bin' },
      // By the name under which Terraform looks for it.
      { in: `packages/${COMMAND}/src/terraform-provider.ts`, out: 'terraform-provider-oxpvault' },
    ],
    outdir: dist,
    bundle: true,
    // Each command is a chunk of its own, loaded when it is typed: start-up costs what the command needs.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    chunkNames: 'chunks/[name]-[hash]',
    // From the sources, so that only what a command imports of the library gets into its chunk.
    alias: { '@oxp-vault/core': CORE_INDEX, '@oxp-vault/terraform-hooks': HOOKS_INDEX, '@oxp-vault/terraform-hooks/provider': PROVIDER_INDEX },
    plugins: [directImports({ specifier: '@oxp-vault/core', index: CORE_INDEX, filter: /packages[\\/](cli|terraform-hooks)[\\/]src[\\/].*\.ts$/ })],
    // The ESM build of a package where it has one: it can be shaken, and needs no interop.
    mainFields: ['module', 'main'],
    // Names and lines stay: a stack trace in a bug report has to be readable, and start-up was measured not to care.
    minifySyntax: true,
    legalComments: 'none',
    metafile: true,
    write: true,
    logLevel: 'warning',
  });
  Object.keys(metafile.outputs).forEach(giveRequire);
  const start = ['main', 'process-io'].map((name) => `packages/${COMMAND}/src/${name}.ts`);
  const outputs = await joinChunks({ root, outputs: metafile.outputs, roots: start, name: 'start' });
  const written = new Set(outputs.map((path) => at(path)));
  for (const file of filesBelow(dist)) {
    if (file.endsWith('.js') && !written.has(join(dist, file))) rmSync(join(dist, file));
  }
  for (const program of ['bin.js', 'terraform-provider-oxpvault.js']) chmodSync(join(dist, program), 0o755);
  writeFileSync(join(dist, 'THIRD-PARTY-LICENSES'), licences(Object.values(metafile.outputs)));
  return outputs;
}

/** CommonJS dependencies call `require` for Node's own modules, which an ES module lacks: the one chunk that needs it gets it. */
function giveRequire(path) {
  const code = readFileSync(at(path), 'utf8');
  if (!/typeof require\b/.test(code)) return;
  const [, shebang, rest] = /^(#![^\n]*\n)?([^]*)$/.exec(code);
  const banner = 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);\n';
  writeFileSync(at(path), `${shebang ?? ''}${banner}${rest}`);
}

/** The licences of everything that got into the bundle: most of them ask to be shown wherever a copy goes. */
function licences(outputs) {
  const inputs = new Set(outputs.flatMap((output) => Object.entries(output.inputs).filter(([, part]) => part.bytesInOutput > 0).map(([path]) => path)));
  const texts = new Map();
  for (const input of inputs) {
    const home = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (home === undefined) continue;
    const { name, version, license } = readJson(at(home, 'package.json'));
    const file = filesBelow(at(home)).find((path) => /^(licen[cs]e|copying)[^/]*$/i.test(path));
    const text = file === undefined ? `${JSON.stringify(license)}, as its package.json says; it ships no licence file.` : readFileSync(at(home, file), 'utf8').trim();
    texts.set(`${name} ${version}`, text);
  }
  const rule = '-'.repeat(80);
  return `oxp-vault contains the following packages.\n\n${[...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([title, text]) => `${rule}\n${title}\n${rule}\n${text}\n`).join('\n')}`;
}

// Taken first: a source that changes meanwhile makes the stamp stale, as it should.
const digest = sourceDigest();
// And gone while building: what a failed build leaves behind is not what the last good one made.
rmSync(buildStamp, { force: true });
const ready = [...libraries, COMMAND].filter(hasSources);
if (ready.length > 0) compile(ready);
const outputs = ready.filter((name) => name !== COMMAND).map((name) => `packages/${name}/dist/index.js`);
if (ready.includes(COMMAND)) outputs.push(...(await bundle()));
writeStamp(buildStamp, digest, outputs);
