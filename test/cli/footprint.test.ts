/** What commands leave where people work: nothing, unless asked for; and what they do leave belongs to its owner. */
import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mustRun } from '../support/run.js';
import { type Sandbox, sandbox } from '../support/sandbox.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { BIN, binDirectory, buildCli } from './harness.js';

function* files(directory: string): Iterable<string> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    yield path;
    if (lstatSync(path).isDirectory()) yield* files(path);
  }
}

/** Names, modes, times and content of everything below. */
function picture(directory: string): string[] {
  return [...files(directory)].map((path) => {
    const { mode, mtimeMs, size } = lstatSync(path);
    return `${path} ${mode.toString(8)} ${mtimeMs} ${size} ${lstatSync(path).isFile() ? readFileSync(path, 'latin1').length : ''}`;
  });
}

describe('a working directory', () => {
  beforeAll(buildCli, 300_000);

  it('is left untouched by everything that only looks, and by opening', async () => {
    const alice = sandbox('alice');
    const vault = join(tempDir('elsewhere'), 'vault');
    const cli = (...argv: string[]): Promise<unknown> => mustRun(process.execPath, [BIN, ...argv], { cwd: alice.work, env: alice.env });
    await cli('identity', 'create', '--no-passphrase', '--device', 'laptop');
    await cli('init', vault);
    await cli('seal');
    const draft = join(alice.work, 'policy.yaml');
    writeFileSync(draft, readFileSync(draft, 'utf8').replace(/^rules:\n/m, 'rules:\n  - { path: dns/, owners: [team], writers: [team], readers: [team] }\n'));
    // Something waits here for the next command that writes: one that only looks leaves it waiting.
    await cli('open', 'app/password', '--offline');
    const [before, stored] = [picture(alice.work), picture(vault)];
    const looks = ['status', 'list', 'show app/password', 'audit log', 'audit verify', 'audit checkpoint', 'policy show', 'policy log', 'policy propose --dry-run', 'role list', 'seal --dry-run', 'gc --dry-run', 'identity show', 'help', 'completion bash'];
    for (const words of looks) {
      await cli(...words.split(' '));
      expect(picture(alice.work), words).toEqual(before);
      expect(picture(vault), words).toEqual(stored);
    }
    for (const words of ['open app/password', 'open --role team --json', 'open app/password --offline']) {
      await cli(...words.split(' '));
      expect(picture(alice.work), words).toEqual(before);
    }
    // What writes to the vault writes there, not here.
    for (const words of ['rotate app/password', 'retire app/password', 'role rekey team', 'gc --now']) {
      await cli(...words.split(' '));
      expect(picture(alice.work), words).toEqual(before);
    }
  });

  it('keeps its drafts when a vault is made beside them', async () => {
    const alice = sandbox('alice');
    writeFileSync(join(alice.work, 'bootstrap.yaml'), '# mine\nsecrets: {}\n');
    await mustRun(process.execPath, [BIN, 'identity', 'create', '--no-passphrase'], { cwd: alice.work, env: alice.env });
    await mustRun(process.execPath, [BIN, 'init'], { cwd: alice.work, env: alice.env });
    expect(readFileSync(join(alice.work, 'bootstrap.yaml'), 'utf8')).toBe('# mine\nsecrets: {}\n');
  });
});

describeWith(['bash'], 'the modes of files', ({ bash }) => {
  beforeAll(buildCli, 300_000);

  const GROUP_AND_OTHERS = 0o077;
  const open = (path: string): boolean => (lstatSync(path).mode & GROUP_AND_OTHERS) !== 0;

  async function everything(umask: string): Promise<{ alice: Sandbox; out: string }> {
    const alice = sandbox('alice');
    const script = `umask ${umask}
oxp-vault identity create --no-passphrase --device laptop && oxp-vault init && oxp-vault seal && oxp-vault open --role team --out out/in && oxp-vault open app/password --offline > /dev/null &&
oxp-vault generate ssh-key --out made && oxp-vault identity passwd --no-passphrase && oxp-vault rotate app/password && oxp-vault status`;
    await mustRun(bash, ['--norc', '-c', script], { cwd: alice.work, env: { ...alice.env, PATH: `${binDirectory(alice.home)}:${alice.env['PATH']}` } });
    return { alice, out: join(alice.work, 'out') };
  }

  it.each(['000', '022', '077'])('under umask %s are private where they hold a key or a value', async (umask) => {
    const { alice, out } = await everything(umask);
    const identity = alice.at('.config', 'oxp-vault', 'identity.age');
    const mustBePrivate = [identity, join(alice.work, 'made', 'ssh-key'), out, ...files(out), alice.at('.local', 'state', 'oxp-vault'), ...files(alice.at('.local', 'state', 'oxp-vault'))];
    expect(mustBePrivate.filter(open)).toEqual([]);
    expect(lstatSync(identity).mode & 0o777).toBe(0o600);
  });

  it('under umask 077 are all private, and under 022 the vault and the card can be read by those whom they are for', async () => {
    const strict = await everything('077');
    expect([...files(strict.alice.work)].filter(open)).toEqual([]);
    const usual = await everything('022');
    const closed = [...files(join(usual.alice.work, 'vault')), usual.alice.at('.config', 'oxp-vault', 'alice.card')].filter((path) => (lstatSync(path).mode & 0o444) !== 0o444);
    expect(closed).toEqual([]);
  });

  it('under umask 000 give not everybody the right to write into the vault or its drafts', async () => {
    const { alice } = await everything('000');
    expect([...files(alice.work)].filter((path) => (lstatSync(path).mode & 0o002) !== 0)).toEqual([]);
  });
});
