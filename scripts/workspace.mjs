// What the scripts share: where things are, and how to tell whether something changed. Needs nothing but Node.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const at = (...segments) => join(root, ...segments);

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** The packages of the workspace that pnpm knows: directories under packages/ with a package.json. */
export function packages() {
  return readdirSync(at('packages')).sort().filter((name) => existsSync(at('packages', name, 'package.json')));
}

/** All files below `directory`, as paths relative to it with `/`, sorted. A directory that is not there has none. */
export function filesBelow(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(directory.length + 1).split(sep).join('/'))
    .sort();
}

/** One digest over names and contents: times say nothing after a checkout. A missing file counts as such. */
export function digestOf(paths, ...more) {
  const hash = createHash('sha256');
  for (const path of paths) {
    hash.update(`${path}\0`);
    if (existsSync(at(path))) hash.update(createHash('sha256').update(readFileSync(at(path))).digest());
  }
  for (const text of more) hash.update(`${text}\0`);
  return hash.digest('hex');
}

/** A stamp remembers what a step was last done for, and which files it left behind. */
export function stampHolds(path, digest) {
  if (!existsSync(path)) return false;
  const [written, ...outputs] = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return written === digest && outputs.every((output) => existsSync(at(output)));
}

export function writeStamp(path, digest, outputs) {
  mkdirSync(dirname(path), { recursive: true });
  // Renamed into place, so that a reader never sees half a stamp.
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, `${[digest, ...outputs].join('\n')}\n`);
  renameSync(fresh, path);
}

/** Everything the built packages are made from. */
export function sourceDigest() {
  const sources = packages().flatMap((name) =>
    [...filesBelow(at('packages', name, 'src')).map((file) => `src/${file}`), 'package.json', 'tsconfig.json', 'tsconfig.foundation.json'].map((file) => `packages/${name}/${file}`),
  );
  return digestOf([...sources, 'tsconfig.base.json', 'pnpm-lock.yaml', 'scripts/build.mjs', 'scripts/direct-imports.mjs', 'scripts/workspace.mjs']);
}

export const buildStamp = at('.stamp', 'build');

/** Runs a program to its end with our terminal, and gives its exit code; 127 where it cannot be started. */
export function runHere(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) {
    process.stderr.write(`${command}: ${result.error.message}\n`);
    return 127;
  }
  return result.status ?? 1;
}

/** Runs `step` while no other process runs one under the same name. The lock of a dead process is taken over. */
export function exclusively(name, step) {
  const lock = at('.stamp', `${name}.lock`);
  const mine = `${lock}.${process.pid}`;
  mkdirSync(dirname(lock), { recursive: true });
  // Linked into place: a lock never exists without saying whose it is.
  writeFileSync(mine, String(process.pid));
  try {
    take(lock, mine, name);
    try {
      return step();
    } finally {
      rmSync(lock, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function take(lock, mine, name) {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let told = false; ; Atomics.wait(sleeper, 0, 0, 100)) {
    try {
      linkSync(mine, lock);
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = holderOf(lock);
    if (holder === undefined) continue;
    if (!isAlive(holder)) rmSync(lock, { force: true });
    else if (!told) {
      told = true;
      process.stderr.write(`${name}: waiting for process ${holder}, which is at it\n`);
    }
  }
}

function holderOf(lock) {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined; // given back meanwhile
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
