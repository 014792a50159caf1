/** `exec -- PROGRAM`: unlocks once, gives the program what it is asked to, and an agent for that program alone. */
import { AGENT_VARIABLE, findVersion, openValue, parseView, planOpening, privateSocket, type RunningAgent, type Secret, serveAgent, Session, type Vault, VaultError, type View } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, collect, examples, readOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { reportError, toVaultError } from '../errors.js';
import { OutputClosed } from '../io.js';
import { EXIT_NOT_FOUND, runInPlace } from '../children/running.js';
import { scalewayVariables } from '../children/scaleway-variables.js';
import { type SshAgent, startSshAgent } from '../children/ssh-agent.js';

interface Options {
  readonly env?: readonly string[];
  readonly scaleway?: string;
  readonly tofuEncryption?: string;
  readonly sshAgent?: readonly string[];
  readonly scope?: readonly string[];
  readonly mask?: boolean;
  readonly purpose?: string;
}

/** What fails before the program runs, as `env` says it. */
const EXIT_BEFORE = 125;
/** Seconds. The program's end ends the agent; this is for a clock that jumps. */
const LONGEST = 30 * 86_400;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function define(command: Command, act: Act): void {
  readOptions(command)
    .description('Runs a program with secrets in its environment, and gives it an agent of its own (OXP_VAULT_AGENT), so that what it starts asks for no passphrase. Nothing is written to disk; the exit code is that of the program; what could be opened is recorded before it starts, and what was when it ends.')
    .argument('<program...>', 'what to run, after --')
    .option('--env <VAR=NAME>', 'a variable with the value of NAME or NAME#FIELD; repeat', collect)
    .option('--scaleway <name>', 'the api-key NAME as SCW_* variables, and as AWS_* for a state backend in S3')
    .option('--tofu-encryption <name>', 'TF_ENCRYPTION, with which OpenTofu encrypts its state under the state-key NAME')
    .option('--ssh-agent <name>', 'the ssh-key NAME in an ssh-agent for the program alone, so that ssh needs no key file; repeat', collect)
    .option('--scope <path>', 'what its agent may open beside these: a secret, or dns/ for all below it; repeat (default: where none of these is given, everything that you read)', collect)
    .option('--mask', 'replace these values by *** in what the program prints')
    .option('--purpose <words>', 'why, for the log')
    .action(act(exec));
  examples(command, 'oxp-vault exec --scaleway scaleway/root -- terraform apply', 'oxp-vault exec --env TF_VAR_tsig=dns/rfc2136_tsig_secret#secret --scope pki/ -- terraform plan', 'oxp-vault exec --env DB_PASSWORD=app/password -- ./migrate.sh', 'oxp-vault exec --ssh-agent ssh/deploy --scope / -- ansible-playbook site.yml');
}

async function exec(context: CliContext, program: readonly string[], options: Options): Promise<number> {
  let prepared: Prepared;
  try {
    prepared = await prepare(context, program[0] ?? '', options);
  } catch (error) {
    if (error instanceof OutputClosed) throw error;
    await reportError(toVaultError(error), context.io, context.json);
    return EXIT_BEFORE;
  }
  const { agent, session, sshAgent, values, env } = prepared;
  try {
    const mask = options.mask ? values.map((value) => value.use((bytes) => Uint8Array.from(bytes))) : [];
    const code = await runInPlace(program as readonly [string, ...string[]], { env, cwd: context.io.cwd, mask });
    if (typeof code === 'number') return code;
    await context.say(`oxp-vault: ${program[0]} ${code.failed === EXIT_NOT_FOUND ? 'is not found' : 'cannot be run'}`);
    return code.failed;
  } finally {
    for (const value of values) value.wipe();
    await sshAgent?.stop();
    await (agent ? agent.stop() : session.end());
  }
}

interface Prepared {
  readonly session: Session;
  readonly agent: RunningAgent | undefined;
  readonly sshAgent: SshAgent | undefined;
  readonly values: readonly Secret[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

async function prepare(context: CliContext, program: string, options: Options): Promise<Prepared> {
  const wanted = (options.env ?? []).map(parseVariable);
  const vault = await context.vault({ identity: true });
  // A name that is none is told before anything is recorded.
  for (const { view } of wanted) await planOpening(vault, [view], 'raw', { target: 'stream' });
  const keys = options.sshAgent ?? [];
  for (const name of keys) await planOpening(vault, [{ name }], 'openssh', { target: 'stream' });
  for (const name of [options.scaleway, options.tofuEncryption]) if (name !== undefined) findVersion(vault, name);
  const encryption = options.tofuEncryption === undefined ? undefined : await (await import('../terraform/tofu.js')).tofuEncryption(context, vault, options.tofuEncryption);
  const named = [...wanted.map(({ view }) => view.name), ...keys, ...[options.scaleway, options.tofuEncryption].filter((name) => name !== undefined)];
  const scope = [...new Set([...named, ...(options.scope ?? [])])];
  const purpose = options.purpose ?? `exec ${program.split('/').at(-1) ?? ''}`.slice(0, 200);
  const session = await Session.begin(vault, { scope: scope.length > 0 ? scope : ['/'], purpose, offline: context.options.offline ?? false });
  const values: Secret[] = [];
  let sshAgent: SshAgent | undefined;
  try {
    const env: Record<string, string | undefined> = { ...context.io.env, ...(encryption === undefined ? {} : { TF_ENCRYPTION: encryption }) };
    for (const { variable, view } of wanted) {
      const value = await read(vault, session, view);
      values.push(value);
      env[variable] = textOf(variable, value);
    }
    if (options.scaleway !== undefined) {
      const { shown, hidden, secret } = await scalewayVariables(vault, options.scaleway, (view) => read(vault, session, view));
      values.push(secret);
      for (const [variable, value] of shown) env[variable] = value;
      for (const variable of hidden) env[variable] = textOf(variable, secret);
    }
    if (keys.length > 0) {
      sshAgent = await startSshAgent(context.io.env);
      for (const name of keys) await give(sshAgent, name, await read(vault, session, { name }));
      Object.assign(env, sshAgent.variables);
    }
    const agent = await serveAgent(session, { socket: await privateSocket(), until: context.clock.now() + LONGEST });
    env[AGENT_VARIABLE] = agent.socket;
    return { session, agent, sshAgent, values, env };
  } catch (error) {
    for (const value of values) value.wipe();
    await sshAgent?.stop();
    await session.end();
    throw error;
  }
}

async function give(agent: SshAgent, name: string, key: Secret): Promise<void> {
  try {
    await agent.add(name, key);
  } finally {
    key.wipe();
  }
}

interface Variable {
  readonly variable: string;
  readonly view: View;
}

function parseVariable(text: string): Variable {
  const at = text.indexOf('=');
  const variable = text.slice(0, Math.max(at, 0));
  if (!VARIABLE.test(variable)) throw new VaultError('USAGE', '--env takes VAR=NAME or VAR=NAME#FIELD', { hint: 'For example: --env TF_VAR_tsig=dns/rfc2136_tsig_secret#secret' });
  return { variable, view: parseView(text.slice(at + 1)) };
}

async function read(vault: Vault, session: Session, view: View): Promise<Secret> {
  const opening = await planOpening(vault, [view], 'raw', { target: 'stream' });
  return openValue(vault, opening, {}, (wanted) => Promise.all(wanted.map(({ name, version }) => session.open(name, version))));
}

function textOf(variable: string, value: Secret): string {
  return value.use((bytes) => {
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      text = '\0'; // no text: refused below
    }
    if (!text.includes('\0')) return text;
    throw new VaultError('FORMAT_UNSUITABLE', `the value for ${variable} is no text that a variable can hold`, { hint: 'Let the program open it by itself: oxp-vault open NAME' });
  });
}
