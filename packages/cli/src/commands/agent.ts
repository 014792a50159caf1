/** `agent start | status | stop`: one unlocking for some hours. What it may open is in the log before it serves. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { findAgent, formatIdentity, type Identity, IDENTITY_DATA, ownAgent, parseIdentity, serveAgent, Session, socketOf, type Vault, VaultError } from '@oxp-vault/core';
import { type Command, Option } from 'commander';
import { type Act, collect, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { errnoOf } from '../private-file.js';
import { ago, columns, count, short } from '../render.js';
import { parseUntil, untilInWords } from '../until.js';

interface StartOptions {
  readonly scope?: readonly string[];
  readonly for: string;
  readonly foreground?: boolean;
  readonly identityOnStdin?: boolean;
}

const ALL = '/';
const PURPOSE = 'agent';
/** Milliseconds. */
const LONGEST_END = 10_000;
const PAUSE = 20;

export function define(command: Command, act: Act): void {
  command.description('Holds your unlocked identity for some hours, so that open, terraform and Ansible ask for no passphrase. It answers this user alone, on a Unix socket, for what it was started for. What changes who may what still asks: consent, release and policy sign.');
  examples(
    vaultOptions(command.command('start'))
      .summary('unlock once')
      .description('Unlocks your identity and leaves an agent running for this vault. What it may open is recorded now, what it did open when it ends.')
      .option('--scope <path>', 'a secret, or dns/ for all below it; repeat (default: everything that you read)', collect)
      .option('--for <duration>', 'how long: 30m, 8h, 1d', '8h')
      .option('--foreground', 'stay, and end with Ctrl-C: for systemd and the like')
      .addOption(new Option('--identity-on-stdin', 'the identity comes from the command that started this one').hideHelp())
      .action(act(start)),
    'oxp-vault agent start',
    'oxp-vault agent start --scope dns/ --scope scaleway/root --for 1h',
  );
  examples(command.command('status').summary('what it may open, and until when').action(act(status)), 'oxp-vault agent status', 'oxp-vault agent status --json');
  examples(command.command('stop').summary('forget the identity now').action(act(stop)), 'oxp-vault agent stop');
}

async function start(context: CliContext, options: StartOptions): Promise<void> {
  const until = endOf(options.for, context.clock.now());
  if (options.foreground) return serve(context, options, until);
  const seen = await context.vault({ identity: true });
  await mustBeAlone(context, seen);
  await leaveRunning(seen.requireEnrolled());
  const agent = await ownAgent(context.io.env, seen.store.address);
  if (!agent) throw new VaultError('AGENT_UNREACHABLE', 'the agent was started, and ended at once', { hint: 'Look why: oxp-vault agent start --foreground' });
  const { pid, scope, person } = agent.found;
  await context.result({ ...agent.found, socket: agent.socket }, `agent of ${person} for ${scope.join(', ')}, until ${untilInWords(agent.found.until)}\n`);
  await context.say(`Process ${pid}, at ${context.path(agent.socket)}. It ends by itself, or with: oxp-vault agent stop`);
}

/** Unlike --not-after a matter of hours: minutes are taken as well. */
function endOf(text: string, now: number): number {
  const minutes = /^([1-9]\d{0,5})m$/.exec(text)?.[1];
  if (minutes !== undefined) return now + Number(minutes) * 60;
  if (/^[1-9]\d{0,5}[hdw]$/.test(text)) return parseUntil(text, now);
  throw new VaultError('USAGE', '--for takes a duration', { hint: 'Such as 30m, 8h or 1d.' });
}

async function mustBeAlone(context: CliContext, vault: Vault): Promise<void> {
  const running = await ownAgent(context.io.env, vault.store.address);
  if (!running) return;
  const { person, pid } = running.found;
  throw new VaultError('AGENT_RUNNING', `an agent of ${person} is running for this vault already (process ${pid})`, { hint: 'See what it may open: oxp-vault agent status. End it: oxp-vault agent stop' });
}

/** Starts this command anew in the background, and gives it the identity through a pipe: not in argv, nor in its environment. */
async function leaveRunning(identity: Identity): Promise<void> {
  const [, script = ''] = process.argv;
  const { [IDENTITY_DATA]: _left, ...env } = process.env;
  const words = process.argv.slice(2).filter((word) => word !== '--json');
  const child = spawn(process.execPath, [...process.execArgv, script, ...words, '--foreground', '--identity-on-stdin'], { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env });
  const plain = formatIdentity(identity);
  try {
    await plain.use((bytes) => new Promise<void>((resolve, reject) => child.stdin.end(bytes, (error?: Error | null) => (error ? reject(error) : resolve()))));
  } finally {
    plain.wipe();
  }
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString('utf8')));
  const ready = await new Promise<boolean>((resolve, reject) => {
    child.stdout.once('data', () => resolve(true));
    child.once('error', reject);
    child.once('close', () => resolve(false));
  });
  if (!ready) {
    const lines = said.join('').trim().split('\n').filter((line) => line !== '');
    throw new VaultError('AGENT_UNREACHABLE', 'the agent could not be started', { details: lines });
  }
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  child.unref();
}

async function serve(context: CliContext, options: StartOptions, until: number): Promise<void> {
  const handed = options.identityOnStdin ? await parseIdentity(new TextDecoder().decode(await context.io.stdin.read())) : undefined;
  const vault = handed ? (await context.vault()).as(handed) : await context.vault({ identity: true });
  const session = await Session.begin(vault, { scope: options.scope ?? [ALL], purpose: PURPOSE });
  const running = await serveAgent(session, { socket: socketOf(context.io.env, vault.store.address), until });
  const ends = (): void => void running.stop().catch(() => undefined);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ends);
  // Whoever started it in the background waits for this line.
  await context.print(`${running.socket}\n`);
  await running.ended;
}

async function status(context: CliContext): Promise<void> {
  const agent = await present(context);
  const { person, device, vault, address, scope, until, since, entries, opened, pid, fault } = await agent.status();
  const rows = [
    ['agent', `of ${person} (${device}), process ${pid}, since ${ago(since, context.clock.now())}`],
    ['vault', `${short(vault)} at ${context.path(address)}, ${count(entries, 'entry', 'entries')}`],
    ['opens', scope.includes(ALL) ? 'everything that you read' : scope.join(', ')],
    ['until', untilInWords(until)],
    ['opened', opened.length === 0 ? 'nothing yet' : opened.join(', ')],
    ['socket', context.path(agent.socket)],
  ];
  await context.result({ person, device, vault, address, scope, pid, since, until, entries, opened, socket: agent.socket, ...(fault ? { fault } : {}) }, columns(rows, { gap: 3 }));
  if (fault) await context.warn(`${fault.code}: ${fault.message}. It goes on with what it knows, and tries again.`);
}

async function stop(context: CliContext): Promise<void> {
  const agent = await present(context);
  await agent.stop();
  // Only then is the end of its session recorded, and its place free for the next.
  for (let waited = 0; waited < LONGEST_END && isAlive(agent.found.pid); waited += PAUSE) await sleep(PAUSE);
  await context.result({ stopped: agent.found.pid }, 'The agent has ended: what it held is forgotten.\n');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

async function present(context: CliContext): Promise<NonNullable<Awaited<ReturnType<typeof findAgent>>>> {
  const agent = await findAgent(context.io.env, (await context.store()).address);
  if (agent) return agent;
  throw new VaultError('AGENT_UNREACHABLE', 'no agent is running for this vault', { hint: 'Start one: oxp-vault agent start' });
}
