import { execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface ToolEntry {
  /** How a person gets it. Completes the sentence "needs `age`: …". */
  readonly install: string;
  /** The program's file name, where it is not the name of the entry. */
  readonly program?: string;
  /** The oldest version that will do, as `[major, minor]`; asked with `--version`. */
  readonly atLeast?: readonly [number, number];
  /** Not installable by name everywhere: its absence is a skip even where tools are required. */
  readonly optional?: true;
}

const debian = (name: string): ToolEntry => ({ install: `Debian package ${name}` });
const go = (path: string): string => `go install ${path}`;
const AGE = go('filippo.io/age/cmd/...@v1.3.2');

/** Every program that a test may ask for, and how one gets it. `.ci/run` installs all that are not optional. */
const TOOLS = {
  age: debian('age'),
  'age-keygen': debian('age'),
  'age@1.3': { install: AGE, program: 'age', atLeast: [1, 3] },
  'age-keygen@1.3': { install: AGE, program: 'age-keygen', atLeast: [1, 3] },
  'age-plugin-batchpass': { install: AGE },
  ansible: debian('ansible-core'),
  'ansible-inventory': debian('ansible-core'),
  'ansible-playbook': debian('ansible-core'),
  // Templating was turned around in 2.19: what is literal before has to be literal after.
  'ansible-playbook@2.19': { install: 'pip install ansible-core', program: 'ansible-playbook', atLeast: [2, 19] },
  'ansible-vault': debian('ansible-core'),
  bash: debian('bash'),
  curl: debian('curl'),
  dig: debian('bind9-dnsutils'),
  fish: debian('fish'),
  git: debian('git'),
  go: { install: 'https://go.dev/dl or Debian package golang-go' },
  jq: debian('jq'),
  kubectl: { install: 'https://kubernetes.io/docs/tasks/tools' },
  minisign: debian('minisign'),
  named: debian('bind9'),
  'named-checkconf': debian('bind9-utils'),
  nsupdate: debian('bind9-dnsutils'),
  openssl: debian('openssl'),
  python3: debian('python3'),
  script: debian('bsdutils'),
  setsid: debian('util-linux'),
  sops: { install: go('github.com/getsops/sops/v3/cmd/sops@v3.13.3') },
  ssh: debian('openssh-client'),
  'ssh-add': debian('openssh-client'),
  'ssh-agent': debian('openssh-client'),
  'ssh-keygen': debian('openssh-client'),
  sshd: debian('openssh-server'),
  strace: debian('strace'),
  terraform: { install: 'https://developer.hashicorp.com/terraform/install' },
  'terraform-provider-external': { install: 'a release of hashicorp/terraform-provider-external, on PATH', optional: true },
  tofu: { install: 'https://opentofu.org/docs/intro/install', optional: true },
  'tsig-keygen': debian('bind9-utils'),
  versitygw: { install: go('github.com/versity/versitygw/cmd/versitygw@latest') },
  zsh: debian('zsh'),
} as const satisfies Record<string, ToolEntry>;

export type ToolName = keyof typeof TOOLS;

/** How a person gets the tool, as one reads it in the reason of a skip. */
export const howToInstall = (name: ToolName): string => TOOLS[name].install;

/** Whether the tool may be missing even where tools are required. */
export function isOptional(name: ToolName): boolean {
  const entry: ToolEntry = TOOLS[name];
  return entry.optional === true;
}

const required = (): boolean => process.env['OXP_TEST_REQUIRE'] === '1';

/** Daemons live in sbin, which a plain user's PATH lacks; the last one is where `.ci/run` puts what it builds. */
function searchPath(): string[] {
  const built = process.env['OXP_TEST_TOOLS'] ?? join(homedir(), '.cache', 'oxp-vault-test-tools');
  return [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), '/usr/local/sbin', '/usr/sbin', '/sbin', join(built, 'bin')];
}

function isProgram(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // a file of that name that may not be executed is no program
  }
}

function isNewEnough(path: string, [major, minor]: readonly [number, number]): boolean {
  const found = /(\d+)\.(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  if (found === null) return false;
  const [foundMajor, foundMinor] = [Number(found[1]), Number(found[2])];
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}

const found = new Map<ToolName, string | undefined>();

/** The program's absolute path, or undefined. Never throws; looks once per process. */
export function findTool(name: ToolName): string | undefined {
  if (!found.has(name)) {
    const entry: ToolEntry = TOOLS[name];
    const candidates = searchPath().map((directory) => join(directory, entry.program ?? name));
    const { atLeast } = entry;
    found.set(name, candidates.find((path) => isProgram(path) && (atLeast === undefined || isNewEnough(path, atLeast))));
  }
  return found.get(name);
}

/** "needs `age` (Debian package age)", for every name that is missing; undefined if nothing is. */
export function missingTools(names: readonly ToolName[]): string | undefined {
  const missing = names.filter((name) => findTool(name) === undefined);
  return missing.length === 0 ? undefined : `needs ${missing.map((name) => `\`${name}\` (${TOOLS[name].install})`).join(' and ')}`;
}

function mayBeAbsent(name: ToolName): boolean {
  return isOptional(name) || !required();
}

/** The program's absolute path, or undefined where it is missing and may be. Throws if OXP_TEST_REQUIRE=1 demands it. */
export function tool(name: ToolName): string | undefined {
  const path = findTool(name);
  if (path === undefined && !mayBeAbsent(name)) throw new Error(`OXP_TEST_REQUIRE=1: ${missingTools([name])}`);
  return path;
}

/** The program's absolute path; throws where it is missing. For use inside `describeWith`, or for what a test cannot do without. */
export function requireTool(name: ToolName): string {
  const path = findTool(name);
  if (path === undefined) throw new Error(missingTools([name]));
  return path;
}

/**
 * `describe`, for tests against real programs. `fn` runs only where all of them are found. Where one is missing, one test stands
 * for the group: skipped with the reason (which the closing report prints once), or failed under OXP_TEST_REQUIRE=1.
 */
export function describeWith<T extends ToolName>(names: readonly T[], title: string, fn: (paths: Record<T, string>) => void): void {
  const reason = missingTools(names);
  if (reason === undefined) {
    describe(title, () => fn(Object.fromEntries(names.map((name) => [name, requireTool(name)])) as Record<T, string>));
    return;
  }
  const demanded = names.some((name) => findTool(name) === undefined && !mayBeAbsent(name));
  describe(title, () => {
    it(reason, (context) => {
      if (demanded) expect.fail(`OXP_TEST_REQUIRE=1: ${reason}`);
      context.skip(`skipped: ${reason}`);
    });
  });
}
