/** docs/ci.md does what it says: its commands and both examples run as shell, on a vault in Git, on machines that have nothing but their variables. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { read } from '../support/markdown.js';
import { mustRun, run, type RunResult } from '../support/run.js';
import { sandbox, type Sandbox } from '../support/sandbox.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { binDirectory, buildCli } from './harness.js';

interface Step { readonly name?: string; readonly uses?: string; readonly run?: string; readonly env?: Readonly<Record<string, string>> }
interface GitHub { readonly env: Readonly<Record<string, string>>; readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>> }
interface GitLabJob { readonly script: readonly string[] }
interface GitLab { readonly variables: Readonly<Record<string, string>>; readonly default: { readonly before_script: readonly string[] }; readonly check: GitLabJob; readonly deploy: GitLabJob }

const text = read('docs/ci.md');
const blocks = (language: string): string[] => [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map((match) => match[1]!);
const yaml = blocks('yaml').map((block) => parse(block) as object);
const find = <T>(key: string): T => yaml.find((document) => key in document) as T;
const [enrol, renew] = blocks('sh') as [string, string];

/** What somebody at a terminal would answer. The digest of a policy is the one that a dry run has shown. */
const ANSWERS = `case "$1 $2" in
  'policy propose') digest=$("$REAL" "$@" --dry-run --json 2> /dev/null | node -pe 'JSON.parse(fs.readFileSync(0)).digest'); exec "$REAL" "$@" --yes --expect "$digest" ;;
  *) exec "$REAL" "$@" --yes ;;
esac
`;

function script(directory: string, name: string, body: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), `#!/bin/bash\nset -e\n${body}`);
  chmodSync(join(directory, name), 0o755);
}

describeWith(['bash', 'git'], 'docs/ci.md', ({ bash, git }) => {
  const shared = tempDir('ci');
  const remote = join(shared, 'vault.git');
  const address = `git+file://${remote}`;
  let program: string;
  let alice: Sandbox;
  const must = (command: string): Promise<RunResult> => alice.run(bash, ['-ec', command]).then((result) => {
    if (result.code !== 0) throw new Error(`${command}\n${result.text}${result.stderr}`);
    return result;
  });
  const entries = async (): Promise<number> => (JSON.parse((await must('oxp-vault status --json')).text) as { entries: number }).entries;
  const variables = async (identity = 'ci.age'): Promise<Record<string, string>> => ({
    OXP_VAULT_IDENTITY_DATA: readFileSync(join(alice.work, identity), 'utf8'),
    OXP_VAULT_EXPECT: (JSON.parse((await must('oxp-vault status --json')).text) as { expect: string }).expect,
    VAULT_READ_TOKEN: 'token-of-the-repository',
  });

  beforeAll(async () => {
    await buildCli();
    program = join(binDirectory(tempDir('program')), 'oxp-vault');
    const answering = tempDir('answering');
    script(answering, 'oxp-vault', `REAL=${program}\n${ANSWERS}`);
    alice = sandbox('alice', { path: [answering] });
    await mustRun(git, ['init', '--quiet', '--bare', remote]);
    await must(`oxp-vault identity create --person alice --device laptop --no-passphrase && oxp-vault init ${address} --name platform --role infra --role deploy`);
    // The lines of the page, in the place of those of `init`.
    const { roles, rules } = find<{ roles: Record<string, { members: string[] }>; rules: { path: string }[] }>('rules');
    const lines = readFileSync(join(alice.work, 'policy.yaml'), 'utf8').split('\n').flatMap((line) => {
      if (/^ {2}deploy:/.test(line)) return [`  deploy: ${JSON.stringify(roles['deploy'])}`];
      return line === 'rules:' ? [line, ...rules.map((rule) => `  - ${JSON.stringify(rule)}`)] : [line];
    });
    writeFileSync(join(alice.work, 'policy.yaml'), lines.join('\n'));
    await must('oxp-vault policy propose && oxp-vault seal && oxp-vault seal dns/rfc2136_tsig_secret --kind tsig --set key=external-dns.');
    await must(enrol);
  }, 300_000);

  /** A fresh machine: an empty home, its variables, an npm that installs our program, and a deploy.sh that looks at what it is given. */
  function runner(): { machine: Sandbox; seen: string } {
    const bin = tempDir('npm');
    const machine = sandbox('runner', { path: [bin], env: { GIT_CONFIG_GLOBAL: undefined, OXP_VAULT: undefined } });
    const seen = join(machine.home, 'deployed');
    script(bin, 'npm', `[ "$*" = 'install --global oxp-vault' ]\ncp ${program} ${bin}/oxp-vault\n`);
    script(machine.work, 'deploy.sh', `[ -z "$OXP_VAULT_IDENTITY_DATA" ]\n[ "$(stat -c %a "$1")" = 600 ] || [ "$(stat -c %a "$(dirname "$1")")" = 700 ]\ncp "$1" ${seen}\n`);
    return { machine, seen };
  }

  const CLAUSE = /key "external-dns\." \{\n\talgorithm hmac-sha256;\n\tsecret "[A-Za-z0-9+/]{43}=";\n\};/;

  async function asGitHub(job: string, own: Record<string, string>): Promise<{ machine: Sandbox; seen: string; outputs: string[] }> {
    const { machine, seen } = runner();
    const document = find<GitHub>('jobs');
    const filled = (env: Readonly<Record<string, string>> = {}): Record<string, string> =>
      Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace(/\$\{\{ (?:secrets|vars)\.(\w+) \}\}/g, (_, variable: string) => own[variable] ?? '')]));
    const temporary = tempDir('runner-temp');
    const outputs: string[] = [];
    for (const step of document.jobs[job]!.steps) {
      if (step.run === undefined) continue;
      const env = { ...filled(document.env), ...filled(step.env), OXP_VAULT: address, RUNNER_TEMP: temporary };
      const result = await machine.run(bash, ['--noprofile', '--norc', '-e', '-c', step.run], { env });
      outputs.push(result.text + result.stderr);
      if (result.code !== 0) throw new Error(`${step.name}: exit code ${result.code}\n${result.text}${result.stderr}`);
    }
    expect(existsSync(join(temporary, 'tsig.key'))).toBe(false);
    return { machine, seen, outputs };
  }

  async function asGitLab(job: 'check' | 'deploy', own: Record<string, string>): Promise<{ machine: Sandbox; seen: string; result: RunResult }> {
    const { machine, seen } = runner();
    const document = find<GitLab>('default');
    const data = Buffer.from(own['OXP_VAULT_IDENTITY_DATA']!).toString('base64');
    const lines = [...document.default.before_script, ...document[job].script];
    const result = await machine.run(bash, ['--noprofile', '--norc', '-eo', 'pipefail', '-c', lines.join('\n')], { env: { ...document.variables, ...own, OXP_VAULT_IDENTITY_DATA: data, OXP_VAULT: address } });
    return { machine, seen, result };
  }

  /** What the line of the example that is about credentials makes git send. */
  async function credentials(machine: Sandbox, host: string): Promise<string> {
    const result = await run(git, ['credential', 'fill'], { cwd: machine.work, env: { ...machine.env, VAULT_READ_TOKEN: 'token-of-the-repository' }, input: `protocol=https\nhost=${host}\n\n` });
    return result.text;
  }

  it('GitHub Actions: the deployment gets the key, and the vault no entry', async () => {
    const own = await variables();
    const before = await entries();
    const { machine, seen, outputs } = await asGitHub('deploy', own);
    expect(readFileSync(seen, 'utf8')).toMatch(CLAUSE);
    expect(outputs.join('\n')).toContain('Standing access: of dns/rfc2136_tsig_secret nothing is recorded.');
    expect(outputs.join('\n')).not.toContain('AGE-SECRET-KEY');
    expect(await entries()).toBe(before);
    expect(await credentials(machine, 'github.com')).toMatch(/^username=x-access-token\npassword=token-of-the-repository$/m);
  }, 120_000);

  it('GitHub Actions: the check needs no identity', async () => {
    const { OXP_VAULT_IDENTITY_DATA: _, ...own } = await variables();
    expect((await asGitHub('check', own)).outputs.at(-1)).toContain(' verified');
  }, 120_000);

  it('GitLab CI: the deployment gets the key, with the identity in base64', async () => {
    const { machine, seen, result } = await asGitLab('deploy', await variables());
    expect(result.stderr).toContain('nothing is recorded');
    expect(result.code).toBe(0);
    expect(readFileSync(seen, 'utf8')).toMatch(CLAUSE);
    expect(await credentials(machine, 'gitlab.example.com')).toMatch(/^username=oauth2\npassword=token-of-the-repository$/m);
  }, 120_000);

  it('GitLab CI: the check leaves its report', async () => {
    const { machine, result } = await asGitLab('check', await variables());
    expect(result.code).toBe(0);
    expect(JSON.parse(readFileSync(join(machine.work, 'check.json'), 'utf8'))).toMatchObject({ ok: true, waiting: [] });
  }, 120_000);

  it('a job stops where the vault is not the one that is expected, or is older', async () => {
    const own = await variables();
    const [id, point] = own['OXP_VAULT_EXPECT']!.split('@') as [string, string];
    const other = await asGitLab('deploy', { ...own, OXP_VAULT_EXPECT: `${'ab'.repeat(32)}@${point}` });
    expect([other.result.code, existsSync(other.seen)]).toEqual([5, false]);
    const older = await asGitLab('deploy', { ...own, OXP_VAULT_EXPECT: `${id}@${Number(point.split(':')[0]) + 1}:${point.split(':')[1]}` });
    expect([older.result.code, existsSync(older.seen)]).toEqual([5, false]);
    expect((await asGitLab('deploy', { ...own, OXP_VAULT_IDENTITY_DATA: 'x' })).result.code).toBe(9);
  }, 120_000);

  it('what is carried in a file is in the log once somebody has taken it over', async () => {
    const { machine } = runner();
    const own = await variables();
    await must('oxp-vault standing ci --end');
    const before = await entries();
    const file = join(shared, 'openings.jsonl');
    const command = `npm install --global oxp-vault; oxp-vault status > /dev/null; oxp-vault open dns/rfc2136_tsig_secret --offline --queue ${file} > /dev/null`;
    expect((await machine.run(bash, ['-ec', command], { env: { ...own, OXP_VAULT: address } })).stderr).not.toContain('Standing access');
    expect(await entries()).toBe(before);
    await must(`oxp-vault sync --from ${file}`);
    expect(await entries()).toBe(before + 1);
    await must('oxp-vault standing ci dns/ --not-after 90d');
  }, 120_000);

  it('a new key: both work, then only the new one, and standing access goes on', async () => {
    const old = await variables();
    await must(renew);
    for (const identity of ['ci.age', 'ci-2.age']) expect((await asGitLab('deploy', await variables(identity))).result.code).toBe(0);
    const line = /`(removed-devices: \[[^\]]*\])`/.exec(text)![1]!;
    await must(`echo '${line}' >> policy.yaml && oxp-vault policy propose`);
    const renewed = await asGitLab('deploy', await variables('ci-2.age'));
    expect(renewed.result.stderr).toContain('nothing is recorded');
    expect(readFileSync(renewed.seen, 'utf8')).toMatch(CLAUSE);
    const removed = await asGitLab('deploy', { ...old, OXP_VAULT_EXPECT: (await variables()).OXP_VAULT_EXPECT! });
    expect([removed.result.code, existsSync(removed.seen)]).toEqual([4, false]);
  }, 240_000);
});
