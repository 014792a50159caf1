/**
 * One task with four secrets on fifty hosts: through the agent that a play starts, through one that runs, with a program for every lookup,
 * and with four values under ansible-vault. Wall time and the programs that each starts, `oxp-vault` and others; ratios to ansible-vault.
 * Needs `ansible-playbook` on PATH. Medians of rounds in which each takes its turn: `npm run bench -- ansible [ROUNDS]`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOSTS = 50;
const NAMES = ['app/one', 'app/two', 'app/three', 'app/four'];
const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export async function run(scratch, [rounds = '3']) {
  const world = prepare(scratch);
  const kinds = [
    ['ansible-vault', () => world.play('vaulted.yml')],
    ["oxp.vault.secret, the play's own agent", () => world.play('lookup.yml')],
    ['oxp.vault.secret, an agent that runs', () => world.withAgent(() => world.play('lookup.yml', { OXP_VAULT_IDENTITY: '/nowhere' }))],
    ['a program for every lookup', () => world.play('pipe.yml')],
  ];
  const results = new Map(kinds.map(([what]) => [what, []]));
  for (let round = 0; round < Number(rounds); round++) {
    for (const [what, once] of kinds) results.get(what).push(await once());
  }
  const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
  const [reference] = results.values();
  const base = median(reference.map(({ ms }) => ms));
  for (const [what, found] of results) {
    const ms = median(found.map((each) => each.ms));
    console.log(`${what.padEnd(40)} ${(ms / 1000).toFixed(2).padStart(6)} s   ${(ms / base).toFixed(2)} x   ${median(found.map(({ started }) => started))} oxp-vault`);
  }
}

function prepare(scratch) {
  const [home, runtime, programs] = ['home', 'run', 'bin'].map((name) => join(scratch, name));
  for (const directory of [home, runtime, programs]) mkdirSync(directory, { mode: 0o700 });
  const place = join(scratch, 'collections', 'ansible_collections', 'oxp');
  mkdirSync(place, { recursive: true });
  symlinkSync(at('packages/ansible'), join(place, 'vault'));
  const log = join(scratch, 'started');
  writeFileSync(join(programs, 'oxp-vault'), `#!/bin/sh\necho >> '${log}'\nexec '${process.execPath}' '${at('packages/cli/dist/bin.js')}' "$@"\n`, { mode: 0o755 });
  const env = { PATH: `${programs}:${process.env.PATH}`, HOME: home, XDG_RUNTIME_DIR: runtime, LC_ALL: 'C.UTF-8', ANSIBLE_COLLECTIONS_PATH: join(scratch, 'collections'), ANSIBLE_COLLECTIONS_PATHS: join(scratch, 'collections'), PYTHONDONTWRITEBYTECODE: '1' };
  const call = (program, argv, input, more = {}) => execFileSync(program, argv, { cwd: scratch, env: { ...env, ...more }, input, stdio: ['pipe', 'pipe', 'ignore'] });
  call('oxp-vault', ['identity', 'create', '--person', 'alice', '--no-passphrase']);
  call('oxp-vault', ['init', '--name', 'bench']);
  writeFileSync(join(scratch, 'password'), 'the password\n');
  const vaulted = NAMES.map((name, i) => {
    const value = `value ${i} of the bench`;
    call('oxp-vault', ['seal', name, '--from', '-'], value);
    return String(call('ansible-vault', ['encrypt_string', '--vault-password-file', 'password', '--stdin-name', `v${i}`], value));
  });
  writeFileSync(join(scratch, 'hosts.ini'), `h[01:${HOSTS}] ansible_connection=local\n`);
  const playbook = (file, values, vars = '') => writeFileSync(join(scratch, file), `- hosts: all\n  gather_facts: false\n${vars}  tasks:\n    - assert: {that: [${values.map((value) => `"${value} is match('value .*bench')"`).join(', ')}]}\n`);
  playbook('lookup.yml', NAMES.map((name) => `lookup('oxp.vault.secret', '${name}')`));
  playbook('pipe.yml', NAMES.map((name) => `lookup('pipe', 'oxp-vault open ${name}')`));
  playbook('vaulted.yml', NAMES.map((_, i) => `v${i}`), `  vars:\n${vaulted.join('\n').trimEnd().replace(/^/gm, '    ')}\n`);
  const play = (file, more) => {
    rmSync(log, { force: true });
    const began = performance.now();
    call('ansible-playbook', ['-i', 'hosts.ini', '--forks', '10', '--vault-password-file', 'password', file], undefined, more);
    return { ms: performance.now() - began, started: existsSync(log) ? readFileSync(log, 'utf8').length : 0 };
  };
  return { play, withAgent: (body) => withAgent(env, scratch, body) };
}

async function withAgent(env, scratch, body) {
  const agent = spawn(process.execPath, [at('packages/cli/dist/bin.js'), 'agent', 'start', '--foreground'], { cwd: scratch, env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await new Promise((resolve) => agent.stdout.once('data', resolve));
    return body();
  } finally {
    // Its last entry is written when it ends.
    const ended = new Promise((resolve) => agent.once('exit', resolve));
    agent.kill();
    await ended;
  }
}
