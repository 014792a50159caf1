import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { sandbox } from '../support/sandbox.js';
import { describeWith } from '../support/tools.js';
import { mustRunMain } from './harness.js';

const person = sandbox('alice');
const scripts: Record<string, string> = {};

beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const path = join(person.work, `complete.${shell}`);
    scripts[shell] = path;
    writeFileSync(path, (await mustRunMain(person, ['completion', shell])).text);
  }
});

/** What stands on the line, and words that must be among the offers, or none. */
const LINES: readonly (readonly [line: string, offered: readonly string[], not: readonly string[]])[] = [
  ['oxp-vault id', ['identity'], ['create', 'seal']],
  ['oxp-vault identity ', ['create', 'show', 'passwd'], ['seal']],
  ['oxp-vault identity c', ['create'], ['show']],
  ['oxp-vault identity create --pe', ['--person'], ['--device', '--person-x']],
  ['oxp-vault identity create --', ['--person', '--json', '--vault'], ['--tiles']],
  ['oxp-vault exposure --pe', ['--person'], ['--device']],
  ['oxp-vault member remove --ro', ['--rotate', '--role'], ['--rounds']],
  ['oxp-vault dri', ['drill'], ['device']],
  ['oxp-vault handover re', ['request', 'release'], ['consent']],
  ['oxp-vault handover request --', ['--to', '--use', '--custody', '--keep-reader', '--admin', '--not-after'], ['--wait']],
  ['oxp-vault handover consent --w', ['--wait'], ['--rotate']],
  ['oxp-vault --vault somewhere audit ex', ['export'], ['log']],
  // The value of an option is no command, whatever it is called.
  ['oxp-vault --vault identity aud', ['audit'], []],
  ['oxp-vault standing --', ['--not-after', '--end', '--expect'], ['--role']],
  ['oxp-vault status --w', ['--without'], ['--json']],
  ['oxp-vault completion ', ['bash', 'zsh', 'fish'], ['identity']],
];

function expectOffers(text: string, offered: readonly string[], not: readonly string[]): void {
  const words = text.split(/\s+/);
  for (const word of offered) expect(words).toContain(word);
  for (const word of not) expect(words).not.toContain(word);
}

describeWith(['bash'], 'in bash', ({ bash }) => {
  const complete = async (line: string): Promise<string> => {
    const words = line.split(' ');
    const script = `source "$0"; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _oxp_vault; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const result = await person.run(bash, ['--norc', '-c', script, scripts['bash']!]);
    expect(result.stderr).toBe('');
    return result.text;
  };

  it('the script is sound', async () => expect(await person.run(bash, ['-n', scripts['bash']!])).toMatchObject({ code: 0, stderr: '' }));
  it.each(LINES)('%s', async (line, offered, not) => expectOffers(await complete(line), offered, not));

  it('leaves the value of an option to the completion of files', async () => expect((await complete('oxp-vault --identity ')).trim()).toBe(''));
  it('leaves what follows -- alone', async () => expect((await complete('oxp-vault identity -- c')).trim()).toBe(''));
  it('takes --option=value as bash hands it over, in three words', async () => expect(await complete('oxp-vault --vault = v identity c')).toBe('create\n'));
});

/** A shell at a terminal: types argv[2] once argv[1] has been read, and gives back all that was seen. */
const AT_A_PROMPT = `
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[3], sys.argv[3:])
def until(word):
    seen, end = b'', time.time() + 20
    while word not in seen and time.time() < end:
        if select.select([fd], [], [], 0.2)[0]:
            seen += os.read(fd, 65536)
    return seen
os.write(fd, sys.argv[1].encode() + b'\\n')
until(b'READY')
os.write(fd, sys.argv[2].encode() + b'\\n')
sys.stdout.buffer.write(until(b'>END'))
`;

describeWith(['bash', 'python3'], 'at the prompt of bash', ({ bash, python3 }) => {
  it('Tab makes the line that is run', async () => {
    const setUp = `source ${scripts['bash']!}; oxp-vault() { echo "RAN<$*>"END; }; echo REA""DY`;
    const keys = 'oxp-vault --vault v identi\tcre\t--devi\tlaptop';
    const result = await person.run(python3, ['-c', AT_A_PROMPT, setUp, keys, bash, '--norc', '--noprofile', '-i'], { env: { TERM: 'dumb', INPUTRC: '/dev/null' } });
    expect(/RAN<(.*)>END/.exec(result.text)?.[1]).toBe('--vault v identity create --device laptop');
  });
});

describeWith(['zsh'], 'in zsh', ({ zsh }) => {
  it('the script is sound', async () => expect(await person.run(zsh, ['-f', '-n', scripts['zsh']!])).toMatchObject({ code: 0, stderr: '' }));

  /** A zsh in a terminal of its own: the line as Tab leaves it. */
  const typed = async (keys: string): Promise<string> => {
    const driver = `zmodload zsh/zpty; zpty z zsh -f -i
zpty -w z 'PS1=PROMPT; autoload -Uz compinit; compinit -D -u; source ${scripts['zsh']!}; bindkey "^I" complete-word; oxp-vault() { print -r -- "RAN<$*>" }; print READ""Y'
zpty -r -m z o '*READY*'
zpty -w -n z $'${keys}\\n'
zpty -r -m z out '*RAN<*>*'; print -r -- "$out"; zpty -d z`;
    const result = await person.run(zsh, ['-f', '-c', driver], { timeout: 30_000, env: { TERM: 'dumb' } });
    return /RAN<(.*?)>/s.exec(result.text.replace(/\r/g, ''))?.[1] ?? result.text;
  };

  it.each([
    ['oxp-vault identi\\t', 'identity'],
    ['oxp-vault identity pas\\t', 'identity passwd'],
    ['oxp-vault --vault v identity create --dev\\tlaptop', '--vault v identity create --device laptop'],
    ['oxp-vault completion fi\\t', 'completion fish'],
  ])('%s', async (keys, line) => expect((await typed(keys)).trim()).toBe(line));
});

describeWith(['fish'], 'in fish', ({ fish }) => {
  it('the script is sound', async () => expect(await person.run(fish, ['--no-config', '-n', scripts['fish']!])).toMatchObject({ code: 0, stderr: '' }));

  it.each([...LINES, ['oxp-vault --vault=./v audit ex', ['export'], ['log']] as const])('%s', async (line, offered, not) => {
    const result = await person.run(fish, ['--no-config', '-c', `source $argv[1]; complete -C $argv[2]`, scripts['fish']!, line]);
    expect(result.stderr).toBe('');
    expectOffers(result.text.split('\n').map((each) => each.split('\t')[0]).join(' '), offered, not);
  });
});

describe('every shell', () => {
  it('is given every command', async () => {
    const help = (await mustRunMain(person, ['help'])).text;
    const names = [...help.matchAll(/^ {2}([a-z]+) {2,}/gm)].map((match) => match[1]!);
    expect(names.length).toBeGreaterThan(5);
    for (const shell of ['bash', 'zsh', 'fish']) {
      const script = (await mustRunMain(person, ['completion', shell])).text;
      for (const name of names) expect(script).toMatch(new RegExp(`\\b${name}\\b`));
    }
  });
});
