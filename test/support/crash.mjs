/**
 * Preload for a Node process under test: `node --import .../crash.mjs program.js`.
 *
 *   OXP_TEST_CRASH_AT=N        the process kills itself, as a power cut would, right before its Nth durable effect (from 1)
 *   OXP_TEST_CRASH_COUNT=FILE  at exit, the number of effects is written there
 *   OXP_TEST_CRASH_TRACE=FILE  at exit, one line of JSON for each effect: {"call": …, "path": …}
 *   OXP_TEST_CRASH_SPAWN=1     starting another program counts too (a `git` that writes, say)
 *
 * An effect is a call that makes, changes, names or syncs a file: open for writing, write, truncate, rename, link, symlink, unlink,
 * rm, rmdir, mkdir, copyFile, fsync, fdatasync, chmod; of fs, fs/promises and FileHandle. Standard output and error are none. The whole
 * of writeFile and appendFile is split into its open, write and close, so that the empty file in between is a state to crash in.
 */
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const { OXP_TEST_CRASH_AT: at, OXP_TEST_CRASH_COUNT: countFile, OXP_TEST_CRASH_TRACE: traceFile, OXP_TEST_CRASH_SPAWN: spawns } = process.env;
const crashAt = at === undefined ? Number.POSITIVE_INFINITY : Number(at);
if (!(crashAt >= 1)) throw new Error(`OXP_TEST_CRASH_AT=${at} is not a positive number`);

// Programs that this one starts inherit NODE_OPTIONS, but neither its count nor its end.
for (const name of Object.keys(process.env)) if (name.startsWith('OXP_TEST_CRASH_')) delete process.env[name];

const original = { ...fs };
const trace = [];
const pathOfDescriptor = new Map();

function effect(call, path) {
  trace.push({ call, path: typeof path === 'number' ? pathOfDescriptor.get(path) : path === undefined ? undefined : String(path) });
  if (trace.length !== crashAt) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal is delivered before this thread runs on; should it ever not be, nothing further happens here.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

const { O_ACCMODE = 3, O_RDONLY, O_CREAT, O_TRUNC } = fs.constants;
function opensForWriting(flags = 'r') {
  if (typeof flags === 'number') return (flags & O_ACCMODE) !== O_RDONLY || (flags & (O_CREAT | O_TRUNC)) !== 0;
  return flags !== 'r' && flags !== 'rs' && flags !== 'sr';
}

/** Puts `before` in front of a function of `object`, where there is such a function. */
function precede(object, name, before) {
  const inner = object[name];
  if (typeof inner !== 'function') return;
  object[name] = Object.defineProperty(
    function (...args) {
      before.call(this, args);
      return Reflect.apply(inner, this, args);
    },
    'name',
    { value: name },
  );
}

const ofPath = ['rename', 'link', 'symlink', 'unlink', 'rm', 'rmdir', 'mkdir', 'mkdtemp', 'copyFile', 'cp', 'truncate', 'chmod'];
const ofDescriptor = ['write', 'writev', 'ftruncate', 'fsync', 'fdatasync', 'fchmod'];
/** What names the result is more telling than what names the source. */
const shownPath = (name, args) => (['rename', 'link', 'symlink', 'copyFile', 'cp'].includes(name) ? args[1] : args[0]);

function watchPathCalls(object, suffix) {
  for (const name of ofPath) precede(object, `${name}${suffix}`, (args) => effect(name, shownPath(name, args)));
}

function watchDescriptorCalls(suffix) {
  for (const name of ofDescriptor) {
    precede(fs, `${name}${suffix}`, ([descriptor]) => {
      if (descriptor > 2) effect(name, descriptor);
    });
  }
}

function watchOpen() {
  const { open, openSync } = original;
  fs.openSync = (path, flags, ...rest) => {
    if (opensForWriting(flags)) effect('open', path);
    const descriptor = openSync(path, flags, ...rest);
    pathOfDescriptor.set(descriptor, String(path));
    return descriptor;
  };
  fs.open = (path, ...rest) => {
    const callback = rest.pop();
    if (opensForWriting(rest[0])) effect('open', path);
    open(path, ...rest, (error, descriptor) => {
      if (!error) pathOfDescriptor.set(descriptor, String(path));
      callback(error, descriptor);
    });
  };
}

const whole = (data, options) => (typeof data === 'string' ? Buffer.from(data, typeof options === 'string' ? options : (options?.encoding ?? 'utf8')) : data);

function splitWholeWrites() {
  for (const [name, flag] of [['writeFile', 'w'], ['appendFile', 'a']]) {
    fs[`${name}Sync`] = (file, data, options) => {
      const descriptor = typeof file === 'number' ? file : fs.openSync(file, options?.flag ?? flag, options?.mode ?? 0o666);
      try {
        const bytes = whole(data, options);
        for (let done = 0; done < bytes.byteLength; ) done += fs.writeSync(descriptor, bytes, done);
        if (options?.flush) fs.fsyncSync(descriptor);
      } finally {
        if (typeof file !== 'number') fs.closeSync(descriptor);
      }
    };
    const promised = async (file, data, options) => {
      // A FileHandle: its own writeFile is watched as one write.
      if (typeof file === 'object' && 'fd' in file) return file.writeFile(data, options);
      const handle = await fs.promises.open(file, options?.flag ?? flag, options?.mode ?? 0o666);
      try {
        await handle.writeFile(data, options);
        if (options?.flush) await handle.sync();
      } finally {
        await handle.close();
      }
    };
    fs.promises[name] = promised;
    fs[name] = (file, data, ...rest) => {
      const callback = rest.pop();
      if (typeof file === 'number') {
        effect('write', file);
        original[name](file, data, ...rest, callback);
        return;
      }
      promised(file, data, rest[0]).then(() => callback(null), callback);
    };
  }
}

/** FileHandle is not exported: its prototype is that of any handle. Its methods do not call one another through the prototype. */
async function watchFileHandle() {
  const { open } = fs.promises;
  const handle = await open(new URL(import.meta.url), 'r');
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const names = { write: 'write', writev: 'writev', writeFile: 'write', appendFile: 'write', truncate: 'ftruncate', sync: 'fsync', datasync: 'fdatasync', chmod: 'fchmod' };
  for (const [method, name] of Object.entries(names)) {
    precede(prototype, method, function () {
      effect(name, this.fd);
    });
  }
  fs.promises.open = async (path, flags, ...rest) => {
    if (opensForWriting(flags)) effect('open', path);
    const opened = await open(path, flags, ...rest);
    pathOfDescriptor.set(opened.fd, String(path));
    return opened;
  };
}

const wanted = at !== undefined || countFile !== undefined || traceFile !== undefined;
if (wanted && isMainThread) {
  await watchFileHandle();
  watchPathCalls(fs, '');
  watchPathCalls(fs, 'Sync');
  watchPathCalls(fs.promises, '');
  watchDescriptorCalls('');
  watchDescriptorCalls('Sync');
  watchOpen();
  splitWholeWrites();
  if (spawns === '1') {
    precede(childProcess.ChildProcess.prototype, 'spawn', ([options]) => effect('spawn', options.file));
    for (const name of ['spawnSync', 'execFileSync']) precede(childProcess, name, ([file]) => effect('spawn', file));
    precede(childProcess, 'execSync', () => effect('spawn', 'sh'));
  }
  syncBuiltinESMExports();
  process.on('exit', () => {
    if (countFile !== undefined) original.writeFileSync(countFile, String(trace.length));
    if (traceFile !== undefined) original.writeFileSync(traceFile, trace.map((each) => `${JSON.stringify(each)}\n`).join(''));
  });
}
