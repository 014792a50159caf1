/**
 * A hundred calls of an external data source, ten at a time as Terraform makes them: the program by itself, the program with an agent
 * running, and curl at the agent's socket. Wall times of one round each, after one to warm up; ratios to the first.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CALLS = 100;
const AT_ONCE = 10;
const cli = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));

export async function run(scratch) {
  const home = join(scratch, 'home');
  const runtime = join(scratch, 'run');
  for (const directory of [home, runtime]) mkdirSync(directory, { mode: 0o700 });
  const env = { PATH: process.env.PATH, HOME: home, XDG_RUNTIME_DIR: runtime };
  const oxp = (...argv) => execFileSync(process.execPath, [cli, ...argv], { cwd: scratch, env, stdio: ['ignore', 'pipe', 'ignore'] });
  oxp('identity', 'create', '--person', 'alice', '--no-passphrase');
  oxp('init', '--name', 'bench');
  oxp('seal');
  const query = JSON.stringify({ name: 'app/password', allow_secret_in_state: 'true' });
  const byProgram = () => call(process.execPath, [cli, 'terraform', 'external'], query, env, scratch);
  const rows = [['oxp-vault terraform external', await wall(byProgram)]];
  const agent = spawn(process.execPath, [cli, 'agent', 'start', '--foreground'], { cwd: scratch, env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const socket = String(await new Promise((resolve) => agent.stdout.once('data', resolve))).trim();
    rows.push(['the same, with an agent', await wall(byProgram)]);
    rows.push(["curl at the agent's socket", await wall(() => call('curl', ['-sS', '--fail', '--unix-socket', socket, 'http://x/v1/secret/app/password'], '', env, scratch))]);
  } finally {
    // Its last entry is written when it ends.
    const ended = new Promise((resolve) => agent.once('exit', resolve));
    agent.kill();
    await ended;
  }
  for (const [what, ms] of rows) console.log(`${what.padEnd(32)} ${(ms / 1000).toFixed(2).padStart(6)} s   ${(ms / rows[0][1]).toFixed(2)} x`);
}

async function wall(once) {
  await once();
  const began = performance.now();
  let left = CALLS;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) await once();
  }));
  return performance.now() - began;
}

function call(program, argv, input, env, cwd) {
  const running = promisify(execFile)(program, argv, { env, cwd });
  running.child.stdin.end(input);
  return running;
}
