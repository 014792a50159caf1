/**
 * Sessions at a terminal as tests. A session is a text file (sessions/*.txt) that reads like what people type and see:
 *
 *     # A line that begins with # is a comment.
 *     alice$ oxp-vault identity create --no-passphrase --device laptop
 *     alice, device laptop
 *       identity   ~/.config/oxp-vault/identity.age   keep it…
 *     ...
 *     Next: oxp-vault init
 *
 *     bruno$ oxp-vault open app/password
 *     error NOT_ENROLLED: …
 *     ...
 *     [exit 4]
 *
 * Commands.  `PERSON$ COMMAND` runs in bash; `$ COMMAND` is the person before (alice at the start). Lines that begin with `> `
 *            belong to the command above, as bash shows them (here documents, loops). Every person has a machine of their own:
 *            home, local state, working directory. `cd` and `export` last until that person's end. `$SHARED` is a directory that
 *            all of them see. Nobody has a terminal, so nothing can be asked.
 * Output.    What follows up to the next command or an empty line that a command follows, stdout and stderr together, compared
 *            line by line; white space at the end of a line does not count, nor do empty lines at the end.
 *                …         within a line: anything, also nothing
 *                ...       a line of its own: any number of lines, also none
 *                ‹name›    one word, remembered under that name: from then on it stands for that word, in commands as well
 *            The path of $SHARED is shown as `$SHARED`.
 * Exit code. `[exit N]` as the last line. Without it the command must succeed. An output that is not shown at all is not
 *            compared: write `(nothing)` to say that there is none.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { tempDir } from '../support/tmp.js';
import { run } from '../support/run.js';
import { type Sandbox, sandbox } from '../support/sandbox.js';
import { requireTool } from '../support/tools.js';
import { binDirectory } from './harness.js';

export interface Step {
  /** Line of the session, from 1. */
  readonly line: number;
  readonly person: string;
  readonly command: string;
  readonly expected: readonly string[];
  readonly exit: number;
}

const PROMPT = /^([a-z][a-z0-9._-]*)?\$ (.*)$/;
const EXIT = /^\[exit (\d+)\]$/;

/** Throws for text that belongs to no command. */
export function parseSession(text: string): Step[] {
  const steps: { line: number; person: string; command: string; expected: string[]; exit: number }[] = [];
  let person = 'alice';
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    const last = steps.at(-1);
    const prompt = PROMPT.exec(line);
    const exit = EXIT.exec(line);
    if (prompt) {
      person = prompt[1] ?? person;
      steps.push({ line: index + 1, person, command: prompt[2]!, expected: [], exit: 0 });
    } else if (line.startsWith('#')) continue;
    else if (!last) {
      if (line !== '') throw new Error(`line ${index + 1} belongs to no command`);
    } else if (raw.startsWith('> ') && last.expected.length === 0) last.command += `\n${raw.slice(2)}`;
    else if (exit) last.exit = Number(exit[1]);
    else last.expected.push(line);
  }
  for (const step of steps) while (step.expected.at(-1) === '') step.expected.pop();
  return steps;
}

/** Why the output is not what the session shows, or undefined. Words that `‹name›` stands for are added to `names`. */
export function mismatch(expected: readonly string[], output: string, names: Map<string, string>): string | undefined {
  if (expected.length === 0) return undefined;
  const actual = output.trimEnd() === '' ? [] : output.trimEnd().split('\n').map((line) => line.trimEnd());
  if (expected.length === 1 && expected[0] === '(nothing)') return actual.length === 0 ? undefined : 'there is output';
  return matchLines(expected, actual, names);
}

function matchLines(expected: readonly string[], actual: readonly string[], names: Map<string, string>): string | undefined {
  const [first, ...rest] = expected;
  if (first === undefined) return actual.length === 0 ? undefined : `there is more: ${actual[0]}`;
  if (first === '...') {
    let why: string | undefined;
    for (let skip = 0; skip <= actual.length; skip++) {
      const attempt = new Map(names);
      const failed = matchLines(rest, actual.slice(skip), attempt);
      if (failed === undefined) {
        for (const [name, word] of attempt) names.set(name, word);
        return undefined;
      }
      why ??= failed;
    }
    return `nowhere after "...": ${rest[0] ?? ''}`;
  }
  if (actual[0] === undefined) return `missing: ${first}`;
  if (!matchLine(first, actual[0], names)) return `expected: ${first}\n  actual: ${actual[0]}`;
  return matchLines(rest, actual.slice(1), names);
}

function matchLine(expected: string, actual: string, names: Map<string, string>): boolean {
  const fresh: string[] = [];
  const pattern = expected
    .split(/(…|‹[a-z0-9-]+›)/)
    .map((part) => {
      if (part === '…') return '.*';
      const name = /^‹(.+)›$/.exec(part)?.[1];
      if (name === undefined) return escape(part);
      const known = names.get(name);
      if (known !== undefined) return escape(known);
      fresh.push(name);
      return '(\\S+)';
    })
    .join('');
  const match = new RegExp(`^${pattern}$`, 'u').exec(actual);
  if (!match) return false;
  fresh.forEach((name, i) => names.set(name, match[i + 1]!));
  return true;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** Runs a session file; rejects with the place and the whole output at the first thing that is not as shown. */
export async function runSession(path: string, options: { env?: Readonly<Record<string, string>> } = {}): Promise<void> {
  const bash = requireTool('bash');
  const shared = tempDir('shared');
  const program = binDirectory(tempDir('program'));
  const people = new Map<string, Sandbox>();
  const personOf = (name: string): Sandbox => {
    const known = people.get(name) ?? sandbox(name, { path: [program], env: { SHARED: shared, ...options.env } });
    people.set(name, known);
    return known;
  };
  const names = new Map<string, string>();
  for (const step of parseSession(readFileSync(path, 'utf8'))) {
    const person = personOf(step.person);
    const command = step.command.replace(/‹([a-z0-9-]+)›/g, (whole, name: string) => names.get(name) ?? whole);
    const memory = join(person.home, '.session');
    mkdirSync(memory, { recursive: true });
    // What a person's shell remembers from one command to the next.
    const script = `[ -e "$0/env" ] && . "$0/env"; [ -e "$0/cwd" ] && cd "$(cat "$0/cwd")"
trap 'code=$?; pwd > "$0/cwd"; export -p > "$0/env"; exit $code' EXIT
exec 2>&1
${command}
`;
    const result = await run(bash, ['--norc', '-c', script, memory], { cwd: person.work, env: person.env, timeout: 120_000 });
    const output = result.text.replaceAll(shared, '$SHARED');
    const wrong = result.code === step.exit ? mismatch(step.expected, output, names) : `exit code ${result.code} instead of ${step.exit}`;
    if (wrong !== undefined) throw new Error(`${basename(path)}:${step.line}: ${step.person}$ ${step.command}\n${wrong}\n--- output ---\n${output}${result.stderr}`);
  }
}
