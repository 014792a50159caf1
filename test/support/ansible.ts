/** Playbooks against a real vault: the collection as it is packed and installed, with every start of `oxp-vault` counted. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { BIN } from '../cli/harness.js';
import { owner, type VaultOwner } from '../cli/person.js';
import { read, root } from './markdown.js';
import { mustRun, run, type RunOptions, type RunResult } from './run.js';
import { tempDir } from './tmp.js';

/** One that every Linux has: hosts of a test are this machine, whatever Python runs Ansible itself. */
const PYTHON = '/usr/bin/python3';

export interface Ansible {
  readonly alice: VaultOwner;
  readonly env: Readonly<Record<string, string>>;
  /** Runs `ansible-playbook`, or another program of the same installation, in alice's directory. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Writes a playbook and runs it. Hosts are local unless there is another `-i`. */
  play(tasks: string, args?: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Lines of `ps`, of the agents that were started here and still run. */
  agents(): Promise<string[]>;
  /** The same once those of a run that is over have had the time to notice. */
  agentsLeft(): Promise<string[]>;
  /** The words of every `oxp-vault` that was started since the last question. */
  started(): string[];
}

/** Packs the collection and installs it. `playbook`: path of an ansible-playbook. Gives the directory for ANSIBLE_COLLECTIONS_PATH. */
export async function installCollection(playbook: string): Promise<string> {
  const directory = tempDir('collections');
  const galaxy = join(dirname(playbook), 'ansible-galaxy');
  const env = { ...process.env, HOME: directory, ANSIBLE_NOCOLOR: '1' };
  await mustRun(galaxy, ['collection', 'build', join(root, 'packages', 'ansible'), '--output-path', directory], { env });
  await mustRun(galaxy, ['collection', 'install', join(directory, `oxp-vault-${version()}.tar.gz`), '-p', directory], { env });
  return directory;
}

export const version = (): string => /^version: (\S+)$/m.exec(read('packages/ansible/galaxy.yml'))![1]!;

export async function ansible(playbook: string, collections: string): Promise<Ansible> {
  const alice = await owner();
  const [programs, log] = [join(alice.home, 'programs'), join(alice.home, 'started')];
  mkdirSync(programs);
  writeFileSync(join(programs, 'oxp-vault'), `#!/bin/sh\necho "$*" >> '${log}'\nexec '${process.execPath}' '${BIN}' "$@"\n`);
  chmodSync(join(programs, 'oxp-vault'), 0o755);
  const env = {
    PATH: `${programs}:${alice.env['PATH']}`,
    ANSIBLE_COLLECTIONS_PATH: collections,
    // Its name before 2.10; 2.14 reads both.
    ANSIBLE_COLLECTIONS_PATHS: collections,
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_DEPRECATION_WARNINGS: '0',
    ANSIBLE_DEVEL_WARNING: '0',
    ANSIBLE_LOCAL_TEMP: join(alice.home, '.ansible', 'tmp'),
    ANSIBLE_REMOTE_TEMP: join(alice.home, '.ansible', 'tmp'),
    ANSIBLE_LOCALHOST_WARNING: '0',
    ANSIBLE_RETRY_FILES_ENABLED: '0',
    PYTHONDONTWRITEBYTECODE: '1',
  };
  alice.write('hosts.ini', `here ansible_connection=local ansible_python_interpreter=${PYTHON}\n`);
  const start = (program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
    alice.run(join(dirname(playbook), program), args, { timeout: 240_000, ...options, env: { ...env, ...options.env } });
  const agents = async (): Promise<string[]> => (await run('ps', ['-eo', 'pid,args'])).text.split('\n').filter((line) => line.includes(`${alice.env['XDG_RUNTIME_DIR']}/oxp-vault`));
  const agentsLeft = async (): Promise<string[]> => {
    for (let i = 0; i < 100 && (await agents()).length > 0; i++) await sleep(100);
    return agents();
  };
  // Before the directories are taken away, into which they write to the last.
  onTestFinished(async () => void (await agentsLeft()));
  let plays = 0;
  return {
    alice,
    env,
    run: start,
    agents,
    agentsLeft,
    play: (tasks, args = [], options = {}) => {
      const indented = tasks.trim().replace(/^/gm, '    ');
      const path = alice.write(`play-${++plays}.yml`, `- hosts: all\n  gather_facts: false\n  tasks:\n${indented}\n`);
      return start('ansible-playbook', [...(args.includes('-i') ? [] : ['-i', 'hosts.ini']), path, ...args], options);
    },
    started: () => {
      if (!existsSync(log)) return [];
      const lines = readFileSync(log, 'utf8').trimEnd().split('\n').filter((line) => line !== '');
      writeFileSync(log, '');
      return lines;
    },
  };
}

/** The code block of docs/ansible.md whose first line, or second after `#!`, is `# NAME`. */
export function documented(name: string, occurrence = 0): string {
  const blocks = [...read('docs/ansible.md').matchAll(/^```\w+\n([^]*?)^```$/gm)].map(([, text = '']) => text);
  const named = blocks.filter((text) => text.split('\n').slice(0, 2).includes(`# ${name}`));
  const found = named[occurrence];
  if (found === undefined) throw new Error(`docs/ansible.md has no block for ${name}`);
  return found;
}
