// Makes a clone ready to work in: the right Node, the locked dependencies, a current build. Says what it does and nothing
// when there is nothing to do. Runs before every test, so it has to be quick then: it compares digests with stamps.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { at, buildStamp, digestOf, exclusively, packages, readJson, runHere, sourceDigest, stampHolds, writeStamp } from './workspace.mjs';

const manifest = readJson(at('package.json'));

function checkNode() {
  const [needMajor, needMinor] = manifest.engines.node.match(/\d+/g).map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  fail(`oxp-vault needs Node.js ${needMajor}.${needMinor} or newer; this is ${process.versions.node} (${process.execPath}).`);
}

/** Under `npm run`, the npx of that same npm; else the one on PATH (a .cmd on Windows, which only a shell starts). */
function npx(args) {
  const beside = join(dirname(process.env.npm_execpath ?? ''), 'npx-cli.js');
  if (process.env.npm_execpath?.endsWith('npm-cli.js') && existsSync(beside)) return runHere(process.execPath, [beside, ...args]);
  return runHere('npx', args, { shell: process.platform === 'win32' });
}

function install() {
  const manifests = ['package.json', ...packages().map((name) => `packages/${name}/package.json`)];
  const digest = digestOf(['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests], process.platform, process.arch);
  // In node_modules, so that removing that directory removes the stamp as well.
  const stamp = at('node_modules', '.cache', 'oxp-vault-install');
  if (stampHolds(stamp, digest)) return;
  process.stderr.write(`setup: installing dependencies with ${manifest.packageManager}\n`);
  const code = npx(['-y', manifest.packageManager, 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only', '--loglevel=warn', '--config.confirmModulesPurge=false']);
  if (code !== 0) fail('setup: the dependencies could not be installed (above); without a network they must be in the caches of npm and pnpm.');
  const installed = ['node_modules', ...packages().map((name) => `packages/${name}/node_modules`)].filter((path) => existsSync(at(path)));
  writeStamp(stamp, digest, installed);
}

function build() {
  if (stampHolds(buildStamp, sourceDigest())) return;
  process.stderr.write('setup: building\n');
  if (runHere(process.execPath, [at('scripts', 'build.mjs')]) !== 0) fail('setup: the build failed (above).');
}

/** What the person is told instead of a stack trace. */
class Failure extends Error {}

function fail(message) {
  throw new Failure(message);
}

try {
  checkNode();
  exclusively('setup', () => {
    install();
    build();
  });
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
