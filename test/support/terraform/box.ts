/** Real Terraform in a person's sandbox, with the provider of the product, those of the tests, and a watch on all that leaves it. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BIN, binDirectory } from '../../cli/harness.js';
import type { VaultOwner } from '../../cli/person.js';
import type { Observation } from '../../leak/needles.js';
import { filesBelow, readTrace, type Trace } from '../../leak/watched.js';
import { bundle } from '../bundle.js';
import { mustRun, run, type RunResult } from '../run.js';
import { tempDir } from '../tmp.js';
import { requireTool, tool } from '../tools.js';

export const PROVIDER = join(dirname(BIN), 'terraform-provider-oxpvault.js');
export const SOURCE = 'oxp-vault.internal/oxp/oxpvault';

/** A program of the tests as Terraform looks for it. */
async function provide(directory: string, name: string): Promise<void> {
  const code = await bundle(new URL(`./${name}-provider.ts`, import.meta.url), join(directory, `${name}.cjs`));
  const program = join(directory, `terraform-provider-${name}`);
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${code}'\n`);
  chmodSync(program, 0o755);
}

/** Where the providers of the tests lie, and the real `external` in place of its stand-in where there is one. For a beforeAll. */
export async function testProviders(): Promise<Readonly<Record<'external' | 'sink', string>>> {
  const directory = tempDir('providers');
  await provide(directory, 'sink');
  const real = tool('terraform-provider-external');
  if (real === undefined) await provide(directory, 'external');
  return { sink: directory, external: real === undefined ? directory : dirname(real) };
}

export interface BoxOptions {
  /** The main program; `terraform` unless named. */
  readonly program?: string;
  readonly installation?: string;
  /** Where the root module lies below the person's working directory. */
  readonly directory?: string;
}

export class TerraformBox {
  readonly alice: VaultOwner;
  /** The root module. */
  readonly directory: string;
  readonly sink: string;
  /** What was seen outside of the files that lie there now. */
  readonly seen: Observation[] = [];
  readonly programs: string[] = [];
  readonly #env: Record<string, string | undefined>;
  readonly #program: string;
  #runs = 0;

  constructor(alice: VaultOwner, providers: Readonly<Record<string, string>>, main: string, { program = requireTool('terraform'), installation, directory = 'infra' }: BoxOptions = {}) {
    this.alice = alice;
    this.#program = program;
    this.directory = join(alice.work, directory);
    this.sink = alice.at('sink');
    mkdirSync(this.directory, { recursive: true });
    mkdirSync(this.sink, { recursive: true });
    const overrides = { [SOURCE]: dirname(PROVIDER), 'oxp.test/oxp/sink': providers['sink'], 'hashicorp/external': providers['external'] };
    const rows = Object.entries(overrides).filter(([, path]) => path !== undefined).map(([source, path]) => `    "${source}" = "${path}"\n`);
    writeFileSync(alice.at('terraform.rc'), `provider_installation {\n${installation ?? `  dev_overrides {\n${rows.join('')}  }\n`}}\n`);
    this.write('main.tf', main);
    this.#env = {
      TF_CLI_CONFIG_FILE: alice.at('terraform.rc'),
      CHECKPOINT_DISABLE: '1',
      TF_IN_AUTOMATION: '1',
      SINK_DIRECTORY: this.sink,
      PATH: `${binDirectory(alice.home)}:${alice.env['PATH']}`,
    };
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.directory, name), text);
  }

  read(name: string): string {
    return readFileSync(join(this.directory, name), 'utf8');
  }

  get env(): Record<string, string | undefined> {
    return { ...this.alice.env, ...this.#env };
  }

  get program(): string {
    return this.#program;
  }

  /**
   * Runs one command with everything logged, and under strace where there is one and `traced` is not false. Its log is
   * `trace-N.log` in the root module.
   */
  async run(args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}, traced = true): Promise<RunResult> {
    const number = ++this.#runs;
    const trace = join(tempDir('trace'), 'trace');
    const strace = traced ? tool('strace') : undefined;
    const watch = strace === undefined ? [] : [strace, '-f', '-y', '-v', '-xx', '-s', '9999999', '-e', 'trace=execve,write,pwrite64,writev', '--seccomp-bpf', '-o', trace, '--'];
    const [program, ...rest] = [...watch, this.#program, ...args, ...(args[0] === 'output' || args[0] === 'show' ? [] : ['-no-color'])];
    const result = await run(program!, rest, { cwd: this.directory, env: { ...this.env, TF_LOG: 'TRACE', TF_LOG_PATH: join(this.directory, `trace-${number}.log`), ...env }, timeout: 120_000 });
    const title = `${args[0]} (run ${number})`;
    this.seen.push({ where: `stdout of ${title}`, bytes: result.stdout }, { where: `stderr of ${title}`, bytes: Buffer.from(result.stderr) });
    if (strace !== undefined) {
      const found: Trace = { allowed: ['/dev'], observations: this.seen, counts: { writes: 0, programs: 0 } };
      readTrace(found, title, readFileSync(trace, 'utf8'));
      this.programs.push(...Array.from({ length: found.counts.programs }, () => title));
    }
    return result;
  }

  /** The same; rejects unless it succeeds. */
  async must(args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}): Promise<RunResult> {
    const result = await this.run(args, env);
    if (result.code !== 0) throw new Error(`terraform ${args.join(' ')} gave ${result.code}\n${result.text}${result.stderr}`);
    return result;
  }

  /** Everything: what was seen, every file of the person as it lies there now, and the members of saved plans. */
  async everything(): Promise<Observation[]> {
    const plans = readdirSync(this.directory).filter((name) => name.endsWith('.tfplan'));
    for (const plan of plans) {
      const members = join(this.directory, `${plan}.members`);
      mkdirSync(members, { recursive: true });
      await mustRun(requireTool('python3'), ['-m', 'zipfile', '-e', join(this.directory, plan), members]);
    }
    return [...this.seen, ...filesBelow(dirname(this.alice.home), [])];
  }

  /** What was left in the directory for temporary files. */
  leftovers(): string[] {
    return readdirSync(this.alice.env['TMPDIR']!);
  }

  /** The SHA-256 of what the sink got under a name. */
  got(name: string): string {
    return readFileSync(join(this.sink, name), 'utf8');
  }
}
