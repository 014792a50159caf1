/**
 * Times and sizes of a vault of 1,000 secrets, 20 roles and 50 persons: `npm run bench [-- ROUNDS]`.
 *
 * Whole processes are timed from outside, in rounds in which every command takes its turn, so that a machine whose speed drifts
 * slows all of them alike; medians are printed, and the ratio to an empty Node process of the same round. Nothing is asserted.
 * `npm run bench -- big` is another one, which takes long: big.mjs. `-- external`: a hundred programs of Terraform's data source, external.mjs.
 * `-- ansible`: a play on fifty hosts beside ansible-vault, ansible.mjs.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as core from '../../packages/core/dist/index.js';

const OTHERS = ['big', 'external', 'ansible'];
const other = OTHERS.find((name) => name === process.argv[2]);
const ROUNDS = Number(process.argv[2] ?? 7);
const SECRETS = 1000;
const ROLES = 20;
const PERSONS = 50;
const cli = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'oxp-bench-'));

try {
  if (other) {
    await (await import(`./${other}.mjs`)).run(scratch, process.argv.slice(3));
  } else {
    const made = await makeVault(join(scratch, 'vault'));
    printLibrary(made.laps);
    printCommands(made);
    printSizes(join(scratch, 'vault'));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Builds the vault through the library, timing each step once. */
async function makeVault(dir) {
  const laps = [];
  const lap = async (what, fn) => {
    const start = performance.now();
    const result = await fn();
    laps.push([what, performance.now() - start]);
    return result;
  };
  mkdirSync(join(scratch, 'state'), { mode: 0o700 });
  const store = core.directoryStore(dir);
  const local = core.fsLocalState(join(scratch, 'state', 'oxp-vault'));
  const person = (name) => core.createIdentity({ person: name, device: 'laptop', kind: 'human', suite: 'x25519', now: 0 });
  const people = await Promise.all(Array.from({ length: PERSONS }, (_, i) => person(`p${i}`)));
  const [admin] = people;
  const role = (r) => `r${String(r).padStart(2, '0')}`;
  const policy = {
    format: 1, name: 'bench', nonce: randomBytes(32).toString('hex'), number: 1, previous: null, suite: 'x25519', devices: 'self',
    persons: Object.fromEntries(people.map((p) => [p.card.person, { cards: [p.card.line] }])),
    removedDevices: [],
    roles: Object.fromEntries(Array.from({ length: ROLES }, (_, r) => [role(r), { members: people.filter((_, i) => i % ROLES === r).map((p) => p.card.person).sort(), steward: 'p0' }])),
    custody: {}, admins: { need: 1, of: ['p0'] }, abandon: { secrets: [], roles: [] },
    rules: [
      { path: '/', owners: [role(0)], writers: [role(0)], readers: [role(0)], consents: 1 },
      ...Array.from({ length: ROLES - 1 }, (_, r) => ({ path: `s${r + 1}/`, owners: [role(0)], writers: [role(0)], readers: [role(0), role(r + 1)], consents: 1 })),
    ].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  const vault = await lap(`init: ${PERSONS} persons, ${ROLES} roles and their keys`, () => core.initVault({ store, local, identity: admin }, policy));
  const items = Array.from({ length: SECRETS }, (_, i) => ({
    name: `s${i % ROLES}/secret${i}`, kind: 'password', file: core.Secret.fromText(randomBytes(18).toString('base64')), parameters: {}, public: {}, origin: 'generated',
  }));
  await lap(`seal ${SECRETS} secrets`, async () => vault.append(await core.sealBatch(vault, items)));
  const newcomer = await person('newcomer');
  await lap('add a member', async () => {
    await core.proposePolicy(vault, core.withMember(vault.policy, newcomer.card, { roles: [role(0)] }));
    await core.grantMissing(vault);
  });
  await lap('load from nothing: every leaf verified', () => core.Vault.open({ store, local: core.fsLocalState(join(scratch, 'state', 'fresh')), identity: admin }));
  const names = core.readableBy(vault, role(0));
  await lap(`open ${names.length} secrets of a role`, () => core.openSecrets(vault, { secrets: names.map((name) => ({ name })) }));
  const identity = join(scratch, 'identity.age');
  core.formatIdentity(admin).use((bytes) => writeFileSync(identity, bytes, { mode: 0o600 }));
  return { laps, dir, identity };
}

function printLibrary(laps) {
  console.log(`\nLibrary, one process (${SECRETS} secrets, ${ROLES} roles, ${PERSONS} persons)`);
  for (const [what, ms] of laps) console.log(`  ${what.padEnd(52)} ${ms.toFixed(0).padStart(7)} ms`);
}

function printCommands({ dir, identity }) {
  const { NODE_EXTRA_CA_CERTS: _unset, ...inherited } = process.env;
  const env = { ...inherited, HOME: scratch, XDG_STATE_HOME: join(scratch, 'state'), OXP_VAULT: dir, OXP_VAULT_IDENTITY: identity, NO_COLOR: '1' };
  const commands = {
    'node -e 0 (the floor)': ['-e', '0'],
    'oxp-vault --version': [cli, '--version'],
    'oxp-vault open NAME': [cli, 'open', 's1/secret1'],
    'oxp-vault open --role r01': [cli, 'open', '--role', 'r01', '--json'],
    'oxp-vault list': [cli, 'list', '--json'],
    'oxp-vault audit verify': [cli, 'audit', 'verify'],
  };
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, args] of Object.entries(commands)) {
      const start = performance.now();
      const { status, stderr } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      const ms = performance.now() - start;
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
      if (round >= 0) times[name].push(ms);
    }
  }
  const floor = times['node -e 0 (the floor)'];
  console.log(`\nWhole processes, medians of ${ROUNDS} interleaved rounds, Node ${process.version}`);
  for (const [name, list] of Object.entries(times)) {
    const ratio = median(list.map((ms, i) => ms / floor[i]));
    console.log(`  ${name.padEnd(52)} ${median(list).toFixed(0).padStart(7)} ms ${ratio.toFixed(2).padStart(7)} x`);
  }
}

function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function printSizes(dir) {
  const groups = new Map();
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const group = path.slice(dir.length + 1).split('/')[0];
    const { files, bytes } = groups.get(group) ?? { files: 0, bytes: 0 };
    groups.set(group, { files: files + 1, bytes: bytes + statSync(path).size });
  }
  console.log('\nFiles');
  for (const [group, { files, bytes }] of groups) console.log(`  ${group.padEnd(52)} ${String(files).padStart(7)} files ${(bytes / 1024).toFixed(0).padStart(7)} KiB`);
}
