/**
 * No value leaves the program but where it was asked for. Every command runs as the real program, with debugging on; searched is what
 * it prints, every file of the vault, of the home and of the temporary directories, every byte that was written to any file, gone or
 * not, and the arguments and environment of every program that it started.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CommandTree } from '../../packages/cli/src/command.js';
import { createShell } from '../../packages/cli/src/shell.js';
import { buildCli } from '../cli/harness.js';
import { sandbox } from '../support/sandbox.js';
import { tempDir } from '../support/tmp.js';
import { missingTools, tool } from '../support/tools.js';
import { leaks, type Needle, needlesFor, piecesOf } from './needles.js';
import { SCENARIOS } from './scenarios.js';
import type { Stage } from './stage.js';
import { filesBelow, type Watch, watched } from './watched.js';

type Command = Awaited<ReturnType<CommandTree['loadAll']>>;

function* leaves(command: Command, path: readonly string[] = []): Iterable<string> {
  if (command.commands.length === 0) yield path.join(' ');
  for (const child of command.commands) yield* leaves(child, [...path, child.name()]);
}

const shared = ['/dev/shm', '/run/user'];
const inMemory = (): string[] => shared.flatMap((place) => (place === '/dev/shm' ? readdirSync(place).filter((name) => name.startsWith('oxp-vault-')) : []));

describe('a canary through every command', () => {
  const alice = sandbox('alice');
  const outside = tempDir('leak');
  const [inputs, outputs, traces] = ['inputs', 'outputs', 'traces'].map((name) => join(outside, name)) as [string, string, string];
  const needles: Needle[] = [];
  const watch: Watch = { strace: tool('strace'), directory: traces, allowed: [inputs, outputs, ...shared], observations: [], counts: { writes: 0, programs: 0 } };
  const stage: Stage = {
    person: alice,
    inputs,
    outputs,
    needles,
    cli: async (code, argv, options = {}) => {
      const identity = { OXP_VAULT_IDENTITY: join(inputs, 'alice.age') };
      const result = await watched(watch, alice, argv, { ...options, env: { ...identity, ...options.env } });
      if (result.code !== code) throw new Error(`oxp-vault ${argv.join(' ')} gave ${result.code}, not ${code}\n${result.stderr}${options.values ? '' : result.text}`);
      return result;
    },
    stored: (directory) => {
      const place = join(alice.work, 'vault', directory);
      return join(place, readdirSync(place).sort().at(-1)!);
    },
  };

  beforeAll(async () => {
    for (const directory of [inputs, outputs, traces]) mkdirSync(directory);
    await buildCli();
  }, 300_000);

  it('knows every command', async () => {
    const tree = await createShell(() => () => Promise.resolve(), { out: '', err: '' }, 100).loadAll();
    expect(SCENARIOS.map(([command]) => command).sort()).toEqual([...leaves(tree)].sort());
  });

  it.each(SCENARIOS)('%s', async (_command, scenario) => {
    await expect(scenario(stage)).resolves.toBeUndefined();
  }, 300_000);

  it('is seen nowhere', () => {
    const everywhere = [...watch.observations, ...filesBelow(join(alice.home, '..'), [])];
    expect(needles.length).toBeGreaterThan(500);
    const found = leaks(everywhere, needles);
    expect(found.slice(0, 40).join('\n'), `${found.length} leaks`).toBe('');
    expect(inMemory()).toEqual([]);
  }, 300_000);

  it('would have been seen in files that are gone again, and by programs that were started', (context) => {
    if (watch.strace === undefined) context.skip(`skipped: ${missingTools(['strace'])}`);
    expect(watch.counts.writes).toBeGreaterThan(200);
    expect(watch.counts.programs).toBeGreaterThan(5);
  });
});

describe('the search itself', () => {
  const secret = 'é"\\CANARY+/ %&<x';
  it.each([
    ['as it is', secret], ['hex', Buffer.from(secret).toString('hex')], ['HEX', Buffer.from(secret).toString('hex').toUpperCase()], ['JSON', JSON.stringify({ a: secret })], ['an URL', `https://x/?${encodeURIComponent(secret)}`],
    ['base64', Buffer.from(secret).toString('base64')], ['base64 after one byte', Buffer.from(`1${secret}23`).toString('base64')], ['base64 after two bytes', Buffer.from(`12${secret}3`).toString('base64url')], ['UTF-16', Buffer.from(secret, 'utf16le')],
  ])('finds a secret in %s', (form, text) => {
    expect(leaks([{ where: form, bytes: Buffer.from(text as string) }], needlesFor('it', secret))).not.toEqual([]);
  });

  it('finds a piece, and nothing where there is nothing', () => {
    expect(leaks([{ where: 'here', bytes: Buffer.from('error near "NARYq7Zt"') }], piecesOf('it', 'CANARYq7Zt5W'))).toHaveLength(1);
    expect(leaks([{ where: 'here', bytes: Buffer.from('error near line 3') }], [...needlesFor('it', secret), ...piecesOf('it', 'CANARYq7Zt5W')])).toEqual([]);
  });
});
