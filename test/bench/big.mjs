/**
 * A vault after years: `npm run bench -- big [ENTRIES] [APPENDS]`. A log of 100,000 entries: made, moved into Git, loaded there for the
 * first time and again, appended to; then 10,000 appends over Git, and what the repository weighs. It takes an hour on a small machine.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as core from '../../packages/core/dist/index.js';

let ENTRIES = 100_000;
let APPENDS = 10_000;
const SECRETS = 1000;
/** Entries under one checkpoint while the log is made. */
const BATCH = 2000;
const cli = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
let scratch = '';
let env = process.env;

/** `args`: ENTRIES and APPENDS, to try it out with fewer. */
export async function run(directory, args) {
  scratch = directory;
  ENTRIES = Number(args[0] ?? ENTRIES);
  APPENDS = Number(args[1] ?? APPENDS);
  const { NODE_EXTRA_CA_CERTS: _unset, ...inherited } = process.env;
  env = {
    ...inherited, HOME: scratch, XDG_STATE_HOME: join(scratch, 'state'), XDG_CACHE_HOME: join(scratch, 'cache'), XDG_CONFIG_HOME: join(scratch, 'config'), NO_COLOR: '1',
    GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', GIT_COMMITTER_NAME: 'bench', GIT_COMMITTER_EMAIL: 'bench@example.org',
  };
  const made = await makeLog();
  await inGit(made);
  await manyAppends(made.identity);
}

function say(what, value) {
  console.log(`  ${what.padEnd(64)} ${value}`);
}

const time = (ms) => (ms < 10_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** The time of this process on a processor is said too: on a busy machine it is the truer one. Programs that it starts are not in it. */
async function lap(what, fn) {
  const [start, used] = [performance.now(), process.cpuUsage()];
  const result = await fn();
  const { user, system } = process.cpuUsage(used);
  say(what, `${time(performance.now() - start)} (processor ${time((user + system) / 1000)})`);
  return result;
}

function item(name, version) {
  return { name, kind: 'password', file: core.Secret.fromText(`value ${version}`), parameters: {}, public: {}, origin: 'generated' };
}

/** `count` more entries: mostly openings, now and then a new version. */
async function grow(vault, count, names) {
  const entries = [];
  const files = [];
  for (let i = 0; entries.length < count; i++) {
    if (i % 10 === 0) {
      const sealed = await core.sealBatch(vault, [item(names[Math.floor(Math.random() * names.length)], vault.point.size + i)]);
      const [{ name }] = sealed.sealed;
      if (files.some((file) => file.path.startsWith(`secrets/${name}/`))) continue;
      entries.push(...vault.signed(sealed).entries);
      files.push(...sealed.files);
    } else {
      const version = vault.state.secrets.versions.get(names[i % names.length]).at(-1);
      entries.push(vault.sign('secret.open', { statements: [version.digest], purpose: 'deploy', online: true }));
    }
  }
  await vault.append({ entries, files });
}

async function makeLog() {
  console.log(`\nA log of ${ENTRIES} entries, one process`);
  const identity = await core.createIdentity({ person: 'alice', device: 'laptop', kind: 'human', suite: 'x25519', now: 0 });
  const dir = join(scratch, 'vault');
  const local = core.fsLocalState(stateDir('state'));
  const vault = await newVault(core.directoryStore(dir), local, identity);
  const names = Array.from({ length: SECRETS }, (_, i) => `s${i % 20}/secret${i}`);
  await vault.append(await core.sealBatch(vault, names.map((name) => item(name, 1))));
  await lap(`made, ${BATCH} entries under a checkpoint`, async () => {
    while (vault.point.size < ENTRIES) await grow(vault, Math.min(BATCH, ENTRIES - vault.point.size), names);
  });
  await lap('load from nothing: every leaf verified', () => core.Vault.open({ store: core.directoryStore(dir), local: core.fsLocalState(stateDir('fresh')), identity }));
  const again = await lap('next load, same machine', () => core.Vault.open({ store: core.directoryStore(dir), local, identity }));
  await lap('append of one entry, loaded before', () => grow1(again, names));
  await lap('append of one entry, once more', () => grow1(again, names));
  say('its cache', kilobytes(join(stateDir('state'), 'vaults')));
  say('the directory', kilobytes(dir));
  const file = join(scratch, 'identity.age');
  core.formatIdentity(identity).use((bytes) => writeFileSync(file, bytes, { mode: 0o600 }));
  printCommands({ OXP_VAULT: dir, OXP_VAULT_IDENTITY: file }, names);
  return { identity, names, dir, local, file };
}

function grow1(vault, names) {
  const { digest } = vault.state.secrets.versions.get(names[0]).at(-1);
  return vault.append({ entries: [vault.sign('secret.open', { statements: [digest], purpose: 'deploy', online: true })], files: [] });
}

async function inGit({ identity, names, dir, local, file }) {
  console.log(`\nThe same in Git`);
  const remote = bare('remote.git');
  const url = pathToFileURL(remote).href;
  const store = (mirrors) => core.gitStore({ url, mirrorDir: join(scratch, mirrors), env });
  const from = await core.Vault.open({ store: core.directoryStore(dir), local, identity });
  await lap('moved there, read back and verified', () => core.cloneVault(from, store('mover')));
  await lap('first clone and load of a new machine', () => core.Vault.open({ store: store('cache/oxp-vault'), local: core.fsLocalState(stateDir('state-git/oxp-vault')), identity, expect: from.id }));
  say('its mirror', kilobytes(join(scratch, 'cache')));
  const vault = await lap('next load, same machine', () => core.Vault.open({ store: store('cache/oxp-vault'), local: core.fsLocalState(stateDir('state-git/oxp-vault')), identity }));
  await lap('append of one entry', () => grow1(vault, names));
  await lap('append of one entry, once more', () => grow1(vault, names));
  await lap('append of a sealed version', async () => vault.append(await core.sealBatch(vault, [item(names[0], 0)])));
  printCommands({ OXP_VAULT: `git+${url}`, OXP_VAULT_IDENTITY: file, XDG_STATE_HOME: join(scratch, 'state-git') }, names);
}

function printCommands(more, names) {
  const commands = { 'oxp-vault open NAME': ['open', names[1]], 'oxp-vault open NAME --offline': ['open', names[1], '--offline'], 'oxp-vault list': ['list', '--json'], 'oxp-vault status': ['status'], 'oxp-vault sync': ['sync'] };
  for (const [name, args] of Object.entries(commands)) {
    const times = [1, 2, 3].map(() => {
      const start = performance.now();
      const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
      return performance.now() - start;
    });
    say(name, `${times.sort((a, b) => a - b)[1].toFixed(0)} ms`);
  }
}

async function manyAppends(identity) {
  console.log(`\n${APPENDS} appends over Git, one after the other`);
  const remote = bare('many.git');
  const store = core.gitStore({ url: pathToFileURL(remote).href, mirrorDir: join(scratch, 'many'), env });
  const vault = await newVault(store, core.fsLocalState(stateDir('many-state')), identity);
  const names = Array.from({ length: 100 }, (_, i) => `app/secret${i}`);
  await vault.append(await core.sealBatch(vault, names.map((name) => item(name, 1))));
  const times = [];
  for (let n = 0; n < APPENDS; n++) {
    const start = performance.now();
    if (n % 10 === 0) await vault.append(await core.sealBatch(vault, [item(names[n % names.length], n)]));
    else await grow1(vault, names);
    times.push(performance.now() - start);
    if ((n + 1) % Math.ceil(APPENDS / 4) === 0) say(`after ${n + 1}: median of an append`, `${median(times.splice(0)).toFixed(0)} ms`);
  }
  say('the remote as it is', kilobytes(remote));
  await lap('git gc', () => execFileSync('git', ['-C', remote, 'gc', '--quiet', '--prune=now'], { env }));
  say('the remote after git gc', kilobytes(remote));
  await lap('first clone and load of a new machine', () => core.Vault.open({ store: core.gitStore({ url: pathToFileURL(remote).href, mirrorDir: join(scratch, 'many-new'), env }), local: core.fsLocalState(stateDir('many-fresh')) }));
  say('its mirror', kilobytes(join(scratch, 'many-new')));
  say('the mirror of the writer', kilobytes(join(scratch, 'many')));
}

function newVault(store, local, identity) {
  const policy = {
    format: 1, name: 'bench', nonce: 'ab'.repeat(32), number: 1, previous: null, suite: 'x25519', devices: 'self',
    persons: { alice: { cards: [identity.card.line] } }, removedDevices: [], roles: { team: { members: ['alice'] } },
    custody: {}, admins: { need: 1, of: ['alice'] }, abandon: { secrets: [], roles: [] },
    rules: [{ path: '/', owners: ['team'], writers: ['team'], readers: ['team'], consents: 1 }],
  };
  return core.initVault({ store, local, identity }, policy);
}

function stateDir(name) {
  const dir = join(scratch, name === 'state' ? 'state/oxp-vault' : name);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return dir;
}

function bare(name) {
  const dir = join(scratch, name);
  execFileSync('git', ['init', '--quiet', '--bare', dir], { env });
  execFileSync('git', ['-C', dir, 'config', 'receive.autoGc', 'false'], { env });
  return dir;
}

function kilobytes(dir) {
  let bytes = 0;
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) if (entry.isFile()) bytes += statSync(join(entry.parentPath ?? entry.path, entry.name)).size;
  return `${(bytes / 1024).toFixed(0)} KiB`;
}

function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
