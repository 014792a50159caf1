/** `agent start | status | stop`: one unlocking for some hours. What it may open is in the log before it serves. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAgent, findAgent, formatIdentity, type Identity, IDENTITY_DATA, isPurpose, parseIdentity, serveAgent, Session, socketOf, type Vault, VaultError } from '@oxp-vault/core';
import { type Command, Option } from 'commander';
import { type Act, collect, examples, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { endOfProcess, isAlive, parseProcess } from '../children/processes.js';
import { ago, columns, count, short } from '../render.js';
import { parseUntil, untilInWords } from '../until.js';

interface StartOptions {
  readonly scope?: readonly string[];
  readonly readOnly?: boolean;
  readonly for: string;
  readonly while?: number;
  readonly socket?: string;
  readonly purpose: string;
  readonly foreground?: boolean;
  readonly identityOnStdin?: boolean;
}

const ALL = '/';
/** After the purpose in the log: what was written in that time below that scope may be of any program of its user. */
const MAY_WRITE = ', may write';
/** Milliseconds. */
const LONGEST_END = 10_000;
const PAUSE = 20;

export function define(command: Command, act: Act): void {
  command.description('Holds your unlocked identity for some hours, so that open, terraform, Ansible and what you write every day (seal, edit, rotate, retire, import, handover offer) ask for no passphrase. It answers this user alone, on a Unix socket, for what it was started for. Whatever decides who may what still asks: consent, release, policy sign and the like.');
  examples(
    vaultOptions(command.command('start'))
      .summary('unlock once')
      .description('Unlocks your identity and leaves an agent running for this vault. What it may open and write is recorded now, what it did open when it ends.')
      .option('--scope <path>', 'a secret, or dns/ for all below it; repeat (default: everything that you read)', collect)
      .option('--read-only', 'it opens, and signs nothing that you seal or retire')
      .option('--for <duration>', 'how long: 30m, 8h, 1d', '8h')
      .option('--while <pid>', 'end with the process of this number, if it ends before', parseProcess)
      .option('--socket <path>', 'listen there, for programs that are told OXP_VAULT_AGENT=PATH, instead of where every command looks')
      .option('--purpose <words>', 'why, for the log', 'agent')
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
  if (!isPurpose(`${options.purpose}${MAY_WRITE}`)) throw new VaultError('USAGE', `--purpose takes one line of at most ${200 - MAY_WRITE.length} characters`);
  if (options.foreground) return serve(context, options, until);
  const seen = await context.vault({ identity: true });
  const socket = socketFor(context, options, seen);
  await mustBeAlone(socket);
  await leaveRunning(seen.requireEnrolled());
  const agent = await connectAgent(socket);
  if (!agent) throw new VaultError('AGENT_UNREACHABLE', 'the agent was started, and ended at once', { hint: 'Look why: oxp-vault agent start --foreground' });
  const { pid, scope, person, writes } = agent.found;
  await context.result({ ...agent.found, socket: agent.socket }, `agent of ${person} for ${scope.join(', ')}${writes ? '' : ' (read-only)'}, until ${untilInWords(agent.found.until)}\n`);
  await context.say(`Process ${pid}, at ${context.path(agent.socket)}. It ends by itself, or with: oxp-vault agent stop`);
}

/** Unlike --not-after a matter of hours: minutes are taken as well. */
function endOf(text: string, now: number): number {
  const minutes = /^([1-9]\d{0,5})m$/.exec(text)?.[1];
  if (minutes !== undefined) return now + Number(minutes) * 60;
  if (/^[1-9]\d{0,5}[hdw]$/.test(text)) return parseUntil(text, now);
  throw new VaultError('USAGE', '--for takes a duration', { hint: 'Such as 30m, 8h or 1d.' });
}

function socketFor({ io }: CliContext, { socket }: StartOptions, vault: Vault): string {
  return socket === undefined ? socketOf(io.env, vault.store.address) : resolve(io.cwd, socket);
}

async function mustBeAlone(socket: string): Promise<void> {
  const running = await connectAgent(socket);
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
    await plain.use((bytes) => new Promise<void>((done, reject) => child.stdin.end(bytes, (error?: Error | null) => (error ? reject(error) : done()))));
  } finally {
    plain.wipe();
  }
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString('utf8')));
  const ready = await new Promise<boolean>((done, reject) => {
    child.stdout.once('data', () => done(true));
    child.once('error', reject);
    child.once('close', () => done(false));
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
  const socket = socketFor(context, options, vault);
  // Before anything is recorded: of several that are started at once only one begins a session.
  await mustBeAlone(socket);
  const writes = options.readOnly !== true;
  const session = await Session.begin(vault, { scope: options.scope ?? [ALL], purpose: writes ? `${options.purpose}${MAY_WRITE}` : options.purpose });
  const running = await serveAgent(session, { socket, until, writes });
  const ends = (): void => void running.stop().catch(() => undefined);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ends);
  // Whoever started it in the background waits for this line.
  await context.print(`${running.socket}\n`);
  const watching = new AbortController();
  if (options.while !== undefined) void endOfProcess(options.while, watching.signal).then(ends);
  try {
    await running.ended;
  } finally {
    watching.abort();
  }
}

async function status(context: CliContext): Promise<void> {
  const agent = await present(context);
  const { person, device, vault, address, scope, writes = false, until, since, entries, opened, pid, fault } = await agent.status();
  const rows = [
    ['agent', `of ${person} (${device}), process ${pid}, since ${ago(since, context.clock.now())}`],
    ['vault', `${short(vault)} at ${context.path(address)}, ${count(entries, 'entry', 'entries')}`],
    ['opens', scope.includes(ALL) ? 'everything that you read' : scope.join(', ')],
    ['writes', writes ? 'what is sealed, retired or offered there' : 'nothing'],
    ['until', untilInWords(until)],
    ['opened', opened.length === 0 ? 'nothing yet' : opened.join(', ')],
    ['socket', context.path(agent.socket)],
  ];
  await context.result({ person, device, vault, address, scope, writes, pid, since, until, entries, opened, socket: agent.socket, ...(fault ? { fault } : {}) }, columns(rows, { gap: 3 }));
  if (fault) await context.warn(`${fault.code}: ${fault.message}. It goes on with what it knows, and tries again.`);
}

async function stop(context: CliContext): Promise<void> {
  const agent = await present(context);
  await agent.stop();
  // Only then is the end of its session recorded, and its place free for the next.
  for (let waited = 0; waited < LONGEST_END && isAlive(agent.found.pid); waited += PAUSE) await sleep(PAUSE);
  await context.result({ stopped: agent.found.pid }, 'The agent has ended: what it held is forgotten.\n');
}

async function present(context: CliContext): Promise<NonNullable<Awaited<ReturnType<typeof findAgent>>>> {
  const agent = await findAgent(context.io.env, (await context.store()).address);
  if (agent) return agent;
  throw new VaultError('AGENT_UNREACHABLE', 'no agent is running for this vault', { hint: 'Start one: oxp-vault agent start' });
}
