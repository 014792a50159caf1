/** Each class of errors by a command that really ends in it: scripts and the Ansible collection go by these numbers. */
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ERROR_CLASSES, type ErrorClass } from '../../packages/core/src/error-codes.js';
import { mustRun, type RunResult } from '../support/run.js';
import { type Sandbox, sandbox } from '../support/sandbox.js';
import { tempDir } from '../support/tmp.js';
import { BIN, buildCli, runBin } from './harness.js';

interface Stage {
  readonly alice: Sandbox;
  readonly bruno: Sandbox;
  readonly shared: string;
  run(person: Sandbox, argv: readonly string[], env?: Readonly<Record<string, string>>): Promise<RunResult>;
}

type Case = readonly [error: ErrorClass | 'none', code: string, run: (stage: Stage) => Promise<RunResult>];

const theOnly = (directory: string): string => join(directory, readdirSync(directory)[0]!);
const CANARY = 'canary-in-a-foreign-error';

const CASES: readonly Case[] = [
  ['none', '', ({ run, alice }) => run(alice, ['list'])],
  ['unexpected', 'INTERNAL', ({ run, alice, shared }) => {
    // A fault that nobody foresaw, from below us, which quotes what it stumbled over.
    const preload = join(shared, 'fault.mjs');
    writeFileSync(preload, `import fs from 'node:fs/promises'; import { syncBuiltinESMExports } from 'node:module';
const { lstat } = fs;
fs.lstat = (path, ...more) => { if (String(path).endsWith('oxp-vault.yaml')) throw new RangeError('${CANARY}'); return lstat(path, ...more); };
syncBuiltinESMExports();
`);
    return run(alice, ['open', 'app/password'], { NODE_OPTIONS: `--import=${preload}`, OXP_VAULT_DEBUG: '1' });
  }],
  ['usage', 'USAGE', ({ run, alice }) => run(alice, ['open', 'app/password', '--at', 'newest'])],
  ['usage', 'BAD_NAME', ({ run, alice }) => run(alice, ['seal', '../etc/passwd', '--from', '-'])],
  ['usage', 'OUTPUT_EXISTS', ({ run, alice }) => run(alice, ['open', 'app/password', '--out', 'vault'])],
  ['usage', 'BAD_YAML', ({ run, alice, shared }) => {
    writeFileSync(join(shared, 'bad.yaml'), 'secrets: [');
    return run(alice, ['seal', '--bootstrap', 'bad.yaml']);
  }],
  ['not-found', 'SECRET_NOT_FOUND', ({ run, alice }) => run(alice, ['open', 'app/pasword'])],
  ['not-found', 'VAULT_NOT_FOUND', ({ run, alice }) => run(alice, ['list', '--vault', '/nowhere'])],
  ['not-found', 'FIELD_NOT_FOUND', ({ run, alice }) => run(alice, ['open', 'app/password#pin'])],
  ['denied', 'NOT_ENROLLED', ({ run, bruno }) => run(bruno, ['open', 'app/password'])],
  ['denied', 'THRESHOLD_TOO_LOW', ({ run, alice, bruno }) => run(alice, ['init', '--admin', bruno.at('.config/oxp-vault/bruno.card'), '--threshold', '1'], { OXP_TEST_CWD: tempDir('elsewhere') })],
  ['verification', 'HASH_MISMATCH', async ({ run, alice, shared }) => {
    const path = theOnly(join(shared, 'vault', 'secrets', 'app', 'password'));
    const good = readFileSync(path);
    writeFileSync(path, Buffer.concat([good.subarray(0, -1), Buffer.of(good.at(-1)! ^ 1)]));
    const result = await run(alice, ['open', 'app/password']);
    writeFileSync(path, good);
    return result;
  }],
  ['verification', 'ROLLBACK', async ({ run, alice, shared }) => {
    const [now, then] = [join(shared, 'now'), join(shared, 'then')];
    cpSync(join(shared, 'vault'), then, { recursive: true });
    await run(alice, ['open', 'app/password']);
    cpSync(join(shared, 'vault'), now, { recursive: true });
    rmSync(join(shared, 'vault'), { recursive: true });
    cpSync(then, join(shared, 'vault'), { recursive: true });
    const result = await run(alice, ['open', 'app/password']);
    rmSync(join(shared, 'vault'), { recursive: true });
    cpSync(now, join(shared, 'vault'), { recursive: true });
    return result;
  }],
  ['needs-others', 'EXPECT_NEEDED', ({ run, alice, shared }) => run(alice, ['seal', 'app/x', '--from', 'oxp-vault.yaml', '--vault', join(shared, 'vault')], { XDG_STATE_HOME: tempDir('fresh') })],
  ['conflict', 'VAULT_EXISTS', ({ run, alice, shared }) => run(alice, ['init', join(shared, 'vault')], { OXP_TEST_CWD: tempDir('elsewhere') })],
  ['conflict', 'LOCKED', async ({ run, alice, shared }) => {
    // Whoever it is, nobody here can tell whether that process still runs.
    const lock = join(shared, 'vault', 'lock');
    writeFileSync(lock, JSON.stringify({ host: 'elsewhere.example.org', pid: 1, start: '1', since: 1_795_000_000 }));
    const result = await run(alice, ['rotate', 'app/password']);
    rmSync(lock);
    return result;
  }],
  ['store', 'STORE_IO', ({ run, alice, shared }) => run(alice, ['open', 'app/password', '--out', join(shared, 'oxp-vault.yaml', 'below')])],
  ['store', 'BLOB_MISSING', async ({ run, alice, shared }) => {
    const directory = join(shared, 'vault', 'secrets', 'app', 'password');
    cpSync(directory, join(shared, 'kept'), { recursive: true });
    rmSync(directory, { recursive: true });
    const result = await run(alice, ['open', 'app/password']);
    cpSync(join(shared, 'kept'), directory, { recursive: true });
    return result;
  }],
  ['identity', 'IDENTITY_NOT_FOUND', ({ run, alice }) => run(alice, ['open', 'app/password', '--identity', 'nobody.age'])],
  ['identity', 'PASSPHRASE_NEEDED', ({ run, alice }) => run(alice, ['open', 'app/password', '--identity', 'locked.age'])],
  ['identity', 'PASSPHRASE_WRONG', ({ run, alice }) => run(alice, ['open', 'app/password', '--identity', 'locked.age', '--passphrase-file', 'oxp-vault.yaml'])],
];

describe('exit codes', () => {
  const [alice, bruno] = [sandbox('alice'), sandbox('bruno')];
  const shared = tempDir('exit');
  const run: Stage['run'] = (person, argv, env = {}) => runBin(person, argv, { cwd: env['OXP_TEST_CWD'] ?? shared, env });

  beforeAll(async () => {
    await buildCli();
    const cli = (person: Sandbox, argv: readonly string[]): Promise<RunResult> => mustRun(process.execPath, [BIN, ...argv], { cwd: shared, env: person.env });
    for (const person of [alice, bruno]) await cli(person, ['identity', 'create', '--no-passphrase', '--device', 'laptop']);
    writeFileSync(join(shared, 'phrase'), 'correct horse battery');
    chmodSync(join(shared, 'phrase'), 0o600);
    await cli(alice, ['identity', 'create', '--person', 'locked', '--out', 'locked.age', '--passphrase-file', 'phrase']);
    await cli(alice, ['init', '--name', 'platform']);
    await cli(alice, ['seal']);
  }, 300_000);

  it('has a case for every class', () => {
    expect(new Set(CASES.map(([error]) => error))).toEqual(new Set(['none', ...Object.keys(ERROR_CLASSES)]));
  });

  it.each(CASES)('%s: %s', async (error, code, act) => {
    const result = await act({ alice, bruno, shared, run });
    expect(result.stderr).toContain(code === '' ? '' : `error ${code}: `);
    expect(result.code).toBe(error === 'none' ? 0 : ERROR_CLASSES[error]);
    if (error !== 'none') expect(result.text).toBe('');
    expect(result.stderr).not.toContain(CANARY);
  });

  it('are the same with --json, as one document on stderr', async () => {
    const result = await run(alice, ['open', 'app/pasword', '--json']);
    expect(result).toMatchObject({ code: ERROR_CLASSES['not-found'], text: '' });
    expect(JSON.parse(result.stderr)).toMatchObject({ error: { code: 'SECRET_NOT_FOUND' } });
  });
});
