// Where the demo takes place: a scratch directory, people with a home each, and what they type.
import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
export const scratch = mkdtempSync(join(tmpdir(), 'oxp-vault-demo-'));

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const bold = (text) => (colour ? `\x1b[1m${text}\x1b[0m` : text);
const faint = (text) => (colour ? `\x1b[2m${text}\x1b[0m` : text);

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill();
  rmSync(scratch, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

const homeOf = (person) => join(scratch, person);
/** Where a person works: their clone of the team's repository, or, without Git, a directory with the same files. */
export const deskOf = (person) => join(homeOf(person), 'platform');
export const cardOf = (person) => join(scratch, `${person}.card`);

export function settleIn(person) {
  mkdirSync(deskOf(person), { recursive: true });
  writeFileSync(join(homeOf(person), '.gitconfig'), `[user]\n\tname = ${person}\n\temail = ${person}@example.org\n[init]\n\tdefaultBranch = main\n`);
}

export function chapter(title, more) {
  console.log(`\n${bold(`== ${title}`)}`);
  if (more) console.log(faint(`   ${more}`));
}

export const aside = (text) => console.log(faint(`# ${text}`));
export const quote = (text) => console.log(faint(text.trimEnd()));
export const total = (text) => console.log(bold(text));

/** What is typed, without the places and digits that nobody reads. */
function shown(words) {
  return words.join(' ').replaceAll(`file://${scratch}/`, '').replaceAll(`${scratch}/`, '').replace(/([0-9a-f]{16})[0-9a-f]{16,}/g, '$1…');
}

/** A person's environment: a home of their own, and nothing of whoever runs the demo. */
function envOf(person, more = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(OXP_VAULT|XDG_|GIT_|SCW_|NODE_)/.test(name));
  return { ...Object.fromEntries(inherited), HOME: homeOf(person), XDG_RUNTIME_DIR: homeOf(person), ...more };
}

/**
 * A person types an oxp-vault command, and everybody sees it. `expect`: its exit code; `env`: more variables; `note`: a remark before it.
 */
export async function as(person, words, { expect = 0, env, note } = {}) {
  if (note) aside(note);
  const args = words.split(' ');
  total(`${person}$ oxp-vault ${shown(args)}`);
  mustBe(await run(process.execPath, [cli, ...args], { cwd: deskOf(person), env: envOf(person, env), stdio: ['ignore', 1, 1] }), expect, ['oxp-vault', ...args]);
  if (expect !== 0) aside(`exit code ${expect}`);
}

/** The same behind the scenes. Gives what it wrote to standard output, and with `all` to standard error. */
export async function quietly(person, words, { expect = 0, all = false } = {}) {
  const out = join(scratch, `out-${person}`);
  const stdout = openSync(out, 'w');
  const args = words.split(' ');
  mustBe(await run(process.execPath, [cli, ...args], { cwd: deskOf(person), env: envOf(person), stdio: ['ignore', stdout, all ? stdout : 'ignore'] }), expect, ['oxp-vault', ...args]);
  closeSync(stdout);
  return readFileSync(out, 'utf8');
}

export const asJson = async (person, words) => JSON.parse(await quietly(person, `${words} --json`));

/** A command that is left waiting. `done` shows what it has said meanwhile, once it has ended. */
export function leftWaiting(person, words) {
  const args = words.split(' ');
  total(`${person}$ oxp-vault ${shown(args)} &`);
  const said = join(scratch, `said-${person}`);
  const out = openSync(said, 'w');
  const ended = run(process.execPath, [cli, ...args], { cwd: deskOf(person), env: envOf(person), stdio: ['ignore', out, out] });
  const text = () => readFileSync(said, 'utf8');
  return {
    /** Resolves with the lines so far as soon as they hold `words`; throws where it ends before. */
    async until(sought) {
      for (let over = false; !text().includes(sought);) {
        if (over) throw new Error(`${person}'s command ended without ${sought}:\n${text()}`);
        over = await Promise.race([ended.then(() => true), new Promise((resolve) => void setTimeout(resolve, 50, false))]);
      }
      return text();
    },
    async done() {
      mustBe(await ended, 0, ['oxp-vault', ...args], text);
      closeSync(out);
      return text();
    },
  };
}

/** Any other program, at a person's desk. What is not installed is said, and false. */
export async function tool(name, words, { person = 'alice', quiet = false } = {}) {
  const found = whereIs(name);
  if (!found) {
    aside(`${name} is not on this machine: not shown`);
    return false;
  }
  const args = words.split(' ');
  if (!quiet) total(`${person}$ ${name} ${shown(args)}`);
  mustBe(await run(found, args, { cwd: deskOf(person), env: envOf(person), stdio: ['ignore', quiet ? 'ignore' : 1, quiet ? 'ignore' : 1] }), 0, [name, ...args]);
  return true;
}

export function whereIs(name) {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].map((dir) => join(dir, name)).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not here: the next directory
  }
}

function run(program, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, options);
    running.add(child);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve(code ?? signal);
    });
  });
}

function mustBe(code, expected, args, said = () => '') {
  if (code !== expected) throw new Error(`${shown(args)} ended with ${code}, expected ${expected}\n${said()}`);
}
