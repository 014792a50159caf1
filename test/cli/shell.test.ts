import { spawn } from 'node:child_process';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { examplesOf } from '../../packages/cli/src/command.js';
import { COMMANDS } from '../../packages/cli/src/commands/index.js';
import type { CommandTree } from '../../packages/cli/src/command.js';
import { createShell } from '../../packages/cli/src/shell.js';
import * as finding from '../../packages/core/src/surroundings/find-vault.js';
import { sandbox } from '../support/sandbox.js';
import { describeWith } from '../support/tools.js';
import { BIN, buildCli, runBin, runMain } from './harness.js';
import { readManifest, root } from '../packaging/built.js';

type Command = CommandTree['program'];

const CANARY = 'canary-9d41c7';

async function wholeTree(): Promise<Command> {
  return createShell(() => () => Promise.resolve(), { out: '', err: '' }, 100).loadAll();
}

function* leaves(command: Command, path: readonly string[] = []): Iterable<[path: string, command: Command]> {
  if (command.commands.length === 0) yield [path.join(' '), command];
  for (const child of command.commands) yield* leaves(child, [...path, child.name()]);
}

describe('help', () => {
  it('of the program lists every command, and goes to stderr as an error when nothing was typed', async () => {
    const alice = sandbox('alice');
    const asked = await runMain(alice, ['--help']);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    for (const { name, summary } of COMMANDS) expect(asked.text).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 20).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`, 'm'));
    expect(await runMain(alice, [])).toMatchObject({ code: 2, text: '', stderr: asked.text });
    expect(await runMain(alice, ['help'])).toMatchObject({ code: 0, text: asked.text });
    expect(asked.text.replace(/\s+/g, ' ')).toContain('--vault <address> where the vault is: a directory, or git+URL[#BRANCH]');
    expect(asked.text.replace(/\s+/g, ' ')).toContain('else ~/.config/oxp-vault/identity.age');
  });

  it('every command has a summary, a description and examples, and the examples are commands that exist', async () => {
    const program = await wholeTree();
    const paths = [...leaves(program)];
    expect(paths.length).toBeGreaterThan(COMMANDS.length);
    for (const [path, command] of paths) {
      expect(command.summary(), path).toMatch(/^[a-z].*[^.]$/);
      expect(command.description(), path).toMatch(/^[A-Z].*\.$/s);
      expect(examplesOf(command).length, `${path} has no examples`).toBeGreaterThan(0);
      for (const example of examplesOf(command)) expect(example, path).toContain(`oxp-vault ${path}`);
    }
  });

  it('describes every option and argument, and none without need twice', async () => {
    for (const [path, command] of leaves(await wholeTree())) {
      for (const option of command.options) expect(option.description, `${path} ${option.flags}`).not.toBe('');
      for (const argument of command.registeredArguments) expect(argument.description, `${path} ${argument.name()}`).not.toBe('');
      const globals = (await wholeTree()).options.map((option) => option.long);
      expect(command.options.filter((option) => globals.includes(option.long)).map((option) => option.long), path).toEqual([]);
    }
  });

  it('explains a command, a subcommand, an error code in any case, and the exit codes', async () => {
    const alice = sandbox('alice');
    expect((await runMain(alice, ['help', 'identity', 'create'])).text).toContain('Usage: oxp-vault identity create [options]');
    expect((await runMain(alice, ['help', 'identity', 'create'])).text).toContain('$ oxp-vault identity create');
    expect((await runMain(alice, ['help', 'rollback'])).text).toMatch(/^ROLLBACK \(exit code 5\)\n\nThe vault is older/);
    expect((await runMain(alice, ['help', 'exit-codes'])).text).toContain('  5  verification failed');
    expect(JSON.parse((await runMain(alice, ['help', 'FORK', '--json'])).text)).toMatchObject({ code: 'FORK', class: 'verification', exit: 5 });
    expect(await runMain(alice, ['help', 'nonsense'])).toMatchObject({ code: 2, text: '' });
    expect(await runMain(alice, ['help', 'identity', 'nonsense'])).toMatchObject({ code: 2, text: '' });
  });
});

describe('a command line that makes no sense', () => {
  const alice = sandbox('alice');

  it('gets our form of an error, with what might be meant', async () => {
    const result = await runMain(alice, ['identiy']);
    expect(result).toMatchObject({ code: 2, text: '' });
    expect(result.stderr).toBe("error USAGE: unknown command 'identiy'\n  Did you mean identity?\n  More: oxp-vault help USAGE\n");
    expect((await runMain(alice, ['identity', 'create', '--persn', 'x'])).stderr).toContain('Did you mean --person?');
  });

  it.each([[['--nonsense']], [['identity', 'show', 'excess']], [['generate']], [['completion', 'tcsh']], [['audit', 'export']], [['identity', 'show', '--identity']]])('%j exits with 2', async (argv) => {
    expect(await runMain(alice, argv)).toMatchObject({ code: 2, text: '' });
  });

  it('says of an option what it is by default only where that tells something', async () => {
    const { text } = await runMain(alice, ['help', 'init']);
    expect(text).toContain('(default: the branch oxp-vault of the');
    expect(text).toMatch(/--admin <card> +another admin; repeat\n/);
    expect((await runMain(alice, ['help', 'seal'])).text).not.toContain('[]');
  });

  it('shows the subcommands when one is missing', async () => {
    const result = await runMain(alice, ['identity']);
    expect(result).toMatchObject({ code: 2, text: '' });
    expect(result.stderr).toContain('create');
  });

  it.each([
    [['generate', 'password'], 'See: oxp-vault help generate'],
    [['member', 'invite'], 'See: oxp-vault help member'],
    [['--yes', 'audit', 'export'], 'See: oxp-vault help audit export'],
    [['no-such'], 'See: oxp-vault help'],
    [['opne'], 'Did you mean open?'],
    [['decrypt'], 'Here: oxp-vault open NAME | cat'],
    [['delete'], 'Here: nothing is deleted: an old version is retired (oxp-vault retire NAME), and what is in bootstrap.yaml no more is not made again'],
    [['constructor'], 'See: oxp-vault help'],
  ])('says for %j where to read on', async (argv, hint) => {
    const result = await runMain(alice, argv);
    expect(result.code).toBe(2);
    expect(result.stderr.split('\n')[1]).toBe(`  ${hint}`);
  });

  it('is one JSON document on stderr with --json, wherever that stands', async () => {
    for (const argv of [['--json', 'identity', 'show', '--nonsense'], ['identity', 'show', '--nonsense', '--json']]) {
      const result = await runMain(alice, argv);
      expect(result).toMatchObject({ code: 2, text: '' });
      expect(JSON.parse(result.stderr)).toEqual({ error: { code: 'USAGE', message: "unknown option '--nonsense'", hint: 'See: oxp-vault help identity show' } });
    }
    // After `--` it belongs to somebody else.
    expect((await runMain(alice, ['identity', 'show', '--', '--json'])).stderr).toMatch(/^error USAGE: /);
  });
});

describe('global options', () => {
  const alice = sandbox('alice');

  it('hold before and after the command', async () => {
    for (const argv of [['--vault', '/nowhere/v', 'audit', 'log'], ['audit', '--vault', '/nowhere/v', 'log'], ['audit', 'log', '--vault=/nowhere/v']]) {
      const result = await runMain(alice, argv);
      expect(result.code).toBe(3);
      expect(result.stderr).toContain('there is no vault at /nowhere/v');
    }
  });

  it('--version wins over whatever stands beside it', async () => {
    const { version } = readManifest(`${root}/packages/cli`);
    for (const argv of [['--version'], ['-V'], ['identity', 'create', '--version'], ['--vault', 'x', '--version']]) expect(await runMain(alice, argv)).toMatchObject({ code: 0, text: `${version}\n` });
    expect((await runMain(alice, ['identity', 'show'])).code).toBe(9);
  });
});

describe('a fault that nobody foresaw', () => {
  const boom = (): never => {
    throw new TypeError(`cannot read ${CANARY}`);
  };

  it('is INTERNAL, and shows no part of what it stumbled over, not even when debugging', async () => {
    const alice = sandbox('alice');
    vi.spyOn(finding, 'findVault').mockImplementation(boom);
    const quiet = await runMain(alice, ['audit', 'log']);
    expect(quiet).toMatchObject({ code: 1, text: '' });
    expect(quiet.stderr).toMatch(/^error INTERNAL: /);
    expect(quiet.stderr).not.toContain('    at ');
    const loud = await runMain(alice, ['audit', 'log'], { env: { OXP_VAULT_DEBUG: '1' } });
    expect(loud.stderr).toMatch(/caused by TypeError\n +at /);
    expect(loud.stderr + quiet.stderr).not.toContain(CANARY);
    vi.restoreAllMocks();
  });
});

describe('the program', () => {
  beforeAll(buildCli, 300_000);

  it('exits with the code of the command', async () => {
    const alice = sandbox('alice');
    expect(await runBin(alice, ['--version'])).toMatchObject({ code: 0, stderr: '' });
    expect(await runBin(alice, ['audit', 'log'])).toMatchObject({ code: 3, text: '' });
  });

  it('where its directory was removed, says so to what needs one', async () => {
    const alice = sandbox('alice');
    const gone = (line: string) => alice.run('/bin/sh', ['-c', `mkdir gone && cd gone && rmdir "$PWD" && exec "$0" "$1" ${line}`, process.execPath, BIN]);
    const asked = await gone('list');
    expect(asked).toMatchObject({ code: 8, text: '' });
    expect(asked.stderr).toContain('error STORE_IO: cannot tell which directory this is: ENOENT\n  It may have been removed.');
    expect(await gone('--version')).toMatchObject({ code: 0 });
  });

  it('is quiet, and says so by its exit code, when nobody reads its output any more', async () => {
    const alice = sandbox('alice');
    const child = spawn(process.execPath, [BIN, 'completion', 'bash'], { env: alice.env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, said }).toEqual({ code: 141, said: '' });
  });
});

/** A pipe of 4 KiB that does not block its writer, and that is read only when it has been full for a while. */
const SLOW_READER = `
import fcntl, os, subprocess, sys, time
read_end, write_end = os.pipe()
fcntl.fcntl(write_end, 1031, 4096)
fcntl.fcntl(write_end, fcntl.F_SETFL, fcntl.fcntl(write_end, fcntl.F_GETFL) | os.O_NONBLOCK)
child = subprocess.Popen(sys.argv[1:], stdout=write_end)
os.close(write_end)
time.sleep(0.7)
with os.fdopen(read_end, 'rb') as source:
    sys.stdout.buffer.write(source.read())
sys.exit(child.wait())
`;

describeWith(['python3'], 'on a pipe that is full and does not block', ({ python3 }) => {
  beforeAll(buildCli, 300_000);

  it('the program loses nothing', async () => {
    const alice = sandbox('alice');
    const whole = await runBin(alice, ['completion', 'zsh']);
    expect(whole.stdout.length).toBeGreaterThan(2 * 4096);
    const slow = await alice.run(python3, ['-c', SLOW_READER, process.execPath, BIN, 'completion', 'zsh']);
    expect(slow).toMatchObject({ code: 0, stderr: '' });
    expect(slow.stdout.equals(whole.stdout)).toBe(true);
  });
});
