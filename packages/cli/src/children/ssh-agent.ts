/** A private ssh-agent of OpenSSH for one program: keys get to it through pipes, and lie on no disk. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IDENTITY_DATA, privateSocket, type Secret, VaultError } from '@oxp-vault/core';
import { isAlive } from './processes.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface SshAgent {
  /** SSH_AUTH_SOCK and SSH_AGENT_PID. */
  readonly variables: Readonly<Record<string, string>>;
  /** Throws UNSUPPORTED for a key that ssh-add does not take. */
  add(name: string, key: Secret): Promise<void>;
  stop(): Promise<void>;
}

/** Milliseconds. */
const LONGEST_END = 1_000;
const PAUSE = 10;

/**
 * Starts one. It ends with `stop`; and by itself, within seconds, when this process is killed: ssh-agent ends with the program that it
 * is given, and that one ends with the pipe from here.
 */
export async function startSshAgent(env: Environment): Promise<SshAgent> {
  const socket = await privateSocket();
  const { [IDENTITY_DATA]: _ours, ...seen } = env;
  const holder = spawn('ssh-agent', ['-a', socket, 'sh', '-c', 'echo "$SSH_AGENT_PID"; exec cat'], { env: seen, stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  const pid = await firstNumber(holder);
  if (pid === undefined) {
    await rm(dirname(socket), { recursive: true, force: true });
    throw new VaultError('UNSUPPORTED', 'no ssh-agent could be started', { hint: 'It is part of OpenSSH: install openssh-client.' });
  }
  const variables = { SSH_AUTH_SOCK: socket, SSH_AGENT_PID: String(pid) };
  return {
    variables,
    async add(name, key) {
      // Nobody is asked: a key of the vault has no passphrase.
      const child = spawn('ssh-add', ['-q', '-'], { env: { ...seen, ...variables, SSH_ASKPASS_REQUIRE: 'never' }, stdio: ['pipe', 'ignore', 'ignore'], detached: true });
      const ended = endOf(child);
      await key.use((bytes) => new Promise<void>((resolve) => (child.stdin.on('error', () => resolve()), child.stdin.end(bytes, resolve))));
      if ((await ended) !== 0) throw new VaultError('UNSUPPORTED', `ssh-add does not take the key ${name}`, { hint: `This OpenSSH may be too old for it. Look what it is: oxp-vault show ${name}` });
    },
    async stop() {
      const ended = endOf(holder);
      if (isAlive(pid)) process.kill(pid, 'SIGTERM');
      holder.stdin.destroy();
      await ended;
      // Only now has it a parent that takes note of its end.
      for (let waited = 0; waited < LONGEST_END && isAlive(pid); waited += PAUSE) await sleep(PAUSE);
      await rm(dirname(socket), { recursive: true, force: true });
    },
  };
}

/** The number that it prints first; undefined where it cannot be started, or ends without one. */
function firstNumber(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve) => {
    let said = '';
    child.stdin!.on('error', () => resolve(undefined));
    child.stdout!.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      const [, pid] = /^(\d+)\n/.exec(said) ?? [];
      if (pid !== undefined) resolve(Number(pid));
    });
    child.once('error', () => resolve(undefined));
    child.once('close', () => resolve(undefined));
  });
}

function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
}
