// Builds every package: TypeScript emits the libraries, rolldown bundles the command.
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, buildStamp, filesBelow, packages, readJson, root, runHere, sourceDigest, writeStamp } from './workspace.mjs';

const COMMAND = 'cli';
/** From the sources, so that only what a command imports of a library gets into its chunk. The longest comes first. */
const LIBRARIES = {
  '@oxp-vault/core': at('packages', 'core', 'src', 'index.ts'),
  '@oxp-vault/terraform-hooks/provider': at('packages', 'terraform-hooks', 'src', 'provider', 'index.ts'),
  '@oxp-vault/terraform-hooks': at('packages', 'terraform-hooks', 'src', 'index.ts'),
};
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
  const { rolldown } = await import('rolldown');
  const dist = at('packages', COMMAND, 'dist');
  const bundled = await rolldown({
    cwd: root,
    input: {
      bin: at('packages', COMMAND, entryOf(COMMAND)),
      // By the name under which Terraform looks for it.
      'terraform-provider-oxpvault': at('packages', COMMAND, 'src', 'terraform-provider.ts'),
    },
    platform: 'node',
    transform: { target: 'node20.19' },
    // The ESM build of a package where it has one: it can be shaken, and needs no interop.
    resolve: { alias: LIBRARIES, mainFields: ['module', 'main'] },
    // Our modules do nothing when they are loaded, so an index costs only what is used of it. Packages say it of themselves.
    treeshake: { moduleSideEffects: [{ test: /[\\/]packages[\\/](core|terraform-hooks)[\\/]src[\\/]/, sideEffects: false }] },
    checks: { ineffectiveDynamicImport: false },
  });
  const { output } = await bundled.write({
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    // Each command is a chunk of its own, loaded when it is typed: start-up costs what the command needs.
    chunkFileNames: 'chunks/[name]-[hash].js',
    // And what every command loads is one: a file costs Node half a millisecond or more at each start, whatever is in it.
    codeSplitting: { groups: [{ name: 'start', test: /[\\/]packages[\\/]cli[\\/]src[\\/](main|process-io)\.ts$/ }] },
    // Names and lines stay: a stack trace in a bug report has to be readable, and start-up was measured not to care.
    comments: false,
  });
  await bundled.close();
  const written = new Set(output.map(({ fileName }) => fileName));
  for (const file of filesBelow(dist)) {
    if (file.endsWith('.js') && !written.has(file.replaceAll('\\', '/'))) rmSync(join(dist, file));
  }
  for (const program of ['bin.js', 'terraform-provider-oxpvault.js']) chmodSync(join(dist, program), 0o755);
  writeFileSync(join(dist, 'THIRD-PARTY-LICENSES'), licences(output));
  return output.map(({ fileName }) => `packages/${COMMAND}/dist/${fileName}`);
}

/** The licences of everything that got into the bundle: most of them ask to be shown wherever a copy goes. */
function licences(outputs) {
  const inputs = new Set(outputs.flatMap((output) => Object.entries(output.modules ?? {}).filter(([, { renderedLength }]) => renderedLength > 0).map(([path]) => path)));
  const texts = new Map();
  for (const input of inputs) {
    const home = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (home === undefined) continue;
    const { name, version, license } = readJson(join(home, 'package.json'));
    const file = filesBelow(home).find((path) => /^(licen[cs]e|copying)[^/]*$/i.test(path));
    const text = file === undefined ? `${JSON.stringify(license)}, as its package.json says; it ships no licence file.` : readFileSync(join(home, file), 'utf8').trim();
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
